#include "crdt/local.h"
#include "base/error.h"

#include <string.h>

int rowtide__value_compare(const rowtide_value *a, const rowtide_value *b)
{
    /* SQLite's numbers of types are in reverse order of rank. */
    if (a->type != b->type)
        return a->type < b->type ? 1 : -1;
    if (a->type == ROWTIDE_INTEGER)
        return a->integer < b->integer ? -1 : a->integer > b->integer;
    if (a->type == ROWTIDE_REAL)
        return a->real < b->real ? -1 : a->real > b->real;
    if (a->type == ROWTIDE_NULL)
        return 0;
    size_t size = a->size < b->size ? a->size : b->size;
    int order = size > 0 ? memcmp(a->data, b->data, size) : 0;
    return order ? order : a->size < b->size ? -1 : a->size > b->size;
}

static int64_t next_version(const rowtide__clock *clock, int id)
{
    rowtide__cell cell;
    if (!rowtide__clock_find(clock, id, &cell))
        return 1;
    return cell.version < ROWTIDE__GREATEST_VERSION
               ? cell.version + 1
               : ROWTIDE__GREATEST_VERSION; /* peers refuse more */
}

int rowtide__local_set_cells(rowtide__crdt *engine, rowtide__clock *clock,
                             int id, int count, int64_t db_version)
{
    int rc = ROWTIDE_OK;
    for (int end = id + count; id < end && rc == ROWTIDE_OK; id += count) {
        int64_t version = next_version(clock, id);
        rowtide__cell cell = {0, version, db_version, engine->sequence};
        for (count = 1; id + count < end; count++)
            if (next_version(clock, id + count) != version)
                break;
        engine->sequence += count;
        rc = rowtide__clock_set_range(clock, id, count, &cell);
    }
    return rc;
}

int rowtide__local_set(rowtide__crdt *engine, rowtide__clock *clock, int id,
                       int64_t db_version)
{
    return rowtide__local_set_cells(engine, clock, id, 1, db_version);
}

int rowtide__local_create(const rowtide__crdt_table *table,
                          rowtide__clock *clock, int64_t db_version,
                          int64_t sequence)
{
    rowtide__cell cell = {0, table->floor + 1, 0, 0};
    if (rowtide__clock_find(clock, ROWTIDE__SENTINEL, &cell)) {
        if (cell.version == ROWTIDE__GREATEST_VERSION)
            return rowtide__fail(ROWTIDE_ETOOBIG,
                                 "table \"%s\": this key has been deleted for "
                                 "ever by a peer, which gave it the greatest "
                                 "causal length",
                                 table->name);
        /* Peers refuse more. */
        if (cell.version < ROWTIDE__GREATEST_VERSION - 1)
            cell.version += cell.version % 2 == 0 ? 1 : 2;
    }
    cell.site = 0;
    cell.db_version = db_version;
    cell.sequence = sequence;
    return rowtide__clock_set(clock, ROWTIDE__SENTINEL, &cell);
}

/* All columns of a row that was never seen. */
static int set_fresh(rowtide__crdt *engine, rowtide__crdt_table *table,
                     rowtide__clock *clock, int64_t db_version)
{
    rowtide__cell cell = {0, 1, db_version, 0};
    int rc = ROWTIDE_OK;
    for (int i = 0; i < table->column_count && rc == ROWTIDE_OK;) {
        int from = i++;
        while (i < table->column_count
               && table->columns[i].id == table->columns[i - 1].id + 1)
            i++;
        cell.sequence = engine->sequence;
        engine->sequence += i - from;
        rc = rowtide__clock_set_range(clock, table->columns[from].id, i - from,
                                      &cell);
    }
    return rc;
}

int rowtide__local_insert(rowtide__crdt *engine, rowtide__crdt_table *table,
                          rowtide__clock *clock)
{
    int64_t db_version, sequence;
    rowtide__cell cell;
    int rc = rowtide__crdt_next_version(engine, 0, &db_version);
    if (rc != ROWTIDE_OK)
        return rc;
    if (table->column_count == 0)
        return rowtide__local_create(table, clock, db_version,
                                     engine->sequence++);
    if (clock->count == 0) {
        if (table->floor > 0)
            rc = rowtide__local_create(table, clock, db_version,
                                       engine->sequence++);
        return rc == ROWTIDE_OK ? set_fresh(engine, table, clock, db_version)
                                : rc;
    }
    /* A row that was seen uses a sequence for its sentinel, if there is one
     * or not. */
    sequence = engine->sequence++;
    if (rowtide__clock_find(clock, ROWTIDE__SENTINEL, &cell))
        rc = rowtide__local_create(table, clock, db_version, sequence);
    for (int i = 0; i < table->column_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__local_set(engine, clock, table->columns[i].id,
                                db_version);
    return rc;
}

int rowtide__local_delete(rowtide__crdt *engine, rowtide__clock *clock)
{
    rowtide__cell cell = {0, 1, 0, 0};
    int rc = rowtide__crdt_next_version(engine, 0, &cell.db_version);
    int64_t db_version = cell.db_version;
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__clock_find(clock, ROWTIDE__SENTINEL, &cell);
    cell.site = 0;
    cell.version++;
    cell.db_version = db_version;
    cell.sequence = engine->sequence++;
    rowtide__clock_drop_cells(clock);
    return rowtide__clock_set(clock, ROWTIDE__SENTINEL, &cell);
}
