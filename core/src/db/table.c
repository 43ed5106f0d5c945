#include "db/table.h"
#include "db/sql.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

static const char SQL_LIST[] = "PRAGMA \"%w\".table_list(%Q)";
static const char SQL_COLUMNS[] = "PRAGMA \"%w\".table_xinfo(%Q)";
static const char SQL_NAMES[] =
    "SELECT name FROM pragma_table_list"
    " WHERE schema = %Q COLLATE NOCASE AND type = 'table'"
    " AND name NOT LIKE 'sqlite\\_%%' ESCAPE '\\' ORDER BY name";

enum { HIDDEN_OF_VIRTUAL = 1 };

static int check_schema(rowtide_db *db, const char *schema)
{
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    if (!sqlite)
        return rowtide__db_fail(db, SQLITE_MISUSE, "%s", "");
    /* The temporary schema is there also before anything is in it. */
    if (sqlite3_db_readonly(sqlite, schema) >= 0
        || sqlite3_stricmp(schema, "temp") == 0)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_ESCHEMA, "there is no schema \"%s\"", schema);
}

static char *column_strdup(sqlite3_stmt *stmt, int index)
{
    const char *text = (const char *)sqlite3_column_text(stmt, index);
    if (!text && sqlite3_column_type(stmt, index) != SQLITE_NULL) {
        rowtide__nomem(); /* for making UTF-8 of UTF-16 */
        return NULL;
    }
    return rowtide__strdup(text ? text : "");
}

static rowtide__table_kind kind_of(const char *type)
{
    if (!type || strcmp(type, "table") == 0)
        return ROWTIDE__TABLE_ORDINARY;
    if (strcmp(type, "view") == 0)
        return ROWTIDE__TABLE_VIEW;
    return strcmp(type, "virtual") == 0 ? ROWTIDE__TABLE_VIRTUAL
                                        : ROWTIDE__TABLE_SHADOW;
}

const char *rowtide__table_kind_fault(rowtide__table_kind kind)
{
    switch (kind) {
    case ROWTIDE__TABLE_MISSING:
        return "does not exist";
    case ROWTIDE__TABLE_VIEW:
        return "is a view";
    case ROWTIDE__TABLE_VIRTUAL:
        return "is virtual";
    case ROWTIDE__TABLE_SHADOW:
        return "belongs to a virtual table";
    case ROWTIDE__TABLE_ORDINARY:
        break;
    }
    return NULL;
}

