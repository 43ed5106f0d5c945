#include "db/sql.h"
#include "base/error.h"

#include <stdarg.h>

static int run_to_end(rowtide_db *db, sqlite3_stmt *stmt)
{
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        ;
    return rc == SQLITE_DONE ? ROWTIDE_OK : rowtide__db_fail(db, rc, "%s", "");
}

static int line_of(const char *sql, int64_t offset)
{
    int line = 1;
    for (int64_t i = 0; i < offset && sql[i]; i++)
        line += sql[i] == '\n';
    return line;
}

/* SQLite counts the offset from the start of the statement. */
static int fail_in_script(rowtide_db *db, int sqlite_rc, const char *sql,
                          const char *statement)
{
    int code = rowtide__db_fail(db, sqlite_rc, "%s", "");
    if (rowtide_error_offset() < 0)
        return code;
    int64_t offset = rowtide_error_offset() + (statement - sql);
    int extended = rowtide_error_sqlite_code();
    int line = line_of(sql, offset);
    if (line > 1)
        rowtide__fail_at(code, offset, "line %d: %s", line,
                         rowtide_error_message());
    else
        rowtide__fail_at(code, offset, "%s", rowtide_error_message());
    rowtide__error_sqlite_code(extended);
    return code;
}

int rowtide__sql_script(rowtide_db *db, const char *sql)
{
    int rc = ROWTIDE_OK;
    for (const char *rest = sql; *rest && rc == ROWTIDE_OK;) {
        const char *statement = rest;
        sqlite3_stmt *stmt = NULL;
        if (rest > sql && rowtide__db_interrupted(db))
            return rowtide__fail(ROWTIDE_ECANCELLED, "interrupted");
        int sqlite_rc = sqlite3_prepare_v2(rowtide_db_sqlite(db), statement, -1,
                                           &stmt, &rest);
        if (sqlite_rc != SQLITE_OK)
            return fail_in_script(db, sqlite_rc, sql, statement);
        if (stmt)
            rc = run_to_end(db, stmt);
        sqlite3_finalize(stmt);
    }
    return rc;
}

static char *format_sql(const char *format, va_list arguments)
{
    char *sql = sqlite3_vmprintf(format, arguments);
    if (!sql)
        rowtide__nomem();
    return sql;
}

int rowtide__sql_exec(rowtide_db *db, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = format_sql(format, arguments);
    va_end(arguments);
    int rc = sql ? rowtide__sql_script(db, sql) : ROWTIDE_ENOMEM;
    sqlite3_free(sql);
    return rc;
}

static int prepare_text(rowtide_db *db, sqlite3_stmt **out, const char *sql)
{
    *out = NULL;
    int rc = sqlite3_prepare_v2(rowtide_db_sqlite(db), sql, -1, out, NULL);
    return rc == SQLITE_OK ? ROWTIDE_OK : rowtide__db_fail(db, rc, "%s", "");
}

int rowtide__sql_prepare(rowtide_db *db, sqlite3_stmt **out, const char *format,
                         ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = format_sql(format, arguments);
    va_end(arguments);
    *out = NULL;
    int rc = sql ? prepare_text(db, out, sql) : ROWTIDE_ENOMEM;
    sqlite3_free(sql);
    return rc;
}

int rowtide__sql_step(rowtide_db *db, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return ROWTIDE_OK;
    return rc == SQLITE_DONE ? ROWTIDE_DONE
                             : rowtide__db_fail(db, rc, "%s", "");
}

int rowtide__sql_run(rowtide_db *db, sqlite3_stmt *stmt)
{
    int rc = rowtide__sql_step(db, stmt);
    sqlite3_reset(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int read_integer(rowtide_db *db, const char *sql, int64_t *out,
                        int64_t otherwise)
{
    sqlite3_stmt *stmt;
    int rc = prepare_text(db, &stmt, sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_step(db, stmt);
    if (rc >= 0)
        *out = rc == ROWTIDE_OK ? sqlite3_column_int64(stmt, 0) : otherwise;
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__sql_integer(rowtide_db *db, int64_t *out, int64_t otherwise,
                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = format_sql(format, arguments);
    va_end(arguments);
    *out = otherwise;
    int rc = sql ? read_integer(db, sql, out, otherwise) : ROWTIDE_ENOMEM;
    sqlite3_free(sql);
    return rc;
}

int rowtide__sql_bind(sqlite3_stmt *stmt, int index, const rowtide_value *value)
{
    /* SQLite takes a NULL pointer for SQL NULL. */
    const void *data = value->data ? value->data : "";
    switch (value->type) {
    case ROWTIDE_INTEGER:
        return sqlite3_bind_int64(stmt, index, value->integer);
    case ROWTIDE_REAL:
        return sqlite3_bind_double(stmt, index, value->real);
    case ROWTIDE_TEXT:
        return sqlite3_bind_text64(stmt, index, data, value->size,
                                   SQLITE_STATIC, SQLITE_UTF8);
    case ROWTIDE_BLOB:
        return sqlite3_bind_blob64(stmt, index, data, value->size,
                                   SQLITE_STATIC);
    default:
        return sqlite3_bind_null(stmt, index);
    }
}

static int read_bytes(const void *data, int size, rowtide_value *out)
{
    if (!data && size > 0)
        return rowtide__nomem();
    out->data = data;
    out->size = (size_t)size;
    return ROWTIDE_OK;
}

int rowtide__sql_column(sqlite3_stmt *stmt, int index, rowtide_value *out)
{
    const void *data;
    *out = rowtide_value_null();
    switch (sqlite3_column_type(stmt, index)) {
    case SQLITE_INTEGER:
        *out = rowtide_value_integer(sqlite3_column_int64(stmt, index));
        return ROWTIDE_OK;
    case SQLITE_FLOAT:
        *out = rowtide_value_real(sqlite3_column_double(stmt, index));
        return ROWTIDE_OK;
    case SQLITE_TEXT:
        /* Converting from UTF-16 needs memory; even "" has a pointer. */
        data = sqlite3_column_text(stmt, index);
        if (!data)
            return rowtide__nomem();
        out->type = ROWTIDE_TEXT;
        return read_bytes(data, sqlite3_column_bytes(stmt, index), out);
    case SQLITE_BLOB:
        data = sqlite3_column_blob(stmt, index);
        out->type = ROWTIDE_BLOB;
        return read_bytes(data, sqlite3_column_bytes(stmt, index), out);
    default:
        return ROWTIDE_OK;
    }
}
