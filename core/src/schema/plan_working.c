#include "schema/plan.h"
#include "schema/steps_make.h"
#include "base/error.h"
#include "db/sql.h"

#include <string.h>

/* A rebuild leaves views and triggers of others alone, also those that are
 * about a column which goes. Whether they still work is asked by preparing
 * statements, before and after. */

static const char SQL_NAMES[] =
    "SELECT type, name FROM main.sqlite_schema WHERE type = 'view'"
    " UNION SELECT type, tbl_name FROM main.sqlite_schema"
    " WHERE type = 'trigger'";
static const char SQL_ASSIGNMENTS[] =
    "SELECT group_concat(printf('\"%%w\" = \"%%w\"', name, name), ', ')"
    " FROM pragma_table_xinfo(%Q, 'main') WHERE hidden = 0";

typedef struct asking {
    const rowtide__run *run;
    rowtide__working *working;
    int again; /* the second time: what worked has to */
} asking;

/* SQLite's code, and its message on the connection. */
static int try_to_prepare(sqlite3 *sqlite, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    int rc = sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL);
    sqlite3_finalize(stmt);
    return rc;
}

static int ask(asking *it, const char *what, const char *name, const char *sql)
{
    rowtide__working *working = it->working;
    const char *key = rowtide__arena_sql(&working->arena, "%s %s", what, name);
    if (!key || !sql)
        return ROWTIDE_ENOMEM;
    int known = rowtide__map_get(&working->names, key) != NULL;
    if (it->again && !known)
        return ROWTIDE_OK;
    int sqlite_rc = try_to_prepare(it->run->sqlite, sql);
    if (sqlite_rc == SQLITE_OK)
        return it->again ? ROWTIDE_OK
                         : rowtide__map_set(&working->names, key, key);
    if (sqlite_rc == SQLITE_NOMEM)
        return rowtide__nomem();
    return it->again
               ? rowtide__fail(ROWTIDE_ESCHEMA,
                               "apply: %s \"%s\" would not work any "
                               "more: %s",
                               what, name, sqlite3_errmsg(it->run->sqlite))
               : ROWTIDE_OK;
}

static int read_assignments(asking *it, const char *table, const char **out)
{
    sqlite3_stmt *stmt = NULL;
    rowtide__arena *arena = &it->working->arena;
    *out = NULL;
    char *sql = sqlite3_mprintf(SQL_ASSIGNMENTS, table);
    if (!sql)
        return rowtide__nomem();
    int sqlite_rc = sqlite3_prepare_v2(it->run->sqlite, sql, -1, &stmt, NULL);
    sqlite3_free(sql);
    if (sqlite_rc == SQLITE_OK)
        sqlite_rc = sqlite3_step(stmt);
    const char *text = sqlite_rc == SQLITE_ROW
                           ? (const char *)sqlite3_column_text(stmt, 0)
                           : NULL;
    if (text)
        *out = rowtide__arena_sql(arena, "UPDATE main.\"%w\" SET %s", table,
                                  text);
    sqlite3_finalize(stmt);
    /* Of a view that is broken there are none. */
    return sqlite_rc == SQLITE_NOMEM ? rowtide__nomem() : ROWTIDE_OK;
}

/* To prepare a statement is to prepare the triggers that it fires. */
static int ask_triggers(asking *it, const char *table)
{
    const char *update = NULL;
    rowtide__arena *arena = &it->working->arena;
    int rc = ask(it, "INSERT INTO", table,
                 rowtide__arena_sql(
                     arena, "INSERT INTO main.\"%w\" DEFAULT VALUES", table));
    if (rc == ROWTIDE_OK)
        rc = ask(it, "DELETE FROM", table,
                 rowtide__arena_sql(arena, "DELETE FROM main.\"%w\"", table));
    if (rc == ROWTIDE_OK)
        rc = read_assignments(it, table, &update);
    return rc == ROWTIDE_OK && update ? ask(it, "UPDATE", table, update) : rc;
}

static int ask_row(asking *it, sqlite3_stmt *stmt)
{
    const char *type = (const char *)sqlite3_column_text(stmt, 0);
    const char *text = (const char *)sqlite3_column_text(stmt, 1);
    rowtide__arena *arena = &it->working->arena;
    const char *name = type && text ? rowtide__arena_sql(arena, "%s", text)
                                    : NULL;
    if (!name)
        return rowtide__nomem();
    if (strcmp(type, "trigger") == 0)
        return ask_triggers(it, name);
    return ask(it, "view", name,
               rowtide__arena_sql(arena, "SELECT * FROM main.\"%w\"", name));
}

static int ask_all(asking *it)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(it->run->db, &stmt, SQL_NAMES);
    if (rc != ROWTIDE_OK)
        return rc;
    while ((rc = rowtide__sql_step(it->run->db, stmt)) == ROWTIDE_OK
           && (rc = ask_row(it, stmt)) == ROWTIDE_OK)
        ;
    sqlite3_finalize(stmt);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* Adding breaks nothing. */
static int may_break(const rowtide_plan *plan)
{
    for (size_t i = 0; plan->steps.items[i]; i++) {
        const rowtide_plan_step *step = &plan->steps.items[i]->view;
        if (!step->refused && step->method != ROWTIDE_METHOD_CREATE
            && step->method != ROWTIDE_METHOD_ADD_COLUMN
            && step->object != ROWTIDE_OBJECT_INDEX)
            return 1;
    }
    return 0;
}

int rowtide__working_collect(const rowtide__run *run, rowtide__working *out)
{
    asking it = {run, out, 0};
    out->names.arena = &out->arena;
    return may_break(run->plan) ? ask_all(&it) : ROWTIDE_OK;
}

int rowtide__working_compare(const rowtide__run *run, rowtide__working *working)
{
    asking it = {run, working, 1};
    return may_break(run->plan) ? ask_all(&it) : ROWTIDE_OK;
}
