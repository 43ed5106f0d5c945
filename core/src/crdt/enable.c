#include "crdt/enable.h"
#include "crdt/local.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

enum { MAX_KEYS = ROWTIDE__MAX_KEYS };

/* ## Checks, in the order and the words of cr-sqlite */

#define COUNT_UNIQUE                                                           \
    "SELECT count(*) FROM pragma_index_list(%Q, 'main') WHERE origin != 'pk' " \
    "AND \"unique\" = 1"
#define COUNT_KEYS                                                             \
    "SELECT count(*) FROM pragma_table_info(%Q, 'main') WHERE pk > 0 "
#define COUNT_AUTOINCREMENT                                                    \
    "SELECT count(*) FROM main.sqlite_master WHERE type = 'table' AND name = " \
    "%Q COLLATE NOCASE AND sql LIKE '%%autoincrement%%'"
#define COUNT_FOREIGN_KEYS                                                     \
    "SELECT count(*) FROM pragma_foreign_key_list(%Q, 'main')"
#define COUNT_NO_DEFAULT                                                       \
    "SELECT count(*) FROM pragma_table_xinfo(%Q, 'main') WHERE \"notnull\" = " \
    "1 AND dflt_value IS NULL AND pk = 0"

static int check_keys(rowtide__crdt *engine, const char *table)
{
    int64_t keys, not_null;
    int rc = rowtide__crdt_integer(engine, &keys, 0, COUNT_KEYS, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(engine, &not_null, 0,
                                   COUNT_KEYS "AND \"notnull\" > 0", table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (not_null == 0)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "Table %s has no primary key or primary key is "
                             "nullable. CRRs must have a non nullable primary "
                             "key",
                             table);
    if (not_null != keys)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "Table %s has composite primary key part of "
                             "which is nullable. CRRs must have a non nullable "
                             "primary key",
                             table);
    if (keys > MAX_KEYS)
        return rowtide__fail(ROWTIDE_ESCHEMA,
                             "Table %s has more than %d columns in its primary "
                             "key",
                             table, MAX_KEYS);
    return ROWTIDE_OK;
}

static int check_none(rowtide__crdt *engine, const char *table,
                      const char *query, const char *before, const char *after)
{
    int64_t found;
    int rc = rowtide__crdt_integer(engine, &found, 0, query, table);
    if (rc == ROWTIDE_OK && found > 0)
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "%s%s%s", before, table, after);
    return rc;
}

static int check_not_ours(const char *table)
{
    static const char PREFIX[] = "rowtide_crdt_";
    if (sqlite3_strnicmp(table, PREFIX, (int)sizeof PREFIX - 1) != 0)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "Table %s holds the clocks of others, and cannot take "
                         "part itself",
                         table);
}

int rowtide__crdt_check_table(rowtide__crdt *engine, const char *table)
{
    int rc = check_none(engine, table, COUNT_UNIQUE, "Table ",
                        " has unique indices besidesthe primary key. This is "
                        "not allowed for CRRs");
    if (rc == ROWTIDE_OK)
        rc = check_keys(engine, table);
    if (rc == ROWTIDE_OK)
        rc = check_none(engine, table, COUNT_AUTOINCREMENT, "",
                        " has auto-increment primary keys. This is likely a "
                        "mistake as two concurrent nodes will assign unrelated "
                        "rows the same primary key. Either use a primary key "
                        "that represents the identity of your row or use a "
                        "database friendly UUID such as UUIDv7");
    if (rc == ROWTIDE_OK)
        rc = check_none(engine, table, COUNT_FOREIGN_KEYS, "Table ",
                        " has checked foreign key constraints. CRRs may have "
                        "foreign keys but must not have checked foreign key "
                        "constraints as they can be violated by row level "
                        "security or replication.");
    if (rc == ROWTIDE_OK)
        rc = check_none(engine, table, COUNT_NO_DEFAULT, "Table ",
                        " has a NOT NULL column without a DEFAULT VALUE. This "
                        "is not allowed as it prevents forwards and backwards "
                        "compatibility between schema versions. Make the "
                        "column nullable or assign a default value to it.");
    if (rc == ROWTIDE_OK)
        rc = check_none(engine, table,
                        "SELECT count(*) FROM pragma_table_xinfo(%Q, 'main') "
                        "WHERE name = '-1'",
                        "Table ",
                        " has a column named -1, which stands for the row "
                        "itself in crsql_changes");
    return rc == ROWTIDE_OK ? check_not_ours(table) : rc;
}

