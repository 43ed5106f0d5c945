#include "crdt/log.h"
#include "crdt/scan.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* What an item leaves out because it is as in the item before. */
enum {
    SAME_TABLE = 1,
    SEQUENCE_FOLLOWS = 2,
    SAME_COLUMNS = 4,
    ONE_ROW = 8,
    STRIDE_IS_COUNT = 16,
    ROW_FOLLOWS = 32
};

/* A block has to fit in a page without overflow, at SQLite's usual size. */
enum { BLOCK_BYTES = 880, ITEM_BYTES = 1 + 7 * 10 };

int rowtide__log_add(rowtide__log *log, const rowtide__logged *item)
{
    int rc = rowtide__grow(&log->items, &log->capacity, log->count + 1,
                           sizeof *log->items);
    if (rc == ROWTIDE_OK)
        log->items[log->count++] = *item;
    return rc;
}

static int64_t next_sequence(const rowtide__logged *item)
{
    uint64_t last = (uint64_t)(item->rows - 1) * (uint64_t)item->stride;
    return (int64_t)((uint64_t)item->sequence + last + (uint64_t)item->count);
}

static int tag_of(const rowtide__logged *item, const rowtide__logged *last)
{
    return (item->table == last->table ? SAME_TABLE : 0)
           | (item->sequence == next_sequence(last) ? SEQUENCE_FOLLOWS : 0)
           | (item->column == last->column && item->count == last->count
                  ? SAME_COLUMNS
                  : 0)
           | (item->rows == 1 ? ONE_ROW : 0)
           | (item->stride == item->count ? STRIDE_IS_COUNT : 0)
           | (item->row == rowtide__plus(last->row, last->rows) ? ROW_FOLLOWS
                                                                : 0);
}

int rowtide__logged_compare_starts(const void *left, const void *right)
{
    const rowtide__logged *a = left, *b = right;
    if (a->sequence != b->sequence)
        return a->sequence < b->sequence ? -1 : 1;
    return a->table < b->table ? -1 : a->table > b->table;
}

static int compare_items(const void *left, const void *right)
{
    const rowtide__logged *a = left, *b = right;
    if (a->db_version != b->db_version)
        return a->db_version < b->db_version ? -1 : 1;
    return rowtide__logged_compare_starts(left, right);
}

int rowtide__log_put_item(rowtide_buffer *out, const rowtide__logged *item,
                          const rowtide__logged *last)
{
    int rc = rowtide__buffer_reserve(out, ITEM_BYTES);
    if (rc != ROWTIDE_OK)
        return rc;
    unsigned char *data = (unsigned char *)out->data + out->size;
    int tag = tag_of(item, last), at = 1;
    data[0] = (unsigned char)tag;
    if (!(tag & SAME_TABLE))
        at += rowtide__varint_put(data + at, (uint64_t)item->table);
    if (!(tag & SEQUENCE_FOLLOWS))
        at += rowtide__varint_put(
            data + at,
            rowtide__zigzag(rowtide__minus(item->sequence, last->sequence)));
    if (!(tag & SAME_COLUMNS)) {
        at += rowtide__varint_put(data + at, (uint64_t)item->column);
        at += rowtide__varint_put(data + at, (uint64_t)item->count);
    }
    if (!(tag & ONE_ROW)) {
        at += rowtide__varint_put(data + at, (uint64_t)item->rows);
        if (!(tag & STRIDE_IS_COUNT))
            at += rowtide__varint_put(data + at, rowtide__zigzag(item->stride));
    }
    if (!(tag & ROW_FOLLOWS))
        at += rowtide__varint_put(
            data + at, rowtide__zigzag(rowtide__minus(item->row, last->row)));
    out->size += (size_t)at;
    return ROWTIDE_OK;
}

void rowtide__log_take_item(rowtide__scan *in, const rowtide__logged *last,
                            rowtide__logged *item)
{
    int tag = (int)rowtide__scan_take(in);
    memset(item, 0, sizeof *item);
    item->table = tag & SAME_TABLE ? last->table
                                   : (int64_t)rowtide__scan_take(in);
    item->sequence = next_sequence(last);
    if (!(tag & SEQUENCE_FOLLOWS))
        item->sequence = rowtide__plus(
            last->sequence, rowtide__unzigzag(rowtide__scan_take(in)));
    item->column = last->column;
    item->count = last->count;
    if (!(tag & SAME_COLUMNS)) {
        item->column = (int32_t)(rowtide__scan_take(in) & INT32_MAX);
        item->count = (int32_t)(rowtide__scan_take(in) & INT32_MAX);
    }
    item->rows = tag & ONE_ROW ? 1 : (int64_t)rowtide__scan_take(in);
    item->stride = item->count;
    if (!(tag & (ONE_ROW | STRIDE_IS_COUNT)))
        item->stride = rowtide__unzigzag(rowtide__scan_take(in));
    item->row = rowtide__plus(last->row, last->rows);
    if (!(tag & ROW_FOLLOWS))
        item->row = rowtide__plus(last->row,
                                  rowtide__unzigzag(rowtide__scan_take(in)));
    if (item->rows < 1 || item->count < 1)
        in->bad = 1;
}

