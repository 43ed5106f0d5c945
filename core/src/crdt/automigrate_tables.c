#include "base/buffer.h"
#include "base/error.h"
#include "crdt/automigrate.h"

#include <string.h>

static const char SQL_TABLES[] =
    "SELECT name FROM main.sqlite_master WHERE type = 'table' "
    "AND name NOT LIKE 'sqlite\\_%%' ESCAPE '\\' "
    "AND name NOT LIKE 'crsql\\_%%' ESCAPE '\\' "
    "AND name NOT LIKE '\\_\\_crsql\\_%%' ESCAPE '\\' "
    "AND name NOT LIKE '%%\\_\\_crsql\\_clock' ESCAPE '\\' "
    "AND name NOT LIKE '%%\\_\\_crsql\\_pks' ESCAPE '\\' "
    "AND name NOT LIKE 'rowtide\\_%%' ESCAPE '\\' "
    /* Virtual tables take their shadow tables with them. */
    "ORDER BY sql LIKE 'CREATE VIRTUAL%%' DESC, rowid";

/* Names, each with a NUL behind it. */
static int read_names(rowtide__crdt *engine, rowtide_buffer *out,
                      const char *format, const char *argument)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_prepare(engine, &stmt, format, argument);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__crdt_step(engine, stmt)) == ROWTIDE_OK) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        rc = name ? rowtide__buffer_append(out, name, strlen(name) + 1)
                  : rowtide__nomem();
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static const char *next_name(const rowtide_buffer *names, const char *name)
{
    const char *end = names->data + names->size;
    if (names->size == 0)
        return NULL;
    name = name ? name + strlen(name) + 1 : names->data;
    return name < end ? name : NULL;
}

static int has_name(const rowtide_buffer *names, const char *name)
{
    const char *other = NULL;
    while ((other = next_name(names, other)) != NULL)
        if (sqlite3_stricmp(other, name) == 0)
            return 1;
    return 0;
}

