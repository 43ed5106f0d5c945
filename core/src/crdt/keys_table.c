#include "crdt/enable.h"
#include "crdt/key_order.h"
#include "crdt/numbers.h"
#include "crdt/pack.h"
#include "crdt/vtab.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

/* rowtide_crdt_keys(table, first, last): the keys with numbers in this range,
 * or the first of them if they are many. They come in about the order of the
 * table, so that a join with it goes from page to page. */

enum { ROW, TABLE_ID, FIRST, LAST, KEY };

/* Of keys, and of their bytes. */
enum { MOST = 1 << 15, LARGEST = 1 << 20 };

typedef struct keys_cursor {
    sqlite3_vtab_cursor base;
    rowtide__crdt_table *table;
    int key_count;
    rowtide__key_order keys; /* numbered by row */
    size_t at;
} keys_cursor;

static int declare(sqlite3 *sqlite, void *engine, sqlite3_vtab **out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&sql, ROWTIDE_OK};
    rowtide__write_text(&writer, "CREATE TABLE x(row INTEGER, table_id HIDDEN, "
                                 "first HIDDEN, last HIDDEN");
    for (int i = 0; i < ROWTIDE__MAX_KEYS; i++)
        rowtide__write_format(&writer, ", k%d", i);
    rowtide__write_text(&writer, ")");
    int rc = writer.rc == ROWTIDE_OK
                 ? rowtide__vtab_connect(sqlite, engine, sql.data, out)
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
    return declare(sqlite, engine, out);
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
    (void)vtab;
    return rowtide__vtab_open(sizeof(keys_cursor), out);
}

static int close_keys(sqlite3_vtab_cursor *base)
{
    keys_cursor *cursor = (keys_cursor *)base;
    rowtide__key_order_dispose(&cursor->keys);
    sqlite3_free(cursor);
    return SQLITE_OK;
}

static rowtide__crdt *engine_of(sqlite3_vtab_cursor *base)
{
    return rowtide__vtab_engine(base->pVtab);
}

/* ## Gathering */

static int gather(keys_cursor *cursor, int64_t row, int64_t last)
{
    rowtide__new_key found;
    for (; row <= last && cursor->keys.count < MOST
           && cursor->keys.bytes.size < LARGEST;
         row++) {
        int rc = rowtide__blocks_read(engine_of(&cursor->base), cursor->table,
                                      row, &found);
        if (rc == ROWTIDE_OK)
            rc = rowtide__key_order_add(&cursor->keys, found.data, found.size,
                                        row);
        if (rc < 0)
            return rc;
    }
    return ROWTIDE_OK;
}

/* There are no keys outside. */
static int bound(keys_cursor *cursor, int64_t *first, int64_t *last)
{
    rowtide__crdt *engine = engine_of(&cursor->base);
    int rc = rowtide__blocks_open(cursor->table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__blocks_bound(engine, cursor->table);
    if (rc != ROWTIDE_OK)
        return rc;
    int64_t stored = cursor->table->numbers->next - 1;
    int64_t greatest = rowtide__new_keys_last(engine->unstored, cursor->table);
    if (greatest < stored)
        greatest = stored;
    if (*last > greatest)
        *last = greatest;
    if (*first < 1)
        *first = 1;
    return ROWTIDE_OK;
}

static int filter_keys(sqlite3_vtab_cursor *base, int plan, const char *text,
                       int argc, sqlite3_value **argv)
{
    keys_cursor *cursor = (keys_cursor *)base;
    (void)text;
    (void)argc;
    cursor->at = 0;
    rowtide__key_order_clear(&cursor->keys);
    if (plan == 0)
        return SQLITE_OK;
    int64_t first = sqlite3_value_int64(argv[1]);
    int64_t last = sqlite3_value_int64(argv[2]);
    int rc = rowtide__crdt_table_by_id(
        engine_of(base), sqlite3_value_int64(argv[0]), &cursor->table);
    if (rc != ROWTIDE_OK || cursor->table->integer_key)
        return rowtide__vtab_end_call(base->pVtab, rc);
    cursor->key_count = cursor->table->key_count;
    rc = bound(cursor, &first, &last);
    if (rc == ROWTIDE_OK)
        rc = gather(cursor, first, last);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_order_sort(&cursor->keys, cursor->key_count);
    return rowtide__vtab_end_call(base->pVtab, rc);
}

/* ## Giving */

static int next_key(sqlite3_vtab_cursor *base)
{
    ((keys_cursor *)base)->at++;
    return SQLITE_OK;
}

static int is_at_end(sqlite3_vtab_cursor *base)
{
    const keys_cursor *cursor = (const keys_cursor *)base;
    return cursor->at >= cursor->keys.count;
}

static const rowtide__ordered_key *key_at(sqlite3_vtab_cursor *base)
{
    const keys_cursor *cursor = (const keys_cursor *)base;
    return &cursor->keys.keys[cursor->at];
}

static int result_part(const rowtide__ordered_key *key,
                       sqlite3_context *context, int nth, int count)
{
    rowtide__unpack unpack = {key->data, key->size, 0, count};
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
    const rowtide__ordered_key *key = key_at(base);
    if (column >= KEY)
        return rowtide__vtab_end_call(
            base->pVtab, result_part(key, context, column - KEY,
                                     ((keys_cursor *)base)->key_count));
    if (column == ROW)
        sqlite3_result_int64(context, key->number);
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = key_at(base)->number;
    return SQLITE_OK;
}

static const sqlite3_module MODULE = {
    .xConnect = connect_keys,
    .xBestIndex = plan_keys,
    .xDisconnect = rowtide__vtab_disconnect,
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