int rowtide__log_damaged(void)
{
    return rowtide__fail(ROWTIDE_ECORRUPT, "the log of changes is damaged");
}

int rowtide__log_decode(const void *body, size_t size, int64_t db_version,
                        rowtide__log *out)
{
    rowtide__scan in = {body, size, 0};
    rowtide__logged last = ROWTIDE__NO_ITEM;
    out->count = 0;
    while (in.size > 0) {
        rowtide__logged item;
        rowtide__log_take_item(&in, &last, &item);
        item.db_version = db_version;
        if (in.bad)
            return rowtide__log_damaged();
        int rc = rowtide__log_add(out, &item);
        if (rc != ROWTIDE_OK)
            return rc;
        last = item;
    }
    return ROWTIDE_OK;
}

void rowtide__log_dispose(rowtide__log *log)
{
    rowtide__free(log->items);
    memset(log, 0, sizeof *log);
}

/* ## Writing */

static int is_sorted(const rowtide__log *log)
{
    for (size_t i = 1; i < log->count; i++)
        if (compare_items(&log->items[i - 1], &log->items[i]) > 0)
            return 0;
    return 1;
}

/* A number no flush has used for this version. */
static int next_batch(rowtide__crdt *engine, int64_t db_version, int64_t *out)
{
    sqlite3_stmt *stmt;
    *out = engine->batch++;
    if (engine->version_known && db_version > engine->db_version)
        return ROWTIDE_OK;
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__LOG_BATCH, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(stmt, 1, db_version);
    rc = rowtide__crdt_step(engine, stmt);
    if (rc == ROWTIDE_OK && sqlite3_column_type(stmt, 0) != SQLITE_NULL
        && sqlite3_column_int64(stmt, 0) >= *out) {
        *out = sqlite3_column_int64(stmt, 0) + 1;
        engine->batch = *out + 1;
    }
    sqlite3_reset(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

int rowtide__log_write_row(rowtide__crdt *engine, int64_t db_version,
                           int64_t batch, int64_t block)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_fixed(engine, ROWTIDE__LOG_PUT, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(stmt, 1, db_version);
    sqlite3_bind_int64(stmt, 2, batch);
    sqlite3_bind_int64(stmt, 3, block);
    sqlite3_bind_blob64(stmt, 4, engine->bytes.data, engine->bytes.size,
                        SQLITE_STATIC);
    return rowtide__crdt_run(engine, stmt);
}

int rowtide__log_encode(rowtide__crdt *engine, const rowtide__log *log,
                        size_t *at)
{
    int64_t db_version = log->items[*at].db_version;
    rowtide__logged last = ROWTIDE__NO_ITEM;
    int rc = ROWTIDE_OK;
    rowtide__buffer_clear(&engine->bytes);
    while (rc == ROWTIDE_OK && engine->bytes.size < BLOCK_BYTES
           && *at < log->count && log->items[*at].db_version == db_version) {
        rc = rowtide__log_put_item(&engine->bytes, &log->items[*at], &last);
        last = log->items[(*at)++];
    }
    return rc;
}

/* Items from `*at` on, as long as they have the same version. */
static int write_version(rowtide__crdt *engine, const rowtide__log *log,
                         size_t *at)
{
    int64_t db_version = log->items[*at].db_version, batch, block = 0;
    int rc = next_batch(engine, db_version, &batch);
    if (db_version > engine->logged_version)
        engine->logged_version = db_version;
    while (rc == ROWTIDE_OK && *at < log->count
           && log->items[*at].db_version == db_version) {
        rc = rowtide__log_encode(engine, log, at);
        if (rc == ROWTIDE_OK)
            rc = rowtide__log_write_row(engine, db_version, batch, block++);
    }
    return rc;
}

void rowtide__log_sort(rowtide__log *log)
{
    if (!is_sorted(log))
        qsort(log->items, log->count, sizeof *log->items, compare_items);
}

int rowtide__log_write(rowtide__crdt *engine, rowtide__log *log)
{
    size_t at = 0;
    int rc = ROWTIDE_OK;
    rowtide__log_sort(log);
    while (rc == ROWTIDE_OK && at < log->count)
        rc = write_version(engine, log, &at);
    return rc;
}
