#include "crdt/enable.h"
#include "crdt/numbers.h"
#include "crdt/pack.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

/* rowtide_crdt_keys(table, first, last): the keys with numbers in this range,
 * so that rows can be read in that order by a join. */

enum { ROW, TABLE_ID, FIRST, LAST, KEY };

typedef struct keys_table {
    sqlite3_vtab base;
    rowtide__crdt *engine;
} keys_table;

typedef struct keys_cursor {
    sqlite3_vtab_cursor base;
    rowtide__crdt_table *table;
    int64_t row, last;
    rowtide_buffer key;
    int ended;
} keys_cursor;

static int declare(sqlite3 *sqlite)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&sql, ROWTIDE_OK};
    rowtide__write_text(&writer, "CREATE TABLE x(row INTEGER, table_id HIDDEN, "
                                 "first HIDDEN, last HIDDEN");
    for (int i = 0; i < ROWTIDE__MAX_KEYS; i++)
        rowtide__write_format(&writer, ", k%d", i);
    rowtide__write_text(&writer, ")");
    int rc = writer.rc == ROWTIDE_OK ? sqlite3_declare_vtab(sqlite, sql.data)
                                     : SQLITE_NOMEM;
    rowtide_buffer_dispose(&sql);
    return rc;
}

static int connect_keys(sqlite3 *sqlite, void *engine, int argc,
                        const char *const *argv, sqlite3_vtab **out,
                        char **message)
{
    (void)argc;
    (void)argv;
    (void)message;
    int rc = declare(sqlite);
    keys_table *made = rc == SQLITE_OK ? sqlite3_malloc(sizeof *made) : NULL;
    if (!made)
        return rc == SQLITE_OK ? SQLITE_NOMEM : rc;
    memset(made, 0, sizeof *made);
    made->engine = engine;
    sqlite3_vtab_config(sqlite, SQLITE_VTAB_INNOCUOUS);
    *out = &made->base;
    return SQLITE_OK;
}

static int disconnect_keys(sqlite3_vtab *vtab)
{
    sqlite3_free(vtab);
    return SQLITE_OK;
}

/* Without all three there is nothing to see. */
static int plan_keys(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
    int places[LAST + 1] = {-1, -1, -1, -1};
    (void)vtab;
    for (int i = 0; i < info->nConstraint; i++) {
        int column = info->aConstraint[i].iColumn;
        if (info->aConstraint[i].usable && column >= TABLE_ID && column <= LAST
            && info->aConstraint[i].op == SQLITE_INDEX_CONSTRAINT_EQ)
            places[column] = i;
    }
    info->estimatedCost = 1e9;
    if (places[TABLE_ID] < 0 || places[FIRST] < 0 || places[LAST] < 0)
        return SQLITE_OK;
    for (int i = TABLE_ID; i <= LAST; i++) {
        info->aConstraintUsage[places[i]].argvIndex = i;
        info->aConstraintUsage[places[i]].omit = 1;
    }
    info->idxNum = 1;
    info->estimatedCost = 100;
    return SQLITE_OK;
}

static int open_keys(sqlite3_vtab *vtab, sqlite3_vtab_cursor **out)
{
    keys_cursor *cursor = sqlite3_malloc(sizeof *cursor);
    (void)vtab;
    if (!cursor)
        return SQLITE_NOMEM;
    memset(cursor, 0, sizeof *cursor);
    *out = &cursor->base;
    return SQLITE_OK;
}

