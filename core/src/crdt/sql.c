#include "crdt/engine.h"
#include "base/error.h"

#include <stdarg.h>
#include <string.h>

static const char *const FIXED[ROWTIDE__FIXED_COUNT] = {
    [ROWTIDE__LAST_VERSION] =
        "SELECT max(db_version) FROM main.rowtide_crdt_log",
    [ROWTIDE__JOIN] = "INSERT INTO crsql_changes SELECT NULL, NULL, NULL, "
                      "NULL, NULL, NULL, NULL, NULL, NULL WHERE 0",
    [ROWTIDE__WATCH] = "SELECT 1 FROM main.rowtide_crdt_table LIMIT 0",
    [ROWTIDE__LOOK] = "SELECT 1 FROM main.sqlite_master LIMIT 1",
    [ROWTIDE__LOG_PUT] = "INSERT INTO main.rowtide_crdt_log(db_version, "
                         "batch, block, body) VALUES(?, ?, ?, ?)",
    [ROWTIDE__LOG_BATCH] = "SELECT max(batch) FROM main.rowtide_crdt_log "
                           "WHERE db_version = ? AND block = 0",
    [ROWTIDE__LOG_NEXT] =
        "SELECT db_version, block, batch, body FROM main.rowtide_crdt_log "
        "WHERE (db_version, block, batch) > (?, ?, ?) "
        "ORDER BY db_version, block, batch",
    [ROWTIDE__LOG_CHANGE] =
        "UPDATE main.rowtide_crdt_log SET body = ?4 WHERE db_version = ?1 AND "
        "block = ?2 AND batch = ?3",
    [ROWTIDE__LOG_DROP] =
        "DELETE FROM main.rowtide_crdt_log WHERE db_version = ?1 AND block = "
        "?2 AND batch = ?3",
    [ROWTIDE__LOG_UP] = "SELECT db_version, block, batch, body FROM "
                        "main.rowtide_crdt_log WHERE db_version >= ? "
                        "ORDER BY db_version, block, batch",
    /* A bundle behind the last version may begin before it. */
    [ROWTIDE__LOG_DOWN] =
        "SELECT db_version, block, batch, body FROM main.rowtide_crdt_log "
        "WHERE db_version <= coalesce((SELECT CASE WHEN block < 0 THEN "
        "db_version END FROM main.rowtide_crdt_log WHERE db_version > ?1 "
        "ORDER BY db_version, block LIMIT 1), ?1) "
        "ORDER BY db_version DESC, block DESC, batch DESC",
    [ROWTIDE__TAIL_READ] =
        "SELECT body, stamp FROM main.rowtide_crdt_tail WHERE id = 1",
    [ROWTIDE__TAIL_PIN] = "SELECT id FROM main.rowtide_crdt_tail",
    [ROWTIDE__TAIL_WRITE] =
        "UPDATE main.rowtide_crdt_tail SET stamp = ?2, body = ?1 WHERE id = 1 "
        "AND stamp = ?3",
    [ROWTIDE__TAIL_SEGMENT] =
        "SELECT body, stamp FROM main.rowtide_crdt_tail WHERE id = ?",
    [ROWTIDE__TAIL_SPILL] =
        "INSERT INTO main.rowtide_crdt_tail(body, stamp, id) VALUES(?, ?, ?)",
    [ROWTIDE__TAIL_DROP] = "DELETE FROM main.rowtide_crdt_tail WHERE id > 1",
    [ROWTIDE__LOG_ALONE] =
        "SELECT count(*) FROM (SELECT 1 FROM main.rowtide_crdt_log WHERE "
        "db_version = ? LIMIT 2)",
    [ROWTIDE__SITE_BY_ORDINAL] =
        "SELECT site_id FROM main.crsql_site_id WHERE ordinal = ?",
    [ROWTIDE__SITE_BY_ID] =
        "SELECT ordinal FROM main.crsql_site_id WHERE site_id = ?",
    [ROWTIDE__SITE_ADD] =
        "INSERT INTO main.crsql_site_id(site_id, ordinal) VALUES(?, "
        "(SELECT max(ordinal) + 1 FROM main.crsql_site_id))",
};

