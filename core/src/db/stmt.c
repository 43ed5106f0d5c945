#include "db/sql.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

struct rowtide_stmt {
    rowtide__db_child child; /* first: children are cast back */
    rowtide_db *db;
    sqlite3_stmt *stmt; /* NULL once the connection is closed */
    enum { AT_START, AT_ROW, AT_END } state;
    int running;  /* an SQL function may call us again */
    int unwanted; /* it was freed then */
};

static void close_stmt(rowtide__db_child *child)
{
    rowtide_stmt *self = (rowtide_stmt *)child;
    sqlite3_stmt *stmt = self->stmt;
    self->stmt = NULL;
    sqlite3_finalize(stmt);
}

static void dispose_stmt(rowtide__db_child *child)
{
    rowtide_stmt *self = (rowtide_stmt *)child;
    self->unwanted = self->running;
    if (self->unwanted)
        return;
    if (!rowtide__db_is_forked(self->db))
        close_stmt(child);
    rowtide__db_release(self->db);
    rowtide__free(self);
}

static int enter_stmt(rowtide_stmt *stmt, const char *function)
{
    if (!stmt)
        return rowtide__fail(ROWTIDE_EINVAL, "%s: there is no statement",
                             function);
    int rc = rowtide__db_enter(stmt->db, function);
    if (rc != ROWTIDE_OK || (stmt->stmt && !stmt->running))
        return rc;
    rc = stmt->running ? rowtide__fail(ROWTIDE_EMISUSE,
                                       "%s: the statement is running", function)
                       : rowtide__fail(ROWTIDE_ECLOSED,
                                       "%s: the statement is closed", function);
    rowtide__db_leave(stmt->db);
    return rc;
}

static int check_end(rowtide_db *db, const char *sql, const char *rest)
{
    while (*rest) {
        sqlite3_stmt *more = NULL;
        const char *start = rest + strspn(rest, " \t\r\n\f;");
        int rc = sqlite3_prepare_v2(rowtide_db_sqlite(db), rest, -1, &more,
                                    &rest);
        sqlite3_finalize(more);
        if (rc != SQLITE_OK || more)
            return rowtide__fail_at(ROWTIDE_EINVAL, start - sql,
                                    "prepare: one statement expected, more "
                                    "text at byte %lld",
                                    (long long)(start - sql));
    }
    return ROWTIDE_OK;
}

static int prepare_one(rowtide_db *db, const char *sql, sqlite3_stmt **out)
{
    const char *rest;
    int rc = sqlite3_prepare_v3(rowtide_db_sqlite(db), sql, -1,
                                SQLITE_PREPARE_PERSISTENT, out, &rest);
    if (rc != SQLITE_OK)
        return rowtide__db_fail(db, rc, "prepare");
    if (!*out)
        return rowtide__fail(ROWTIDE_EINVAL, "prepare: the SQL is empty");
    return check_end(db, sql, rest);
}

static int make_stmt(rowtide_db *db, const char *sql, rowtide_stmt **out)
{
    rowtide_stmt *stmt = rowtide__alloc_zero(sizeof *stmt);
    if (!stmt)
        return ROWTIDE_ENOMEM;
    int rc = prepare_one(db, sql, &stmt->stmt);
    if (rc != ROWTIDE_OK) {
        sqlite3_finalize(stmt->stmt);
        rowtide__free(stmt);
        return rc;
    }
    stmt->db = rowtide__db_retain(db);
    stmt->child.closed = close_stmt;
    rowtide__db_attach_child(db, &stmt->child);
    *out = stmt;
    return ROWTIDE_OK;
}

int rowtide_stmt_prepare(rowtide_db *db, const char *sql, rowtide_stmt **out)
{
    ROWTIDE__CHECK_ARG(out, "prepare");
    *out = NULL;
    ROWTIDE__CHECK_ARG(sql, "prepare");
    int rc = rowtide__db_enter(db, "prepare");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = make_stmt(db, sql, out);
    rowtide__db_leave(db);
    return rc;
}

int rowtide_stmt_parameter_count(rowtide_stmt *stmt)
{
    int rc = enter_stmt(stmt, "parameter_count");
    if (rc != ROWTIDE_OK)
        return rc;
    int count = sqlite3_bind_parameter_count(stmt->stmt);
    rowtide__db_leave(stmt->db);
    return count;
}

static int is_named(const char *parameter, const char *name)
{
    if (!parameter)
        return 0;
    return strcmp(parameter, name) == 0
           || (strchr(":@$", parameter[0]) && strcmp(parameter + 1, name) == 0);
}

int rowtide_stmt_parameter_index(rowtide_stmt *stmt, const char *name)
{
    ROWTIDE__CHECK_ARG(name, "parameter_index");
    int rc = enter_stmt(stmt, "parameter_index");
    if (rc != ROWTIDE_OK)
        return rc;
    int index = sqlite3_bind_parameter_count(stmt->stmt);
    while (index > 0
           && !is_named(sqlite3_bind_parameter_name(stmt->stmt, index), name))
        index--;
    rowtide__db_leave(stmt->db);
    return index;
}

