#include "changeset/bytes.h"
#include "changeset/changeset.h"
#include "changeset/codec.h"
#include "changeset/pump.h"
#include "changeset/rows.h"
#include "base/buffer.h"

#include <string.h>

/* Rebase data has, for each conflict that was decided, what the remote change
 * made of the row: an INSERT with the columns it set, or a DELETE. `indirect`
 * says that it replaced the local change; the columns it replaced are marked
 * ROWTIDE__REPLACED here, since their remote values are of no use. */

typedef struct rebase_state {
    rowtide__rows rows;
    const rowtide__table *table;   /* in the rebase data, or NULL */
    const rowtide__table *written; /* whose header came last */
} rebase_state;

/* ## The data */

static int is_key(const rowtide__table *table, int column)
{
    return table->primary_key[column] != 0;
}

static unsigned char *put_first(unsigned char *out, const rowtide__table *table,
                                const rowtide__piece *piece)
{
    const unsigned char *at = piece->record;
    for (int i = 0; i < table->column_count; i++) {
        const unsigned char *end = rowtide__skip_value(at);
        if (piece->indirect && *at && !is_key(table, i))
            *out++ = ROWTIDE__REPLACED;
        else
            out = rowtide__copy_span(out, at, end);
        at = end;
    }
    return out;
}

/* A later decision about the same row: its columns win, but a column that was
 * replaced stays so. */
static unsigned char *put_again(unsigned char *out, const rowtide__table *table,
                                const rowtide__row *row,
                                const rowtide__piece *piece)
{
    const unsigned char *was = row->record, *at = piece->record;
    for (int i = 0; i < table->column_count; i++) {
        const unsigned char *was_end = rowtide__skip_value(was);
        const unsigned char *end = rowtide__skip_value(at);
        if (*was == ROWTIDE__REPLACED
            || (piece->indirect && *at && !is_key(table, i)))
            *out++ = ROWTIDE__REPLACED;
        else if (*at)
            out = rowtide__copy_span(out, at, end);
        else
            out = rowtide__copy_span(out, was, was_end);
        was = was_end;
        at = end;
    }
    return out;
}

static int add_decision(rowtide__rows *rows, const rowtide__table *table,
                        const rowtide__piece *piece)
{
    rowtide__row *row;
    int rc = rowtide__rows_enter(rows, table, piece, &row);
    if (rc != ROWTIDE_OK)
        return rc;
    if (row->kind == ROWTIDE_CHANGE_DELETE && row->indirect)
        return ROWTIDE_OK;
    rowtide__buffer_clear(&rows->merged);
    rc = rowtide__buffer_reserve(
        &rows->merged, row->size + (size_t)(piece->finish - piece->record));
    if (rc != ROWTIDE_OK)
        return rc;
    unsigned char *start = (unsigned char *)rows->merged.data;
    unsigned char *end = row->kind ? put_again(start, table, row, piece)
                                   : put_first(start, table, piece);
    rc = rowtide__row_set(rows, row, start, (size_t)(end - start));
    if (rc != ROWTIDE_OK)
        return rc;
    row->indirect = piece->indirect || (row->kind && row->indirect);
    row->kind = piece->kind;
    return ROWTIDE_OK;
}

