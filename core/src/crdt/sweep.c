#include "crdt/engine.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A cell that is set again leaves an item in the log that is not so any more.
 * Readers pass over it. When these have become as many as the others, commits
 * go through the log once, each looking up three times as many clocks as it has
 * made items outdated; not each commit, and not too many at once. */
enum { AT_LEAST = 256, AT_MOST = 4096 };

/* A block whose runs have fallen into so many parts more has no room for
 * them. */
enum { MORE_PARTS = 256 };

typedef struct place {
    int64_t db_version, block, batch;
} place;

typedef struct sweep {
    rowtide__crdt *engine;
    place at;
    rowtide__log items, kept;
    rowtide__clock clock;
    sqlite3_stmt *blocks; /* at the one that is being swept */
    int64_t seen, dropped;
    int64_t looked; /* for clocks, and at items and blocks */
    int64_t outdated, total, kept_so_far; /* of the whole log, by estimate */
} sweep;

/* ## What is still so */

static int keep_columns(sweep *work, const rowtide__logged *item)
{
    int32_t end = item->column + item->count, column = item->column;
    int rc = ROWTIDE_OK;
    while (column < end && rc == ROWTIDE_OK) {
        rowtide__logged part = *item;
        rowtide__cell cell;
        part.column = column;
        part.sequence = item->sequence + (column - item->column);
        while (column < end && rowtide__clock_find(&work->clock, column, &cell)
               && cell.db_version == item->db_version
               && cell.sequence == item->sequence + (column - item->column))
            column++;
        part.count = column - part.column;
        if (part.count == 0) {
            column++;
            continue;
        }
        if (part.rows == 1)
            part.stride = part.count;
        rc = rowtide__log_add(&work->kept, &part);
    }
    return rc;
}

/* What holds for the first row holds for all: set by that item or by another
 * one. */
static int is_alike(const rowtide__group *run, const rowtide__group *first,
                    const rowtide__logged *item)
{
    if (run->column >= item->column + item->count
        || run->column + run->count <= item->column)
        return 1;
    return run->leap == item->leap
           && (run->stride == item->stride
               || first->db_version != item->db_version);
}

/* How many rows of the item, from the first, one record or gap covers. */
static int64_t rows_covered(const sweep *work, const rowtide__crdt_table *table,
                            const rowtide__logged *item)
{
    if (table->run_rows == 0 || item->rows == 1)
        return 1;
    int64_t rows = table->run_rows - (item->row - table->run_first);
    for (int i = 0; i < table->run.count; i++)
        if (!is_alike(&table->run.groups[i], &work->clock.groups[i], item))
            return 1;
    return rows < item->rows ? rows : item->rows;
}

static int keep_rows(sweep *work, rowtide__crdt_table *table,
                     rowtide__logged *rest)
{
    int rc = rowtide__store_read(work->engine, table, rest->row, &work->clock);
    rowtide__logged part = *rest;
    if (rc != ROWTIDE_OK)
        return rc;
    part.rows = rows_covered(work, table, rest);
    if (work->clock.count > 0)
        rc = keep_columns(work, &part);
    if (part.rows == rest->rows)
        rest->rows = 0;
    else
        rowtide__logged_skip(rest, part.rows);
    return rc;
}

static int has_room(const sweep *work)
{
    return work->at.block == ROWTIDE__BUNDLE
           || work->kept.count < work->items.count + MORE_PARTS;
}

static int keep_item(sweep *work, const rowtide__logged *item)
{
    rowtide__crdt_table *table = rowtide__crdt_table_known(work->engine,
                                                           item->table);
    rowtide__logged rest = *item;
    int rc = ROWTIDE_OK;
    work->looked++;
    if (!table || (table->dropped && !table->altering))
        return ROWTIDE_OK;
    rc = rowtide__crdt_table_shape(work->engine, table);
    for (; rest.rows > 0 && rc == ROWTIDE_OK && has_room(work); work->looked++)
        rc = keep_rows(work, table, &rest);
    return rc;
}

/* ## Blocks */

static int run_at(sweep *work, enum rowtide__fixed which, int with_body)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_fixed(work->engine, which, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(stmt, 1, work->at.db_version);
    sqlite3_bind_int64(stmt, 2, work->at.block);
    sqlite3_bind_int64(stmt, 3, work->at.batch);
    if (with_body)
        sqlite3_bind_blob64(
            stmt, 4, work->engine->bytes.data ? work->engine->bytes.data : "",
            work->engine->bytes.size, SQLITE_STATIC);
    return rowtide__crdt_run(work->engine, stmt);
}