static int bind_copy(sqlite3_stmt *stmt, int index, const rowtide_value *value)
{
    const void *data = value->data ? value->data : "";
    if (value->type == ROWTIDE_TEXT)
        return sqlite3_bind_text64(stmt, index, data, value->size,
                                   SQLITE_TRANSIENT, SQLITE_UTF8);
    if (value->type == ROWTIDE_BLOB)
        return sqlite3_bind_blob64(stmt, index, data, value->size,
                                   SQLITE_TRANSIENT);
    return rowtide__sql_bind(stmt, index, value);
}

static int check_bind(rowtide_stmt *stmt, int index, const rowtide_value *value)
{
    int count = sqlite3_bind_parameter_count(stmt->stmt);
    if (index < 1 || index > count)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "bind: parameter %d of a statement that has %d",
                             index, count);
    if (value->type < ROWTIDE_INTEGER || value->type > ROWTIDE_NULL)
        return rowtide__fail(
            ROWTIDE_EINVAL, "bind: parameter %d: the value has no type", index);
    if (!value->data && value->size
        && (value->type == ROWTIDE_TEXT || value->type == ROWTIDE_BLOB))
        return rowtide__fail(
            ROWTIDE_EINVAL, "bind: parameter %d: the value has no data", index);
    if (stmt->state != AT_START)
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "bind: reset the statement before binding");
    return ROWTIDE_OK;
}

int rowtide_stmt_bind(rowtide_stmt *stmt, int index, const rowtide_value *value)
{
    ROWTIDE__CHECK_ARG(value, "bind");
    int rc = enter_stmt(stmt, "bind");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = check_bind(stmt, index, value);
    if (rc == ROWTIDE_OK) {
        int sqlite_rc = bind_copy(stmt->stmt, index, value);
        if (sqlite_rc != SQLITE_OK)
            rc = rowtide__db_fail(stmt->db, sqlite_rc, "bind: parameter %d",
                                  index);
    }
    rowtide__db_leave(stmt->db);
    return rc;
}

static int step_stmt(rowtide_stmt *stmt)
{
    if (stmt->state == AT_END)
        return ROWTIDE_DONE;
    stmt->running = 1;
    int rc = rowtide__sql_step(stmt->db, stmt->stmt);
    stmt->running = 0;
    stmt->state = rc == ROWTIDE_OK     ? AT_ROW
                  : rc == ROWTIDE_DONE ? AT_END
                                       : AT_START;
    if (rc != ROWTIDE_OK)
        sqlite3_reset(stmt->stmt);
    return rc;
}

int rowtide_stmt_step(rowtide_stmt *stmt)
{
    int rc = enter_stmt(stmt, "step");
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_db *db = stmt->db;
    rc = step_stmt(stmt);
    if (stmt->unwanted)
        dispose_stmt(&stmt->child);
    rowtide__db_leave(db);
    return rc;
}

int rowtide_stmt_reset(rowtide_stmt *stmt)
{
    int rc = enter_stmt(stmt, "reset");
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_reset(stmt->stmt);
    stmt->state = AT_START;
    rowtide__db_leave(stmt->db);
    return ROWTIDE_OK;
}

int rowtide_stmt_column_count(rowtide_stmt *stmt)
{
    int rc = enter_stmt(stmt, "column_count");
    if (rc != ROWTIDE_OK)
        return rc;
    int count = sqlite3_column_count(stmt->stmt);
    rowtide__db_leave(stmt->db);
    return count;
}

static int check_column(rowtide_stmt *stmt, int index, const char *function)
{
    int count = sqlite3_column_count(stmt->stmt);
    if (index < 0 || index >= count)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "%s: column %d of a statement that has %d",
                             function, index, count);
    return ROWTIDE_OK;
}

const char *rowtide_stmt_column_name(rowtide_stmt *stmt, int index)
{
    const char *name = NULL;
    if (enter_stmt(stmt, "column_name") != ROWTIDE_OK)
        return NULL;
    if (check_column(stmt, index, "column_name") == ROWTIDE_OK) {
        name = sqlite3_column_name(stmt->stmt, index);
        if (!name)
            rowtide__nomem();
    }
    rowtide__db_leave(stmt->db);
    return name;
}

static int read_column(rowtide_stmt *stmt, int index, rowtide_value *value)
{
    int rc = check_column(stmt, index, "column");
    if (rc != ROWTIDE_OK)
        return rc;
    if (stmt->state != AT_ROW)
        return rowtide__fail(ROWTIDE_EMISUSE,
                             "column: the statement is not at a row");
    return rowtide__sql_column(stmt->stmt, index, value);
}

int rowtide_stmt_column(rowtide_stmt *stmt, int index, rowtide_value *value)
{
    ROWTIDE__CHECK_ARG(value, "column");
    *value = rowtide_value_null();
    int rc = enter_stmt(stmt, "column");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = read_column(stmt, index, value);
    rowtide__db_leave(stmt->db);
    return rc;
}

void rowtide_stmt_free(rowtide_stmt *stmt)
{
    if (stmt)
        rowtide__db_discard(stmt->db, &stmt->child, dispose_stmt);
}
