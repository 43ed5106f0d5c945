#include "crdt/log.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* A bundle has the items of several versions, each with its own version behind
 * it. Transactions that did the same with one row after the other share one
 * item, in which every row has another version. */
enum {
    OPEN_RUNS = 4,
    MOST_ITEMS = 80,    /* which mostly fit in a page without overflow */
    MOST_ROWS = 1 << 16 /* more come from a damaged file */
};

/* ## Runs */

typedef struct builder {
    rowtide__log *runs;
    size_t open[OPEN_RUNS]; /* places of those that may go on */
    int count, oldest;
} builder;

/* The nth row of an item, or what is left from there on. */
static rowtide__logged from_row(const rowtide__logged *item, int64_t nth)
{
    rowtide__logged row = *item;
    uint64_t rows = (uint64_t)nth;
    row.row = (int64_t)((uint64_t)item->row + rows);
    row.rows = item->rows - nth;
    row.sequence = (int64_t)((uint64_t)item->sequence
                             + rows * (uint64_t)item->stride);
    row.db_version = (int64_t)((uint64_t)item->db_version
                               + rows * (uint64_t)item->leap);
    return row;
}

void rowtide__logged_skip(rowtide__logged *item, int64_t rows)
{
    *item = from_row(item, rows);
}

/* 1 if the item is the next row of the run, which it then is part of. */
static int extend(rowtide__logged *run, const rowtide__logged *item)
{
    rowtide__logged next = from_row(run, run->rows);
    if (item->table != run->table || item->column != run->column
        || item->count != run->count || item->row != next.row)
        return 0;
    if (run->rows == 1) {
        next.db_version = item->db_version;
        next.sequence = item->sequence;
        if (item->db_version == run->db_version)
            return 0;
        run->leap = rowtide__minus(item->db_version, run->db_version);
        run->stride = rowtide__minus(item->sequence, run->sequence);
    }
    if (run->leap == 0 || item->db_version != next.db_version
        || item->sequence != next.sequence)
        return 0;
    run->rows++;
    return 1;
}

static int add_item(builder *build, const rowtide__logged *item)
{
    int rc;
    for (int i = 0; i < build->count && item->rows == 1; i++)
        if (extend(&build->runs->items[build->open[i]], item))
            return ROWTIDE_OK;
    rc = rowtide__log_add(build->runs, item);
    if (rc != ROWTIDE_OK || item->rows > 1)
        return rc;
    build->open[build->oldest] = build->runs->count - 1;
    build->oldest = (build->oldest + 1) % OPEN_RUNS;
    if (build->count < OPEN_RUNS)
        build->count++;
    return ROWTIDE_OK;
}

/* A row whose run did not go on keeps what single rows have. */
static void close_runs(rowtide__log *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        if (runs->items[i].rows == 1) {
            runs->items[i].stride = runs->items[i].count;
            runs->items[i].leap = 0;
        }
}

/* ## Encoding */

static int put_versions(rowtide_buffer *out, const rowtide__logged *item,
                        const rowtide__logged *last)
{
    unsigned char bytes[2 * 10];
    int at = rowtide__varint_put(
        bytes, (uint64_t)rowtide__minus(item->db_version, last->db_version));
    if (item->rows > 1)
        at += rowtide__varint_put(bytes + at, (uint64_t)item->leap);
    return rowtide__buffer_append(out, bytes, (size_t)at);
}

static int encode(rowtide__crdt *engine, rowtide__log *runs)
{
    rowtide__logged last = ROWTIDE__NO_ITEM;
    int rc = ROWTIDE_OK;
    close_runs(runs);
    rowtide__buffer_clear(&engine->bytes);
    for (size_t i = 0; i < runs->count && rc == ROWTIDE_OK; i++) {
        rc = rowtide__log_put_item(&engine->bytes, &runs->items[i], &last);
        if (rc == ROWTIDE_OK)
            rc = put_versions(&engine->bytes, &runs->items[i], &last);
        last = runs->items[i];
    }
    return rc;
}

