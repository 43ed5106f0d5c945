#include "crdt/engine.h"
#include "base/buffer.h"
#include "base/error.h"

static int prepare_find(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    if (table->find)
        return ROWTIDE_OK;
    if (table->integer_key)
        return rowtide__crdt_prepare(
            engine, &table->find,
            "SELECT clock, first FROM main.rowtide_crdt_rows_%lld WHERE "
            "first <= ? ORDER BY first DESC LIMIT 1",
            (long long)table->id);
    return rowtide__crdt_prepare(
        engine, &table->find,
        "SELECT clock FROM main.rowtide_crdt_rows_%lld WHERE pk = ?",
        (long long)table->id);
}

static int prepare_after(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    if (table->after)
        return ROWTIDE_OK;
    return rowtide__crdt_prepare(
        engine, &table->after,
        table->integer_key
            ? "SELECT first FROM main.rowtide_crdt_rows_%lld WHERE first > ? "
              "ORDER BY first LIMIT 1"
            : "SELECT 1 FROM main.rowtide_crdt_rows_%lld LIMIT 1",
        (long long)table->id);
}

static void bind_key(sqlite3_stmt *stmt, int index, const rowtide__key *key)
{
    if (key->data)
        sqlite3_bind_blob64(stmt, index, key->data, key->size, SQLITE_STATIC);
    else
        sqlite3_bind_int64(stmt, index, key->integer);
}

static int decode_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                         sqlite3_stmt *stmt)
{
    const void *data = sqlite3_column_blob(stmt, 0);
    int size = sqlite3_column_bytes(stmt, 0);
    int rc = rowtide__clock_decode(&table->run, &table->run_rows,
                                   data ? data : "", (size_t)size);
    table->run_first = table->integer_key ? sqlite3_column_int64(stmt, 1) : 0;
    table->run_serial = engine->stored_serial;
    if (rc == ROWTIDE_OK
        && table->run_rows - 1
               > INT64_MAX - (table->run_first > 0 ? table->run_first : 0))
        rc = rowtide__fail(ROWTIDE_ECORRUPT, "a stored clock is damaged");
    if (rc != ROWTIDE_OK)
        table->run_rows = 0;
    return rc < 0 ? rowtide__fail_context("table \"%s\"", table->name) : rc;
}

/* ROWTIDE_DONE if there is no record at or below the key. */
static int find_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                       const rowtide__key *key)
{
    int rc = prepare_find(engine, table);
    table->run_rows = 0;
    if (rc != ROWTIDE_OK)
        return rc;
    bind_key(table->find, 1, key);
    rc = rowtide__crdt_step(engine, table->find);
    if (rc == ROWTIDE_OK)
        rc = decode_record(engine, table, table->find);
    sqlite3_reset(table->find);
    return rc;
}

static int is_cached(const rowtide__crdt *engine,
                     const rowtide__crdt_table *table, const rowtide__key *key)
{
    return table->integer_key && table->run_rows > 0
           && table->run_serial == engine->stored_serial
           && key->integer >= table->run_first
           && (uint64_t)key->integer - (uint64_t)table->run_first
                  < (uint64_t)table->run_rows;
}

static int note_miss(rowtide__crdt *engine, rowtide__crdt_table *table,
                     const rowtide__key *key)
{
    table->run_rows = 0;
    if (table->integer_key) {
        table->miss_serial = engine->stored_serial;
        table->miss = key->integer;
    }
    return ROWTIDE_OK;
}

static int is_missing(const rowtide__crdt *engine,
                      const rowtide__crdt_table *table, const rowtide__key *key)
{
    return table->integer_key && table->miss_serial == engine->stored_serial
           && table->miss == key->integer;
}

int rowtide__store_record(rowtide__crdt *engine, rowtide__crdt_table *table,
                          const rowtide__key *key, rowtide__clock *out)
{
    out->count = 0;
    if (is_missing(engine, table, key)) {
        table->run_rows = 0;
        return ROWTIDE_OK;
    }
    if (!is_cached(engine, table, key)) {
        int rc = find_record(engine, table, key);
        if (rc != ROWTIDE_OK)
            return rc < 0 ? rc : note_miss(engine, table, key);
        if (!table->integer_key)
            return rowtide__clock_copy(out, table->run.groups,
                                       table->run.count);
        if (!is_cached(engine, table, key))
            return note_miss(engine, table, key);
    }
    return rowtide__clock_row(out, table->run.groups, table->run.count,
                              key->integer - table->run_first);
}

int rowtide__store_read(rowtide__crdt *engine, rowtide__crdt_table *table,
                        const rowtide__key *key, rowtide__clock *out)
{
    out->count = 0;
    int rc = rowtide__tail_find(engine, table, key, out);
    if (rc == 0)
        return rowtide__store_record(engine, table, key, out);
    table->run_rows = 0;
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__store_after(rowtide__crdt *engine, rowtide__crdt_table *table,
                         int64_t key, int64_t *out)
{
    int rc = prepare_after(engine, table);
    *out = INT64_MAX;
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(table->after, 1, key);
    rc = rowtide__crdt_step(engine, table->after);
    if (rc == ROWTIDE_OK)
        *out = sqlite3_column_int64(table->after, 0);
    sqlite3_reset(table->after);
    return rc;
}

/* Most keys of a bulk insert are greater than all before, which saves looking
 * for them. */
static int read_bounds(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    rowtide__key greatest = {INT64_MAX, NULL, 0};
    int64_t unused;
    int rc;
    table->max_key = INT64_MIN;
    if (table->integer_key)
        rc = find_record(engine, table, &greatest);
    else
        rc = rowtide__store_after(engine, table, 0, &unused);
    if (rc < 0)
        return rc;
    table->has_clocks = rc == ROWTIDE_OK;
    if (table->integer_key && rc == ROWTIDE_OK)
        table->max_key = table->run_first + (table->run_rows - 1);
    table->bounded = 1;
    return ROWTIDE_OK;
}

static int is_beyond(const rowtide__crdt_table *table, const rowtide__key *key)
{
    return table->bounded
           && (!table->has_clocks
               || (table->integer_key && key->integer > table->max_key));
}

int rowtide__clock_load(rowtide__crdt *engine, rowtide__crdt_table *table,
                        const rowtide__key *key, rowtide__clock *out)
{
    int rc = rowtide__pending_find(engine->pending, table, key, out);
    if (rc == 0)
        rc = rowtide__tail_find(engine, table, key, out);
    if (rc != 0)
        return rc < 0 ? rc : ROWTIDE_OK;
    out->count = 0;
    if (is_cached(engine, table, key))
        return rowtide__store_record(engine, table, key, out);
    if (!table->bounded && table->lookups++ > 0)
        rc = read_bounds(engine, table);
    if (rc != ROWTIDE_OK || is_beyond(table, key))
        return rc;
    return rowtide__store_record(engine, table, key, out);
}

static void note_stored(rowtide__crdt_table *table, const rowtide__key *key,
                        int64_t rows)
{
    table->has_clocks = 1;
    table->miss_serial = 0;
    if (!key->data && key->integer + (rows - 1) > table->max_key)
        table->max_key = key->integer + (rows - 1);
}

int rowtide__store_put(rowtide__crdt *engine, rowtide__crdt_table *table,
                       const rowtide__key *key, int64_t rows,
                       const rowtide__group *groups, int count)
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
    bind_key(table->put, 1, key);
    sqlite3_bind_blob64(table->put, 2, engine->bytes.data, engine->bytes.size,
                        SQLITE_STATIC);
    rc = rowtide__crdt_run(engine, table->put);
    note_stored(table, key, rows);
    return rc;
}
