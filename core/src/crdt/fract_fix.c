#include "base/error.h"
#include "crdt/fract.h"

#include <string.h>

/* Rows that were put into the same place on two sides have the same key. To
 * get between them and what follows, the row that is named moves up to make
 * room. */
typedef struct fix {
    rowtide__crdt *engine;
    const char *table;
    const char *order;
    sqlite3_value **lists;
    int list_count;
    sqlite3_value **keys; /* names, then values */
    int key_count;
    sqlite3_str *where;
    sqlite3_value *key;      /* what the row has */
    sqlite3_value *previous; /* what the row before it has */
} fix;

static int parse(fix *it, int count, sqlite3_value **values)
{
    int at = 2;
    while (at < count && sqlite3_value_type(values[at]) != SQLITE_INTEGER)
        at++;
    it->table = (const char *)sqlite3_value_text(values[0]);
    it->order = (const char *)sqlite3_value_text(values[1]);
    it->lists = values + 2;
    it->list_count = at - 2;
    it->keys = values + at + 1;
    it->key_count = (count - at - 1) / 2;
    return count > at + 1 && (count - at - 1) % 2 == 0 && it->table
           && it->order;
}

static void add_where(fix *it)
{
    for (int i = 0; i < it->key_count; i++) {
        const char *name = (const char *)sqlite3_value_text(it->keys[i]);
        sqlite3_str_appendf(it->where, "%s\"%w\" = ?%d", i ? " AND " : "",
                            name ? name : "", i + 1);
    }
}

/* With the values of the key bound from 1. */
static int prepare_bound(fix *it, sqlite3_stmt **out, char *sql)
{
    int rc = sql ? ROWTIDE_OK : rowtide__nomem();
    *out = NULL;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_prepare(it->engine, out, "%s", sql);
    for (int i = 0; rc == ROWTIDE_OK && i < it->key_count; i++)
        if (sqlite3_bind_value(*out, i + 1, it->keys[it->key_count + i])
            != SQLITE_OK)
            rc = rowtide__nomem();
    sqlite3_free(sql);
    return rc;
}

static int read_one(fix *it, sqlite3_stmt *stmt, sqlite3_value **out)
{
    int rc = rowtide__crdt_step(it->engine, stmt);
    if (rc == ROWTIDE_OK) {
        *out = sqlite3_value_dup(sqlite3_column_value(stmt, 0));
        if (!*out)
            rc = rowtide__nomem();
    }
    return rc;
}

static int read_key(fix *it)
{
    sqlite3_stmt *stmt;
    int rc = prepare_bound(it, &stmt,
                           sqlite3_mprintf("SELECT \"%w\" FROM \"%w\" WHERE %s",
                                           it->order, it->table,
                                           sqlite3_str_value(it->where)));
    if (rc == ROWTIDE_OK)
        rc = read_one(it, stmt, &it->key);
    sqlite3_finalize(stmt);
    return rc;
}

static char *previous_sql(fix *it)
{
    const char *where = sqlite3_str_value(it->where);
    sqlite3_str *sql = sqlite3_str_new(NULL);
    sqlite3_str_appendf(sql,
                        "SELECT max(\"%w\") FROM \"%w\" WHERE \"%w\" < ?%d",
                        it->order, it->table, it->order, it->key_count + 1);
    for (int i = 0; i < it->list_count; i++) {
        const char *name = (const char *)sqlite3_value_text(it->lists[i]);
        name = name ? name : "";
        sqlite3_str_appendf(
            sql, " AND \"%w\" IS (SELECT \"%w\" FROM \"%w\" WHERE %s)", name,
            name, it->table, where);
    }
    return sqlite3_str_finish(sql);
}

static int read_previous(fix *it)
{
    sqlite3_stmt *stmt;
    int rc = prepare_bound(it, &stmt, previous_sql(it));
    if (rc == ROWTIDE_OK
        && sqlite3_bind_value(stmt, it->key_count + 1, it->key) != SQLITE_OK)
        rc = rowtide__nomem();
    if (rc == ROWTIDE_OK)
        rc = read_one(it, stmt, &it->previous);
    sqlite3_finalize(stmt);
    return rc;
}

static int move_row(fix *it, const rowtide_buffer *key)
{
    sqlite3_stmt *stmt;
    int rc = prepare_bound(
        it, &stmt,
        sqlite3_mprintf("UPDATE \"%w\" SET \"%w\" = ?%d WHERE %s", it->table,
                        it->order, it->key_count + 1,
                        sqlite3_str_value(it->where)));
    if (rc == ROWTIDE_OK
        && sqlite3_bind_text(stmt, it->key_count + 1, key->data, (int)key->size,
                             SQLITE_STATIC)
               != SQLITE_OK)
        rc = rowtide__nomem();
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_run(it->engine, stmt);
    sqlite3_finalize(stmt);
    return rc;
}

static rowtide__digits digits_of(sqlite3_value *value)
{
    rowtide__digits out = {NULL, 0};
    if (sqlite3_value_type(value) == SQLITE_NULL)
        return out;
    out.data = (const char *)sqlite3_value_text(value);
    out.size = (size_t)sqlite3_value_bytes(value);
    return out;
}

static int between(rowtide__digits a, rowtide__digits b, rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    const char *problem = rowtide__fract_between(a, b, &writer);
    return problem ? rowtide__fail(ROWTIDE_EINVAL, "%s", problem) : writer.rc;
}

static int run_fix(fix *it, rowtide_buffer *moved, rowtide_buffer *result)
{
    add_where(it);
    int rc = sqlite3_str_errcode(it->where) ? rowtide__nomem() : read_key(it);
    if (rc == ROWTIDE_OK)
        rc = read_previous(it);
    if (rc == ROWTIDE_OK)
        rc = between(digits_of(it->previous), digits_of(it->key), moved);
    if (rc == ROWTIDE_OK)
        rc = move_row(it, moved);
    if (rc == ROWTIDE_OK)
        rc = between((rowtide__digits){moved->data, moved->size},
                     digits_of(it->key), result);
    return rc;
}

void rowtide__fract_fix_conflict(sqlite3_context *context, int count,
                                 sqlite3_value **values)
{
    fix it;
    rowtide_buffer moved = ROWTIDE_BUFFER_INIT, result = ROWTIDE_BUFFER_INIT;
    const char *problem = NULL;
    memset(&it, 0, sizeof it);
    it.engine = sqlite3_user_data(context);
    if (count < 4)
        problem = "Too few arguments to fix_conflict_return_old_key";
    else if (!parse(&it, count, values))
        problem = "Incorrect number of primary keys and values provided. Must "
                  "have at least 1 primary key.";
    if (problem) {
        sqlite3_result_error(context, problem, -1);
        return;
    }
    it.where = sqlite3_str_new(NULL);
    int rc = run_fix(&it, &moved, &result);
    if (rc == ROWTIDE_ENOMEM)
        sqlite3_result_error_nomem(context);
    else if (rc == ROWTIDE_OK)
        sqlite3_result_text(context, result.data, (int)result.size,
                            SQLITE_TRANSIENT);
    else
        sqlite3_result_error(
            context, "Failed fixing up ordering conflicts on insert", -1);
    sqlite3_free(sqlite3_str_finish(it.where));
    sqlite3_value_free(it.key);
    sqlite3_value_free(it.previous);
    rowtide_buffer_dispose(&moved);
    rowtide_buffer_dispose(&result);
}