/* ## Rows that are there already */

static int read_keys(rowtide__crdt *engine, rowtide__crdt_table *table,
                     sqlite3_stmt *stmt, rowtide__key *key)
{
    rowtide_value values[MAX_KEYS];
    int rc = ROWTIDE_OK;
    for (int i = 0; i < table->key_count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_read_column(stmt, i, &values[i]);
    return rc == ROWTIDE_OK
               ? rowtide__key_pack(table, values, &engine->key, key)
               : rc;
}

/* Where all columns were dropped, a living row needs a sentinel to be told. */
static int is_known(const rowtide__crdt_table *table,
                    const rowtide__clock *clock)
{
    rowtide__cell sentinel;
    return rowtide__clock_length(clock) % 2 == 1
           && (table->column_count > 0
               || rowtide__clock_find(clock, ROWTIDE__SENTINEL, &sentinel));
}

static int backfill_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                        sqlite3_stmt *stmt)
{
    rowtide__key key;
    int rc = read_keys(engine, table, stmt, &key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__clock_load(engine, table, &key, &engine->work);
    if (rc != ROWTIDE_OK || is_known(table, &engine->work))
        return rc;
    rc = rowtide__local_insert(engine, table, &engine->work);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_put(engine, table, &key, &engine->work)
               : rc;
}

int rowtide__crdt_backfill(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    rowtide_buffer keys = ROWTIDE_BUFFER_INIT;
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__crdt_write_keys(table, &keys);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(engine, &stmt,
                                   "SELECT %s FROM main.\"%w\" ORDER BY %s",
                                   keys.data, table->name, keys.data);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK)
        rc = backfill_row(engine, table, stmt);
    sqlite3_finalize(stmt);
    rowtide_buffer_dispose(&keys);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## In and out */

int rowtide__crdt_register_columns(rowtide__crdt *engine, int64_t id,
                                   const char *table)
{
    return rowtide__crdt_exec(
        engine,
        "INSERT INTO main.rowtide_crdt_column(table_id, id, name) "
        "SELECT %lld, row_number() OVER (ORDER BY cid), name FROM "
        "pragma_table_xinfo(%Q, 'main') WHERE pk = 0 AND hidden = 0 "
        "UNION ALL SELECT %lld, -pk, name FROM pragma_table_info(%Q, 'main') "
        "WHERE pk > 0",
        (long long)id, table, (long long)id, table);
}

static int create_clocks(rowtide__crdt *engine, int64_t id, const char *table)
{
    int64_t integer;
    int rc = rowtide__crdt_integer(
        engine, &integer, 0,
        "SELECT count(*) = 1 AND NOT EXISTS(SELECT 1 FROM "
        "pragma_index_list(%Q, 'main') WHERE origin = 'pk') FROM "
        "pragma_table_info(%Q, 'main') WHERE pk > 0",
        table, table);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_exec(engine,
                            "CREATE TABLE main.rowtide_crdt_rows_%lld("
                            "first INTEGER PRIMARY KEY, clock BLOB NOT NULL) "
                            "STRICT",
                            (long long)id);
    if (rc != ROWTIDE_OK || integer)
        return rc;
    return rowtide__crdt_exec(
        engine,
        "CREATE TABLE main.rowtide_crdt_keys_%lld(first INTEGER PRIMARY KEY, "
        "count INTEGER NOT NULL, keys BLOB NOT NULL) STRICT;"
        "CREATE TABLE main.rowtide_crdt_find_%lld(first INTEGER PRIMARY KEY, "
        "pairs BLOB NOT NULL) STRICT",
        (long long)id, (long long)id);
}

static int register_table(rowtide__crdt *engine, const char *name)
{
    int64_t id;
    int rc = rowtide__crdt_exec(engine,
                                "INSERT INTO main.rowtide_crdt_table(name) "
                                "SELECT %Q FROM main.sqlite_master WHERE "
                                "type = 'table' AND name = %Q COLLATE NOCASE",
                                name, name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_integer(engine, &id, 0,
                                   "SELECT max(id) FROM "
                                   "main.rowtide_crdt_table");
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_register_columns(engine, id, name);
    if (rc == ROWTIDE_OK)
        rc = create_clocks(engine, id, name);
    return rc;
}

/* A table that was not found because it has no triggers yet. */
static int find_registered(rowtide__crdt *engine, const char *name,
                           rowtide__crdt_table **out)
{
    rowtide__crdt_table *found = NULL, *table;
    rowtide__crdt_tables_forget(engine);
    int rc = rowtide__crdt_tables_load(engine);
    for (table = engine->tables; table; table = table->next)
        if (sqlite3_stricmp(table->name, name) == 0)
            found = table;
    if (rc == ROWTIDE_OK && !found)
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "there is no table %s", name);
    *out = found;
    return rc == ROWTIDE_OK ? rowtide__crdt_table_shape(engine, found) : rc;
}

static int drop_clocks(rowtide__crdt *engine, int64_t id)
{
    return rowtide__crdt_exec(
        engine,
        "DROP TABLE IF EXISTS main.rowtide_crdt_rows_%lld; "
        "DROP TABLE IF EXISTS main.rowtide_crdt_keys_%lld; "
        "DROP TABLE IF EXISTS main.rowtide_crdt_find_%lld",
        (long long)id, (long long)id, (long long)id);
}

static int unregister(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    int rc = rowtide__tail_fold(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_drop_views(engine, table->registered);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_drop_triggers(engine, table->registered);
    rowtide__crdt_tables_finalize(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(
            engine,
            "DELETE FROM main.rowtide_crdt_column WHERE table_id = %lld; "
            "DELETE FROM main.rowtide_crdt_table WHERE id = %lld",
            (long long)table->id, (long long)table->id);
    table->dropped = 1;
    return rc;
}

int rowtide__crdt_forget_table(rowtide__crdt *engine,
                               rowtide__crdt_table *table)
{
    int rc = unregister(engine, table);
    return rc == ROWTIDE_OK ? drop_clocks(engine, table->id) : rc;
}

/* Clocks of tables that do not take part any more. While other statements run,
 * such as a CREATE VIRTUAL TABLE around this one, SQLite drops no table: then
 * they are left for another time. */
static int drop_unregistered(rowtide__crdt *engine)
{
    int64_t id;
    int rc;
    do {
        rc = rowtide__crdt_integer(
            engine, &id, 0,
            "SELECT min(id) FROM (SELECT name, CAST(substr(name, 19) AS "
            "INTEGER) AS id FROM main.sqlite_master WHERE type = 'table') "
            "WHERE name = 'rowtide_crdt_rows_' || id AND id NOT IN "
            "(SELECT id FROM main.rowtide_crdt_table)");
        if (rc == ROWTIDE_OK && id > 0)
            rc = drop_clocks(engine, id);
    } while (rc == ROWTIDE_OK && id > 0);
    if (rc == ROWTIDE_OK
        || (rowtide_error_sqlite_code() & 0xff) != SQLITE_LOCKED)
        return rc;
    rowtide_error_clear();
    return ROWTIDE_OK;
}

/* Of tables that were dropped the clocks are still there. */
static int forget_dropped(rowtide__crdt *engine)
{
    int rc = ROWTIDE_OK;
    int64_t known;
    for (rowtide__crdt_table *table = engine->tables; table && rc == ROWTIDE_OK;
         table = table->next) {
        if (!table->dropped || table->altering)
            continue;
        rc = rowtide__crdt_integer(engine, &known, 0,
                                   "SELECT count(*) FROM "
                                   "main.rowtide_crdt_table WHERE id = %lld",
                                   (long long)table->id);
        if (rc == ROWTIDE_OK && known)
            rc = unregister(engine, table);
    }
    return rc == ROWTIDE_OK ? drop_unregistered(engine) : rc;
}

static int rename_triggers(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    int rc = rowtide__crdt_drop_views(engine, table->registered);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_drop_triggers(engine, table->registered);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_shape(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_create_triggers(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine,
                                "UPDATE main.rowtide_crdt_table SET name = %Q "
                                "WHERE id = %lld",
                                table->name, (long long)table->id);
    return rc == ROWTIDE_OK ? rowtide__crdt_create_views(engine, table) : rc;
}

/* Names that a renamed table still holds may be wanted by another. */
static int settle_renamed(rowtide__crdt *engine)
{
    int rc = ROWTIDE_OK, any = 0;
    for (rowtide__crdt_table *table = engine->tables; table && rc == ROWTIDE_OK;
         table = table->next) {
        if (table->dropped || strcmp(table->name, table->registered) == 0)
            continue;
        rc = rename_triggers(engine, table);
        any = 1;
    }
    if (any)
        rowtide__crdt_tables_forget(engine);
    return rc;
}

int rowtide__crdt_enable_table(rowtide__crdt *engine, const char *name)
{
    rowtide__crdt_table *table = NULL;
    int rc = rowtide__crdt_tables_load(engine);
    if (rc == ROWTIDE_OK)
        rc = settle_renamed(engine);
    if (rc == ROWTIDE_OK)
        rc = forget_dropped(engine);
    if (rc == ROWTIDE_OK)
        rc = register_table(engine, name);
    if (rc == ROWTIDE_OK)
        rc = find_registered(engine, name, &table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_create_triggers(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_create_views(engine, table);
    rowtide__crdt_tables_forget(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_join(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_find(engine, name, &table);
    if (rc == ROWTIDE_OK)
        rc = engine->fill ? engine->fill(engine, table)
                          : rowtide__crdt_backfill(engine, table);
    return rc;
}

int rowtide__crdt_atomically(rowtide__crdt *engine, const char *name,
                             int (*change)(rowtide__crdt *, const char *))
{
    rowtide__error_state error;
    int rc = ROWTIDE_OK;
    if (!engine->unguarded)
        rc = rowtide__crdt_exec(engine, "SAVEPOINT rowtide_crdt");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = change(engine, name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_flush(engine);
    rowtide__crdt_tables_forget(engine);
    if (rc == ROWTIDE_OK && !engine->unguarded)
        rc = rowtide__crdt_exec(engine, "RELEASE rowtide_crdt");
    if (rc == ROWTIDE_OK || engine->unguarded)
        return rc;
    rowtide__error_save(&error);
    rowtide__crdt_exec(engine, "ROLLBACK TO rowtide_crdt");
    rowtide__crdt_exec(engine, "RELEASE rowtide_crdt");
    rowtide__error_restore(&error);
    return rc;
}

int rowtide__crdt_is_enabled(rowtide__crdt *engine, const char *name, int *out)
{
    rowtide__crdt_table *table;
    *out = 0;
    int rc = rowtide__crdt_refresh(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_tables_load(engine);
    for (table = engine->tables; rc == ROWTIDE_OK && table; table = table->next)
        if (!table->dropped && sqlite3_stricmp(table->name, name) == 0)
            *out = 1;
    return rc;
}

int rowtide__crdt_enable(rowtide__crdt *engine, const char *name)
{
    int enabled = 0;
    /* A backup that was restored meanwhile may lack our tables. */
    int rc = rowtide__crdt_setup(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_is_enabled(engine, name, &enabled);
    if (rc == ROWTIDE_OK && !enabled)
        rc = rowtide__crdt_check_table(engine, name);
    if (rc != ROWTIDE_OK || enabled)
        return rc;
    return rowtide__crdt_atomically(engine, name, rowtide__crdt_enable_table);
}

static int disable_table(rowtide__crdt *engine, const char *name)
{
    rowtide__crdt_table *table;
    int rc = rowtide__crdt_flush(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_table_find(engine, name, &table);
    return rc == ROWTIDE_OK ? rowtide__crdt_forget_table(engine, table) : rc;
}

int rowtide__crdt_disable(rowtide__crdt *engine, const char *name)
{
    int enabled;
    int rc = rowtide__crdt_is_enabled(engine, name, &enabled);
    if (rc != ROWTIDE_OK || !enabled)
        return rc;
    return rowtide__crdt_atomically(engine, name, disable_table);
}
