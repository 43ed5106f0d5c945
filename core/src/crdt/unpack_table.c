#include "base/error.h"
#include "crdt/engine.h"
#include "crdt/pack.h"

#include <string.h>

/* crsql_unpack_columns(package): the values that crsql_pack_columns() packed,
 * one a row. */

enum { CELL, PACKAGE };
enum { BY_PACKAGE = 1 };

typedef struct cursor {
    sqlite3_vtab_cursor base;
    sqlite3_value *package;
    rowtide__unpack unpack;
    rowtide_value value;
    sqlite3_int64 row;
    int done;
} cursor;

static int connect(sqlite3 *sqlite, void *engine, int count,
                   const char *const *arguments, sqlite3_vtab **out,
                   char **error)
{
    (void)engine;
    (void)count;
    (void)arguments;
    (void)error;
    int rc = sqlite3_declare_vtab(
        sqlite, "CREATE TABLE x(cell ANY, package BLOB HIDDEN)");
    if (rc != SQLITE_OK)
        return rc;
    *out = sqlite3_malloc(sizeof **out);
    if (!*out)
        return SQLITE_NOMEM;
    memset(*out, 0, sizeof **out);
    sqlite3_vtab_config(sqlite, SQLITE_VTAB_INNOCUOUS);
    return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *table)
{
    sqlite3_free(table);
    return SQLITE_OK;
}

static int fail(sqlite3_vtab *table, int code, const char *message)
{
    sqlite3_free(table->zErrMsg);
    table->zErrMsg = sqlite3_mprintf("%s", message);
    return code;
}

static int best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    int unusable = 0;
    (void)table;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != PACKAGE
            || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!info->aConstraint[i].usable) {
            unusable = 1;
            continue;
        }
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->idxNum = BY_PACKAGE;
        info->estimatedCost = 1;
        info->estimatedRows = 4;
        return SQLITE_OK;
    }
    return unusable ? SQLITE_CONSTRAINT : SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *table, sqlite3_vtab_cursor **out)
{
    (void)table;
    cursor *it = sqlite3_malloc(sizeof *it);
    if (!it)
        return SQLITE_NOMEM;
    memset(it, 0, sizeof *it);
    *out = &it->base;
    return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
    cursor *it = (cursor *)base;
    sqlite3_value_free(it->package);
    sqlite3_free(it);
    return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *base)
{
    cursor *it = (cursor *)base;
    int rc = rowtide__unpack_next(&it->unpack, &it->value);
    it->row++;
    it->done = rc != ROWTIDE_OK;
    return rc < 0 ? fail(base->pVtab, SQLITE_ERROR, rowtide_error_message())
                  : SQLITE_OK;
}

static int filter(sqlite3_vtab_cursor *base, int index, const char *name,
                  int count, sqlite3_value **values)
{
    cursor *it = (cursor *)base;
    (void)name;
    if (index != BY_PACKAGE || count != 1)
        return fail(base->pVtab, SQLITE_MISUSE, "Zero args passed to filter");
    sqlite3_value_free(it->package);
    it->done = 1;
    it->row = -1;
    it->package = sqlite3_value_dup(values[0]);
    if (!it->package)
        return SQLITE_NOMEM;
    const void *data = sqlite3_value_blob(it->package);
    if (rowtide__unpack_open(&it->unpack, data,
                             (size_t)sqlite3_value_bytes(it->package))
        != ROWTIDE_OK)
        return fail(base->pVtab, SQLITE_ERROR, rowtide_error_message());
    return next(base);
}

static int at_end(sqlite3_vtab_cursor *base)
{
    return ((cursor *)base)->done;
}

static void result(sqlite3_context *context, const rowtide_value *value)
{
    const void *data = value->data ? value->data : "";
    switch (value->type) {
    case ROWTIDE_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case ROWTIDE_REAL:
        sqlite3_result_double(context, value->real);
        break;
    case ROWTIDE_TEXT:
        sqlite3_result_text64(context, data, value->size, SQLITE_TRANSIENT,
                              SQLITE_UTF8);
        break;
    case ROWTIDE_BLOB:
        sqlite3_result_blob64(context, data, value->size, SQLITE_TRANSIENT);
        break;
    default:
        sqlite3_result_null(context);
    }
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                  int number)
{
    cursor *it = (cursor *)base;
    if (number == PACKAGE)
        sqlite3_result_value(context, it->package);
    else
        result(context, &it->value);
    return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((cursor *)base)->row;
    return SQLITE_OK;
}

static const sqlite3_module module = {
    .xConnect = connect,
    .xBestIndex = best_index,
    .xDisconnect = disconnect,
    .xOpen = open_cursor,
    .xClose = close_cursor,
    .xFilter = filter,
    .xNext = next,
    .xEof = at_end,
    .xColumn = column,
    .xRowid = rowid,
};

int rowtide__crdt_add_unpack(rowtide__crdt *engine)
{
    return rowtide__crdt_module(engine, "crsql_unpack_columns", &module);
}
