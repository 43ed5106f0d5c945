#include "crdt/engine.h"
#include "base/error.h"

/* Forgetting the clocks of deleted rows.
 *
 * A row that is made again with the same key would begin with the causal
 * length 1 and lose against the deletion wherever that is still remembered.
 * So each table keeps the greatest causal length that it has forgotten, and
 * rows begin above it. */

enum { BATCH = 512 };

typedef struct range {
    int64_t first, rows;
} range;

typedef struct collection {
    rowtide__crdt *engine;
    rowtide__crdt_table *table;
    sqlite3_stmt *scan, *erase;
    int64_t first; /* where the scan goes on */
    range doomed[BATCH];
    int doomed_count;
    rowtide__clock clock;
    int64_t until, count, floor;
    int more;
} collection;

static int prepare(collection *work)
{
    long long id = (long long)work->table->id;
    int rc = rowtide__crdt_prepare(
        work->engine, &work->scan,
        "SELECT first, clock FROM main.rowtide_crdt_rows_%lld WHERE first >= ? "
        "ORDER BY first LIMIT %d",
        id, BATCH);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(
            work->engine, &work->erase,
            "DELETE FROM main.rowtide_crdt_rows_%lld WHERE first = ?", id);
    return rc;
}

/* How many of the rows of a record, from the first. */
static int64_t doomed_rows(const collection *work, int64_t rows)
{
    const rowtide__group *group = work->clock.groups;
    if (work->clock.count != 1 || group->column != ROWTIDE__SENTINEL
        || group->count != 1 || group->version % 2 != 0
        || group->db_version > work->until)
        return 0;
    if (rows == 1 || group->leap < 1
        || (work->until - group->db_version) / group->leap >= rows)
        return rows;
    return (work->until - group->db_version) / group->leap + 1;
}

static int look_at(collection *work)
{
    int64_t rows, first = sqlite3_column_int64(work->scan, 0);
    const void *data = sqlite3_column_blob(work->scan, 1);
    int rc = rowtide__clock_decode(&work->clock, &rows, data ? data : "",
                                   (size_t)sqlite3_column_bytes(work->scan, 1));
    int64_t doomed = rc == ROWTIDE_OK ? doomed_rows(work, rows) : 0;
    if (doomed > 0) {
        work->doomed[work->doomed_count++] = (range){first, doomed};
        work->count += doomed;
        if (work->clock.groups->version > work->floor)
            work->floor = work->clock.groups->version;
    }
    work->more = first < INT64_MAX;
    work->first = work->more ? first + 1 : first;
    return rc;
}

static int scan_batch(collection *work)
{
    int rc;
    work->more = work->doomed_count = 0;
    sqlite3_bind_int64(work->scan, 1, work->first);
    do
        rc = rowtide__crdt_step(work->engine, work->scan);
    while (rc == ROWTIDE_OK && (rc = look_at(work)) == ROWTIDE_OK);
    sqlite3_reset(work->scan);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* What is behind the first rows of a record becomes one of its own. */
static int keep_rest(collection *work, int64_t first, int64_t doomed)
{
    rowtide__crdt_table *table = work->table;
    int rc = rowtide__store_record(work->engine, table, first, &work->clock);
    int64_t left = table->run_rows - doomed;
    if (rc == ROWTIDE_OK && left > 0)
        rc = rowtide__clock_copy(&work->clock, table->run.groups,
                                 table->run.count);
    if (rc != ROWTIDE_OK || left <= 0)
        return rc;
    rowtide__clock_shift(&work->clock, doomed);
    return rowtide__store_put(work->engine, table, first + doomed, left,
                              work->clock.groups, work->clock.count);
}

static int erase_batch(collection *work)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; i < work->doomed_count && rc == ROWTIDE_OK; i++) {
        const range *at = &work->doomed[i];
        rc = keep_rest(work, at->first, at->rows);
        sqlite3_bind_int64(work->erase, 1, at->first);
        if (rc == ROWTIDE_OK)
            rc = rowtide__crdt_run(work->engine, work->erase);
        if (rc == ROWTIDE_OK)
            rc = rowtide__numbers_drop(work->engine, work->table, at->first,
                                       at->rows);
    }
    return rc;
}

static int save_floor(const collection *work)
{
    return rowtide__crdt_exec(
        work->engine,
        "INSERT INTO main.crsql_master VALUES('rowtide_floor_%lld', %lld) "
        "ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
        (long long)work->table->id, (long long)work->floor);
}

static int collect_table(collection *work)
{
    int rc = rowtide__crdt_table_shape(work->engine, work->table);
    if (rc == ROWTIDE_OK)
        rc = prepare(work);
    work->first = INT64_MIN;
    work->floor = 0;
    do {
        if (rc == ROWTIDE_OK)
            rc = scan_batch(work);
        if (rc == ROWTIDE_OK)
            rc = erase_batch(work);
    } while (rc == ROWTIDE_OK && work->more);
    if (rc == ROWTIDE_OK && work->floor > 0)
        rc = save_floor(work);
    sqlite3_finalize(work->scan);
    sqlite3_finalize(work->erase);
    work->scan = work->erase = NULL;
    return rc;
}

/* Other connections read the schema again when it has changed, and the floors
 * with it: that costs nothing as long as nothing is collected. */
static int touch_schema(rowtide__crdt *engine)
{
    return rowtide__crdt_exec(engine,
                              "CREATE VIEW main.rowtide_collected AS SELECT 1;"
                              "DROP VIEW main.rowtide_collected");
}

int rowtide__crdt_collect(rowtide__crdt *engine, int64_t until, int64_t *out)
{
    collection work = {.engine = engine, .until = until};
    int rc = rowtide__crdt_join(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_flush(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__tail_fold(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_tables_load(engine);
    for (work.table = engine->tables; rc == ROWTIDE_OK && work.table;
         work.table = work.table->next)
        if (!work.table->dropped)
            rc = collect_table(&work);
    if (rc == ROWTIDE_OK && work.count > 0)
        rc = touch_schema(engine);
    rowtide__clock_dispose(&work.clock);
    engine->serial++;
    engine->stored_serial++;
    rowtide__crdt_tables_uncache(engine);
    rowtide__crdt_tables_forget(engine);
    *out = rc == ROWTIDE_OK ? work.count : 0;
    return rc;
}

int rowtide__crdt_read_floor(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    return rowtide__crdt_integer(engine, &table->floor, 0,
                                 "SELECT value FROM main.crsql_master WHERE "
                                 "key = 'rowtide_floor_%lld'",
                                 (long long)table->id);
}
