#include "crdt/read.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

int rowtide__reader_step_log(rowtide__reader *reader)
{
    int rc = rowtide__crdt_step(reader->engine, reader->log);
    reader->log_row = rc == ROWTIDE_OK;
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int64_t log_version(const rowtide__reader *reader)
{
    return sqlite3_column_int64(reader->log, 0);
}

static int64_t log_block(const rowtide__reader *reader)
{
    return sqlite3_column_int64(reader->log, 1);
}

/* Add the items of the block that the statement is at, and go on. */
static int take_block(rowtide__reader *reader)
{
    size_t size = (size_t)sqlite3_column_bytes(reader->log, 3);
    const void *data = sqlite3_column_blob(reader->log, 3);
    int rc = rowtide__log_decode(data, data ? size : 0, reader->db_version,
                                 &reader->decoded);
    for (size_t i = 0; rc == ROWTIDE_OK && i < reader->decoded.count; i++) {
        rowtide__logged *item = &reader->decoded.items[i];
        if (!reader->only_table || item->table == reader->only_table)
            rc = rowtide__log_add(&reader->items, item);
    }
    return rc == ROWTIDE_OK ? rowtide__reader_step_log(reader) : rc;
}

static int is_in_version(const rowtide__reader *reader)
{
    return reader->log_row && log_version(reader) == reader->db_version
           && log_block(reader) != ROWTIDE__BUNDLE;
}

static int64_t last_sequence(const rowtide__logged *item)
{
    return item->sequence + (item->rows - 1) * item->stride + item->count - 1;
}

static int compare_ends(const void *left, const void *right)
{
    const rowtide__logged *a = left, *b = right;
    int64_t x = last_sequence(a), y = last_sequence(b);
    if (x != y)
        return x > y ? -1 : 1;
    return a->table > b->table ? -1 : a->table < b->table;
}

/* Blocks of one flush are in order. Those of several, and all of them read
 * backwards, have to be put in order. */
static int load_version(rowtide__reader *reader)
{
    reader->db_version = log_version(reader);
    reader->items.count = reader->next = 0;
    reader->streaming = 0;
    int rc = take_block(reader);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!reader->descending
        && (!is_in_version(reader) || log_block(reader) > 0)) {
        reader->streaming = 1;
        return ROWTIDE_OK;
    }
    while (rc == ROWTIDE_OK && is_in_version(reader))
        rc = take_block(reader);
    if (reader->items.count > 0)
        qsort(reader->items.items, reader->items.count,
              sizeof *reader->items.items,
              reader->descending ? compare_ends
                                 : rowtide__logged_compare_starts);
    return rc;
}

/* ## Bundles, and the tail, which is read as if it were one */

int rowtide__reader_take_tail(rowtide__reader *reader)
{
    int rc = rowtide__tail_items(reader->engine, reader->since, &reader->tail);
    reader->tail_first = INT64_MAX;
    if (rc == ROWTIDE_OK && reader->tail.count > 0)
        reader->tail_first = reader->tail.items[0].db_version;
    return rc;
}

static int load_bundle(rowtide__reader *reader)
{
    size_t size = (size_t)sqlite3_column_bytes(reader->log, 3);
    const void *data = sqlite3_column_blob(reader->log, 3);
    reader->bundle_at = 0;
    int rc = rowtide__bundle_decode(data ? data : "", data ? size : 0,
                                    log_version(reader), 1, &reader->bundle);
    return rc == ROWTIDE_OK ? rowtide__reader_step_log(reader) : rc;
}

static void use_tail(rowtide__reader *reader)
{
    rowtide__log swapped = reader->bundle;
    reader->bundle = reader->tail;
    reader->tail = swapped;
    reader->tail.count = reader->bundle_at = 0;
}

/* The item of the bundle that comes next. */
static const rowtide__logged *peek_bundle(const rowtide__reader *reader)
{
    size_t left = reader->bundle.count - reader->bundle_at;
    if (left == 0)
        return NULL;
    return &reader->bundle
                .items[reader->descending ? left - 1 : reader->bundle_at];
}

static int load_bundled_version(rowtide__reader *reader)
{
    const rowtide__logged *item = peek_bundle(reader);
    int rc = ROWTIDE_OK;
    reader->items.count = reader->next = 0;
    reader->streaming = 0;
    reader->db_version = item->db_version;
    for (; item && item->db_version == reader->db_version && rc == ROWTIDE_OK;
         item = peek_bundle(reader)) {
        if ((!reader->only_table || item->table == reader->only_table)
            && item->db_version > reader->since
            && item->db_version <= reader->until)
            rc = rowtide__log_add(&reader->items, item);
        reader->bundle_at++;
    }
    if (reader->items.count > 1)
        qsort(reader->items.items, reader->items.count,
              sizeof *reader->items.items,
              reader->descending ? compare_ends
                                 : rowtide__logged_compare_starts);
    return rc;
}

/* ROWTIDE_DONE behind the last. What is in the tail comes after the log; if
 * this connection has folded it meanwhile, it is in the log too. */
static int load_from_log(rowtide__reader *reader)
{
    int64_t db_version = reader->log_row ? log_version(reader) : 0;
    if (!reader->log_row
        || (reader->descending ? db_version <= reader->since
                               : db_version >= reader->tail_first
                                     || reader->db_version > reader->until))
        return ROWTIDE_DONE;
    if (log_block(reader) == ROWTIDE__BUNDLE)
        return load_bundle(reader);
    if (db_version <= reader->until)
        return load_version(reader);
    return reader->descending ? rowtide__reader_step_log(reader) : ROWTIDE_DONE;
}