static const struct {
    int sqlite, ours;
} CODES[] = {
    {SQLITE_NOMEM, ROWTIDE_ENOMEM},    {SQLITE_BUSY, ROWTIDE_EBUSY},
    {SQLITE_LOCKED, ROWTIDE_EBUSY},    {SQLITE_CORRUPT, ROWTIDE_ECORRUPT},
    {SQLITE_NOTADB, ROWTIDE_ECORRUPT}, {SQLITE_FULL, ROWTIDE_EFULL},
    {SQLITE_IOERR, ROWTIDE_EIO},       {SQLITE_READONLY, ROWTIDE_EREADONLY},
    {SQLITE_TOOBIG, ROWTIDE_ETOOBIG},  {SQLITE_CONSTRAINT, ROWTIDE_ECONSTRAINT},
    {SQLITE_MISUSE, ROWTIDE_EMISUSE},  {SQLITE_INTERRUPT, ROWTIDE_ECANCELLED},
    {SQLITE_CANTOPEN, ROWTIDE_EIO},
};

static int code_of_sqlite(int rc)
{
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (CODES[i].sqlite == (rc & 0xff))
            return CODES[i].ours;
    return ROWTIDE_ESQL;
}

int rowtide__crdt_code(int status)
{
    int extended = rowtide_error_sqlite_code();
    if (status >= 0)
        return SQLITE_OK;
    if (extended > 0)
        return extended;
    for (size_t i = 0; i < sizeof CODES / sizeof *CODES; i++)
        if (CODES[i].ours == status)
            return CODES[i].sqlite;
    return SQLITE_ERROR;
}

int rowtide__crdt_fail_sql(rowtide__crdt *engine, int rc, const char *format,
                           ...)
{
    const char *message = sqlite3_errstr(rc);
    int extended = rc;
    if (((sqlite3_errcode(engine->sqlite) ^ rc) & 0xff) == 0) {
        message = sqlite3_errmsg(engine->sqlite);
        extended = sqlite3_extended_errcode(engine->sqlite);
    }
    int code = rowtide__fail(code_of_sqlite(rc), "%s", message);
    rowtide__error_sqlite_code(extended);
    if (format[0]) {
        va_list arguments;
        va_start(arguments, format);
        char *context = sqlite3_vmprintf(format, arguments);
        va_end(arguments);
        if (context && context[0])
            rowtide__fail_context("%s", context);
        sqlite3_free(context);
    }
    return code;
}

void rowtide__crdt_result_error(sqlite3_context *context, int status)
{
    int code = rowtide__crdt_code(status);
    if (status == ROWTIDE_ENOMEM) {
        sqlite3_result_error_nomem(context);
        return;
    }
    sqlite3_result_error(context, rowtide_error_message(), -1);
    sqlite3_result_error_code(context, code);
}

static int prepare_text(rowtide__crdt *engine, sqlite3_stmt **out,
                        const char *sql)
{
    if (engine->registered && !engine->kept
        && rowtide__crdt_keep(engine) != ROWTIDE_OK)
        return rowtide_error_code();
    int rc = sqlite3_prepare_v3(engine->sqlite, sql, -1,
                                SQLITE_PREPARE_PERSISTENT, out, NULL);
    if (rc != SQLITE_OK)
        return rowtide__crdt_fail_sql(engine, rc, "%s", "");
    return ROWTIDE_OK;
}

int rowtide__crdt_prepare(rowtide__crdt *engine, sqlite3_stmt **out,
                          const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    *out = NULL;
    int rc = sql ? prepare_text(engine, out, sql) : rowtide__nomem();
    sqlite3_free(sql);
    return rc;
}

