#include "changeset/rows.h"
#include "changeset/bytes.h"
#include "base/buffer.h"

/* The records of two changes of one row, column by column. NULL where a change
 * has no such record. */
typedef struct record_pair {
    const unsigned char *earlier, *later;
} record_pair;

typedef struct span {
    const unsigned char *from, *to;
} span;

static span take_value(const unsigned char **at)
{
    static const unsigned char undefined[1] = {ROWTIDE_UNDEFINED};
    if (!*at)
        return (span){undefined, undefined + 1};
    span value = {*at, rowtide__skip_value(*at)};
    *at = value.to;
    return value;
}

/* The value before both changes: the earlier one's if it has it. */
static span take_old(record_pair *old)
{
    span earlier = take_value(&old->earlier), later = take_value(&old->later);
    return *earlier.from ? earlier : later;
}

static span take_new(record_pair *new)
{
    span earlier = take_value(&new->earlier), later = take_value(&new->later);
    return *later.from ? later : earlier;
}

static int same_span(span a, span b)
{
    return a.to - a.from == b.to - b.from
           && memcmp(a.from, b.from, (size_t)(a.to - a.from)) == 0;
}

static unsigned char *put_span(unsigned char *out, span value)
{
    return rowtide__copy_span(out, value.from, value.to);
}

static unsigned char *merge_old(unsigned char *out, int count, record_pair old)
{
    for (int i = 0; i < count; i++)
        out = put_span(out, take_old(&old));
    return out;
}

static unsigned char *merge_new(unsigned char *out, int count, record_pair new)
{
    for (int i = 0; i < count; i++)
        out = put_span(out, take_new(&new));
    return out;
}

/* Both records of an UPDATE, only with columns that differ in the end; NULL if
 * there are none. */
static unsigned char *merge_update(unsigned char *out,
                                   const rowtide__table *table, record_pair old,
                                   record_pair new)
{
    record_pair old_again = old, new_again = new;
    int differs = 0;
    for (int i = 0; i < table->column_count; i++) {
        span before = take_old(&old), after = take_new(&new);
        int key = table->primary_key[i] != 0;
        if (!key && same_span(before, after)) {
            *out++ = ROWTIDE_UNDEFINED;
            continue;
        }
        differs |= !key;
        out = put_span(out, before);
    }
    for (int i = 0; differs && i < table->column_count; i++) {
        span before = take_old(&old_again), after = take_new(&new_again);
        if (table->primary_key[i] || same_span(before, after))
            *out++ = ROWTIDE_UNDEFINED;
        else
            out = put_span(out, after);
    }
    return differs ? out : NULL;
}

static rowtide__piece row_piece(const rowtide__rows *rows,
                                const rowtide__table *table,
                                const rowtide__row *row)
{
    const unsigned char *end = row->record + row->size;
    const unsigned char *second = end;
    if (row->kind == ROWTIDE_CHANGE_UPDATE && rows->patchset != 1)
        second = rowtide__skip_values(row->record, table->column_count);
    return (rowtide__piece){row->kind, row->indirect, row->record, second, end};
}

/* Where the new values of an INSERT or UPDATE are. */
static const unsigned char *new_record(const rowtide__rows *rows,
                                       const rowtide__piece *piece)
{
    return piece->kind == ROWTIDE_CHANGE_UPDATE && rows->patchset != 1
               ? piece->second
               : piece->record;
}

static unsigned char *copy_piece(unsigned char *out,
                                 const rowtide__piece *piece)
{
    return rowtide__copy_span(out, piece->record, piece->finish);
}

/* An UPDATE, then a DELETE; or a DELETE, then an INSERT; or two UPDATEs.
 * `*kind` is what comes of it; NULL for nothing. */
static unsigned char *merge_records(const rowtide__rows *rows,
                                    const rowtide__table *table,
                                    const rowtide__piece *earlier,
                                    const rowtide__piece *later, int *kind)
{
    unsigned char *out = (unsigned char *)rows->merged.data;
    int count = table->column_count, patchset = rows->patchset == 1;
    record_pair old = {earlier->record, later->record};
    record_pair new = {new_record(rows, earlier), new_record(rows, later)};
    *kind = ROWTIDE_CHANGE_UPDATE;
    if (earlier->kind == ROWTIDE_CHANGE_INSERT) {
        *kind = ROWTIDE_CHANGE_INSERT;
        return merge_new(out, count, new);
    }
    if (later->kind == ROWTIDE_CHANGE_DELETE) {
        *kind = ROWTIDE_CHANGE_DELETE;
        return patchset ? copy_piece(out, later) : merge_old(out, count, old);
    }
    if (earlier->kind == ROWTIDE_CHANGE_DELETE) {
        old.later = NULL;
        new.earlier = NULL;
        return patchset ? copy_piece(out, later)
                        : merge_update(out, table, old, new);
    }
    return patchset ? merge_new(out, count, new)
                    : merge_update(out, table, old, new);
}

/* A row that is there cannot be inserted, one that is not cannot be changed:
 * such a second change is left out, as SQLite does. */
static int can_follow(int earlier, int later)
{
    if (earlier == ROWTIDE_CHANGE_DELETE)
        return later == ROWTIDE_CHANGE_INSERT;
    return later != ROWTIDE_CHANGE_INSERT;
}

static int merge_into(rowtide__rows *rows, const rowtide__table *table,
                      rowtide__row *row, const rowtide__piece *later)
{
    rowtide__piece earlier = row_piece(rows, table, row);
    size_t most = row->size + (size_t)(later->finish - later->record);
    int kind;
    rowtide__buffer_clear(&rows->merged);
    if (rowtide__buffer_reserve(&rows->merged, most) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    const unsigned char *start = (const unsigned char *)rows->merged.data;
    const unsigned char *end = merge_records(rows, table, &earlier, later,
                                             &kind);
    int rc = end ? rowtide__row_set(rows, row, start, (size_t)(end - start))
                 : ROWTIDE_OK;
    if (rc != ROWTIDE_OK)
        return rc;
    row->kind = end ? kind : 0;
    row->indirect = row->indirect && later->indirect;
    return ROWTIDE_OK;
}

int rowtide__rows_merge(rowtide__rows *rows, const rowtide__table *table,
                        const rowtide__piece *piece)
{
    rowtide__row *row;
    int rc = rowtide__rows_enter(rows, table, piece, &row);
    if (rc != ROWTIDE_OK)
        return rc;
    if (row->kind && !can_follow(row->kind, piece->kind))
        return ROWTIDE_OK;
    if (row->kind == ROWTIDE_CHANGE_INSERT
        && piece->kind == ROWTIDE_CHANGE_DELETE) {
        row->kind = 0;
        return ROWTIDE_OK;
    }
    if (row->kind)
        return merge_into(rows, table, row, piece);
    rc = rowtide__row_set(rows, row, piece->record,
                          (size_t)(piece->finish - piece->record));
    if (rc != ROWTIDE_OK)
        return rc;
    row->kind = piece->kind;
    row->indirect = piece->indirect;
    return ROWTIDE_OK;
}
