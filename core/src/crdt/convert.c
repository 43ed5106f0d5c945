#include "base/buffer.h"
#include "base/error.h"
#include "crdt/enable.h"
#include "crdt/engine.h"

#include <string.h>

/* cr-sqlite 0.16 keeps one row for each cell in T__crsql_clock, and the keys
 * in T__crsql_pks. They become our clocks, with nothing changed. */

static const char SQL_TABLES[] =
    "SELECT substr(c.name, 1, length(c.name) - 13), EXISTS(SELECT 1 FROM "
    "main.sqlite_master t WHERE t.type = 'table' AND t.name = "
    "substr(c.name, 1, length(c.name) - 13) COLLATE NOCASE) "
    "FROM main.sqlite_master c WHERE c.type = 'table' "
    "AND c.name LIKE '%%\\_\\_crsql\\_clock' ESCAPE '\\' AND EXISTS(SELECT 1 "
    "FROM main.sqlite_master p WHERE p.type = 'table' AND p.name = "
    "substr(c.name, 1, length(c.name) - 5) || 'pks' COLLATE NOCASE) "
    "ORDER BY c.rowid LIMIT 1";

static int check_layout(rowtide__crdt *engine, const char *table)
{
    int64_t columns;
    int rc = rowtide__crdt_integer(
        engine, &columns, 0,
        "SELECT count(*) FROM pragma_table_info('%q__crsql_clock', 'main') "
        "WHERE name IN ('key', 'col_name', 'col_version', 'db_version', "
        "'site_id', 'seq')",
        table);
    if (rc == ROWTIDE_OK && columns != 6)
        rc = rowtide__fail(ROWTIDE_EUNSUPPORTED,
                           "table \"%s\": its clocks are not of cr-sqlite 0.16",
                           table);
    return rc;
}

/* ## Clocks */

typedef struct conversion {
    rowtide__crdt *engine;
    rowtide__crdt_table *table;
    sqlite3_stmt *keys;  /* __crsql_key, then the key */
    sqlite3_stmt *cells; /* of one key */
    rowtide__clock clock;
} conversion;

static int prepare_keys(conversion *it)
{
    sqlite3_str *columns = sqlite3_str_new(NULL);
    for (int i = 0; i < it->table->key_count; i++)
        sqlite3_str_appendf(columns, "%s\"%w\"", i ? ", " : "",
                            it->table->keys[i]);
    char *text = sqlite3_str_finish(columns);
    int rc = text ? rowtide__crdt_prepare(
                        it->engine, &it->keys,
                        "SELECT __crsql_key, %s FROM "
                        "main.rowtide_convert_pks ORDER BY %s",
                        text, it->table->integer_key ? text : "__crsql_key")
                  : rowtide__nomem();
    sqlite3_free(text);
    return rc;
}

static int prepare_conversion(conversion *it)
{
    int rc = prepare_keys(it);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(
            it->engine, &it->cells,
            "SELECT col_name, col_version, db_version, site_id, seq FROM "
            "main.rowtide_convert_clock WHERE key = ?");
    return rc;
}

/* A peer can have sent any version to cr-sqlite. */
static int check_versions(const conversion *it, const rowtide__cell *cell)
{
    int64_t greatest = cell->version > cell->db_version ? cell->version
                                                        : cell->db_version;
    if (greatest <= ROWTIDE__GREATEST_VERSION)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_ETOOBIG,
                         "table \"%s\": a clock has the version %lld, but "
                         "versions end at 2^53",
                         it->table->name, (long long)greatest);
}

/* Cells of columns that are gone are left out. */
static int add_cell(conversion *it)
{
    const char *name = (const char *)sqlite3_column_text(it->cells, 0);
    int id = ROWTIDE__SENTINEL;
    rowtide__cell cell = {
        sqlite3_column_int(it->cells, 3), sqlite3_column_int64(it->cells, 1),
        sqlite3_column_int64(it->cells, 2), sqlite3_column_int64(it->cells, 4)};
    if (!name)
        return rowtide__nomem();
    if (strcmp(name, "-1") != 0) {
        int place = rowtide__crdt_column_find(it->table, name);
        if (place < 0)
            return ROWTIDE_OK;
        id = it->table->columns[place].id;
    }
    int rc = check_versions(it, &cell);
    return rc == ROWTIDE_OK ? rowtide__clock_set(&it->clock, id, &cell) : rc;
}