static int close_keys(sqlite3_vtab_cursor *base)
{
    keys_cursor *cursor = (keys_cursor *)base;
    rowtide_buffer_dispose(&cursor->key);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static int end_call(sqlite3_vtab_cursor *base, int status)
{
    if (status >= 0)
        return SQLITE_OK;
    sqlite3_free(base->pVtab->zErrMsg);
    base->pVtab->zErrMsg = sqlite3_mprintf("%s", rowtide_error_message());
    return rowtide__crdt_code(status);
}

static rowtide__crdt *engine_of(sqlite3_vtab_cursor *base)
{
    return ((keys_table *)base->pVtab)->engine;
}

/* Read the key of the row, or of the next that has one. */
static int read_key(keys_cursor *cursor)
{
    rowtide__new_key found;
    int rc = ROWTIDE_DONE;
    for (; cursor->row <= cursor->last; cursor->row++) {
        rc = rowtide__blocks_read(engine_of(&cursor->base), cursor->table,
                                  cursor->row, &found);
        if (rc != ROWTIDE_DONE)
            break;
    }
    cursor->ended = rc != ROWTIDE_OK;
    rowtide__buffer_clear(&cursor->key);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&cursor->key, found.data, found.size);
    return rc;
}

/* There are no keys outside. */
static int bound(keys_cursor *cursor)
{
    rowtide__crdt *engine = engine_of(&cursor->base);
    int rc = rowtide__blocks_open(cursor->table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__blocks_bound(engine, cursor->table);
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t stored = cursor->table->numbers->next - 1;
    int64_t last = rowtide__new_keys_last(engine->unstored, cursor->table);
    if (last < stored)
        last = stored;
    if (cursor->last > last)
        cursor->last = last;
    if (cursor->row < 1)
        cursor->row = 1;
    return ROWTIDE_OK;
}

static int filter_keys(sqlite3_vtab_cursor *base, int plan, const char *text,
                       int argc, sqlite3_value **argv)
{
    keys_cursor *cursor = (keys_cursor *)base;
    (void)text;
    (void)argc;
    cursor->ended = 1;
    if (plan == 0)
        return SQLITE_OK;
    int rc = rowtide__crdt_table_by_id(
        engine_of(base), sqlite3_value_int64(argv[0]), &cursor->table);
    cursor->row = sqlite3_value_int64(argv[1]);
    cursor->last = sqlite3_value_int64(argv[2]);
    if (rc == ROWTIDE_OK && !cursor->table->integer_key)
        rc = bound(cursor);
    if (rc == ROWTIDE_OK && !cursor->table->integer_key)
        rc = read_key(cursor);
    return end_call(base, rc);
}

static int next_key(sqlite3_vtab_cursor *base)
{
    keys_cursor *cursor = (keys_cursor *)base;
    cursor->row++;
    return end_call(base, read_key(cursor));
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    return ((keys_cursor *)base)->ended;
}

static int result_part(const keys_cursor *cursor, sqlite3_context *context,
                       int nth)
{
    rowtide__unpack unpack = {(const unsigned char *)cursor->key.data,
                              cursor->key.size, 0, cursor->table->key_count};
    rowtide_value value = rowtide_value_null();
    int rc = ROWTIDE_OK;
    for (int i = 0; i <= nth && rc == ROWTIDE_OK; i++)
        rc = rowtide__unpack_next(&unpack, &value);
    if (rc == ROWTIDE_OK)
        rowtide__crdt_result(context, &value);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int read_column(sqlite3_vtab_cursor *base, sqlite3_context *context,
                       int column)
{
    keys_cursor *cursor = (keys_cursor *)base;
    if (column >= KEY)
        return end_call(base, result_part(cursor, context, column - KEY));
    if (column == ROW)
        sqlite3_result_int64(context, cursor->row);
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = ((keys_cursor *)base)->row;
    return SQLITE_OK;
}

static const sqlite3_module MODULE = {
    .xConnect = connect_keys,
    .xBestIndex = plan_keys,
    .xDisconnect = disconnect_keys,
    .xOpen = open_keys,
    .xClose = close_keys,
    .xFilter = filter_keys,
    .xNext = next_key,
    .xEof = is_at_end,
    .xColumn = read_column,
    .xRowid = read_rowid,
};

int rowtide__crdt_add_keys(rowtide__crdt *engine)
{
    return rowtide__crdt_module(engine, "rowtide_crdt_keys", &MODULE);
}