static int read_data(rowtide__rows *rows, const void *data, size_t size)
{
    rowtide__decoder decoder;
    rowtide__table *table = NULL;
    int rc;
    rows->patchset = 0;
    rowtide__decoder_open(&decoder, data, size, NULL,
                          ROWTIDE__DECODE_REBASE | ROWTIDE__DECODE_SPANS);
    while ((rc = rowtide__decoder_step(&decoder)) == ROWTIDE_OK) {
        if (decoder.item == ROWTIDE__ITEM_TABLE) {
            /* Differing shapes were refused by the decoder. */
            rc = rowtide__rows_table(rows, decoder.table, &table);
        } else {
            rowtide__piece piece = rowtide__decoder_piece(&decoder);
            rc = add_decision(rows, table, &piece);
        }
        if (rc != ROWTIDE_OK)
            break;
    }
    rowtide__decoder_dispose(&decoder);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* ## The changes */

static int has_remote(const unsigned char *at)
{
    return *at != ROWTIDE_UNDEFINED && *at != ROWTIDE__REPLACED;
}

/* Each column from `at` where it is known, else from `otherwise`. */
static unsigned char *put_known(unsigned char *out, int count,
                                const unsigned char *at,
                                const unsigned char *otherwise)
{
    for (int i = 0; i < count; i++) {
        const unsigned char *end = rowtide__skip_value(at);
        const unsigned char *otherwise_end = rowtide__skip_value(otherwise);
        out = has_remote(at)
                  ? rowtide__copy_span(out, at, end)
                  : rowtide__copy_span(out, otherwise, otherwise_end);
        at = end;
        otherwise = otherwise_end;
    }
    return out;
}

static int is_complete(const unsigned char *at, int count)
{
    for (; count > 0; count--, at = rowtide__skip_value(at))
        if (!has_remote(at))
            return 0;
    return 1;
}

static int same_value(const unsigned char *a, const unsigned char *b)
{
    size_t size = (size_t)(rowtide__skip_value(a) - a);
    return (size_t)(rowtide__skip_value(b) - b) == size
           && memcmp(a, b, size) == 0;
}

/* The three records that an UPDATE is made over. */
typedef struct update_over {
    const unsigned char *old_at; /* NULL if the local change was an INSERT */
    const unsigned char *new_at;
    const unsigned char *remote_at;
} update_over;

/* The value that the UPDATE finds in a column: the remote one where the remote
 * change set the column too. NULL if the local change is not to touch it. */
static const unsigned char *value_before(const update_over *over)
{
    if (*over->remote_at == ROWTIDE__REPLACED || !*over->new_at)
        return NULL;
    const unsigned char *before = has_remote(over->remote_at) ? over->remote_at
                                                              : over->old_at;
    return before && !same_value(before, over->new_at) ? before : NULL;
}

static void next_column(update_over *over)
{
    if (over->old_at)
        over->old_at = rowtide__skip_value(over->old_at);
    over->new_at = rowtide__skip_value(over->new_at);
    over->remote_at = rowtide__skip_value(over->remote_at);
}

/* NULL if nothing is left to update. */
static unsigned char *put_update(unsigned char *out,
                                 const rowtide__table *table, update_over over)
{
    update_over again = over;
    int changed = 0;
    for (int i = 0; i < table->column_count; i++, next_column(&over)) {
        const unsigned char *before = is_key(table, i) ? over.remote_at
                                                       : value_before(&over);
        changed |= before && !is_key(table, i);
        if (before)
            out = rowtide__copy_span(out, before, rowtide__skip_value(before));
        else
            *out++ = ROWTIDE_UNDEFINED;
    }
    for (int i = 0; i < table->column_count; i++, next_column(&again)) {
        if (!is_key(table, i) && value_before(&again))
            out = rowtide__copy_span(out, again.new_at,
                                     rowtide__skip_value(again.new_at));
        else
            *out++ = ROWTIDE_UNDEFINED;
    }
    return changed ? out : NULL;
}

/* What becomes of a change is put behind its two bytes of head; NULL drops it.
 * `*kind` is the kind it gets. */

static unsigned char *rebase_insert(unsigned char *out,
                                    const rowtide__table *table,
                                    const rowtide__row *remote,
                                    const rowtide__piece *local, int *kind)
{
    if (remote->kind != ROWTIDE_CHANGE_INSERT
        || (!remote->indirect
            && !is_complete(remote->record, table->column_count)))
        return rowtide__copy_span(out, local->record, local->finish);
    if (remote->indirect)
        return NULL;
    *kind = ROWTIDE_CHANGE_UPDATE;
    return put_update(out, table,
                      (update_over){NULL, local->record, remote->record});
}

static unsigned char *rebase_update(unsigned char *out,
                                    const rowtide__table *table,
                                    const rowtide__row *remote,
                                    const rowtide__piece *local, int *kind)
{
    if (remote->kind == ROWTIDE_CHANGE_INSERT)
        return put_update(
            out, table,
            (update_over){local->record, local->second, remote->record});
    if (remote->indirect)
        return NULL;
    *kind = ROWTIDE_CHANGE_INSERT;
    const unsigned char *start = out;
    /* The new record has no key, so the remote row gives it. */
    out = put_known(out, table->column_count, local->second, remote->record);
    return is_complete(start, table->column_count) ? out : NULL;
}

static unsigned char *rebase_delete(unsigned char *out,
                                    const rowtide__table *table,
                                    const rowtide__row *remote,
                                    const rowtide__piece *local)
{
    if (remote->kind != ROWTIDE_CHANGE_INSERT)
        return NULL;
    return put_known(out, table->column_count, remote->record, local->record);
}

static unsigned char *rebase_piece(unsigned char *out,
                                   const rowtide__table *table,
                                   const rowtide__row *remote,
                                   const rowtide__piece *local, int *kind)
{
    switch (local->kind) {
    case ROWTIDE_CHANGE_INSERT:
        return rebase_insert(out, table, remote, local, kind);
    case ROWTIDE_CHANGE_UPDATE:
        return rebase_update(out, table, remote, local, kind);
    default:
        return rebase_delete(out, table, remote, local);
    }
}

static int enter_table(rebase_state *state, const rowtide__decoder *decoder)
{
    const rowtide__table *table = decoder->table;
    state->written = NULL;
    if (decoder->patchset)
        return rowtide__fail(ROWTIDE_EINVAL, "a patchset cannot be rebased");
    state->table = rowtide__tables_find_folded(&state->rows.tables, table->name,
                                               table->name_size);
    if (state->table && !rowtide__table_same_shape(state->table, table))
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "rebase: table \"%s\" has other columns or "
                             "another key in the rebase data",
                             table->name);
    return ROWTIDE_OK;
}

