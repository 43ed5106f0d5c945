#include "schema/auto_migrate.h"
#include "base/error.h"
#include "db/sql.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

typedef rowtide__migration migration;

/* ## Reporting */

static int report(rowtide__migration *it, const rowtide__addition *addition,
                  const char *sql, const char *reason)
{
    rowtide_schema_action action = {.done = sql != NULL,
                                    .object = addition->object,
                                    .table = addition->table,
                                    .name = addition->name,
                                    .sql = sql,
                                    .reason = reason};
    return rowtide__schema_report_add(it->report, &action);
}

int rowtide__migration_did(rowtide__migration *it,
                           const rowtide__addition *addition, const char *sql)
{
    return report(it, addition, sql, NULL);
}

int rowtide__migration_refuse(rowtide__migration *it,
                              const rowtide__addition *addition,
                              const char *format, ...)
{
    char reason[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, sizeof reason, format, arguments);
    va_end(arguments);
    int rc = report(it, addition, NULL, reason);
    return rc == ROWTIDE_OK ? ROWTIDE_DONE : rc;
}

/* ## Running */

/* The transaction goes only for reasons that are errors. When memory runs out,
 * SQLite may end it and still say that something else is the matter. */
int rowtide__migration_is_refusal(const migration *it)
{
    int code = rowtide_error_sqlite_code() & 0xff;
    if (code != SQLITE_ERROR && code != SQLITE_CONSTRAINT)
        return 0;
    if (!sqlite3_get_autocommit(rowtide_db_sqlite(it->db)))
        return 1;
    rowtide__nomem();
    return 0;
}

int rowtide__migration_defer(migration *it)
{
    it->needed = 1;
    return ROWTIDE_DONE;
}

int rowtide__migration_run(rowtide__migration *it,
                           const rowtide__addition *addition, const char *sql)
{
    if (it->looking)
        return rowtide__migration_defer(it);
    int rc = rowtide__sql_exec(it->db, "%s", sql);
    if (rc == ROWTIDE_OK)
        return rowtide__migration_did(it, addition, sql);
    if (rowtide__migration_is_refusal(it))
        return rowtide__migration_refuse(it, addition, "%s",
                                         rowtide_error_message());
    return rowtide__fail_context("table \"%s\", \"%s\"", addition->table,
                                 addition->name);
}

static int is_in_temp(rowtide__migration *it, const char *table, int *out)
{
    int64_t found;
    int rc = rowtide__sql_integer(it->db, &found, 0,
                                  "SELECT 1 FROM temp.sqlite_schema WHERE name "
                                  "= %Q COLLATE NOCASE",
                                  table);
    *out = found != 0;
    return rc;
}

/* ## What needs a column that is not there */

int rowtide__migration_lose(rowtide__migration *it,
                            const rowtide__addition *column)
{
    rowtide__addition *copy = rowtide__arena_alloc(&it->arena, sizeof *copy);
    if (!copy)
        return ROWTIDE_ENOMEM;
    *copy = *column;
    return rowtide__list_add(&it->columns, copy);
}

static int is_name(migration *it, const rowtide__lexer *lexer,
                   const rowtide__token *token, const char *name, int *out)
{
    const char *text;
    if (token->kind < ROWTIDE__TOKEN_WORD
        || token->kind > ROWTIDE__TOKEN_STRING)
        return ROWTIDE_OK;
    int rc = rowtide__name_read(lexer, token, &it->arena, &text);
    if (rc == ROWTIDE_OK && rowtide__name_equal(text, name))
        *out = 1;
    return rc;
}

static int mentions(migration *it, const char *sql,
                    const rowtide__addition *column, int *out)
{
    int table = 0, name = 0, rc = ROWTIDE_OK;
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    rowtide__token token = rowtide__lexer_next(&lexer);
    while (token.kind != ROWTIDE__TOKEN_END && rc == ROWTIDE_OK) {
        rc = is_name(it, &lexer, &token, column->table, &table);
        if (rc == ROWTIDE_OK)
            rc = is_name(it, &lexer, &token, column->name, &name);
        token = rowtide__lexer_next(&lexer);
    }
    *out = table && name;
    return rc;
}

static int find_lost(migration *it, const char *sql,
                     const rowtide__addition **out)
{
    int rc = ROWTIDE_OK, found = 0;
    *out = NULL;
    for (size_t i = 0; i < it->columns.count && rc == ROWTIDE_OK; i++) {
        const rowtide__addition *column = it->columns.items[i];
        rc = mentions(it, sql, column, &found);
        if (found)
            *out = column;
    }
    return rc;
}

/* An index or a trigger of a name without a schema goes to "temp" if there is a
 * table of that name there. */
int rowtide__migration_create(migration *it, const rowtide__addition *addition,
                              const rowtide__ddl *ddl, const char *sql)
{
    int hidden = 0;
    const rowtide__addition *lost;
    int rc = find_lost(it, sql, &lost);
    if (rc == ROWTIDE_OK && lost)
        return rowtide__migration_refuse(
            it, addition,
            "column \"%s\" of \"%s\", which it needs, was refused", lost->name,
            lost->table);
    if (rc == ROWTIDE_OK)
        rc = is_in_temp(it, addition->table, &hidden);
    if (rc == ROWTIDE_OK && hidden && ddl) {
        size_t at = ddl->name_span.at;
        sql = rowtide__arena_format(&it->arena, "%.*smain.%s", (int)at, sql,
                                    sql + at);
        rc = sql ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    }
    return rc == ROWTIDE_OK ? rowtide__migration_run(it, addition, sql) : rc;
}

/* ## Names that are taken */

static int copy_column(rowtide__migration *it, sqlite3_stmt *stmt, int column,
                       const char **out)
{
    const char *text = (const char *)sqlite3_column_text(stmt, column);
    return text ? rowtide__name_copy(&it->arena, text, strlen(text), out)
                : rowtide__nomem();
}

int rowtide__migration_find(rowtide__migration *it, int trigger,
                            const char *name, const char **type,
                            const char **table)
{
    sqlite3_stmt *stmt;
    *type = *table = NULL;
    int rc = rowtide__sql_prepare(
        it->db, &stmt,
        "SELECT type, tbl_name FROM main.sqlite_schema WHERE name = %Q "
        "COLLATE NOCASE AND (type = 'trigger') = %d",
        name, trigger);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(it->db, stmt);
    if (rc == ROWTIDE_OK)
        rc = copy_column(it, stmt, 0, type);
    if (rc == ROWTIDE_OK)
        rc = copy_column(it, stmt, 1, table);
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}