/* The definition of something in the schema; empty if there is none. */
static int read_sql(rowtide__crdt *engine, const char *type, const char *name,
                    rowtide_buffer *out)
{
    sqlite3_stmt *stmt;
    rowtide__buffer_clear(out);
    int rc = rowtide__crdt_prepare(
        engine, &stmt,
        "SELECT sql FROM main.sqlite_master WHERE type = %Q AND name = %Q "
        "COLLATE NOCASE",
        type, name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(engine, stmt);
    if (rc == ROWTIDE_OK) {
        const char *sql = (const char *)sqlite3_column_text(stmt, 0);
        rc = rowtide__buffer_append_text(out, sql ? sql : "");
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* The view and triggers that crsql_fract_as_ordered() made name columns. The
 * schema brings them back if it wants them. */
static int drop_order(rowtide__crdt *engine, const char *table)
{
    return rowtide__crdt_exec(
        engine,
        "DROP VIEW IF EXISTS main.\"%w_fractindex\";"
        "DROP TRIGGER IF EXISTS main.\"__crsql_%w_fractindex_pend_trig\";"
        "DROP TRIGGER IF EXISTS main.\"__crsql_%w_fractindex_ezmove\"",
        table, table, table);
}

static int is_ordered(rowtide__crdt *engine, const char *table, int64_t *out)
{
    return rowtide__crdt_integer(
        engine, out, 0,
        "SELECT count(*) FROM main.sqlite_master WHERE type = 'trigger' AND "
        "name = '__crsql_' || %Q || '_fractindex_ezmove' COLLATE NOCASE",
        table);
}

static int drop_table(rowtide__crdt *engine, const char *table)
{
    int64_t ordered;
    int rc = is_ordered(engine, table, &ordered);
    if (rc == ROWTIDE_OK && ordered)
        rc = drop_order(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_disable(engine, table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine, "DROP TABLE IF EXISTS main.\"%w\"",
                                table);
    return rc;
}

/* ## Indexes */

static int is_same_index(rowtide__crdt *engine, rowtide__crdt *wanted,
                         const char *index, int *out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT, a = sql, b = sql;
    rowtide__writer to_a = {&a, ROWTIDE_OK}, to_b = {&b, ROWTIDE_OK};
    int rc = read_sql(engine, "index", index, &sql);
    if (rc == ROWTIDE_OK && sql.size > 0)
        rowtide__sql_normalize(sql.data, &to_a);
    if (rc == ROWTIDE_OK)
        rc = read_sql(wanted, "index", index, &sql);
    if (rc == ROWTIDE_OK && sql.size > 0)
        rowtide__sql_normalize(sql.data, &to_b);
    if (rc == ROWTIDE_OK)
        rc = to_a.rc ? to_a.rc : to_b.rc;
    *out = a.size == b.size
           && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
    rowtide_buffer_dispose(&sql);
    rowtide_buffer_dispose(&a);
    rowtide_buffer_dispose(&b);
    return rc;
}

static int drop_indexes(rowtide__crdt *engine, rowtide__crdt *wanted,
                        const char *table)
{
    rowtide_buffer present = ROWTIDE_BUFFER_INIT, kept = ROWTIDE_BUFFER_INIT;
    const char *index = NULL;
    static const char list[] =
        "SELECT name FROM pragma_index_list(%Q, 'main') WHERE origin <> 'pk'";
    int rc = read_names(engine, &present, list, table);
    if (rc == ROWTIDE_OK)
        rc = read_names(wanted, &kept, list, table);
    while (rc == ROWTIDE_OK && (index = next_name(&present, index)) != NULL) {
        int same = 0;
        if (has_name(&kept, index))
            rc = is_same_index(engine, wanted, index, &same);
        if (rc == ROWTIDE_OK && !same)
            rc = rowtide__crdt_exec(engine, "DROP INDEX IF EXISTS main.\"%w\"",
                                    index);
    }
    rowtide_buffer_dispose(&present);
    rowtide_buffer_dispose(&kept);
    return rc;
}

/* ## Columns */

typedef struct columns {
    rowtide_buffer present, wanted;
    rowtide_buffer sql; /* how the wanted table is made */
} columns;

static int read_columns(rowtide__crdt *engine, rowtide__crdt *wanted,
                        const char *table, columns *out)
{
    static const char list[] =
        "SELECT name FROM pragma_table_xinfo(%Q, 'main') WHERE hidden <> 1";
    int rc = read_names(engine, &out->present, list, table);
    if (rc == ROWTIDE_OK)
        rc = read_names(wanted, &out->wanted, list, table);
    return rc == ROWTIDE_OK ? read_sql(wanted, "table", table, &out->sql) : rc;
}

static int lacks(const rowtide_buffer *names, const rowtide_buffer *others)
{
    const char *name = NULL;
    while ((name = next_name(others, name)) != NULL)
        if (!has_name(names, name))
            return 1;
    return 0;
}

static int drop_columns(rowtide__crdt *engine, const char *table,
                        const columns *it)
{
    const char *name = NULL;
    int rc = ROWTIDE_OK;
    while (rc == ROWTIDE_OK && (name = next_name(&it->present, name)) != NULL)
        if (!has_name(&it->wanted, name))
            rc = rowtide__crdt_exec(
                engine, "ALTER TABLE main.\"%w\" DROP COLUMN \"%w\"", table,
                name);
    return rc;
}

static int add_column(rowtide__crdt *engine, rowtide__crdt *wanted,
                      const char *table, const char *name, const char *sql)
{
    int64_t place;
    rowtide__sql_slice definition = rowtide__sql_find_column(sql, name);
    int rc = rowtide__crdt_integer(
        wanted, &place, 0,
        "SELECT pk FROM pragma_table_info(%Q, 'main') WHERE name = %Q", table,
        name);
    if (rc == ROWTIDE_OK && (place > 0 || definition.size == 0))
        rc = rowtide__fail(ROWTIDE_ESCHEMA,
                           "table \"%s\": column \"%s\" cannot be added to "
                           "the primary key",
                           table, name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_exec(engine,
                                "ALTER TABLE main.\"%w\" ADD COLUMN %.*s",
                                table, (int)definition.size, definition.data);
    return rc;
}

static int add_columns(rowtide__crdt *engine, rowtide__crdt *wanted,
                       const char *table, const columns *it)
{
    const char *name = NULL;
    int rc = ROWTIDE_OK;
    while (rc == ROWTIDE_OK && (name = next_name(&it->wanted, name)) != NULL)
        if (!has_name(&it->present, name))
            rc = add_column(engine, wanted, table, name,
                            it->sql.data ? it->sql.data : "");
    return rc;
}

static int alter_columns(rowtide__crdt *engine, rowtide__crdt *wanted,
                         const char *table, const columns *it)
{
    int64_t ordered;
    rowtide__crdt_table *taking_part = NULL;
    int rc = rowtide__crdt_table_find(engine, table, &taking_part);
    if (rc == ROWTIDE_ESCHEMA)
        rc = ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = is_ordered(engine, table, &ordered);
    if (rc == ROWTIDE_OK && ordered)
        rc = drop_order(engine, table);
    if (rc == ROWTIDE_OK && taking_part)
        rc = rowtide__crdt_begin_alter(engine, table);
    if (rc == ROWTIDE_OK)
        rc = drop_columns(engine, table, it);
    if (rc == ROWTIDE_OK)
        rc = add_columns(engine, wanted, table, it);
    if (rc == ROWTIDE_OK && taking_part)
        rc = rowtide__crdt_commit_alter(engine, table);
    return rc;
}

static int alter_table(rowtide__crdt *engine, rowtide__crdt *wanted,
                       const char *table)
{
    columns it = {ROWTIDE_BUFFER_INIT, ROWTIDE_BUFFER_INIT,
                  ROWTIDE_BUFFER_INIT};
    int rc = drop_indexes(engine, wanted, table);
    if (rc == ROWTIDE_OK)
        rc = read_columns(engine, wanted, table, &it);
    if (rc == ROWTIDE_OK
        && (lacks(&it.present, &it.wanted) || lacks(&it.wanted, &it.present)))
        rc = alter_columns(engine, wanted, table, &it);
    rowtide_buffer_dispose(&it.present);
    rowtide_buffer_dispose(&it.wanted);
    rowtide_buffer_dispose(&it.sql);
    return rc;
}

int rowtide__automigrate_tables(rowtide__crdt *engine, rowtide__crdt *wanted)
{
    rowtide_buffer present = ROWTIDE_BUFFER_INIT, kept = ROWTIDE_BUFFER_INIT;
    const char *table = NULL;
    int rc = read_names(engine, &present, SQL_TABLES, NULL);
    if (rc == ROWTIDE_OK)
        rc = read_names(wanted, &kept, SQL_TABLES, NULL);
    while (rc == ROWTIDE_OK && (table = next_name(&present, table)) != NULL)
        rc = has_name(&kept, table) ? alter_table(engine, wanted, table)
                                    : drop_table(engine, table);
    rowtide_buffer_dispose(&present);
    rowtide_buffer_dispose(&kept);
    return rc;
}