/* Single rows instead of runs of several versions. */
static int expand(rowtide__log *log)
{
    size_t count = log->count;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++) {
        rowtide__logged item = log->items[i];
        if (item.rows == 1 || item.leap == 0)
            continue;
        if (log->count > MOST_ROWS)
            return rowtide__log_damaged();
        for (int64_t n = 0; n < item.rows && rc == ROWTIDE_OK; n++) {
            rowtide__logged row = from_row(&item, n);
            row.rows = 1;
            row.stride = row.count;
            row.leap = 0;
            if (n == 0)
                log->items[i] = row;
            else
                rc = rowtide__log_add(log, &row);
        }
    }
    rowtide__log_sort(log);
    return rc;
}

int rowtide__bundle_encode(rowtide__crdt *engine, rowtide__log *log)
{
    rowtide__log runs = {NULL, 0, 0};
    builder build = {&runs, {0}, 0, 0};
    int rc = expand(log);
    for (size_t i = 0; i < log->count && rc == ROWTIDE_OK; i++)
        rc = add_item(&build, &log->items[i]);
    if (rc == ROWTIDE_OK)
        rc = encode(engine, &runs);
    rowtide__log_dispose(&runs);
    return rc;
}

static int is_last_of_version(const rowtide__log *log, size_t at)
{
    return at + 1 == log->count
           || log->items[at].db_version != log->items[at + 1].db_version;
}

/* Versions are not parted. */
int rowtide__bundle_write(rowtide__crdt *engine, rowtide__log *log)
{
    rowtide__log runs = {NULL, 0, 0};
    builder build = {&runs, {0}, 0, 0};
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < log->count && rc == ROWTIDE_OK; i++) {
        rc = add_item(&build, &log->items[i]);
        if (rc != ROWTIDE_OK || !is_last_of_version(log, i)
            || (runs.count < MOST_ITEMS && i + 1 < log->count))
            continue;
        rc = encode(engine, &runs);
        if (rc == ROWTIDE_OK)
            rc = rowtide__log_write_row(engine, log->items[i].db_version, 0,
                                        ROWTIDE__BUNDLE);
        runs.count = 0;
        build.count = build.oldest = 0;
    }
    rowtide__log_dispose(&runs);
    return rc;
}

/* ## Decoding */

static int take_versions(rowtide__scan *in, int64_t until,
                         const rowtide__logged *last, rowtide__logged *item)
{
    uint64_t more = rowtide__scan_take(in);
    uint64_t leap = item->rows > 1 ? rowtide__scan_take(in) : 0;
    uint64_t left = (uint64_t)rowtide__minus(until, last->db_version);
    if (in->bad || more > left || leap > left
        || (leap > 0
            && (item->rows > MOST_ROWS
                || (uint64_t)item->rows > left / leap + 1)))
        return rowtide__log_damaged();
    item->db_version = last->db_version + (int64_t)more;
    item->leap = (int64_t)leap;
    return ROWTIDE_OK;
}

int rowtide__bundle_decode(const void *body, size_t size, int64_t db_version,
                           int single, rowtide__log *out)
{
    rowtide__scan in = {body, size, 0};
    rowtide__logged last = ROWTIDE__NO_ITEM;
    int rc = db_version < 0 ? rowtide__log_damaged() : ROWTIDE_OK;
    out->count = 0;
    while (in.size > 0 && rc == ROWTIDE_OK) {
        rowtide__logged item;
        rowtide__log_take_item(&in, &last, &item);
        if (in.bad)
            return rowtide__log_damaged();
        rc = take_versions(&in, db_version, &last, &item);
        if (rc == ROWTIDE_OK)
            rc = rowtide__log_add(out, &item);
        last = item;
    }
    return rc == ROWTIDE_OK && single ? expand(out) : rc;
}
