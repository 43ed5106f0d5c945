#include "schema/read.h"
#include "base/error.h"

#include <string.h>

/* Of PRAGMA table_xinfo. */
enum { NAME = 1, TYPE, NOT_NULL, DEFAULT, KEY, HIDDEN };
enum { HIDDEN_COLUMN = 1, GENERATED_VIRTUAL, GENERATED_STORED };
/* Of PRAGMA table_list. */
enum { LIST_NAME = 1, LIST_TYPE, LIST_WITHOUT_ROWID = 4, LIST_STRICT };

/* What cannot be told is left out, but for what has nothing to do with it. */
static int judge(rowtide__reading *it, int sqlite_rc)
{
    int primary = sqlite_rc & 0xff;
    if (primary == SQLITE_NOMEM || primary == SQLITE_INTERRUPT)
        return rowtide__sqlite_fail(it->sqlite, sqlite_rc, "schema");
    return ROWTIDE_OK;
}

/* *out stays NULL if SQLite cannot tell. */
static int prepare(rowtide__reading *it, const char *pragma, const char *name,
                   sqlite3_stmt **out)
{
    *out = NULL;
    char *sql = name ? sqlite3_mprintf("PRAGMA \"%w\".%s(\"%w\")",
                                       it->options.schema, pragma, name)
                     : sqlite3_mprintf("PRAGMA \"%w\".%s", it->options.schema,
                                       pragma);
    if (!sql)
        return rowtide__nomem();
    int rc = sqlite3_prepare_v2(it->sqlite, sql, -1, out, NULL);
    sqlite3_free(sql);
    return judge(it, rc);
}

static int copy_cell(rowtide__reading *it, sqlite3_stmt *stmt, int column,
                     const char **out)
{
    *out = NULL;
    if (sqlite3_column_type(stmt, column) == SQLITE_NULL)
        return ROWTIDE_OK;
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    if (!text)
        return rowtide__nomem();
    size_t size = (size_t)sqlite3_column_bytes(stmt, column);
    return rowtide__name_copy(it->arena, text, size, out);
}

static int add_column(rowtide__reading *it, sqlite3_stmt *stmt,
                      rowtide__list *list)
{
    rowtide_schema_column *column = rowtide__arena_zero(it->arena,
                                                        sizeof *column);
    int rc = column ? copy_cell(it, stmt, NAME, &column->name) : ROWTIDE_ENOMEM;
    if (rc == ROWTIDE_OK)
        rc = copy_cell(it, stmt, TYPE, &column->type);
    if (rc == ROWTIDE_OK)
        rc = copy_cell(it, stmt, DEFAULT, &column->default_sql);
    if (rc != ROWTIDE_OK || !column->name
        || strcmp(column->name, ROWTIDE__UNKNOWN_COLUMN) == 0)
        return rc;
    if (!column->type)
        column->type = "";
    column->affinity = (rowtide_schema_affinity)rowtide__type_affinity(
        column->type);
    column->not_null = sqlite3_column_int(stmt, NOT_NULL) != 0;
    column->primary_key = sqlite3_column_int(stmt, KEY);
    column->hidden = sqlite3_column_int(stmt, HIDDEN) == HIDDEN_COLUMN;
    column->stored = sqlite3_column_int(stmt, HIDDEN) == GENERATED_STORED;
    return rowtide__list_add(list, column);
}

int rowtide__read_columns(rowtide__reading *it, const char *name,
                          const rowtide_schema_column *const **out)
{
    rowtide__list list = {it->arena, NULL, 0, 0};
    sqlite3_stmt *stmt;
    int rc = prepare(it, "table_xinfo", name, &stmt);
    while (rc == ROWTIDE_OK && stmt) {
        int sqlite_rc = sqlite3_step(stmt);
        if (sqlite_rc != SQLITE_ROW) {
            rc = sqlite_rc == SQLITE_DONE ? ROWTIDE_OK : judge(it, sqlite_rc);
            break;
        }
        rc = add_column(it, stmt, &list);
    }
    sqlite3_finalize(stmt);
    *out = (const void *)rowtide__list_finish(&list);
    return rc;
}

/* ## A table whose text could not be parsed */

static int add_key(rowtide__reading *it, rowtide_schema_table *table,
                   size_t count)
{
    rowtide_schema_key *key = rowtide__arena_zero(it->arena, sizeof *key);
    rowtide__list keys = {it->arena, NULL, 0, 0};
    rowtide__list columns = {it->arena, NULL, 0, 0};
    int rc = key ? rowtide__list_add(&keys, key) : ROWTIDE_ENOMEM;
    for (size_t place = 1; place <= count && rc == ROWTIDE_OK; place++) {
        rowtide_schema_indexed_column *part = rowtide__arena_zero(it->arena,
                                                                  sizeof *part);
        rc = part ? rowtide__list_add(&columns, part) : ROWTIDE_ENOMEM;
        for (size_t i = 0; rc == ROWTIDE_OK && table->columns[i]; i++)
            if (table->columns[i]->primary_key == (int64_t)place)
                part->name = table->columns[i]->name;
    }
    if (rc != ROWTIDE_OK)
        return rc;
    key->primary = 1;
    key->columns = (const void *)rowtide__list_finish(&columns);
    table->keys = (const void *)rowtide__list_finish(&keys);
    return ROWTIDE_OK;
}

