#include "changeset/changeset.h"
#include "changeset/codec.h"
#include "changeset/decode.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/stream.h"

static int64_t count_all(const rowtide_change_counts *counts)
{
    return counts->inserts + counts->updates + counts->deletes;
}

void rowtide__table_count_change(rowtide__table *table, int kind, int indirect)
{
    rowtide_change_counts *counts = &table->counts;
    if (kind == ROWTIDE_CHANGE_INSERT)
        counts->inserts++;
    else if (kind == ROWTIDE_CHANGE_UPDATE)
        counts->updates++;
    else
        counts->deletes++;
    counts->indirect += indirect;
}

/* A header alone does not make a table a changed one. */
static int list_changed(rowtide_changeset *changeset)
{
    const rowtide__tables *tables = &changeset->tables;
    changeset->changed = rowtide__alloc_array(tables->count,
                                              sizeof *changeset->changed);
    if (!changeset->changed)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < tables->count; i++) {
        rowtide__table *table = tables->items[i];
        int64_t count = count_all(&table->counts);
        changeset->change_count += count;
        if (count)
            changeset->changed[changeset->changed_count++] = table;
    }
    return ROWTIDE_OK;
}

int rowtide__changeset_make(rowtide_buffer *bytes, int patchset,
                            rowtide__tables *tables, rowtide_changeset **out)
{
    rowtide_changeset *changeset = rowtide__alloc_zero(sizeof *changeset);
    if (!changeset)
        return ROWTIDE_ENOMEM;
    changeset->tables = *tables;
    if (list_changed(changeset) != ROWTIDE_OK) {
        rowtide__free(changeset);
        return ROWTIDE_ENOMEM;
    }
    atomic_init(&changeset->references, 1);
    changeset->patchset = patchset > 0;
    changeset->bytes = *bytes;
    *bytes = (rowtide_buffer)ROWTIDE_BUFFER_INIT;
    *tables = (rowtide__tables){NULL, 0, 0, NULL, 0};
    *out = changeset;
    return ROWTIDE_OK;
}

static int check_all(rowtide__decoder *decoder)
{
    int rc;
    while ((rc = rowtide__decoder_next(decoder)) == ROWTIDE_OK)
        rowtide__table_count_change(decoder->table, (int)decoder->change.kind,
                                    decoder->change.indirect);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

int rowtide__changeset_take(rowtide_buffer *bytes, rowtide_changeset **out)
{
    rowtide__decoder decoder;
    *out = NULL;
    rowtide__decoder_open(&decoder, bytes->data, bytes->size, NULL, 0);
    int rc = check_all(&decoder);
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_make(bytes, decoder.patchset,
                                     &decoder.own_tables, out);
    rowtide__decoder_dispose(&decoder);
    return rc;
}

static int read_all(rowtide_source *source, rowtide_buffer *out)
{
    size_t size = 0;
    const void *data = rowtide__source_borrow(source, &size);
    if (data)
        return rowtide__buffer_append(out, data, size);
    for (;;) {
        if (rowtide__buffer_reserve(out, ROWTIDE__CHUNK) != ROWTIDE_OK)
            return ROWTIDE_ENOMEM;
        size = out->capacity - out->size - 1;
        int rc = rowtide__source_read(source, out->data + out->size, &size);
        if (rc != ROWTIDE_OK || size == 0)
            return rc;
        out->size += size;
        out->data[out->size] = '\0';
    }
}

int rowtide_changeset_parse(const void *data, size_t size,
                            rowtide_changeset **out)
{
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    ROWTIDE__CHECK_ARG(out, "changeset_parse");
    *out = NULL;
    ROWTIDE__CHECK_ARG(data || size == 0, "changeset_parse");
    int rc = rowtide__buffer_append(&bytes, data, size);
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_take(&bytes, out);
    rowtide_buffer_dispose(&bytes);
    return rc;
}

int rowtide_changeset_read(rowtide_source *source, rowtide_changeset **out)
{
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    ROWTIDE__CHECK_ARG(out, "changeset_read");
    *out = NULL;
    ROWTIDE__CHECK_ARG(source, "changeset_read");
    int rc = read_all(source, &bytes);
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_take(&bytes, out);
    rowtide_buffer_dispose(&bytes);
    return rc;
}

rowtide_changeset *rowtide_changeset_retain(rowtide_changeset *changeset)
{
    if (changeset)
        atomic_fetch_add_explicit(&changeset->references, 1,
                                  memory_order_relaxed);
    return changeset;
}

void rowtide_changeset_free(rowtide_changeset *changeset)
{
    if (!changeset
        || atomic_fetch_sub_explicit(&changeset->references, 1,
                                     memory_order_acq_rel)
               != 1)
        return;
    rowtide_buffer_dispose(&changeset->bytes);
    rowtide__tables_dispose(&changeset->tables);
    rowtide__free(changeset->changed);
    rowtide__free(changeset);
}

const void *rowtide_changeset_data(const rowtide_changeset *changeset)
{
    return changeset && changeset->bytes.size ? changeset->bytes.data : NULL;
}

size_t rowtide_changeset_size(const rowtide_changeset *changeset)
{
    return changeset ? changeset->bytes.size : 0;
}

int rowtide_changeset_is_patchset(const rowtide_changeset *changeset)
{
    return changeset ? changeset->patchset : 0;
}

int64_t rowtide_changeset_change_count(const rowtide_changeset *changeset)
{
    return changeset ? changeset->change_count : 0;
}

int rowtide_changeset_table_count(const rowtide_changeset *changeset)
{
    return changeset ? changeset->changed_count : 0;
}

static const rowtide__table *table_at(const rowtide_changeset *changeset,
                                      int index)
{
    if (!changeset || index < 0 || index >= changeset->changed_count)
        return NULL;
    return changeset->changed[index];
}

const char *rowtide_changeset_table_name(const rowtide_changeset *changeset,
                                         int index)
{
    const rowtide__table *table = table_at(changeset, index);
    return table ? table->name : NULL;
}

int rowtide_changeset_table_counts(const rowtide_changeset *changeset,
                                   int index, rowtide_change_counts *counts)
{
    ROWTIDE__CHECK_ARG(counts, "changeset_table_counts");
    *counts = (rowtide_change_counts){0, 0, 0, 0};
    ROWTIDE__CHECK_ARG(changeset, "changeset_table_counts");
    const rowtide__table *table = table_at(changeset, index);
    if (!table)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "changeset_table_counts: no table %d of %d", index,
                             changeset->changed_count);
    *counts = table->counts;
    return ROWTIDE_OK;
}
