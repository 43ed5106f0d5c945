#include "crdt/merge.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

typedef struct flush {
    rowtide__crdt *engine;
    rowtide__pending *pending;
    rowtide__entry *entries;
    size_t count;
    rowtide__log log;
    rowtide__clock old, part;
    /* The end of a run that was cut, which the next entry may cut again. */
    rowtide__crdt_table *held_table; /* NULL: none */
    rowtide__clock held;
    int64_t held_first, held_rows;
    int logged; /* all of it is in the log */
} flush;

/* By table and row, older entries about the same row first. */
static int compare_entries(const void *left, const void *right)
{
    const rowtide__entry *a = left, *b = right;
    if (a->table != b->table)
        return a->table->id < b->table->id ? -1 : 1;
    if (a->row != b->row)
        return a->row < b->row ? -1 : 1;
    return a->groups < b->groups ? -1 : a->groups > b->groups;
}

static int is_sorted(const flush *work)
{
    for (size_t i = 1; i < work->count; i++)
        if (compare_entries(&work->entries[i - 1], &work->entries[i]) > 0)
            return 0;
    return 1;
}

static int collect(flush *work)
{
    rowtide__pending *pending = work->pending;
    int rc = rowtide__pending_settle(pending);
    if (rc != ROWTIDE_OK)
        return rc;
    work->count = rowtide__pending_count(pending);
    work->entries = rowtide__alloc_array(work->count, sizeof *work->entries);
    if (!work->entries)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < work->count; i++)
        rowtide__pending_entry(pending, i, &work->entries[i]);
    if (!is_sorted(work))
        qsort(work->entries, work->count, sizeof *work->entries,
              compare_entries);
    return ROWTIDE_OK;
}

/* ## What is new goes to the log */

static int is_logged(const rowtide__clock *old, const rowtide__group *group,
                     int32_t column, int64_t rows)
{
    for (int i = 0; i < old->count; i++) {
        const rowtide__group *was = &old->groups[i];
        if (column < was->column || column >= was->column + was->count)
            continue;
        return was->db_version == group->db_version
               && (rows == 1
                   || (was->stride == group->stride && was->leap == 0))
               && was->sequence - was->column
                      == group->sequence - group->column;
    }
    return 0;
}

static int log_group(flush *work, const rowtide__entry *entry,
                     const rowtide__group *group)
{
    int32_t end = group->column + group->count, column = group->column;
    int rc = ROWTIDE_OK;
    while (column < end && rc == ROWTIDE_OK) {
        int32_t from = column;
        while (column < end
               && !is_logged(&work->old, group, column, entry->rows))
            column++;
        rowtide__logged item = {group->db_version,
                                group->sequence + (from - group->column),
                                entry->table->id,
                                entry->row,
                                entry->rows,
                                group->stride,
                                from,
                                column - from,
                                0};
        if (entry->rows == 1)
            item.stride = item.count;
        if (column > from)
            rc = rowtide__log_add(&work->log, &item);
        else
            column++;
    }
    return rc;
}

static int log_entry(flush *work, const rowtide__entry *entry)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; i < entry->count && rc == ROWTIDE_OK; i++)
        rc = log_group(work, entry, &entry->groups[i]);
    return rc;
}

/* ## Clocks */

