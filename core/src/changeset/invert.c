#include "changeset/bytes.h"
#include "changeset/changeset.h"
#include "changeset/codec.h"
#include "changeset/pump.h"
#include "base/buffer.h"

typedef struct update_spans {
    const rowtide__table *table;
    const unsigned char *old_record;
    const unsigned char *new_record;
} update_spans;

/* The old record of the inverse: the new values, but the old key. Columns
 * beside each other are copied at once. */
static unsigned char *put_new_as_old(unsigned char *out,
                                     const update_spans *update)
{
    const rowtide__table *table = update->table;
    const unsigned char *old_at = update->old_record;
    const unsigned char *new_at = update->new_record;
    const unsigned char *run = new_at;
    int column = 0;
    for (int i = 0; i < table->key_count; i++) {
        int key = table->key_columns[i];
        old_at = rowtide__skip_values(old_at, key - column);
        new_at = rowtide__skip_values(new_at, key - column);
        column = key + 1;
        out = rowtide__copy_span(out, run, new_at);
        const unsigned char *old_end = rowtide__skip_value(old_at);
        out = rowtide__copy_span(out, old_at, old_end);
        old_at = old_end;
        new_at = run = rowtide__skip_value(new_at);
    }
    new_at = rowtide__skip_values(new_at, table->column_count - column);
    return rowtide__copy_span(out, run, new_at);
}

/* The new record of the inverse: the old values without the key. */
static unsigned char *put_old_as_new(unsigned char *out,
                                     const update_spans *update)
{
    const rowtide__table *table = update->table;
    const unsigned char *at = update->old_record, *run = at;
    int column = 0;
    for (int i = 0; i < table->key_count; i++) {
        int key = table->key_columns[i];
        at = rowtide__skip_values(at, key - column);
        column = key + 1;
        out = rowtide__copy_span(out, run, at);
        *out++ = ROWTIDE_UNDEFINED;
        at = run = rowtide__skip_value(at);
    }
    return rowtide__copy_span(out, run, update->new_record);
}

static unsigned char *put_inverse(unsigned char *out,
                                  const rowtide__decoder *decoder)
{
    int kind = (int)decoder->change.kind;
    const unsigned char *record = decoder->record;
    out[1] = (unsigned char)decoder->change.indirect;
    if (kind == ROWTIDE_CHANGE_UPDATE) {
        update_spans update = {decoder->table, record, decoder->second};
        out[0] = ROWTIDE_CHANGE_UPDATE;
        out = put_new_as_old(out + 2, &update);
        return put_old_as_new(out, &update);
    }
    out[0] = kind == ROWTIDE_CHANGE_INSERT ? ROWTIDE_CHANGE_DELETE
                                           : ROWTIDE_CHANGE_INSERT;
    return rowtide__copy_span(out + 2, record, decoder->finish);
}

/* The inverse of a change is never longer than the change. */
static int append_inverse(const rowtide__decoder *decoder, void *state,
                          rowtide_buffer *out)
{
    (void)state;
    if (decoder->item == ROWTIDE__ITEM_TABLE)
        return rowtide__encode_table(out, 0, decoder->table->name,
                                     decoder->table->column_count,
                                     decoder->table->primary_key);
    size_t size = (size_t)(decoder->finish - decoder->record) + 2;
    if (rowtide__buffer_reserve(out, size) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    unsigned char *at = (unsigned char *)out->data + out->size;
    out->size += (size_t)(put_inverse(at, decoder) - at);
    out->data[out->size] = '\0';
    return ROWTIDE_OK;
}

static int copy_inverse_counts(const rowtide__tables *from, rowtide__tables *to)
{
    for (size_t i = 0; i < from->count; i++) {
        rowtide__table *table;
        if (rowtide__tables_add(to, from->items[i], &table) != ROWTIDE_OK)
            return ROWTIDE_ENOMEM;
        table->counts = from->items[i]->counts;
        table->counts.inserts = from->items[i]->counts.deletes;
        table->counts.deletes = from->items[i]->counts.inserts;
    }
    return ROWTIDE_OK;
}

int rowtide_changeset_invert(rowtide_changeset *changeset,
                             rowtide_changeset **out)
{
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    rowtide__tables tables = {NULL, 0, 0, NULL, 0};
    ROWTIDE__CHECK_ARG(out, "changeset_invert");
    *out = NULL;
    ROWTIDE__CHECK_ARG(changeset, "changeset_invert");
    if (changeset->patchset)
        return rowtide__fail(ROWTIDE_EINVAL, "a patchset cannot be inverted");
    int rc = rowtide__buffer_reserve(&bytes, changeset->bytes.size);
    if (rc == ROWTIDE_OK)
        rc = rowtide__pump_changeset(changeset, append_inverse, NULL, &bytes);
    if (rc == ROWTIDE_OK)
        rc = copy_inverse_counts(&changeset->tables, &tables);
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_make(&bytes, 0, &tables, out);
    rowtide__tables_dispose(&tables);
    rowtide_buffer_dispose(&bytes);
    return rc;
}

int rowtide_changeset_invert_stream(rowtide_source *source, rowtide_sink *sink)
{
    ROWTIDE__CHECK_ARG(source, "changeset_invert_stream");
    ROWTIDE__CHECK_ARG(sink, "changeset_invert_stream");
    return rowtide__pump_stream(source, sink, ROWTIDE__DECODE_INVERT,
                                append_inverse, NULL);
}
