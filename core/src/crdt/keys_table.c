#include "crdt/enable.h"
#include "crdt/numbers.h"
#include "crdt/pack.h"
#include "crdt/local.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* rowtide_crdt_keys(table, first, last): the keys with numbers in this range,
 * or the first of them if they are many. They come in about the order of the
 * table, so that a join with it goes from page to page. */

enum { ROW, TABLE_ID, FIRST, LAST, KEY };

/* Of keys, and of their bytes. */
enum { MOST = 1 << 15, LARGEST = 1 << 20 };

typedef struct keys_table {
    sqlite3_vtab base;
    rowtide__crdt *engine;
} keys_table;

typedef struct gathered {
    uint64_t rank; /* what is compared first */
    int64_t row;
    const unsigned char *data; /* the packed key, in `bytes` */
    size_t size;
} gathered;

typedef struct keys_cursor {
    sqlite3_vtab_cursor base;
    rowtide__crdt_table *table;
    int key_count;
    gathered *keys;
    size_t count, capacity, at;
    rowtide_buffer bytes;
    size_t shared; /* bytes that all keys begin with */
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
    rowtide__free(cursor->keys);
    rowtide_buffer_dispose(&cursor->bytes);
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

/* ## Gathering */

/* Bits that are ordered as the values are: of numbers all, of others the first
 * bytes. */
static uint64_t rank_of(const rowtide_value *value)
{
    const unsigned char *data = value->data;
    const uint64_t sign = (uint64_t)1 << 63;
    uint64_t bits = 0;
    if (value->type == ROWTIDE_INTEGER)
        return (uint64_t)value->integer ^ sign;
    if (value->type == ROWTIDE_REAL) {
        memcpy(&bits, &value->real, sizeof bits);
        return bits & sign ? ~bits : bits | sign;
    }
    for (size_t i = 0; i < sizeof bits; i++)
        bits = bits << 8 | (i < value->size ? data[i] : 0);
    return bits;
}

/* So that comparing cannot fail. */
static int check_key(const rowtide__new_key *key, int count)
{
    rowtide__unpack unpack = {key->data, key->size, 0, count};
    rowtide_value value;
    int rc = ROWTIDE_OK;
    while (rc == ROWTIDE_OK)
        rc = rowtide__unpack_next(&unpack, &value);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static void share(keys_cursor *cursor, const rowtide__new_key *key)
{
    const char *first = cursor->bytes.data, *data = key->data;
    size_t same = 0;
    while (same < cursor->shared && same < key->size
           && first[same] == data[same])
        same++;
    cursor->shared = same;
}

static int add_key(keys_cursor *cursor, int64_t row,
                   const rowtide__new_key *found)
{
    gathered key = {0, row, NULL, found->size};
    int rc = check_key(found, cursor->key_count);
    if (rc == ROWTIDE_OK)
        rc = rowtide__grow(&cursor->keys, &cursor->capacity, cursor->count + 1,
                           sizeof *cursor->keys);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&cursor->bytes, found->data, found->size);
    if (rc != ROWTIDE_OK)
        return rc;
    share(cursor, found);
    cursor->keys[cursor->count++] = key;
    return ROWTIDE_OK;
}

static int gather(keys_cursor *cursor, int64_t row, int64_t last)
{
    rowtide__new_key found;
    for (; row <= last && cursor->count < MOST && cursor->bytes.size < LARGEST;
         row++) {
        int rc = rowtide__blocks_read(engine_of(&cursor->base), cursor->table,
                                      row, &found);
        if (rc == ROWTIDE_OK)
            rc = add_key(cursor, row, &found);
        if (rc < 0)
            return rc;
    }
    return ROWTIDE_OK;
}

static int compare_columns(const gathered *a, const gathered *b)
{
    rowtide__unpack left = {a->data, a->size, 0, INT_MAX};
    rowtide__unpack right = {b->data, b->size, 0, INT_MAX};
    rowtide_value x, y;
    while (left.at < left.size && right.at < right.size) {
        rowtide__unpack_next(&left, &x);
        rowtide__unpack_next(&right, &y);
        int order = rowtide__value_compare(&x, &y);
        if (order)
            return order;
    }
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const gathered *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    int order = compare_columns(a, b);
    return order ? order : a->row < b->row ? -1 : a->row > b->row;
}

/* Where the first column begins in which keys differ: the same in each. */
static size_t first_difference(const keys_cursor *cursor)
{
    rowtide__unpack unpack = {(const unsigned char *)cursor->bytes.data,
                              cursor->bytes.size, 0, cursor->key_count};
    rowtide_value value;
    size_t start = 0;
    while (cursor->count > 0 && unpack.left > 1) {
        rowtide__unpack_next(&unpack, &value);
        if (unpack.at > cursor->shared)
            break;
        start = unpack.at;
    }
    return start;
}

/* Keys often are written in their order. */
static void sort(keys_cursor *cursor)
{
    const unsigned char *data = (const unsigned char *)cursor->bytes.data;
    size_t start = first_difference(cursor);
    int sorted = 1;
    for (size_t i = 0; i < cursor->count; i++) {
        gathered *key = &cursor->keys[i];
        rowtide__unpack unpack = {data, key->size, start, 1};
        rowtide_value value;
        rowtide__unpack_next(&unpack, &value);
        key->rank = rank_of(&value);
        key->data = data;
        data += key->size;
        sorted = sorted && (i == 0 || compare_keys(key - 1, key) < 0);
    }
    if (!sorted)
        qsort(cursor->keys, cursor->count, sizeof *cursor->keys, compare_keys);
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
    cursor->count = cursor->at = 0;
    cursor->shared = SIZE_MAX;
    rowtide__buffer_clear(&cursor->bytes);
    if (plan == 0)
        return SQLITE_OK;
    int64_t first = sqlite3_value_int64(argv[1]);
    int64_t last = sqlite3_value_int64(argv[2]);
    int rc = rowtide__crdt_table_by_id(
        engine_of(base), sqlite3_value_int64(argv[0]), &cursor->table);
    if (rc != ROWTIDE_OK || cursor->table->integer_key)
        return end_call(base, rc);
    cursor->key_count = cursor->table->key_count;
    rc = bound(cursor, &first, &last);
    if (rc == ROWTIDE_OK)
        rc = gather(cursor, first, last);
    if (rc == ROWTIDE_OK)
        sort(cursor);
    return end_call(base, rc);
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
    return cursor->at >= cursor->count;
}

static const gathered *key_at(sqlite3_vtab_cursor *base)
{
    const keys_cursor *cursor = (const keys_cursor *)base;
    return &cursor->keys[cursor->at];
}

static int result_part(const gathered *key, sqlite3_context *context, int nth,
                       int count)
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
    const gathered *key = key_at(base);
    if (column >= KEY)
        return end_call(base, result_part(key, context, column - KEY,
                                          ((keys_cursor *)base)->key_count));
    if (column == ROW)
        sqlite3_result_int64(context, key->row);
    return SQLITE_OK;
}

static int read_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
    *out = key_at(base)->row;
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
