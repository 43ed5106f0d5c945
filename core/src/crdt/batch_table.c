#include "crdt/enable.h"
#include "crdt/merge.h"
#include "crdt/pack.h"
#include "crdt/vtab.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

/* rowtide_crdt_batch(1): the rows of the batch that is being written, key first.
 * There are none at other times. As a function no table of that name can take
 * its place. */

typedef struct batch_cursor {
    sqlite3_vtab_cursor base;
    const rowtide__batch *batch; /* NULL: none */
    size_t at, given;            /* rows before, values so far */
    int column;                  /* the next that `unpack` gives */
    rowtide__unpack unpack;
} batch_cursor;

static int declare(sqlite3 *sqlite, void *engine, sqlite3_vtab **out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&sql, ROWTIDE_OK};
    for (int i = 0; i < ROWTIDE__BATCH_COLUMNS; i++)
        rowtide__write_format(&writer, i > 0 ? ", c%d" : "CREATE TABLE x(c%d",
                              i);
    rowtide__write_text(&writer, ", one HIDDEN)");
    int rc = writer.rc == ROWTIDE_OK
                 ? rowtide__vtab_connect(sqlite, engine, sql.data, out)
                 : SQLITE_NOMEM;
    rowtide_buffer_dispose(&sql);
    return rc;
}

static int connect_batch(sqlite3 *sqlite, void *engine, int argc,
                         const char *const *argv, sqlite3_vtab **out,
                         char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    return declare(sqlite, engine, out);
}

static int plan_batch(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    (void)vtab;
    for (int i = 0; i < info->nConstraint; i++) {
        if (info->aConstraint[i].iColumn != ROWTIDE__BATCH_COLUMNS
            || !info->aConstraint[i].usable)
            continue;
        info->aConstraintUsage[i].argvIndex = 1;
        info->aConstraintUsage[i].omit = 1;
        break;
    }
    info->estimatedCost = 1000;
    return SQLITE_OK;
}

static int open_batch(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    (void)vtab;
    return rowtide__vtab_open(sizeof(batch_cursor), out);
}

static int close_batch(sqlite3_vtab_cursor *base)
{
    sqlite3_free(base);
    return SQLITE_OK;
}

/* An authorizer can hide columns: then they are NULL, and we are not asked. */
static int check_row(batch_cursor *cursor)
{
    const rowtide__batch *batch = cursor->batch;
    size_t columns = (size_t)batch->table->key_count + (size_t)batch->count;
    if (cursor->given == columns * cursor->at)
        return SQLITE_OK;
    sqlite3_vtab *vtab = cursor->base.pVtab;
    sqlite3_free(vtab->zErrMsg);
    vtab->zErrMsg = sqlite3_mprintf("an authorizer hides what is merged");
    return SQLITE_ERROR;
}

static int next_row(sqlite3_vtab_cursor *base)
{
    batch_cursor *cursor = (batch_cursor *)base;
    cursor->at++;
    cursor->column = 0;
    return check_row(cursor);
}

static int filter_batch(sqlite3_vtab_cursor *base, int plan, const char *text,
                        int argc, sqlite3_value **argv)
{
    batch_cursor *cursor = (batch_cursor *)base;
    (void)plan;
    (void)text;
    (void)argc;
    (void)argv;
    cursor->batch = rowtide__batch_running(rowtide__vtab_engine(base->pVtab));
    cursor->at = cursor->given = 0;
    cursor->column = 0;
    return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    const batch_cursor *cursor = (const batch_cursor *)base;
    return !cursor->batch || cursor->at >= cursor->batch->rows.count;
}

static void open_key(batch_cursor *cursor)
{
    const rowtide__ordered_key *row = &cursor->batch->rows.keys[cursor->at];
    rowtide__unpack key = {row->data, row->size, 0,
                           cursor->batch->table->key_count};
    cursor->unpack = key;
    cursor->column = 0;
}

/* Behind the byte that each row begins with. */
static void open_cells(batch_cursor *cursor)
{
    const rowtide__batch *batch = cursor->batch;
    rowtide__unpack cells = {
        (const unsigned char *)batch->cells.data, batch->cells.size,
        (size_t)batch->rows.keys[cursor->at].number + 1, batch->count};
    cursor->unpack = cells;
}

static int next_value(batch_cursor *cursor, rowtide_value *out)
{
    if (cursor->column == cursor->batch->table->key_count)
        open_cells(cursor);
    cursor->column++;
    return rowtide__unpack_next(&cursor->unpack, out);
}

/* A batch stays as it is while it is written: nothing need be copied. */
static void give(sqlite3_context *context, const rowtide_value *value)
{
    const void *data = value->data ? value->data : "";
    if (value->type == ROWTIDE_TEXT)
        sqlite3_result_text64(context, data, value->size, SQLITE_STATIC,
                              SQLITE_UTF8);
    else if (value->type == ROWTIDE_BLOB)
        sqlite3_result_blob64(context, data, value->size, SQLITE_STATIC);
    else
        rowtide__crdt_result(context, value);
}

static int read_column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                       int column)
{
    batch_cursor *cursor = (batch_cursor *)base;
    rowtide_value value = rowtide_value_null();
    int rc = ROWTIDE_OK;
    if (cursor->column == 0 || column < cursor->column)
        open_key(cursor);
    while (cursor->column <= column && rc == ROWTIDE_OK)
        rc = next_value(cursor, &value);
    cursor->given++;
    if (rc == ROWTIDE_OK)
        give(context, &value);
    return rowtide__vtab_end_call(base->pVtab, rc);
}

static int read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)((batch_cursor *)base)->at;
    return SQLITE_OK;
}

static const sqlite3_module MODULE = {
    .xConnect = connect_batch,
    .xBestIndex = plan_batch,
    .xDisconnect = rowtide__vtab_disconnect,
    .xOpen = open_batch,
    .xClose = close_batch,
    .xFilter = filter_batch,
    .xNext = next_row,
    .xEof = is_at_end,
    .xColumn = read_column,
    .xRowid = read_rowid,
};

int rowtide__crdt_add_batch(rowtide__crdt *engine)
{
    return rowtide__crdt_module(engine, "rowtide_crdt_batch", &MODULE);
}