static int load_next_version(rowtide__reader *reader)
{
    if (reader->descending && reader->tail.count > 0)
        use_tail(reader);
    if (peek_bundle(reader))
        return load_bundled_version(reader);
    int rc = load_from_log(reader);
    if (rc == ROWTIDE_DONE && reader->tail.count > 0) {
        use_tail(reader);
        return ROWTIDE_OK;
    }
    return rc;
}

static int activate(rowtide__reader *reader, const rowtide__logged *item)
{
    int rc = rowtide__grow(&reader->active, &reader->active_capacity,
                           reader->active_count + 1, sizeof *reader->active);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__active *added = &reader->active[reader->active_count++];
    added->item = *item;
    added->nth = reader->descending ? item->rows - 1 : 0;
    added->offset = reader->descending ? item->count - 1 : 0;
    added->sequence = reader->descending ? last_sequence(item) : item->sequence;
    return ROWTIDE_OK;
}

static size_t first_active(const rowtide__reader *reader)
{
    size_t first = 0;
    for (size_t i = 1; i < reader->active_count; i++) {
        int64_t a = reader->active[i].sequence;
        int64_t b = reader->active[first].sequence;
        if (reader->descending ? a > b : a < b)
            first = i;
    }
    return first;
}

/* 1 if the next item begins before the first that is active is through. */
static int is_due(const rowtide__reader *reader)
{
    if (reader->active_count == 0)
        return 1;
    /* The cells of one row are in order, by version first. */
    if (reader->by_row)
        return 0;
    const rowtide__logged *item = &reader->items.items[reader->next];
    int64_t at = reader->active[first_active(reader)].sequence;
    return reader->descending ? last_sequence(item) >= at
                              : item->sequence <= at;
}

/* More items, if there are any in this version. ROWTIDE_DONE if not. */
static int refill(rowtide__reader *reader)
{
    if (reader->next < reader->items.count)
        return ROWTIDE_OK;
    if (!reader->streaming || !is_in_version(reader))
        return ROWTIDE_DONE;
    reader->items.count = reader->next = 0;
    int rc = take_block(reader);
    return rc == ROWTIDE_OK ? refill(reader) : rc;
}

static int fill_active(rowtide__reader *reader)
{
    int rc;
    while ((rc = refill(reader)) == ROWTIDE_OK && is_due(reader)) {
        rc = activate(reader, &reader->items.items[reader->next++]);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    if (rc == ROWTIDE_DONE)
        rc = ROWTIDE_OK;
    return rc;
}

static void advance(rowtide__reader *reader, size_t place)
{
    rowtide__active *at = &reader->active[place];
    int step = reader->descending ? -1 : 1, ended;
    at->offset += step;
    if (at->offset < 0 || at->offset == at->item.count) {
        at->nth += step;
        at->offset = reader->descending ? at->item.count - 1 : 0;
    }
    ended = at->nth < 0 || at->nth == at->item.rows;
    if (ended)
        *at = reader->active[--reader->active_count];
    else
        at->sequence = at->item.sequence + at->nth * at->item.stride
                       + at->offset;
}

int rowtide__reader_next_spot(rowtide__reader *reader, rowtide__spot *out)
{
    int rc = fill_active(reader);
    while (rc == ROWTIDE_OK && reader->active_count == 0) {
        rc = reader->by_row ? ROWTIDE_DONE : load_next_version(reader);
        if (rc == ROWTIDE_OK)
            rc = fill_active(reader);
    }
    if (rc != ROWTIDE_OK)
        return rc;
    size_t place = first_active(reader);
    const rowtide__active *at = &reader->active[place];
    out->table = at->item.table;
    out->row = at->item.row + at->nth;
    out->last = (int64_t)((uint64_t)at->item.row + (uint64_t)at->item.rows - 1);
    out->column = at->item.column + at->offset;
    out->db_version = at->item.db_version;
    out->sequence = at->sequence;
    advance(reader, place);
    return ROWTIDE_OK;
}

/* ## One row */

static int compare_places(const void *left, const void *right)
{
    const rowtide__logged *a = left, *b = right;
    if (a->db_version != b->db_version)
        return a->db_version < b->db_version ? -1 : 1;
    return rowtide__logged_compare_starts(left, right);
}

static int compare_places_down(const void *left, const void *right)
{
    return compare_places(right, left);
}

/* Every cell becomes an item of its own. */
int rowtide__reader_list_row(rowtide__reader *reader,
                             rowtide__crdt_table *table, int64_t row)
{
    int rc = rowtide__store_read(reader->engine, table, row, &reader->clock);
    for (int i = 0; i < reader->clock.count && rc == ROWTIDE_OK; i++) {
        const rowtide__group *group = &reader->clock.groups[i];
        rowtide__logged item = {group->db_version,
                                group->sequence,
                                table->id,
                                row,
                                1,
                                0,
                                group->column,
                                1,
                                0};
        for (int n = 0; n < group->count && rc == ROWTIDE_OK; n++) {
            item.sequence = group->sequence + n;
            item.column = group->column + n;
            if (item.db_version > reader->since
                && item.db_version <= reader->until)
                rc = rowtide__log_add(&reader->items, &item);
        }
    }
    if (reader->items.count > 0)
        qsort(reader->items.items, reader->items.count,
              sizeof *reader->items.items,
              reader->descending ? compare_places_down : compare_places);
    return rc;
}