static int put(flush *work, const rowtide__entry *entry)
{
    int rc = ROWTIDE_OK;
    if (!work->logged) {
        work->engine->outdated_items += work->old.count > 0;
        rc = log_entry(work, entry);
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide__store_put(work->engine, entry->table, entry->row,
                                entry->rows, entry->groups, entry->count);
    return rc;
}

/* Rows of the run that was read last, `skip` from its start. */
static int keep_rows(flush *work, rowtide__crdt_table *table, int64_t first,
                     int64_t run_first, int64_t rows)
{
    int rc = rowtide__clock_copy(&work->part, table->run.groups,
                                 table->run.count);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__clock_shift(&work->part, first - run_first);
    return rowtide__store_put(work->engine, table, first, rows,
                              work->part.groups, work->part.count);
}

static int hold_rows(flush *work, rowtide__crdt_table *table, int64_t first,
                     int64_t rows)
{
    int rc = rowtide__clock_copy(&work->held, table->run.groups,
                                 table->run.count);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__clock_shift(&work->held, first - table->run_first);
    work->held_table = table;
    work->held_first = first;
    work->held_rows = rows;
    return ROWTIDE_OK;
}

static int write_held(flush *work)
{
    rowtide__crdt_table *table = work->held_table;
    work->held_table = NULL;
    return table ? rowtide__store_put(work->engine, table, work->held_first,
                                      work->held_rows, work->held.groups,
                                      work->held.count)
                 : ROWTIDE_OK;
}

/* If the row is in what is held, that becomes the run that was read last. */
static int take_held(flush *work, rowtide__crdt_table *table, int64_t row)
{
    if (work->held_table != table || row < work->held_first
        || row - work->held_first >= work->held_rows)
        return write_held(work);
    int rc = rowtide__clock_copy(&table->run, work->held.groups,
                                 work->held.count);
    table->run_first = work->held_first;
    table->run_rows = work->held_rows;
    table->run_serial = work->engine->stored_serial;
    work->held_table = NULL;
    return rc;
}

/* The part of `entry` that lies in the run which was read last. */
static int put_inside(flush *work, const rowtide__entry *entry)
{
    rowtide__crdt_table *table = entry->table;
    int64_t first = table->run_first, rows = table->run_rows;
    int64_t before = entry->row - first;
    int64_t after = rows - before - entry->rows;
    int rc = rowtide__clock_copy(&work->old, table->run.groups,
                                 table->run.count);
    if (rc == ROWTIDE_OK)
        rowtide__clock_shift(&work->old, before);
    if (rc == ROWTIDE_OK && before > 0)
        rc = keep_rows(work, table, first, first, before);
    if (rc == ROWTIDE_OK && after > 0)
        rc = hold_rows(work, table, entry->row + entry->rows, after);
    return rc == ROWTIDE_OK ? put(work, entry) : rc;
}

static int put_outside(flush *work, const rowtide__entry *entry)
{
    work->old.count = 0;
    return put(work, entry);
}

static int64_t last_row(const rowtide__entry *entry)
{
    return entry->row + (entry->rows - 1);
}

/* Write the front of `rest` as far as one record of what is stored, or one gap
 * between records, reaches, and take it off. */
static int put_front(flush *work, rowtide__entry *rest)
{
    rowtide__crdt_table *table = rest->table;
    rowtide__entry front = *rest;
    int64_t next, end = last_row(rest);
    int inside, rc;
    rc = take_held(work, table, rest->row);
    if (rc == ROWTIDE_OK)
        rc = rowtide__store_record(work->engine, table, rest->row, &work->old);
    if (rc != ROWTIDE_OK)
        return rc;
    inside = table->run_rows > 0;
    if (inside) {
        if (table->run_first + (table->run_rows - 1) < end)
            end = table->run_first + (table->run_rows - 1);
    } else if (rest->rows > 1) {
        rc = rowtide__store_after(work->engine, table, rest->row, &next);
        if (rc == ROWTIDE_OK && next <= end)
            end = next - 1;
    }
    if (rc < 0)
        return rc;
    front.rows = end - rest->row + 1;
    rc = inside ? put_inside(work, &front) : put_outside(work, &front);
    rest->rows -= front.rows;
    if (rest->rows > 0)
        rest->row += front.rows;
    table->run_rows = 0;
    return rc;
}

static int put_rows(flush *work, const rowtide__entry *entry)
{
    rowtide__entry rest = *entry;
    rowtide__clock groups = ROWTIDE__CLOCK_INIT;
    int rc = rowtide__clock_copy(&groups, entry->groups, entry->count);
    if (entry->table->bounded
        && (!entry->table->has_clocks || entry->row > entry->table->max_row)) {
        rowtide__clock_dispose(&groups);
        return rc == ROWTIDE_OK ? put_outside(work, entry) : rc;
    }
    rest.groups = groups.groups;
    while (rc == ROWTIDE_OK && rest.rows > 0) {
        int64_t rows = rest.rows;
        rc = put_front(work, &rest);
        if (rest.rows > 0)
            rowtide__clock_shift(&groups, rows - rest.rows);
    }
    rowtide__clock_dispose(&groups);
    return rc;
}

/* A younger entry about the same single row makes this one pointless. */
static int is_superseded(const flush *work, size_t at)
{
    const rowtide__entry *entry = &work->entries[at];
    return at + 1 < work->count && entry->rows == 1
           && entry[1].table == entry->table && entry[1].row == entry->row;
}

static int write_all(flush *work)
{
    int rc = collect(work);
    if (rc == ROWTIDE_OK)
        rc = rowtide__numbers_write(work->engine,
                                    rowtide__pending_keys(work->pending));
    for (size_t i = 0; i < work->count && rc == ROWTIDE_OK; i++)
        if (!is_superseded(work, i))
            rc = put_rows(work, &work->entries[i]);
    if (rc == ROWTIDE_OK)
        rc = write_held(work);
    return rc == ROWTIDE_OK ? rowtide__log_write(work->engine, &work->log) : rc;
}

static int run_flush(rowtide__crdt *engine, rowtide__pending *pending,
                     int logged)
{
    flush work;
    memset(&work, 0, sizeof work);
    work.engine = engine;
    work.pending = pending;
    work.logged = logged;
    int rc = write_all(&work);
    engine->serial++;
    engine->stored_serial++;
    rowtide__free(work.entries);
    rowtide__log_dispose(&work.log);
    rowtide__clock_dispose(&work.old);
    rowtide__clock_dispose(&work.part);
    rowtide__clock_dispose(&work.held);
    return rc;
}

int rowtide__crdt_flush_clocks(rowtide__crdt *engine, rowtide__pending *pending)
{
    return run_flush(engine, pending, 1);
}

static int flush_all(rowtide__crdt *engine)
{
    int rc = rowtide__tail_fold(engine);
    if (rc == ROWTIDE_OK)
        rc = run_flush(engine, engine->pending, 0);
    if (rc == ROWTIDE_OK)
        rowtide__pending_written(engine->pending);
    return rc;
}

static int end_flush(rowtide__crdt *engine, int rc, sqlite3_int64 rowid)
{
    sqlite3_set_last_insert_rowid(engine->sqlite, rowid);
    return rc < 0 ? rowtide__crdt_failed(engine, rc) : rc;
}

int rowtide__crdt_flush(rowtide__crdt *engine)
{
    int rc = rowtide__merge_flush(engine);
    if (rc != ROWTIDE_OK || rowtide__pending_count(engine->pending) == 0)
        return rc;
    sqlite3_int64 rowid = sqlite3_last_insert_rowid(engine->sqlite);
    rc = flush_all(engine);
    return end_flush(engine, rc, rowid);
}

int rowtide__crdt_commit(rowtide__crdt *engine)
{
    int rc = rowtide__merge_check(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__merge_flush(engine);
    if (rc != ROWTIDE_OK || rowtide__pending_count(engine->pending) == 0)
        return rc;
    sqlite3_int64 rowid = sqlite3_last_insert_rowid(engine->sqlite);
    rc = rowtide__tail_append(engine, 1);
    if (rc == ROWTIDE_DONE)
        rc = flush_all(engine);
    return end_flush(engine, rc, rowid);
}