static int read_clock(conversion *it)
{
    int rc;
    it->clock.count = 0;
    sqlite3_bind_int64(it->cells, 1, sqlite3_column_int64(it->keys, 0));
    while ((rc = rowtide__crdt_step(it->engine, it->cells)) == ROWTIDE_OK
           && (rc = add_cell(it)) == ROWTIDE_OK)
        ;
    sqlite3_reset(it->cells);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int read_key(conversion *it, rowtide__key *key)
{
    rowtide_value values[ROWTIDE__MAX_KEYS];
    int rc = ROWTIDE_OK, count = it->table->key_count;
    for (int i = 0; i < count && rc == ROWTIDE_OK; i++)
        rc = rowtide__crdt_read_column(it->keys, i + 1, &values[i]);
    return rc == ROWTIDE_OK
               ? rowtide__key_pack(it->table, values, &it->engine->key, key)
               : rc;
}

static int convert_row(conversion *it)
{
    rowtide__key key;
    int rc = read_clock(it);
    if (rc != ROWTIDE_OK || it->clock.count == 0)
        return rc;
    rc = read_key(it, &key);
    return rc == ROWTIDE_OK
               ? rowtide__crdt_put(it->engine, it->table, &key, &it->clock)
               : rc;
}

static int fill(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    conversion it = {engine, table, NULL, NULL, ROWTIDE__CLOCK_INIT};
    int rc = prepare_conversion(&it);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, it.keys)) == ROWTIDE_OK)
        rc = convert_row(&it);
    sqlite3_finalize(it.keys);
    sqlite3_finalize(it.cells);
    rowtide__clock_dispose(&it.clock);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## Tables */

static int set_aside(rowtide__crdt *engine, const char *table)
{
    return rowtide__crdt_exec(
        engine,
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_itrig\";"
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_utrig\";"
        "DROP TRIGGER IF EXISTS main.\"%w__crsql_dtrig\";"
        "ALTER TABLE main.\"%w__crsql_clock\" RENAME TO rowtide_convert_clock;"
        "ALTER TABLE main.\"%w__crsql_pks\" RENAME TO rowtide_convert_pks",
        table, table, table, table, table);
}

static int drop_old(rowtide__crdt *engine)
{
    return rowtide__crdt_exec(engine, "DROP TABLE main.rowtide_convert_clock;"
                                      "DROP TABLE main.rowtide_convert_pks");
}

static int convert_table(rowtide__crdt *engine, const char *table, int exists)
{
    int rc = check_layout(engine, table);
    if (rc == ROWTIDE_OK)
        rc = set_aside(engine, table);
    if (rc == ROWTIDE_OK && exists) {
        engine->fill = fill;
        rc = rowtide__crdt_enable(engine, table);
        engine->fill = NULL;
        /* What was written has versions of its own. */
        engine->version_known = 0;
    }
    return rc == ROWTIDE_OK ? drop_old(engine) : rc;
}

/* ROWTIDE_DONE if there is none left. */
static int next_table(rowtide__crdt *engine, rowtide_buffer *name, int *exists)
{
    sqlite3_stmt *stmt;
    rowtide__buffer_clear(name);
    int rc = rowtide__crdt_prepare(engine, &stmt, SQL_TABLES);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(engine, stmt);
    if (rc == ROWTIDE_OK) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        rc = text ? rowtide__buffer_append_text(name, text) : rowtide__nomem();
        *exists = sqlite3_column_int(stmt, 1);
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int convert_all(rowtide__crdt *engine, int64_t *out)
{
    rowtide_buffer name = ROWTIDE_BUFFER_INIT;
    int exists, rc;
    while ((rc = next_table(engine, &name, &exists)) == ROWTIDE_OK
           && (rc = convert_table(engine, name.data, exists)) == ROWTIDE_OK)
        *out += exists;
    rowtide_buffer_dispose(&name);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

int rowtide__crdt_convert(rowtide__crdt *engine, int64_t *out)
{
    rowtide__error_state error;
    *out = 0;
    int rc = rowtide__crdt_exec(engine, "SAVEPOINT rowtide_convert");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = convert_all(engine, out);
    rowtide__crdt_tables_forget(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine, "RELEASE rowtide_convert");
    if (rc == ROWTIDE_OK)
        return rc;
    *out = 0;
    rowtide__error_save(&error);
    rowtide__crdt_exec(engine, "ROLLBACK TO rowtide_convert");
    rowtide__crdt_exec(engine, "RELEASE rowtide_convert");
    rowtide__crdt_tables_forget(engine);
    rowtide__error_restore(&error);
    return rc;
}

static void convert(sqlite3_context *context, int count, sqlite3_value **values)
{
    int64_t converted;
    (void)count;
    (void)values;
    int rc = rowtide__crdt_convert(sqlite3_user_data(context), &converted);
    if (rc == ROWTIDE_OK)
        sqlite3_result_int64(context, converted);
    else
        rowtide__crdt_result_error(context, rc);
}

int rowtide__crdt_add_convert(rowtide__crdt *engine)
{
    return rowtide__crdt_function(engine, "rowtide_crdt_convert", 0,
                                  SQLITE_UTF8 | SQLITE_DIRECTONLY, convert);
}