int rowtide__crdt_fixed(rowtide__crdt *engine, enum rowtide__fixed which,
                        sqlite3_stmt **out)
{
    int rc = ROWTIDE_OK;
    if (!engine->fixed[which])
        rc = prepare_text(engine, &engine->fixed[which], FIXED[which]);
    *out = engine->fixed[which];
    return rc;
}

int rowtide__crdt_exec(rowtide__crdt *engine, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (!sql)
        return rowtide__nomem();
    int rc = sqlite3_exec(engine->sqlite, sql, NULL, NULL, NULL);
    sqlite3_free(sql);
    return rc == SQLITE_OK ? ROWTIDE_OK
                           : rowtide__crdt_fail_sql(engine, rc, "%s", "");
}

int rowtide__crdt_step(rowtide__crdt *engine, sqlite3_stmt *stmt)
{
    int rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW)
        return ROWTIDE_OK;
    return rc == SQLITE_DONE ? ROWTIDE_DONE
                             : rowtide__crdt_fail_sql(engine, rc, "%s", "");
}

int rowtide__crdt_run(rowtide__crdt *engine, sqlite3_stmt *stmt)
{
    int rc = rowtide__crdt_step(engine, stmt);
    sqlite3_reset(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int bind_value(sqlite3_stmt *stmt, int index, const rowtide_value *value)
{
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

int rowtide__crdt_bind(sqlite3_stmt *stmt, int index,
                       const rowtide_value *value)
{
    int rc = bind_value(stmt, index, value);
    if (rc == SQLITE_OK)
        return ROWTIDE_OK;
    return rc == SQLITE_NOMEM
               ? rowtide__nomem()
               : rowtide__fail(code_of_sqlite(rc), "%s", sqlite3_errstr(rc));
}

int rowtide__crdt_argument(sqlite3_value *value, rowtide_value *out)
{
    memset(out, 0, sizeof *out);
    out->type = (rowtide_type)sqlite3_value_type(value);
    switch (out->type) {
    case ROWTIDE_INTEGER:
        out->integer = sqlite3_value_int64(value);
        break;
    case ROWTIDE_REAL:
        out->real = sqlite3_value_double(value);
        break;
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        /* SQLite copies a text to put a NUL behind it. Its size is that in
         * UTF-8, which it then is in. */
        out->size = (size_t)sqlite3_value_bytes(value);
        out->data = out->size > 0 ? sqlite3_value_blob(value) : "";
        if (out->size == 0 && out->type == ROWTIDE_TEXT)
            out->data = sqlite3_value_text(value);
        return out->data ? ROWTIDE_OK : rowtide__nomem();
    default:
        break;
    }
    return ROWTIDE_OK;
}

void rowtide__crdt_result(sqlite3_context *context, const rowtide_value *value)
{
    const void *data = value->data ? value->data : "";
    if (value->type == ROWTIDE_INTEGER)
        sqlite3_result_int64(context, value->integer);
    else if (value->type == ROWTIDE_REAL)
        sqlite3_result_double(context, value->real);
    else if (value->type == ROWTIDE_TEXT)
        sqlite3_result_text64(context, data, value->size, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
    else if (value->type == ROWTIDE_BLOB)
        sqlite3_result_blob64(context, data, value->size, SQLITE_TRANSIENT);
}

int rowtide__crdt_read_column(sqlite3_stmt *stmt, int index, rowtide_value *out)
{
    return rowtide__crdt_argument(sqlite3_column_value(stmt, index), out);
}

int rowtide__crdt_integer(rowtide__crdt *engine, int64_t *out,
                          int64_t otherwise, const char *format, ...)
{
    sqlite3_stmt *stmt = NULL;
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    *out = otherwise;
    int rc = sql ? prepare_text(engine, &stmt, sql) : rowtide__nomem();
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_step(engine, stmt);
    if (rc == ROWTIDE_OK && sqlite3_column_type(stmt, 0) != SQLITE_NULL)
        *out = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    sqlite3_free(sql);
    return rc < 0 ? rc : ROWTIDE_OK;
}
