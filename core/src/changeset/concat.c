#include "changeset/changeset.h"
#include "changeset/rows.h"
#include "base/buffer.h"
#include "base/stream.h"

/* Inputs are counted from 1 in messages. */
static int fail_differs(const rowtide__table *table, const rowtide__table *here,
                        size_t input)
{
    if (table->column_count != here->column_count)
        return rowtide__fail(
            ROWTIDE_ESCHEMA,
            "concat: table \"%s\" has %d columns in input %zu and %d before",
            here->name, here->column_count, input, table->column_count);
    return rowtide__fail(
        ROWTIDE_ESCHEMA,
        "concat: table \"%s\" has another primary key in input %zu than before",
        here->name, input);
}

static int enter_table(rowtide__rows *rows, const rowtide__decoder *decoder,
                       size_t input, rowtide__table **table)
{
    if (rows->patchset >= 0 && rows->patchset != decoder->patchset)
        return rowtide__fail(
            ROWTIDE_EINVAL, "concat: input %zu is a %s, the ones before are %s",
            input, decoder->patchset ? "patchset" : "changeset",
            decoder->patchset ? "changesets" : "patchsets");
    rows->patchset = decoder->patchset;
    int rc = rowtide__rows_table(rows, decoder->table, table);
    return rc == ROWTIDE__TABLE_DIFFERS
               ? fail_differs(*table, decoder->table, input)
               : rc;
}

static int add_all(rowtide__rows *rows, rowtide__decoder *decoder, size_t input)
{
    rowtide__table *table = NULL;
    int rc;
    while ((rc = rowtide__decoder_step(decoder)) == ROWTIDE_OK) {
        if (decoder->item == ROWTIDE__ITEM_TABLE) {
            rc = enter_table(rows, decoder, input, &table);
        } else {
            rowtide__piece piece = rowtide__decoder_piece(decoder);
            rc = rowtide__rows_merge(rows, table, &piece);
        }
        if (rc != ROWTIDE_OK)
            return rc;
    }
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int add_changeset(rowtide__rows *rows, rowtide_changeset *changeset,
                         size_t input)
{
    rowtide__decoder decoder;
    rowtide__decoder_open(&decoder, changeset->bytes.data,
                          changeset->bytes.size, &changeset->tables,
                          ROWTIDE__DECODE_TRUSTED | ROWTIDE__DECODE_SPANS);
    int rc = add_all(rows, &decoder, input);
    rowtide__decoder_dispose(&decoder);
    return rc;
}

static int add_source(rowtide__rows *rows, rowtide_source *source, size_t input)
{
    rowtide__decoder decoder;
    rowtide__decoder_open_source(&decoder, source, ROWTIDE__DECODE_SPANS);
    int rc = add_all(rows, &decoder, input);
    rowtide__decoder_dispose(&decoder);
    return rc;
}

int rowtide_changeset_concat(rowtide_changeset *const *changesets, size_t count,
                             rowtide_changeset **out)
{
    rowtide__rows rows = ROWTIDE__ROWS_INIT;
    int rc = ROWTIDE_OK;
    ROWTIDE__CHECK_ARG(out, "changeset_concat");
    *out = NULL;
    ROWTIDE__CHECK_ARG(changesets || count == 0, "changeset_concat");
    for (size_t i = 0; i < count; i++)
        ROWTIDE__CHECK_ARG(changesets[i], "changeset_concat");
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++)
        rc = add_changeset(&rows, changesets[i], i + 1);
    if (rc == ROWTIDE_OK)
        rc = rowtide__rows_finish(&rows, out);
    rowtide__rows_dispose(&rows);
    return rc;
}

int rowtide_changeset_concat_stream(rowtide_source *const *sources,
                                    size_t count, rowtide_sink *sink)
{
    rowtide__rows rows = ROWTIDE__ROWS_INIT;
    rowtide_buffer chunk = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    ROWTIDE__CHECK_ARG(sources || count == 0, "changeset_concat_stream");
    for (size_t i = 0; i < count; i++)
        ROWTIDE__CHECK_ARG(sources[i], "changeset_concat_stream");
    ROWTIDE__CHECK_ARG(sink, "changeset_concat_stream");
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++)
        rc = add_source(&rows, sources[i], i + 1);
    if (rc == ROWTIDE_OK)
        rc = rowtide__rows_write(&rows, &chunk, sink);
    rowtide__rows_dispose(&rows);
    rowtide_buffer_dispose(&chunk);
    return rc;
}
