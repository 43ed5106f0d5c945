#include "support/oom.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"
    "INSERT INTO t VALUES(1, 'one', 1.5), (2, 'two', 2.5), (3, NULL, x'0102')";
static const char SQL[] = "INSERT INTO t VALUES(4, 'four', NULL);"
                          "UPDATE t SET a='uno' WHERE id=1;"
                          "DELETE FROM t WHERE id=3";

/* The change of the row with this key; the iterator stays there. */
static const rowtide_change *find_change(rowtide_changeset_iter *iter,
                                         int64_t id)
{
    const rowtide_change *change;
    while (rowtide_changeset_iter_next(iter, &change) == ROWTIDE_OK) {
        const rowtide_value *values = change->old_values ? change->old_values
                                                         : change->new_values;
        if (values[0].integer == id)
            return change;
    }
    fail_msg("no change of row %d", (int)id);
    return NULL;
}

static rowtide_changeset_iter *start(rowtide_changeset *changeset,
                                     unsigned flags)
{
    rowtide_changeset_iter *iter = NULL;
    assert_ok(rowtide_changeset_iter_new(changeset, flags, &iter));
    return iter;
}

static void assert_text(const rowtide_value *value, const char *text)
{
    rowtide_value expected = rowtide_value_text(text);
    assert_true(rowtide_value_equal(value, &expected));
}

