#include "crdt/alter_track.h"
#include "crdt/direct.h"
#include "crdt/merge.h"
#include "crdt/tail.h"
#include "crdt/twin.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* Pending changes are written when they take more memory than this. */
enum { PENDING_BYTES = 32 << 20 };

/* Of the tables that are our own. */
enum { LAYOUT = 4 };

int rowtide__crdt_new(sqlite3 *sqlite, rowtide__crdt **out)
{
    rowtide__crdt *engine = rowtide__alloc_zero(sizeof *engine);
    *out = NULL;
    if (!engine)
        return ROWTIDE_ENOMEM;
    engine->sqlite = sqlite;
    engine->references = 1;
    engine->serial = engine->stored_serial = engine->schema_seen = 1;
    unsigned char start;
    sqlite3_randomness(1, &start);
    engine->outdated_items = start;
    int rc = rowtide__pending_new(&engine->pending);
    if (rc == ROWTIDE_OK)
        rc = rowtide__tail_new(&engine->tail);
    if (rc == ROWTIDE_OK)
        engine->unstored = rowtide__tail_keys(engine->tail);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sites_new(&engine->sites);
    if (rc != ROWTIDE_OK) {
        rowtide__crdt_release(engine);
        return rc;
    }
    *out = engine;
    return ROWTIDE_OK;
}

void rowtide__crdt_finalize(rowtide__crdt *engine)
{
    engine->cache_valid = 0;
    for (int i = 0; i < ROWTIDE__FIXED_COUNT; i++) {
        sqlite3_finalize(engine->fixed[i]);
        engine->fixed[i] = NULL;
    }
    rowtide__crdt_tables_finalize(engine);
}

void rowtide__crdt_release(void *argument)
{
    rowtide__crdt *engine = argument;
    if (--engine->references > 0)
        return;
    rowtide__crdt_finalize(engine);
    rowtide__crdt_tables_free(engine);
    rowtide__pending_free(engine->pending);
    rowtide__tail_free(engine->tail);
    rowtide__sites_free(engine->sites);
    rowtide__clock_dispose(&engine->work);
    rowtide__clock_dispose(&engine->work2);
    rowtide_buffer_dispose(&engine->key);
    rowtide_buffer_dispose(&engine->bytes);
    rowtide__crdt_merge_free(engine);
    rowtide__twin_free(engine);
    rowtide__altered_free(engine);
    rowtide__free(engine);
}

/* ## The transaction */

unsigned rowtide__crdt_data_version(rowtide__crdt *engine)
{
    unsigned version = 0;
    sqlite3_file_control(engine->sqlite, NULL, SQLITE_FCNTL_DATA_VERSION,
                         &version);
    return version;
}

void rowtide__crdt_forget_clocks(rowtide__crdt *engine)
{
    engine->stored_serial++;
    rowtide__tail_doubt(engine->tail);
    rowtide__crdt_tables_uncache(engine);
}

void rowtide__crdt_begin(rowtide__crdt *engine)
{
    engine->joined = 1;
    engine->top_mark = -1;
    engine->first_generation = engine->generation;
    engine->serial++;
    engine->version_known = 0;
    engine->batch = 0;
    engine->sequence = 0;
    engine->impacted = 0;
    engine->logged_version = 0;
    engine->cut = 0;
    engine->same_data = engine->cache_valid
                        && engine->data_version
                               == rowtide__crdt_data_version(engine)
                        && rowtide__direct_is_committed(engine);
    if (!engine->same_data)
        rowtide__crdt_forget_clocks(engine);
}

/* What this connection wrote last is known without reading it. */
static void keep_cache(rowtide__crdt *engine)
{
    engine->cache_valid = engine->version_known && !engine->cut;
    engine->last_version = engine->db_version;
    if (engine->logged_version > engine->last_version)
        engine->last_version = engine->logged_version;
    engine->data_version = rowtide__crdt_data_version(engine);
}

void rowtide__crdt_end_transaction(rowtide__crdt *engine, int committed)
{
    rowtide__merge_end(engine);
    rowtide__pending_clear(engine->pending);
    if (committed) {
        keep_cache(engine);
    } else {
        engine->cache_valid = 0;
        rowtide__sites_forget(engine->sites);
        rowtide__crdt_forget_clocks(engine);
    }
    engine->joined = engine->version_known = engine->failed = 0;
    engine->pending_version = 0;
    engine->direct.unsure = 0;
    engine->sequence = engine->impacted = 0;
    engine->serial++;
}

