/* Any bytes as a changeset, as rebase data and through a stream. What is
 * accepted has to obey the algebra. */

#include <rowtide.h>

#include <stdlib.h>
#include <string.h>

static void require(int condition)
{
    if (!condition)
        abort();
}

static int64_t look_at_value(const rowtide_value *value)
{
    const unsigned char *bytes = value->data;
    int64_t sum = value->type;
    require(value->type <= ROWTIDE_NULL);
    if (value->type == ROWTIDE_TEXT || value->type == ROWTIDE_BLOB)
        for (size_t i = 0; i < value->size; i++)
            sum += bytes[i];
    return sum;
}

/* Touches every byte that the change points at. */
static int look_at_change(const rowtide_change *change)
{
    int64_t sum = (int64_t)strlen(change->table);
    for (int i = 0; i < change->column_count; i++) {
        if (change->old_values)
            sum += look_at_value(&change->old_values[i]);
        if (change->new_values)
            sum += look_at_value(&change->new_values[i]);
    }
    return sum >= 0;
}

static int64_t iterate(rowtide_changeset *changeset, unsigned flags)
{
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    int64_t count = 0;
    int rc;
    require(rowtide_changeset_iter_new(changeset, flags, &iter) == ROWTIDE_OK);
    while ((rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK) {
        require(look_at_change(change));
        count++;
    }
    require(rc == ROWTIDE_DONE);
    rowtide_changeset_iter_free(iter);
    return count;
}

static int same(const rowtide_changeset *a, const rowtide_changeset *b)
{
    size_t size = rowtide_changeset_size(a);
    return size == rowtide_changeset_size(b)
           && (size == 0
               || memcmp(rowtide_changeset_data(a), rowtide_changeset_data(b),
                         size)
                      == 0);
}

/* Any inverse is canonical, so two more inversions give it back. */
static void check_inverse(rowtide_changeset *changeset)
{
    rowtide_changeset *once = NULL, *twice = NULL, *thrice = NULL;
    require(rowtide_changeset_invert(changeset, &once) == ROWTIDE_OK);
    require(rowtide_changeset_invert(once, &twice) == ROWTIDE_OK);
    require(rowtide_changeset_invert(twice, &thrice) == ROWTIDE_OK);
    require(same(once, thrice));
    require(rowtide_changeset_size(twice) < rowtide_changeset_size(changeset)
            || same(twice, changeset));
    require(iterate(once, 0) == iterate(changeset, ROWTIDE_ITER_INVERT));
    rowtide_changeset_free(once);
    rowtide_changeset_free(twice);
    rowtide_changeset_free(thrice);
}

static void check_bytes(rowtide_changeset *changeset)
{
    rowtide_changeset *copy = NULL;
    require(rowtide_changeset_parse(rowtide_changeset_data(changeset),
                                    rowtide_changeset_size(changeset), &copy)
            == ROWTIDE_OK);
    require(rowtide_changeset_change_count(copy)
            == rowtide_changeset_change_count(changeset));
    rowtide_changeset_free(copy);
}

static void check_concat(rowtide_changeset *changeset)
{
    rowtide_changeset *const twice[] = {changeset, changeset};
    rowtide_changeset *single = NULL, *both = NULL;
    require(rowtide_changeset_concat(twice, 1, &single) == ROWTIDE_OK);
    require(rowtide_changeset_concat(twice, 2, &both) == ROWTIDE_OK);
    check_bytes(single);
    check_bytes(both);
    rowtide_changeset_free(single);
    rowtide_changeset_free(both);
}

static int starts_low(const char *table, void *user)
{
    (void)user;
    return *table < 'n';
}

static void check_filter(rowtide_changeset *changeset)
{
    rowtide_changeset *part = NULL;
    require(rowtide_changeset_filter(changeset, starts_low, NULL, &part)
            == ROWTIDE_OK);
    check_bytes(part);
    rowtide_changeset_free(part);
}

static void check_rebase(rowtide_changeset *changeset, const void *data,
                         size_t size)
{
    rowtide_changeset *rebased = NULL;
    int rc = rowtide_changeset_rebase(changeset, data, size, &rebased);
    require(rc == ROWTIDE_OK || rc == ROWTIDE_ECORRUPT || rc == ROWTIDE_ESCHEMA
            || rc == ROWTIDE_EINVAL);
    if (rc == ROWTIDE_OK)
        check_bytes(rebased);
    rowtide_changeset_free(rebased);
}

static void check_builder(rowtide_changeset *changeset)
{
    rowtide_changeset_builder *builder = NULL;
    rowtide_changeset_iter *iter = NULL;
    rowtide_changeset *built = NULL;
    const rowtide_change *change;
    int patchset = rowtide_changeset_is_patchset(changeset);
    require(rowtide_changeset_builder_new(patchset, &builder) == ROWTIDE_OK);
    require(rowtide_changeset_iter_new(changeset, 0, &iter) == ROWTIDE_OK);
    while (rowtide_changeset_iter_next(iter, &change) == ROWTIDE_OK)
        require(rowtide_changeset_builder_change(builder, change)
                == ROWTIDE_OK);
    require(rowtide_changeset_builder_finish(builder, &built) == ROWTIDE_OK);
    check_bytes(built);
    rowtide_changeset_free(built);
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_builder_free(builder);
}

typedef struct pieces {
    const uint8_t *data;
    size_t size, step;
} pieces;

static int give_piece(void *data, size_t *size, void *user)
{
    pieces *from = user;
    size_t count = from->size < from->step ? from->size : from->step;
    count = count < *size ? count : *size;
    if (count)
        memcpy(data, from->data, count);
    from->data += count;
    from->size -= count;
    *size = count;
    return 0;
}

/* A stream says the same as memory does. */
static void check_stream(const uint8_t *data, size_t size, int expected)
{
    pieces from = {data, size, 1 + size / 3};
    rowtide_source *source = NULL;
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    int rc;
    require(rowtide_source_callback(give_piece, &from, &source) == ROWTIDE_OK);
    require(rowtide_changeset_iter_stream(source, 0, &iter) == ROWTIDE_OK);
    while ((rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK)
        require(look_at_change(change));
    require(rc == (expected == ROWTIDE_OK ? ROWTIDE_DONE : expected));
    rowtide_changeset_iter_free(iter);
    rowtide_source_free(source);
}

static void check_stream_algebra(const uint8_t *data, size_t size)
{
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    pieces from = {data, size, 1 + size / 2};
    require(rowtide_source_callback(give_piece, &from, &source) == ROWTIDE_OK);
    require(rowtide_sink_buffer(&buffer, &sink) == ROWTIDE_OK);
    rowtide_changeset_invert_stream(source, sink);
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    rowtide_buffer_dispose(&buffer);
}

/* Two inputs in one: 'R', the size of the first in two bytes, and both. */
static void check_pair(const uint8_t *data, size_t size)
{
    size_t first_size = (size_t)data[1] << 8 | data[2];
    rowtide_changeset *first = NULL, *second = NULL, *both = NULL;
    data += 3;
    size -= 3;
    first_size = first_size < size ? first_size : size;
    if (rowtide_changeset_parse(data, first_size, &first) != ROWTIDE_OK)
        return;
    check_rebase(first, data + first_size, size - first_size);
    if (rowtide_changeset_parse(data + first_size, size - first_size, &second)
        == ROWTIDE_OK) {
        rowtide_changeset *const pair[] = {first, second};
        if (rowtide_changeset_concat(pair, 2, &both) == ROWTIDE_OK)
            check_bytes(both);
    }
    rowtide_changeset_free(both);
    rowtide_changeset_free(second);
    rowtide_changeset_free(first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rowtide_changeset *changeset = NULL;
    if (size > 3 && *data == 'R')
        check_pair(data, size);
    int rc = rowtide_changeset_parse(data, size, &changeset);
    check_stream(data, size, rc);
    check_stream_algebra(data, size);
    if (rc != ROWTIDE_OK) {
        require(rc == ROWTIDE_ECORRUPT);
        require(rowtide_error_offset() < (int64_t)size + 1);
        return 0;
    }
    require(iterate(changeset, 0) == rowtide_changeset_change_count(changeset));
    check_concat(changeset);
    check_filter(changeset);
    check_builder(changeset);
    if (!rowtide_changeset_is_patchset(changeset)) {
        check_inverse(changeset);
        check_rebase(changeset, data, size);
        for (size_t cut = 1; cut < 4; cut++)
            check_rebase(changeset, data + size * cut / 4,
                         size - size * cut / 4);
    }
    rowtide_changeset_free(changeset);
    return 0;
}