static int write_header(rebase_state *state, const rowtide__decoder *decoder,
                        rowtide_buffer *out)
{
    const rowtide__table *table = decoder->table;
    if (state->written == table)
        return ROWTIDE_OK;
    state->written = table;
    return rowtide__encode_table(out, 0, table->name, table->column_count,
                                 table->primary_key);
}

/* A row the remote side deleted comes back through an INSERT, which needs all
 * of it. */
static int check_whole(const rowtide__table *table, const rowtide__row *remote,
                       const rowtide__piece *local)
{
    if (local->kind != ROWTIDE_CHANGE_UPDATE
        || remote->kind != ROWTIDE_CHANGE_DELETE || remote->indirect)
        return ROWTIDE_OK;
    const unsigned char *at = remote->record, *new_at = local->second;
    for (int i = 0; i < table->column_count; i++) {
        if (!has_remote(at) && !*new_at)
            return rowtide__fail(
                ROWTIDE_EINVAL,
                "rebase: table \"%s\": a deleted row is not known as a whole, "
                "for it was deleted by a patchset",
                table->name);
        at = rowtide__skip_value(at);
        new_at = rowtide__skip_value(new_at);
    }
    return ROWTIDE_OK;
}

static int append_rebased(const rowtide__decoder *decoder, void *opaque,
                          rowtide_buffer *out)
{
    rebase_state *state = opaque;
    if (decoder->item == ROWTIDE__ITEM_TABLE)
        return enter_table(state, decoder);
    rowtide__piece local = rowtide__decoder_piece(decoder);
    rowtide__row *remote = NULL;
    int rc = ROWTIDE_OK, kind = local.kind;
    if (state->table)
        rc = rowtide__rows_find(&state->rows, state->table, &local, &remote);
    if (rc == ROWTIDE_OK && remote)
        rc = check_whole(state->table, remote, &local);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_buffer *work = &state->rows.merged;
    size_t size = (size_t)(local.finish - local.record);
    rowtide__buffer_clear(work);
    if (rowtide__buffer_reserve(work, size + (remote ? remote->size : 0) + 2)
        != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    unsigned char *start = (unsigned char *)work->data, *end;
    if (remote)
        end = rebase_piece(start + 2, decoder->table, remote, &local, &kind);
    else
        end = rowtide__copy_span(start + 2, local.record, local.finish);
    if (!end)
        return ROWTIDE_OK;
    start[0] = (unsigned char)kind;
    start[1] = (unsigned char)local.indirect;
    rc = write_header(state, decoder, out);
    return rc == ROWTIDE_OK
               ? rowtide__buffer_append(out, start, (size_t)(end - start))
               : rc;
}

int rowtide_changeset_rebase(rowtide_changeset *changeset, const void *data,
                             size_t size, rowtide_changeset **out)
{
    rowtide_buffer bytes = ROWTIDE_BUFFER_INIT;
    rebase_state state = {ROWTIDE__ROWS_INIT, NULL, NULL};
    ROWTIDE__CHECK_ARG(out, "changeset_rebase");
    *out = NULL;
    ROWTIDE__CHECK_ARG(changeset, "changeset_rebase");
    ROWTIDE__CHECK_ARG(data || size == 0, "changeset_rebase");
    if (changeset->patchset)
        return rowtide__fail(ROWTIDE_EINVAL, "a patchset cannot be rebased");
    int rc = read_data(&state.rows, data, size);
    if (rc == ROWTIDE_OK)
        rc = rowtide__pump_changeset(changeset, append_rebased, &state, &bytes);
    if (rc == ROWTIDE_OK)
        rc = rowtide__changeset_take(&bytes, out);
    rowtide__rows_dispose(&state.rows);
    rowtide_buffer_dispose(&bytes);
    return rc;
}

int rowtide_changeset_rebase_stream(rowtide_source *source, const void *data,
                                    size_t size, rowtide_sink *sink)
{
    rebase_state state = {ROWTIDE__ROWS_INIT, NULL, NULL};
    ROWTIDE__CHECK_ARG(source, "changeset_rebase_stream");
    ROWTIDE__CHECK_ARG(data || size == 0, "changeset_rebase_stream");
    ROWTIDE__CHECK_ARG(sink, "changeset_rebase_stream");
    int rc = read_data(&state.rows, data, size);
    if (rc == ROWTIDE_OK)
        rc = rowtide__pump_stream(source, sink, 0, append_rebased, &state);
    rowtide__rows_dispose(&state.rows);
    return rc;
}
