#include "crdt/pack.h"
#include "crdt/vtab.h"
#include "base/error.h"

#include <string.h>

/* SELECT cell FROM crsql_unpack_columns WHERE package = ? */

typedef struct unpack_cursor {
    sqlite3_vtab_cursor base;
    unsigned char *package;
    rowtide__unpack unpack;
    rowtide_value value;
    int ended;
    sqlite3_int64 row;
} unpack_cursor;

static int connect_unpack(sqlite3 *sqlite, void *engine, int argc,
                          const char *const *argv, sqlite3_vtab **out,
                          char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    return rowtide__vtab_connect(
        sqlite, engine, "CREATE TABLE x(cell ANY, package BLOB HIDDEN)", out);
}

static int plan_unpack(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    int unusable = 0;
    (void)vtab;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != 1
            || info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
            continue;
        if (!info->aConstraint[i].usable) {
            unusable = 1;
            continue;
        }
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        info->idxNum = 1;
        info->estimatedCost = 1;
        info->estimatedRows = 4;
        return SQLITE_OK;
    }
    return unusable ? SQLITE_CONSTRAINT : SQLITE_OK;
}

static int open_unpack(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    (void)vtab;
    return rowtide__vtab_open(sizeof(unpack_cursor), out);
}

static int close_unpack(sqlite3_vtab_cursor *base)
{
    unpack_cursor *cursor = (unpack_cursor *)base;
    sqlite3_free(cursor->package);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int next_unpack(sqlite3_vtab_cursor *base)
{
    unpack_cursor *cursor = (unpack_cursor *)base;
    int rc = rowtide__unpack_next(&cursor->unpack, &cursor->value);
    cursor->ended = rc != ROWTIDE_OK;
    cursor->row++;
    return rowtide__vtab_end_call(base->pVtab, rc);
}

static int filter_unpack(sqlite3_vtab_cursor *base, int plan, const char *text,
                         int argc, sqlite3_value **argv)
{
    unpack_cursor *cursor = (unpack_cursor *)base;
    (void)text;
    (void)argc;
    cursor->ended = 1;
    cursor->row = -1;
    if (plan == 0) {
        int refused = rowtide__fail(ROWTIDE_EMISUSE,
                                    "Zero args passed to filter");
        return rowtide__vtab_end_call(base->pVtab, refused);
    }
    const void *data = sqlite3_value_blob(argv[0]);
    size_t size = (size_t)sqlite3_value_bytes(argv[0]);
    sqlite3_free(cursor->package);
    cursor->package = sqlite3_malloc64(size + 1);
    if (!cursor->package)
        return SQLITE_NOMEM;
    if (size > 0)
        memcpy(cursor->package, data, size);
    int rc = rowtide__unpack_open(&cursor->unpack, cursor->package, size);
    return rc < 0 ? rowtide__vtab_end_call(base->pVtab, rc) : next_unpack(base);
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    return ((unpack_cursor *)base)->ended;
}

static int read_column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                       int column)
{
    if (column == 0)
        rowtide__crdt_result(context, &((unpack_cursor *)base)->value);
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((unpack_cursor *)base)->row;
    return SQLITE_OK;
}

static const sqlite3_module MODULE = {
    .xConnect = connect_unpack,
    .xBestIndex = plan_unpack,
    .xDisconnect = rowtide__vtab_disconnect,
    .xOpen = open_unpack,
    .xClose = close_unpack,
    .xFilter = filter_unpack,
    .xNext = next_unpack,
    .xEof = is_at_end,
    .xColumn = read_column,
    .xRowid = read_rowid,
};

int rowtide__crdt_add_unpack(rowtide__crdt *engine)
{
    return rowtide__crdt_module(engine, "crsql_unpack_columns", &MODULE);
}
