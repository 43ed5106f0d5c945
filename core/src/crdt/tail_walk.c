#include "crdt/tail.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

int rowtide__walk_open(rowtide__walk *walk, rowtide__crdt *engine,
                       rowtide__crdt_table *table)
{
    memset(walk, 0, sizeof *walk);
    walk->engine = engine;
    walk->table = table;
    int rc = rowtide__tail_places(engine->tail, table->id, &walk->places,
                                  &walk->count);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_prepare(
                     engine, &walk->stmt,
                     "SELECT first, clock FROM main.rowtide_crdt_rows_%lld "
                     "ORDER BY 1",
                     (long long)table->id)
               : rc;
}

void rowtide__walk_close(rowtide__walk *walk)
{
    sqlite3_finalize(walk->stmt);
    rowtide__clock_dispose(&walk->record);
    rowtide__clock_dispose(&walk->clock);
    rowtide__free(walk->places);
    memset(walk, 0, sizeof *walk);
}

static int step_record(rowtide__walk *walk)
{
    if (walk->ended || walk->next_rows > 0)
        return ROWTIDE_OK;
    int rc = rowtide__crdt_step(walk->engine, walk->stmt);
    walk->ended = rc != ROWTIDE_OK;
    if (rc != ROWTIDE_OK)
        return rc < 0 ? rc : ROWTIDE_OK;
    const void *data = sqlite3_column_blob(walk->stmt, 1);
    walk->next_first = sqlite3_column_int64(walk->stmt, 0);
    return rowtide__clock_decode(&walk->record, &walk->next_rows,
                                 data ? data : "",
                                 (size_t)sqlite3_column_bytes(walk->stmt, 1));
}

static void skip_rows(rowtide__walk *walk, int64_t rows)
{
    rowtide__clock_shift(&walk->record, rows);
    walk->next_rows -= rows;
    if (walk->next_rows > 0)
        walk->next_first += rows;
}

static int take_tail(rowtide__walk *walk)
{
    int64_t row = walk->places[walk->next++].row;
    int stored = walk->next_rows > 0 && walk->next_first == row;
    int rc = rowtide__tail_find(walk->engine, walk->table, row, &walk->clock);
    walk->first = row;
    walk->rows = 1;
    if (rc == 0)
        rc = rowtide__store_record(walk->engine, walk->table, row,
                                   &walk->clock);
    if (stored)
        skip_rows(walk, 1);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int take_stored(rowtide__walk *walk, int64_t rows)
{
    int rc = rowtide__clock_copy(&walk->clock, walk->record.groups,
                                 walk->record.count);
    walk->first = walk->next_first;
    walk->rows = rows;
    skip_rows(walk, rows);
    return rc;
}

int rowtide__walk_next(rowtide__walk *walk)
{
    int64_t rows;
    int rc = step_record(walk);
    if (rc != ROWTIDE_OK)
        return rc;
    rows = walk->next_rows;
    if (walk->next == walk->count)
        return rows > 0 ? take_stored(walk, rows) : ROWTIDE_DONE;
    int64_t row = walk->places[walk->next].row;
    if (rows == 0 || row <= walk->next_first)
        return take_tail(walk);
    if ((uint64_t)row - (uint64_t)walk->next_first < (uint64_t)rows)
        rows = row - walk->next_first;
    return take_stored(walk, rows);
}