static int open_blocks(sweep *work, sqlite3_stmt **out)
{
    int rc = rowtide__crdt_fixed(work->engine, ROWTIDE__LOG_NEXT, out);
    if (rc != ROWTIDE_OK)
        return rc;
    work->blocks = *out;
    sqlite3_bind_int64(*out, 1, work->at.db_version);
    sqlite3_bind_int64(*out, 2, work->at.block);
    sqlite3_bind_int64(*out, 3, work->at.batch);
    return ROWTIDE_OK;
}

/* Move on to the next block, at most of version `last`. ROWTIDE_DONE behind
 * it. */
static int read_next(sweep *work, int64_t last)
{
    sqlite3_stmt *stmt = work->blocks;
    int rc = stmt ? ROWTIDE_OK : open_blocks(work, &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(work->engine, stmt);
    if (rc == ROWTIDE_OK && sqlite3_column_int64(stmt, 0) > last)
        rc = ROWTIDE_DONE;
    if (rc == ROWTIDE_OK) {
        size_t size = (size_t)sqlite3_column_bytes(stmt, 3);
        const void *data = sqlite3_column_blob(stmt, 3);
        work->at.db_version = sqlite3_column_int64(stmt, 0);
        work->at.block = sqlite3_column_int64(stmt, 1);
        work->at.batch = sqlite3_column_int64(stmt, 2);
        rc = work->at.block == ROWTIDE__BUNDLE
                 ? rowtide__bundle_decode(data ? data : "", data ? size : 0,
                                          work->at.db_version, 0, &work->items)
                 : rowtide__log_decode(data, data ? size : 0,
                                       work->at.db_version, &work->items);
    } else {
        work->items.count = work->kept.count = 0;
    }
    return rc;
}

static int is_alone(sweep *work, int *out)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_fixed(work->engine, ROWTIDE__LOG_ALONE, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(stmt, 1, work->at.db_version);
    rc = rowtide__crdt_step(work->engine, stmt);
    *out = rc == ROWTIDE_OK && sqlite3_column_int(stmt, 0) == 1;
    sqlite3_reset(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* Readers tell from the first blocks how many flushes a version has: those
 * stay until they are alone. */
static int drop_block(sweep *work)
{
    int alone = 0, rc = ROWTIDE_OK;
    if (work->at.block == 0)
        rc = is_alone(work, &alone);
    if (rc != ROWTIDE_OK)
        return rc;
    if (work->at.block != 0 || alone)
        return run_at(work, ROWTIDE__LOG_DROP, 0);
    work->engine->bytes.size = 0;
    return work->items.count > 0 ? run_at(work, ROWTIDE__LOG_CHANGE, 1)
                                 : ROWTIDE_OK;
}

/* How many cells of single rows. */
static uint64_t weigh(const rowtide__log *log)
{
    uint64_t cells = 0;
    for (size_t i = 0; i < log->count; i++)
        cells += (uint64_t)log->items[i].rows * (uint64_t)log->items[i].count;
    return cells;
}

/* Runs of a bundle may have been parted and are whole still. */
static int is_same(const sweep *work)
{
    if (work->at.block == ROWTIDE__BUNDLE)
        return weigh(&work->items) == weigh(&work->kept);
    if (work->items.count != work->kept.count)
        return 0;
    for (size_t i = 0; i < work->items.count; i++)
        if (work->items.items[i].count != work->kept.items[i].count
            || work->items.items[i].rows != work->kept.items[i].rows)
            return 0;
    return 1;
}

/* Readers rely on the order of starts. Parts of a run may begin behind what
 * comes after it: 0 if behind the block. */
static int put_in_order(sweep *work)
{
    rowtide__log *kept = &work->kept;
    qsort(kept->items, kept->count, sizeof *kept->items,
          rowtide__logged_compare_starts);
    return kept->items[kept->count - 1].sequence
           <= work->items.items[work->items.count - 1].sequence;
}

static int change_bundle(sweep *work)
{
    int rc = rowtide__bundle_encode(work->engine, &work->kept);
    return rc == ROWTIDE_OK ? run_at(work, ROWTIDE__LOG_CHANGE, 1) : rc;
}

static int sweep_block(sweep *work)
{
    size_t at = 0;
    int rc = ROWTIDE_OK;
    work->kept.count = 0;
    for (size_t i = 0; i < work->items.count && rc == ROWTIDE_OK; i++)
        rc = keep_item(work, &work->items.items[i]);
    if (rc != ROWTIDE_OK)
        return rc;
    if (work->kept.count == 0)
        return drop_block(work);
    if (!has_room(work)) {
        work->kept.count = work->items.count; /* it stays as it is */
        return ROWTIDE_OK;
    }
    if (is_same(work))
        return ROWTIDE_OK;
    if (work->at.block == ROWTIDE__BUNDLE)
        return change_bundle(work);
    if (!put_in_order(work))
        return ROWTIDE_OK;
    rc = rowtide__log_encode(work->engine, &work->kept, &at);
    /* Runs that fell apart may not fit: then all stays as it is. */
    if (rc == ROWTIDE_OK && at == work->kept.count)
        rc = run_at(work, ROWTIDE__LOG_CHANGE, 1);
    return rc;
}

/* ## Going round */

static void read_place(sweep *work, const char *text)
{
    long long numbers[6] = {-1, 0, 0, 0, 0, 0};
    if (text)
        sscanf(text, "%lld %lld %lld %lld %lld %lld", &numbers[0], &numbers[1],
               &numbers[2], &numbers[3], &numbers[4], &numbers[5]);
    work->at.db_version = numbers[0];
    work->at.block = numbers[1];
    work->at.batch = numbers[2];
    work->outdated = numbers[3];
    work->total = numbers[4];
    work->kept_so_far = numbers[5];
}

static int load_place(sweep *work)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_prepare(work->engine, &stmt,
                                   "SELECT value FROM main.crsql_master WHERE "
                                   "key = 'rowtide_swept'");
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(work->engine, stmt);
    read_place(work, rc == ROWTIDE_OK
                         ? (const char *)sqlite3_column_text(stmt, 0)
                         : NULL);
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int save_place(sweep *work)
{
    return rowtide__crdt_exec(
        work->engine,
        "REPLACE INTO main.crsql_master VALUES('rowtide_swept', "
        "'%lld %lld %lld %lld %lld %lld')",
        (long long)work->at.db_version, (long long)work->at.block,
        (long long)work->at.batch, (long long)work->outdated,
        (long long)work->total, (long long)work->kept_so_far);
}

/* Note how it went; a pass that has come to the end knows it all. */
static void count(sweep *work, int ended)
{
    work->outdated -= work->dropped;
    work->kept_so_far += work->seen - work->dropped;
    if (!ended)
        return;
    work->total = work->kept_so_far;
    work->kept_so_far = work->outdated = 0;
    work->at.db_version = -1;
    work->at.block = work->at.batch = 0;
}

/* In bundles, each row was an item. */
static int64_t count_items(const sweep *work, const rowtide__log *log)
{
    int64_t count = 0;
    if (work->at.block != ROWTIDE__BUNDLE)
        return (int64_t)log->count;
    for (size_t i = 0; i < log->count; i++)
        count += log->items[i].rows;
    return count;
}

static void note_items(sweep *work)
{
    int64_t seen = count_items(work, &work->items);
    work->seen += seen;
    work->dropped += seen - count_items(work, &work->kept);
}

static int go_round(sweep *work, int64_t wanted)
{
    /* The last version says how far the database has come. */
    int64_t last = work->engine->db_version - 1;
    int rc = load_place(work);
    work->outdated += work->engine->outdated_items;
    if (work->at.db_version < 0 && work->outdated < work->total)
        wanted = 0;
    while (rc == ROWTIDE_OK && work->looked < wanted) {
        rc = read_next(work, last);
        work->looked++;
        if (rc == ROWTIDE_OK)
            rc = sweep_block(work);
        note_items(work);
    }
    if (rc < 0)
        return rc;
    count(work, rc == ROWTIDE_DONE);
    return save_place(work);
}

int rowtide__crdt_sweep(rowtide__crdt *engine)
{
    sweep work;
    int64_t wanted = 3 * engine->outdated_items;
    if (engine->outdated_items < AT_LEAST || !engine->version_known)
        return ROWTIDE_OK;
    if (wanted > AT_MOST)
        wanted = AT_MOST;
    memset(&work, 0, sizeof work);
    work.engine = engine;
    sqlite3_int64 rowid = sqlite3_last_insert_rowid(engine->sqlite);
    int rc = go_round(&work, wanted);
    if (work.blocks)
        sqlite3_reset(work.blocks);
    sqlite3_set_last_insert_rowid(engine->sqlite, rowid);
    engine->outdated_items = 0;
    rowtide__log_dispose(&work.items);
    rowtide__log_dispose(&work.kept);
    rowtide__clock_dispose(&work.clock);
    return rc;
}