int rowtide__read_unparsed(rowtide__reading *it, rowtide__table *table)
{
    size_t keys = 0;
    it->kinds_needed = 1;
    int rc = rowtide__read_columns(it, table->view.name, &table->view.columns);
    for (size_t i = 0; rc == ROWTIDE_OK && table->view.columns[i]; i++)
        keys += table->view.columns[i]->primary_key > 0;
    return rc == ROWTIDE_OK && keys > 0 ? add_key(it, &table->view, keys) : rc;
}

/* ## Kinds of tables */

static void note_kind(rowtide__table *table, sqlite3_stmt *stmt)
{
    const char *type = (const char *)sqlite3_column_text(stmt, LIST_TYPE);
    if (type && strcmp(type, "shadow") == 0)
        table->view.kind = ROWTIDE_TABLE_SHADOW;
    if (!table->ddl) {
        table->view.without_rowid = sqlite3_column_int(stmt,
                                                       LIST_WITHOUT_ROWID);
        table->view.strict = sqlite3_column_int(stmt, LIST_STRICT);
    }
}

/* SQLite tells shadow tables only while their module is there. These modules
 * come with it, if not in every build. */
static const struct {
    const char *module, *suffix;
} SHADOWS[] = {
    {"fts5", "config"},    {"fts5", "content"},     {"fts5", "data"},
    {"fts5", "docsize"},   {"fts5", "idx"},         {"fts4", "content"},
    {"fts4", "docsize"},   {"fts4", "segdir"},      {"fts4", "segments"},
    {"fts4", "stat"},      {"fts3", "content"},     {"fts3", "docsize"},
    {"fts3", "segdir"},    {"fts3", "segments"},    {"fts3", "stat"},
    {"rtree", "node"},     {"rtree", "parent"},     {"rtree", "rowid"},
    {"rtree_i32", "node"}, {"rtree_i32", "parent"}, {"rtree_i32", "rowid"},
    {"geopoly", "node"},   {"geopoly", "parent"},   {"geopoly", "rowid"},
};

static int mark_shadows(rowtide__reading *it, const rowtide_schema_table *owner)
{
    for (size_t i = 0; i < sizeof SHADOWS / sizeof *SHADOWS; i++) {
        if (!owner->module
            || !rowtide__name_equal(owner->module, SHADOWS[i].module))
            continue;
        char *name = sqlite3_mprintf("%s_%s", owner->name, SHADOWS[i].suffix);
        if (!name)
            return rowtide__nomem();
        const rowtide__entry *entry = rowtide__schema_entry(it->model, name);
        sqlite3_free(name);
        if (entry && entry->table
            && entry->table->view.kind == ROWTIDE_TABLE_ORDINARY)
            entry->table->view.kind = ROWTIDE_TABLE_SHADOW;
    }
    return ROWTIDE_OK;
}

static int is_missing(rowtide__reading *it, const char *module, int *out)
{
    static const char SQL[] = "SELECT NOT EXISTS (SELECT 1 FROM "
                              "pragma_module_list WHERE name = ? "
                              "COLLATE NOCASE)";
    sqlite3_stmt *stmt = NULL;
    *out = 0;
    int rc = judge(it, sqlite3_prepare_v2(it->sqlite, SQL, -1, &stmt, NULL));
    if (rc == ROWTIDE_OK && stmt) {
        sqlite3_bind_text(stmt, 1, module, -1, SQLITE_STATIC);
        int sqlite_rc = sqlite3_step(stmt);
        *out = sqlite_rc == SQLITE_ROW && sqlite3_column_int(stmt, 0);
        rc = judge(it, sqlite_rc);
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* Of a module that is not there nobody knows the suffixes. Better to leave a
 * table alone that is none than to drop one that is. */
static int mark_possible_shadows(rowtide__reading *it,
                                 const rowtide_schema_table *owner)
{
    int missing = 0;
    if (!owner->module)
        return ROWTIDE_OK;
    int rc = is_missing(it, owner->module, &missing);
    size_t size = strlen(owner->name);
    for (size_t i = 0; missing && i < it->tables.count; i++) {
        const rowtide_schema_table *table = it->tables.items[i];
        if (table->kind == ROWTIDE_TABLE_ORDINARY
            && sqlite3_strnicmp(table->name, owner->name, (int)size) == 0
            && table->name[size] == '_')
            rowtide__schema_entry(it->model, table->name)->table->view.kind =
                ROWTIDE_TABLE_SHADOW;
    }
    return rc;
}

int rowtide__read_kinds(rowtide__reading *it)
{
    sqlite3_stmt *stmt;
    int rc = prepare(it, "table_list", NULL, &stmt);
    int sqlite_rc = SQLITE_OK;
    while (rc == ROWTIDE_OK && stmt
           && (sqlite_rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(stmt, LIST_NAME);
        const rowtide__entry *entry = name ? rowtide__schema_entry(it->model,
                                                                   name)
                                           : NULL;
        if (entry && entry->table)
            note_kind(entry->table, stmt);
    }
    if (rc == ROWTIDE_OK && stmt && sqlite_rc != SQLITE_DONE)
        rc = judge(it, sqlite_rc);
    sqlite3_finalize(stmt);
    for (size_t i = 0; i < it->tables.count && rc == ROWTIDE_OK; i++) {
        rc = mark_shadows(it, it->tables.items[i]);
        if (rc == ROWTIDE_OK)
            rc = mark_possible_shadows(it, it->tables.items[i]);
    }
    return rc;
}