static int read_kind(rowtide_db *db, const char *schema, const char *table,
                     rowtide__table_info *out)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(db, &stmt, SQL_LIST, schema, table);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__sql_step(db, stmt);
    if (rc == ROWTIDE_OK) {
        out->name = column_strdup(stmt, 1);
        out->kind = kind_of((const char *)sqlite3_column_text(stmt, 2));
        out->without_rowid = sqlite3_column_int(stmt, 4);
        out->strict = sqlite3_column_int(stmt, 5);
        if (!out->name)
            rc = ROWTIDE_ENOMEM;
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int read_collation(rowtide_db *db, const char *schema, const char *table,
                          rowtide__column *column)
{
    const char *collation = NULL;
    int rc = sqlite3_table_column_metadata(rowtide_db_sqlite(db), schema, table,
                                           column->name, NULL, &collation, NULL,
                                           NULL, NULL);
    if (rc != SQLITE_OK)
        return rowtide__db_fail(db, rc, "column \"%s\"", column->name);
    column->collation = rowtide__strdup(collation ? collation : "BINARY");
    return column->collation ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static rowtide__column *add_column(rowtide__table_info *info)
{
    size_t count = (size_t)info->column_count;
    rowtide__column *columns = info->columns;
    /* Room grows at 0, 8, 16, 32, ... */
    if (count == 0 || (count >= 8 && (count & (count - 1)) == 0)) {
        size_t room = count ? count * 2 : 8;
        columns = rowtide__realloc(columns, room * sizeof *columns);
        if (!columns)
            return NULL;
        info->columns = columns;
    }
    memset(&columns[count], 0, sizeof *columns);
    info->column_count++;
    return &columns[count];
}

static int read_column(rowtide_db *db, const char *schema, sqlite3_stmt *stmt,
                       rowtide__table_info *info)
{
    int hidden = sqlite3_column_int(stmt, 6);
    if (hidden == HIDDEN_OF_VIRTUAL)
        return ROWTIDE_OK;
    rowtide__column *column = add_column(info);
    if (!column)
        return ROWTIDE_ENOMEM;
    column->name = column_strdup(stmt, 1);
    column->declared_type = column_strdup(stmt, 2);
    if (!column->name || !column->declared_type)
        return ROWTIDE_ENOMEM;
    column->primary_key = sqlite3_column_int(stmt, 5);
    column->generated = hidden;
    info->ordinary_count += !hidden;
    info->key_count += column->primary_key > 0;
    if (info->kind == ROWTIDE__TABLE_ORDINARY
        || info->kind == ROWTIDE__TABLE_SHADOW)
        return read_collation(db, schema, info->name, column);
    column->collation = rowtide__strdup("BINARY");
    return column->collation ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static int read_columns(rowtide_db *db, const char *schema,
                        rowtide__table_info *info)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(db, &stmt, SQL_COLUMNS, schema, info->name);
    if (rc != ROWTIDE_OK)
        return rc;
    while ((rc = rowtide__sql_step(db, stmt)) == ROWTIDE_OK) {
        rc = read_column(db, schema, stmt, info);
        if (rc != ROWTIDE_OK)
            break;
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__table_info_read(rowtide_db *db, const char *schema,
                             const char *table, rowtide__table_info *out)
{
    memset(out, 0, sizeof *out);
    if (!schema)
        schema = "main";
    int rc = check_schema(db, schema);
    if (rc == ROWTIDE_OK)
        rc = read_kind(db, schema, table, out);
    if (rc == ROWTIDE_OK && out->kind != ROWTIDE__TABLE_MISSING)
        rc = read_columns(db, schema, out);
    if (rc != ROWTIDE_OK) {
        rowtide__table_info_dispose(out);
        rowtide__fail_context("table \"%s\"", table);
    }
    return rc;
}

void rowtide__table_info_dispose(rowtide__table_info *info)
{
    for (int i = 0; i < info->column_count; i++) {
        rowtide__free(info->columns[i].name);
        rowtide__free(info->columns[i].declared_type);
        rowtide__free(info->columns[i].collation);
    }
    rowtide__free(info->columns);
    rowtide__free(info->name);
    memset(info, 0, sizeof *info);
}

static int add_name(char ***names, int count, char *name)
{
    char **grown = name ? rowtide__realloc(*names,
                                           ((size_t)count + 2) * sizeof *grown)
                        : NULL;
    if (!grown) {
        rowtide__free(name);
        return ROWTIDE_ENOMEM;
    }
    grown[count] = name;
    grown[count + 1] = NULL;
    *names = grown;
    return ROWTIDE_OK;
}

static int read_names(rowtide_db *db, const char *schema, char ***names,
                      int *count)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(db, &stmt, SQL_NAMES, schema);
    if (rc != ROWTIDE_OK)
        return rc;
    while ((rc = rowtide__sql_step(db, stmt)) == ROWTIDE_OK) {
        rc = add_name(names, *count, column_strdup(stmt, 0));
        if (rc != ROWTIDE_OK)
            break;
        ++*count;
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__table_names(rowtide_db *db, const char *schema, char ***out,
                         int *count_out)
{
    *out = NULL;
    *count_out = 0;
    if (!schema)
        schema = "main";
    char **names = rowtide__alloc_array(1, sizeof *names);
    if (!names)
        return ROWTIDE_ENOMEM;
    int rc = check_schema(db, schema);
    if (rc == ROWTIDE_OK)
        rc = read_names(db, schema, &names, count_out);
    if (rc != ROWTIDE_OK) {
        rowtide__table_names_free(names);
        *count_out = 0;
        return rc;
    }
    *out = names;
    return ROWTIDE_OK;
}

void rowtide__table_names_free(char **names)
{
    for (char **name = names; name && *name; name++)
        rowtide__free(*name);
    rowtide__free(names);
}
