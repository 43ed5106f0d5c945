#include "crdt/engine.h"
#include "base/buffer.h"
#include "base/error.h"

static int prepare_find(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    if (table->find)
        return ROWTIDE_OK;
    return rowtide__crdt_prepare(
        engine, &table->find,
        "SELECT clock, first FROM main.rowtide_crdt_rows_%lld WHERE "
        "first <= ? ORDER BY first DESC LIMIT 1",
        (long long)table->id);
}

static int prepare_after(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    if (table->after)
        return ROWTIDE_OK;
    return rowtide__crdt_prepare(
        engine, &table->after,
        "SELECT first FROM main.rowtide_crdt_rows_%lld WHERE first > ? "
        "ORDER BY first LIMIT 1",
        (long long)table->id);
}

static int decode_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                         sqlite3_stmt *stmt)
{
    const void *data = sqlite3_column_blob(stmt, 0);
    int size = sqlite3_column_bytes(stmt, 0);
    int rc = rowtide__clock_decode(&table->run, &table->run_rows,
                                   data ? data : "", (size_t)size);
    table->run_first = sqlite3_column_int64(stmt, 1);
    table->run_serial = engine->stored_serial;
    if (rc == ROWTIDE_OK
        && table->run_rows - 1
               > INT64_MAX - (table->run_first > 0 ? table->run_first : 0))
        rc = rowtide__fail(ROWTIDE_ECORRUPT, "a stored clock is damaged");
    if (rc != ROWTIDE_OK)
        table->run_rows = 0;
    return rc < 0 ? rowtide__fail_context("table \"%s\"", table->name) : rc;
}

/* ROWTIDE_DONE if there is no record at or below the row. */
static int find_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t row)
{
    int rc = prepare_find(engine, table);
    table->run_rows = 0;
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(table->find, 1, row);
    rc = rowtide__crdt_step(engine, table->find);
    if (rc == ROWTIDE_OK)
        rc = decode_record(engine, table, table->find);
    sqlite3_reset(table->find);
    return rc;
}

static int is_cached(const rowtide__crdt *engine,
                     const rowtide__crdt_table *table, int64_t row)
{
    return table->run_rows > 0 && table->run_serial == engine->stored_serial
           && row >= table->run_first
           && (uint64_t)row - (uint64_t)table->run_first
                  < (uint64_t)table->run_rows;
}

static int note_miss(rowtide__crdt *engine, rowtide__crdt_table *table,
                     int64_t row)
{
    table->run_rows = 0;
    table->miss_serial = engine->stored_serial;
    table->miss = row;
    return ROWTIDE_OK;
}

int rowtide__store_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                          int64_t row, rowtide__clock *out)
{
    out->count = 0;
    if (table->miss_serial == engine->stored_serial && table->miss == row) {
        table->run_rows = 0;
        return ROWTIDE_OK;
    }
    if (!is_cached(engine, table, row)) {
        int rc = find_record(engine, table, row);
        if (rc < 0)
            return rc;
        if (rc == ROWTIDE_DONE || !is_cached(engine, table, row))
            return note_miss(engine, table, row);
    }
    return rowtide__clock_row(out, table->run.groups, table->run.count,
                              row - table->run_first);
}

int rowtide__store_read(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t row, rowtide__clock *out)
{
    out->count = 0;
    int rc = rowtide__tail_find(engine, table, row, out);
    if (rc == 0)
        return rowtide__store_record(engine, table, row, out);
    table->run_rows = 0;
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__store_after(rowtide__crdt *engine, rowtide__crdt_table *table,
                         int64_t row, int64_t *out)
{
    int rc = prepare_after(engine, table);
    *out = INT64_MAX;
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(table->after, 1, row);
    rc = rowtide__crdt_step(engine, table->after);
    if (rc == ROWTIDE_OK)
        *out = sqlite3_column_int64(table->after, 0);
    sqlite3_reset(table->after);
    return rc;
}

/* Most rows of a bulk insert are greater than all before, which saves looking
 * for them. */
static int read_bounds(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    int rc = find_record(engine, table, INT64_MAX);
    if (rc < 0)
        return rc;
    table->has_clocks = rc == ROWTIDE_OK;
    table->max_row = INT64_MIN;
    if (rc == ROWTIDE_OK)
        table->max_row = table->run_first + (table->run_rows - 1);
    table->bounded = 1;
    return ROWTIDE_OK;
}

static int is_beyond(const rowtide__crdt_table *table, int64_t row)
{
    return table->bounded && (!table->has_clocks || row > table->max_row);
}

int rowtide__clock_load(rowtide__crdt *engine, rowtide__crdt_table *table,
                        rowtide__key *key, rowtide__clock *out)
{
    int rc = rowtide__key_find(engine, table, key);
    out->count = 0;
    if (rc != ROWTIDE_OK || !key->known)
        return rc;
    rc = rowtide__pending_find(engine->pending, table, key->row, out);
    if (rc == 0)
        rc = rowtide__tail_find(engine, table, key->row, out);
    if (rc != 0)
        return rc < 0 ? rc : ROWTIDE_OK;
    out->count = 0;
    if (is_cached(engine, table, key->row))
        return rowtide__store_record(engine, table, key->row, out);
    if (!table->bounded && table->lookups++ > 0)
        rc = read_bounds(engine, table);
    if (rc != ROWTIDE_OK || is_beyond(table, key->row))
        return rc;
    return rowtide__store_record(engine, table, key->row, out);
}

static void note_stored(rowtide__crdt_table *table, int64_t row, int64_t rows)
{
    table->has_clocks = 1;
    table->miss_serial = 0;
    if (row + (rows - 1) > table->max_row)
        table->max_row = row + (rows - 1);
}

int rowtide__store_put(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t row, int64_t rows, const rowtide__group *groups,
                       int count)
{
    int rc = ROWTIDE_OK;
    if (!table->put)
        rc = rowtide__crdt_prepare(
            engine, &table->put,
            "REPLACE INTO main.rowtide_crdt_rows_%lld VALUES(?, ?)",
            (long long)table->id);
    rowtide__buffer_clear(&engine->bytes);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_encode(&engine->bytes, groups, count, rows);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(table->put, 1, row);
    sqlite3_bind_blob64(table->put, 2, engine->bytes.data, engine->bytes.size,
                        SQLITE_STATIC);
    rc = rowtide__crdt_run(engine, table->put);
    note_stored(table, row, rows);
    return rc;
}