static void gives_typed_values(void **state)
{
    (void)state;
    sqlite3 *db = recording_db(SCHEMA);
    rowtide_changeset *changeset = record_changeset(db, SQL);
    rowtide_changeset_iter *iter = start(changeset, 0);
    const rowtide_change *change = find_change(iter, 4);
    assert_string_equal(change->table, "t");
    assert_int_equal(change->kind, ROWTIDE_CHANGE_INSERT);
    assert_int_equal(change->indirect, 0);
    assert_int_equal(change->column_count, 3);
    assert_memory_equal(change->primary_key, "\1\0\0", 3);
    assert_null(change->old_values);
    assert_text(&change->new_values[1], "four");
    assert_int_equal(change->new_values[2].type, ROWTIDE_NULL);
    rowtide_changeset_iter_free(iter);

    iter = start(changeset, 0);
    change = find_change(iter, 1);
    assert_int_equal(change->kind, ROWTIDE_CHANGE_UPDATE);
    assert_text(&change->old_values[1], "one");
    assert_text(&change->new_values[1], "uno");
    assert_int_equal(change->old_values[2].type, ROWTIDE_UNDEFINED);
    assert_int_equal(change->new_values[2].type, ROWTIDE_UNDEFINED);
    assert_int_equal(change->new_values[0].type, ROWTIDE_UNDEFINED);
    rowtide_changeset_iter_free(iter);

    iter = start(changeset, 0);
    change = find_change(iter, 3);
    rowtide_value blob = rowtide_value_blob("\1\2", 2);
    assert_int_equal(change->kind, ROWTIDE_CHANGE_DELETE);
    assert_null(change->new_values);
    assert_true(rowtide_value_equal(&change->old_values[2], &blob));
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

static void patchset_has_keys_in_old_values(void **state)
{
    (void)state;
    sqlite3 *db = recording_db(SCHEMA);
    rowtide_changeset *patchset = record_patchset(db, SQL);
    assert_int_equal(rowtide_changeset_is_patchset(patchset), 1);
    rowtide_changeset_iter *iter = start(patchset, 0);
    const rowtide_change *change = find_change(iter, 1);
    assert_int_equal(change->kind, ROWTIDE_CHANGE_UPDATE);
    assert_int_equal(change->old_values[1].type, ROWTIDE_UNDEFINED);
    assert_int_equal(change->new_values[0].type, ROWTIDE_UNDEFINED);
    assert_text(&change->new_values[1], "uno");
    assert_int_equal(change->new_values[2].type, ROWTIDE_UNDEFINED);
    rowtide_changeset_iter_free(iter);
    iter = start(patchset, 0);
    change = find_change(iter, 3);
    assert_int_equal(change->kind, ROWTIDE_CHANGE_DELETE);
    assert_int_equal(change->old_values[1].type, ROWTIDE_UNDEFINED);
    assert_null(change->new_values);
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_free(patchset);
    sqlite3_close(db);
}

static int is_value(const rowtide_value *ours, sqlite3_value *theirs)
{
    if (!theirs)
        return ours->type == ROWTIDE_UNDEFINED;
    rowtide_value value = {.type = (rowtide_type)sqlite3_value_type(theirs)};
    value.integer = sqlite3_value_int64(theirs);
    if (value.type == ROWTIDE_REAL)
        value.real = sqlite3_value_double(theirs);
    if (value.type == ROWTIDE_TEXT || value.type == ROWTIDE_BLOB) {
        value.data = sqlite3_value_blob(theirs);
        value.size = (size_t)sqlite3_value_bytes(theirs);
    }
    return rowtide_value_equal(ours, &value);
}

static void assert_same_change(const rowtide_change *change,
                               sqlite3_changeset_iter *theirs)
{
    const char *table;
    int columns, kind, indirect;
    unsigned char *key;
    assert_int_equal(
        sqlite3changeset_op(theirs, &table, &columns, &kind, &indirect),
        SQLITE_OK);
    assert_int_equal(sqlite3changeset_pk(theirs, &key, NULL), SQLITE_OK);
    assert_string_equal(change->table, table);
    assert_int_equal(change->kind, kind);
    assert_int_equal(change->indirect, indirect);
    assert_int_equal(change->column_count, columns);
    assert_memory_equal(change->primary_key, key, (size_t)columns);
    for (int i = 0; i < columns; i++) {
        sqlite3_value *value;
        if (kind != SQLITE_INSERT) {
            sqlite3changeset_old(theirs, i, &value);
            assert_true(is_value(&change->old_values[i], value));
        }
        if (kind != SQLITE_DELETE) {
            sqlite3changeset_new(theirs, i, &value);
            assert_true(is_value(&change->new_values[i], value));
        }
    }
}

static void compare_with_sqlite(rowtide_changeset *changeset, unsigned flags)
{
    size_t size = rowtide_changeset_size(changeset);
    char *copy = malloc(size + 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, rowtide_changeset_data(changeset), size);
    sqlite3_changeset_iter *theirs;
    assert_int_equal(
        sqlite3changeset_start_v2(
            &theirs, (int)size, copy,
            flags & ROWTIDE_ITER_INVERT ? SQLITE_CHANGESETSTART_INVERT : 0),
        SQLITE_OK);
    rowtide_changeset_iter *iter = start(changeset, flags);
    const rowtide_change *change;
    int64_t count = 0;
    while (sqlite3changeset_next(theirs) == SQLITE_ROW) {
        assert_ok(rowtide_changeset_iter_next(iter, &change));
        assert_same_change(change, theirs);
        count++;
    }
    assert_int_equal(rowtide_changeset_iter_next(iter, &change), ROWTIDE_DONE);
    assert_int_equal(count, rowtide_changeset_change_count(changeset));
    rowtide_changeset_iter_free(iter);
    assert_int_equal(sqlite3changeset_finalize(theirs), SQLITE_OK);
    free(copy);
}

static void same_as_sqlite(void **state)
{
    (void)state;
    random_state random = {61};
    for (int round = 0; round < 100; round++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        char *before = random_sql(&random, 25), *sql = random_sql(&random, 25);
        recording_exec(db, before);
        rowtide_changeset *changeset = round % 2 ? record_patchset(db, sql)
                                                 : record_changeset(db, sql);
        compare_with_sqlite(changeset, 0);
        if (round % 2 == 0)
            compare_with_sqlite(changeset, ROWTIDE_ITER_INVERT);
        rowtide_changeset_free(changeset);
        free(before);
        free(sql);
        sqlite3_close(db);
    }
}

static void offsets_point_at_changes(void **state)
{
    (void)state;
    sqlite3 *db = recording_db(SCHEMA);
    rowtide_changeset *changeset = record_changeset(db, SQL);
    const char *bytes = rowtide_changeset_data(changeset);
    rowtide_changeset_iter *iter = start(changeset, 0);
    const rowtide_change *change;
    while (rowtide_changeset_iter_next(iter, &change) == ROWTIDE_OK)
        assert_int_equal(bytes[change->offset], change->kind);
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

static void iterator_keeps_the_changeset(void **state)
{
    (void)state;
    sqlite3 *db = recording_db(SCHEMA);
    rowtide_changeset *changeset = record_changeset(db, SQL);
    rowtide_changeset_iter *iter = start(changeset, 0);
    rowtide_changeset_free(changeset);
    assert_string_equal(find_change(iter, 4)->table, "t");
    rowtide_changeset_iter_free(iter);
    sqlite3_close(db);
}

static char *listing_of_stream(rowtide_source *source)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    assert_ok(rowtide_changeset_iter_stream(source, 0, &iter));
    while (rowtide_changeset_iter_next(iter, &change) == ROWTIDE_OK)
        fprintf(out, "%s %d %d %d\n", change->table, change->kind,
                change->indirect, (int)change->offset);
    rowtide_changeset_iter_free(iter);
    fclose(out);
    return text;
}

static void streams_in_any_pieces(void **state)
{
    (void)state;
    random_state random = {62};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    char *sql = random_sql(&random, 200), *first = NULL;
    rowtide_changeset *changeset = record_changeset(db, sql);
    for (size_t step = 1; step < 2000; step += step) {
        void *drip;
        rowtide_source *source = dripping_source(
            rowtide_changeset_data(changeset),
            rowtide_changeset_size(changeset), step, &drip);
        char *listing = listing_of_stream(source);
        if (!first)
            first = listing;
        assert_string_equal(first, listing);
        if (first != listing)
            free(listing);
        rowtide_source_free(source);
        free(drip);
    }
    free(first);
    free(sql);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

/* ## Memory: 40 MB of changes that are made while they are read */

enum { ENDLESS_ROWS = 400000, ROW_SIZE = 102 };

typedef struct endless {
    int64_t row;
    size_t at; /* in the piece */
    size_t size;
    unsigned char piece[ROW_SIZE];
} endless;

static void next_piece(endless *it)
{
    static const char header[] = "T\2\1\0t";
    it->at = 0;
    if (it->row++ == 0) {
        it->size = sizeof header;
        memcpy(it->piece, header, sizeof header);
        return;
    }
    it->size = it->row <= ENDLESS_ROWS ? ROW_SIZE : 0;
    memset(it->piece, 'x', ROW_SIZE);
    memcpy(it->piece, "\x12\0\1\0\0\0\0\0", 8);
    for (int i = 0; i < 3; i++)
        it->piece[8 + i] = (unsigned char)(it->row >> (16 - 8 * i));
    it->piece[11] = 3;
    it->piece[12] = ROW_SIZE - 13;
}

static int give_endless(void *data, size_t *size, void *user)
{
    endless *it = user;
    size_t put = 0;
    while (put < *size) {
        if (it->at == it->size)
            next_piece(it);
        if (it->size == 0)
            break;
        size_t count = it->size - it->at;
        count = count < *size - put ? count : *size - put;
        memcpy((char *)data + put, it->piece + it->at, count);
        it->at += count;
        put += count;
    }
    *size = put;
    return 0;
}

static int drop(const void *data, size_t size, void *user)
{
    (void)data;
    *(int64_t *)user += (int64_t)size;
    return 0;
}

static void *biggest_allocate(size_t size, void *user)
{
    size_t *biggest = user;
    *biggest = size > *biggest ? size : *biggest;
    return malloc(size);
}

static void *biggest_resize(void *memory, size_t size, void *user)
{
    size_t *biggest = user;
    *biggest = size > *biggest ? size : *biggest;
    return realloc(memory, size);
}

static void plain_release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static void streams_take_bounded_memory(void **state)
{
    (void)state;
    size_t biggest = 0;
    const rowtide_allocator watched = {biggest_allocate, biggest_resize,
                                       plain_release, &biggest};
    endless from = {.row = 0};
    int64_t written = 0;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    assert_ok(rowtide_set_allocator(&watched));
    assert_ok(rowtide_source_callback(give_endless, &from, &source));
    assert_ok(rowtide_sink_callback(drop, &written, &sink));
    assert_ok(rowtide_changeset_invert_stream(source, sink));
    rowtide_source_free(source);
    rowtide_sink_free(sink);
    assert_ok(rowtide_set_allocator(NULL));
    assert_int_equal(written, 6 + (int64_t)(ENDLESS_ROWS - 1) * ROW_SIZE);
    assert_in_range(biggest, 1, 128 * 1024);
}

/* A length that is a lie does not get the memory it claims. */
static void claimed_length_takes_no_memory(void **state)
{
    (void)state;
    static const char lie[] =
        "T\2\1\0t\0\x12\0\1\0\0\0\0\0\0\0\1\4\x87\xff\xff\xff\x7f";
    size_t biggest = 0;
    const rowtide_allocator watched = {biggest_allocate, biggest_resize,
                                       plain_release, &biggest};
    void *drip;
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    assert_ok(rowtide_set_allocator(&watched));
    rowtide_source *source = dripping_source(lie, sizeof lie - 1, 4, &drip);
    assert_ok(rowtide_changeset_iter_stream(source, 0, &iter));
    assert_status(rowtide_changeset_iter_next(iter, &change), ROWTIDE_ECORRUPT);
    rowtide_changeset_iter_free(iter);
    rowtide_source_free(source);
    free(drip);
    assert_ok(rowtide_set_allocator(NULL));
    assert_in_range(biggest, 1, 128 * 1024);
}

static int broken_read(void *data, size_t *size, void *user)
{
    (void)data;
    (void)size;
    (void)user;
    return rowtide_error_set(ROWTIDE_EIO, "the cable is cut");
}

static void failing_source_fails_the_step(void **state)
{
    (void)state;
    rowtide_source *source = NULL;
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    assert_ok(rowtide_source_callback(broken_read, NULL, &source));
    assert_ok(rowtide_changeset_iter_stream(source, 0, &iter));
    for (int i = 0; i < 2; i++) {
        rowtide_error_clear();
        assert_status(rowtide_changeset_iter_next(iter, &change), ROWTIDE_EIO);
        assert_message("the cable is cut");
        assert_null(change);
    }
    rowtide_changeset_iter_free(iter);
    rowtide_source_free(source);
}

typedef struct reentry {
    rowtide_changeset_iter *iter;
    int rc;
} reentry;

static int read_that_steps(void *data, size_t *size, void *user)
{
    reentry *it = user;
    const rowtide_change *change;
    (void)data;
    it->rc = rowtide_changeset_iter_next(it->iter, &change);
    *size = 0;
    return 0;
}

static void stepping_from_the_source_is_refused(void **state)
{
    (void)state;
    reentry it = {NULL, 0};
    rowtide_source *source = NULL;
    const rowtide_change *change;
    assert_ok(rowtide_source_callback(read_that_steps, &it, &source));
    assert_ok(rowtide_changeset_iter_stream(source, 0, &it.iter));
    assert_int_equal(rowtide_changeset_iter_next(it.iter, &change),
                     ROWTIDE_DONE);
    assert_int_equal(it.rc, ROWTIDE_ETHREAD);
    rowtide_changeset_iter_free(it.iter);
    rowtide_source_free(source);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changeset_from(NULL, 0);
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    assert_status(rowtide_changeset_iter_new(NULL, 0, &iter), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_iter_new(changeset, 0, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_iter_new(changeset, 8, &iter),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_iter_stream(NULL, 0, &iter),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_iter_next(NULL, &change), ROWTIDE_EINVAL);
    assert_ok(rowtide_changeset_iter_new(changeset, 0, &iter));
    assert_status(rowtide_changeset_iter_next(iter, NULL), ROWTIDE_EINVAL);
    assert_int_equal(rowtide_changeset_iter_next(iter, &change), ROWTIDE_DONE);
    assert_int_equal(rowtide_changeset_iter_next(iter, &change), ROWTIDE_DONE);
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_iter_free(NULL);
    rowtide_changeset_free(changeset);

    sqlite3 *db = recording_db(SCHEMA);
    rowtide_changeset *patchset = record_patchset(db, SQL);
    assert_status(
        rowtide_changeset_iter_new(patchset, ROWTIDE_ITER_INVERT, &iter),
        ROWTIDE_EINVAL);
    assert_message("patchset");
    rowtide_changeset_free(patchset);
    sqlite3_close(db);
}

static int iterate_once(void *context)
{
    rowtide_changeset *changeset = context;
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    int rc = rowtide_changeset_iter_new(changeset, 0, &iter);
    while (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_next(iter, &change);
    rowtide_changeset_iter_free(iter);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

typedef struct pieces {
    rowtide_changeset *changeset;
    size_t at;
} pieces;

static int give_one(void *data, size_t *size, void *user)
{
    pieces *from = user;
    const char *bytes = rowtide_changeset_data(from->changeset);
    *size = from->at < rowtide_changeset_size(from->changeset);
    if (*size)
        memcpy(data, bytes + from->at++, 1);
    return 0;
}

static int iterate_stream_once(void *context)
{
    pieces from = {context, 0};
    rowtide_source *source = NULL;
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    int rc = rowtide_source_callback(give_one, &from, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_stream(source, 0, &iter);
    while (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_next(iter, &change);
    rowtide_changeset_iter_free(iter);
    rowtide_source_free(source);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    sqlite3 *db = recording_db(SCHEMA);
    rowtide_changeset *changeset = record_changeset(db, SQL);
    oom_loop(iterate_once, changeset);
    oom_loop(iterate_stream_once, changeset);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_typed_values),
        cmocka_unit_test(patchset_has_keys_in_old_values),
        cmocka_unit_test(same_as_sqlite),
        cmocka_unit_test(offsets_point_at_changes),
        cmocka_unit_test(iterator_keeps_the_changeset),
        cmocka_unit_test(streams_in_any_pieces),
        cmocka_unit_test(streams_take_bounded_memory),
        cmocka_unit_test(claimed_length_takes_no_memory),
        cmocka_unit_test(failing_source_fails_the_step),
        cmocka_unit_test(stepping_from_the_source_is_refused),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