int rowtide__crdt_savepoint(rowtide__crdt *engine, int number)
{
    int written = rowtide__merge_savepoint(engine, number);
    if (written != ROWTIDE_OK)
        return written;
    if (rowtide__pending_size(engine->pending) > PENDING_BYTES) {
        int rc = rowtide__crdt_flush(engine);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    engine->top_mark = number;
    return rowtide__pending_mark(engine->pending, number, engine->impacted);
}

int rowtide__crdt_release_savepoint(rowtide__crdt *engine, int number)
{
    int rc = rowtide__merge_release(engine, number);
    rowtide__pending_unmark(engine->pending, number);
    engine->top_mark = number - 1;
    return rc;
}

void rowtide__crdt_rollback_to(rowtide__crdt *engine, int number)
{
    rowtide__merge_rollback_to(engine, number);
    engine->impacted = rowtide__pending_cut(engine->pending, number);
    rowtide__sites_forget(engine->sites);
    engine->serial++;
    engine->top_mark = number;
    engine->cut |= engine->logged_version > 0;
    if (engine->failed_mark >= number)
        engine->failed = 0;
    /* A statement of ours that fails has not changed the schema. */
    if (engine->generation != engine->first_generation && engine->busy == 0)
        rowtide__crdt_tables_doubt(engine);
    rowtide__crdt_forget_clocks(engine);
}

int rowtide__crdt_failed(rowtide__crdt *engine, int status)
{
    if (!engine->failed)
        engine->failed_mark = engine->top_mark;
    engine->failed = engine->joined;
    return status;
}

int rowtide__crdt_put(rowtide__crdt *engine, rowtide__crdt_table *table,
                      rowtide__key *key, const rowtide__clock *clock)
{
    int rc = rowtide__key_number(engine, table, key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__direct_put(engine, table, key->row, clock);
    if (rc == ROWTIDE_OK
        && rowtide__pending_size(engine->pending) > 2 * PENDING_BYTES)
        rc = rowtide__crdt_flush(engine);
    return rc;
}

static int was_reprepared(sqlite3_stmt *stmt)
{
    return sqlite3_stmt_status(stmt, SQLITE_STMTSTATUS_REPREPARE, 1) > 0;
}

static int read_version(rowtide__crdt *engine, int64_t *out)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__LAST_VERSION, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_step(engine, stmt);
    *out = rc == ROWTIDE_OK ? sqlite3_column_int64(stmt, 0) : 0;
    sqlite3_reset(stmt);
    /* SQLite prepares a statement again when the schema has changed. */
    if (was_reprepared(stmt))
        engine->outdated = 1;
    if (engine->outdated && !engine->busy) {
        engine->outdated = 0;
        rowtide__crdt_tables_forget(engine);
        /* The same bytes may mean something else: a table was not known when
         * they were read, or the file has been replaced. */
        rowtide__tail_clear(engine->tail);
    }
    if (rc >= 0)
        rc = rowtide__crdt_tables_load(engine);
    if (rc >= 0)
        rc = rowtide__tail_load(engine);
    if (rc >= 0 && rowtide__tail_version(engine->tail) > *out)
        *out = rowtide__tail_version(engine->tail);
    if (*out < engine->least_version)
        *out = engine->least_version;
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__crdt_refresh(rowtide__crdt *engine)
{
    int64_t version;
    int rc = rowtide__merge_leave(engine);
    if (rc != ROWTIDE_OK)
        return rc;
    engine->serial++;
    rowtide__crdt_forget_clocks(engine);
    return read_version(engine, &version);
}

static int know_version(rowtide__crdt *engine)
{
    if (engine->version_known)
        return ROWTIDE_OK;
    int rc = read_version(engine, &engine->db_version);
    if (rc == ROWTIDE_OK)
        rc = rowtide__direct_resume(engine);
    engine->version_known = rc == ROWTIDE_OK && engine->joined;
    return rc;
}

static void use_cache(rowtide__crdt *engine, sqlite3_stmt *join)
{
    if (was_reprepared(join))
        engine->outdated = 1;
    if (!engine->same_data || engine->outdated || !engine->loaded)
        return;
    engine->db_version = engine->last_version;
    engine->version_known = 1;
}

/* Outside a transaction that writes, it has ended already. One that was open is
 * so no more if SQLite ran out of memory, which it need not tell when it has to
 * prepare the statement again. */
static int check_joined(const rowtide__crdt *engine, int was_open)
{
    if (engine->joined)
        return ROWTIDE_OK;
    return was_open ? rowtide__nomem()
                    : rowtide__fail(ROWTIDE_EMISUSE,
                                    "only triggers may call this function");
}

int rowtide__crdt_join(rowtide__crdt *engine)
{
    sqlite3_stmt *stmt;
    int rc = ROWTIDE_OK;
    if (rowtide__direct_is_entered(engine)
        || (engine->joined && engine->version_known))
        return ROWTIDE_OK;
    if (!engine->joined) {
        int is_open = !sqlite3_get_autocommit(engine->sqlite);
        rc = rowtide__crdt_fixed(engine, ROWTIDE__JOIN, &stmt);
        if (rc == ROWTIDE_OK)
            rc = rowtide__crdt_run(engine, stmt);
        if (rc == ROWTIDE_OK)
            rc = check_joined(engine, is_open);
        if (rc == ROWTIDE_OK)
            use_cache(engine, stmt);
    }
    return rc == ROWTIDE_OK ? know_version(engine) : rc;
}

int rowtide__crdt_db_version(rowtide__crdt *engine, int64_t *out)
{
    int rc = know_version(engine);
    *out = rc == ROWTIDE_OK ? engine->db_version : 0;
    return rc;
}

int rowtide__crdt_know_site(rowtide__crdt *engine)
{
    int64_t version;
    sqlite3_stmt *stmt;
    /* No other database can take the place of one that is being read. */
    if (engine->reading > 0)
        return ROWTIDE_OK;
    /* SQLite notices what others did only when it reads. */
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__LOOK, &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_run(engine, stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    unsigned seen = rowtide__crdt_data_version(engine);
    if (engine->site_seen == seen)
        return ROWTIDE_OK;
    rc = rowtide__crdt_db_version(engine, &version);
    if (rc == ROWTIDE_OK)
        engine->site_seen = seen;
    return rc;
}

int rowtide__crdt_next_version(rowtide__crdt *engine, int64_t least,
                               int64_t *out)
{
    int rc = know_version(engine);
    if (rc != ROWTIDE_OK)
        return rc;
    if (engine->db_version >= ROWTIDE__GREATEST_VERSION)
        return rowtide__fail(ROWTIDE_ETOOBIG,
                             "db_version has reached its greatest value");
    *out = engine->db_version + 1;
    if (engine->pending_version > *out)
        *out = engine->pending_version;
    if (least > *out)
        *out = least;
    engine->pending_version = *out;
    return ROWTIDE_OK;
}

/* ## The tables that every database has */

static const char SETUP[] =
    "CREATE TABLE IF NOT EXISTS main.crsql_tracked_peers("
    "site_id BLOB NOT NULL, version INTEGER NOT NULL, seq INTEGER DEFAULT 0, "
    "tag INTEGER, event INTEGER, PRIMARY KEY(site_id, tag, event)) STRICT;"
    "CREATE TABLE IF NOT EXISTS main.crsql_master("
    "key TEXT PRIMARY KEY, value ANY);"
    "CREATE TABLE IF NOT EXISTS main.crsql_site_id("
    "site_id BLOB NOT NULL, ordinal INTEGER PRIMARY KEY);"
    "CREATE UNIQUE INDEX IF NOT EXISTS main.crsql_site_id_site_id "
    "ON crsql_site_id(site_id);"
    "CREATE TABLE IF NOT EXISTS main.rowtide_crdt_table("
    "id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS main.rowtide_crdt_column("
    "table_id INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT, "
    "PRIMARY KEY(table_id, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS main.rowtide_crdt_log("
    "db_version INTEGER NOT NULL, block INTEGER NOT NULL, "
    "batch INTEGER NOT NULL, body BLOB NOT NULL, "
    "PRIMARY KEY(db_version, block, batch)) STRICT, WITHOUT ROWID;"
    /* Its first row, which each small transaction writes, fits in the memory
     * that SQLite has at hand for records; see tail.h. */
    "CREATE TABLE IF NOT EXISTS main.rowtide_crdt_tail("
    "id INTEGER PRIMARY KEY, stamp INTEGER NOT NULL, body BLOB NOT NULL);"
    "INSERT OR IGNORE INTO main.rowtide_crdt_tail SELECT 1, 1 << 62, "
    "zeroblob(min(page_size, 1160) - 160) FROM pragma_page_size;"
    "INSERT OR IGNORE INTO main.crsql_master "
    "VALUES('crsqlite_version', 160300), ('rowtide_layout', 4), "
    "('rowtide_seed', random());";

static int make_site_id(rowtide__crdt *engine)
{
    unsigned char id[ROWTIDE_SITE_ID_SIZE];
    sqlite3_stmt *stmt;
    sqlite3_randomness(sizeof id, id);
    id[6] = (unsigned char)((id[6] & 0x0f) | 0x40);
    id[8] = (unsigned char)((id[8] & 0x3f) | 0x80);
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "INSERT OR IGNORE INTO main.crsql_site_id(site_id, ordinal) "
        "VALUES(?, 0)");
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_blob(stmt, 1, id, sizeof id, SQLITE_STATIC);
    rc = rowtide__crdt_run(engine, stmt);
    sqlite3_finalize(stmt);
    return rc;
}

static int read_site_id(rowtide__crdt *engine)
{
    const void *id;
    size_t size;
    int rc = rowtide__crdt_site_of(engine, 0, &id, &size);
    if (rc == ROWTIDE_OK && size != ROWTIDE_SITE_ID_SIZE)
        rc = rowtide__fail(ROWTIDE_ECORRUPT,
                           "crsql_site_id: the name of this database is not "
                           "%d bytes",
                           ROWTIDE_SITE_ID_SIZE);
    if (rc == ROWTIDE_OK)
        memcpy(engine->site_id, id, ROWTIDE_SITE_ID_SIZE);
    return rc;
}

static int check_version(rowtide__crdt *engine)
{
    int64_t version;
    int rc = rowtide__crdt_integer(engine, &version, 160300,
                                   "SELECT value FROM main.crsql_master "
                                   "WHERE key = 'crsqlite_version'");
    if (rc == ROWTIDE_OK && version < 150000)
        rc = rowtide__fail(ROWTIDE_EUNSUPPORTED,
                           "Opening a db created with cr-sqlite version %lld "
                           "is not supported. Upcoming release 0.15.0 is a "
                           "breaking change.",
                           (long long)version);
    return rc;
}

/* The first was never released. */
static int check_layout(rowtide__crdt *engine)
{
    int64_t layout, seed;
    int rc = rowtide__crdt_integer(engine, &layout, 1,
                                   "SELECT value FROM main.crsql_master "
                                   "WHERE key = 'rowtide_layout'");
    if (rc == ROWTIDE_OK && layout != LAYOUT)
        rc = rowtide__fail(ROWTIDE_EUNSUPPORTED,
                           "the tables of this database that take part were "
                           "written by another version of Rowtide: their "
                           "layout is %lld, this one knows %d",
                           (long long)layout, LAYOUT);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(engine, &seed, 1,
                                   "SELECT value FROM main.crsql_master "
                                   "WHERE key = 'rowtide_seed'");
    if (rc == ROWTIDE_OK)
        engine->seed = (uint64_t)seed;
    return rc;
}

int rowtide__crdt_identify(rowtide__crdt *engine)
{
    rowtide__sites_forget(engine->sites);
    int rc = check_layout(engine);
    return rc == ROWTIDE_OK ? read_site_id(engine) : rc;
}

static int is_set_up(rowtide__crdt *engine, int64_t *out)
{
    return rowtide__crdt_integer(
        engine, out, 0,
        "SELECT count(*) = 7 FROM main.sqlite_master WHERE type = 'table' AND "
        "name IN ('crsql_tracked_peers', 'crsql_master', 'crsql_site_id', "
        "'rowtide_crdt_table', 'rowtide_crdt_column', 'rowtide_crdt_log', "
        "'rowtide_crdt_tail')");
}

static int write_setup(rowtide__crdt *engine)
{
    int rc = rowtide__crdt_exec(engine, "SAVEPOINT rowtide_crdt_setup");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_exec(engine, "%s", SETUP);
    if (rc == ROWTIDE_OK)
        rc = make_site_id(engine);
    if (rc == ROWTIDE_OK)
        return rowtide__crdt_exec(engine, "RELEASE rowtide_crdt_setup");
    rowtide__error_state error;
    rowtide__error_save(&error);
    rowtide__crdt_exec(engine, "ROLLBACK TO rowtide_crdt_setup");
    rowtide__crdt_exec(engine, "RELEASE rowtide_crdt_setup");
    rowtide__error_restore(&error);
    return rc;
}

int rowtide__crdt_setup(rowtide__crdt *engine)
{
    int64_t ready, equal = 0;
    int rc = is_set_up(engine, &ready);
    if (rc == ROWTIDE_OK && !ready)
        rc = write_setup(engine);
    if (rc == ROWTIDE_OK)
        rc = check_version(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_identify(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(engine, &equal, 0,
                                   "SELECT value FROM main.crsql_master WHERE "
                                   "key = 'config.merge-equal-values'");
    engine->merge_equal_values = equal == 1;
    return rc;
}
