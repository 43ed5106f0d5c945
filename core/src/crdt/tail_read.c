#include "crdt/tail.h"
#include "crdt/direct.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

int rowtide__tail_note_records(rowtide__crdt *engine, const void *data,
                               size_t size)
{
    rowtide__tail_scan scan;
    int rc;
    memset(&scan, 0, sizeof scan);
    scan.in.data = data;
    scan.in.size = size;
    scan.entry.db_version = engine->tail->db_version;
    while ((rc = rowtide__tail_next(&scan)) == ROWTIDE_OK
           && (rc = rowtide__tail_note(engine, &scan.entry)) == ROWTIDE_OK)
        ;
    rowtide__tail_scan_dispose(&scan);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int resize(rowtide__tail *tail, size_t size)
{
    if (size == tail->size)
        return ROWTIDE_OK;
    unsigned char *body = rowtide__realloc(tail->body, size);
    if (!body)
        return ROWTIDE_ENOMEM;
    tail->body = body;
    tail->size = size;
    return ROWTIDE_OK;
}

/* Mostly something was added, or nothing. ROWTIDE_DONE if it is not so. */
static int take_more(rowtide__crdt *engine, const unsigned char *data,
                     size_t size, size_t used)
{
    rowtide__tail *tail = engine->tail;
    int rc = rowtide__tail_read_segments(engine, data);
    if (rc == ROWTIDE_OK
        && (used < tail->used
            || (tail->used > 0
                && memcmp(data + ROWTIDE__TAIL_HEADER,
                          tail->body + ROWTIDE__TAIL_HEADER, tail->used)
                       != 0)))
        rc = ROWTIDE_DONE;
    if (rc == ROWTIDE_OK)
        rc = resize(tail, size);
    if (rc != ROWTIDE_OK)
        return rc;
    size_t from = tail->used;
    memcpy(tail->body, data, size);
    tail->used = used;
    tail->taken_back = 0;
    if (from != used)
        tail->undo.possible = 0;
    return rowtide__tail_note_records(
        engine, tail->body + ROWTIDE__TAIL_HEADER + from, used - from);
}

static int take_body(rowtide__crdt *engine, const unsigned char *data,
                     size_t size)
{
    if (!data || size < ROWTIDE__TAIL_HEADER)
        return rowtide__tail_fail_blob(engine);
    size_t used = (size_t)data[1] | (size_t)data[2] << 8;
    /* It is made of zeros. */
    if ((data[0] != ROWTIDE__TAIL_FORMAT && (data[0] != 0 || used > 0))
        || used > size - ROWTIDE__TAIL_HEADER)
        return rowtide__tail_fail_damaged();
    int rc = take_more(engine, data, size, used);
    if (rc != ROWTIDE_DONE)
        return rc;
    rowtide__tail_clear(engine->tail);
    rc = take_more(engine, data, size, used);
    return rc == ROWTIDE_DONE ? rowtide__tail_fail_damaged() : rc;
}

int rowtide__tail_load(rowtide__crdt *engine)
{
    rowtide__tail *tail = engine->tail;
    sqlite3_stmt *stmt;
    int rc = rowtide__crdt_tables_load(engine);
    tail->known = 0;
    if (rc == ROWTIDE_OK)
        rc = rowtide__crdt_fixed(engine, ROWTIDE__TAIL_READ, &stmt);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__crdt_step(engine, stmt);
    if (rc == ROWTIDE_OK) {
        const void *data = sqlite3_column_blob(stmt, 0);
        tail->stamp = sqlite3_column_int64(stmt, 1);
        rc = take_body(engine, data, (size_t)sqlite3_column_bytes(stmt, 0));
    } else if (rc == ROWTIDE_DONE) {
        rc = rowtide__fail(ROWTIDE_ECORRUPT, "the tail of the log is missing");
    }
    sqlite3_reset(stmt);
    if (rc != ROWTIDE_OK)
        rowtide__tail_clear(tail);
    rowtide__direct_check(engine);
    tail->known = rc == ROWTIDE_OK;
    return rc;
}

int rowtide__tail_know(rowtide__crdt *engine)
{
    return engine->tail->known ? ROWTIDE_OK : rowtide__tail_load(engine);
}

static int complete(rowtide__crdt *engine, rowtide__crdt_table *table,
                    int64_t row, rowtide__clock *out)
{
    rowtide__tail *tail = engine->tail;
    int rc = rowtide__store_record(engine, table, row, out);
    rowtide__kept *kept = rowtide__kept_find(tail, table->id, row);
    if (rc == ROWTIDE_OK)
        rc = rowtide__tail_apply(out, tail->groups + kept->groups_at,
                                 kept->count);
    if (rc == ROWTIDE_OK)
        rc = rowtide__kept_set(tail, kept, out);
    if (rc != ROWTIDE_OK)
        return rc;
    kept->whole = 1;
    return 1;
}

int rowtide__tail_find(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t row, rowtide__clock *out)
{
    rowtide__tail *tail = engine->tail;
    int rc = rowtide__tail_know(engine);
    if (rc != ROWTIDE_OK || tail->count == 0)
        return rc;
    const rowtide__kept *kept = rowtide__kept_find(tail, table->id, row);
    if (!kept)
        return 0;
    if (!kept->whole)
        return complete(engine, table, row, out);
    rc = rowtide__clock_copy(out, tail->groups + kept->groups_at, kept->count);
    return rc < 0 ? rc : 1;
}

/* ## All of it */

/* The first one behind a version; they are in order of versions. */
static size_t first_since(const rowtide__log *items, int64_t since)
{
    size_t low = 0, high = items->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items->items[middle].db_version <= since)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int rowtide__tail_items(rowtide__crdt *engine, int64_t since, rowtide__log *out)
{
    const rowtide__log *items = &engine->tail->items;
    int rc = rowtide__tail_know(engine);
    out->count = 0;
    for (size_t i = first_since(items, since);
         i < items->count && rc == ROWTIDE_OK; i++)
        rc = rowtide__log_add(out, &items->items[i]);
    rowtide__log_sort(out);
    return rc;
}

static int compare_places(const void *left, const void *right)
{
    const rowtide__tail_place *a = left, *b = right;
    if (a->table != b->table)
        return a->table < b->table ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

int rowtide__tail_places(const rowtide__tail *tail, int64_t table,
                         rowtide__tail_place **out, size_t *count)
{
    *count = 0;
    *out = rowtide__alloc_array(tail->count + 1, sizeof **out);
    if (!*out)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < tail->count; i++) {
        rowtide__tail_place place = {tail->kept[i].table, tail->kept[i].row};
        if (table == 0 || place.table == table)
            (*out)[(*count)++] = place;
    }
    for (size_t i = 1; i < *count; i++)
        if (compare_places(&(*out)[i - 1], &(*out)[i]) > 0) {
            qsort(*out, *count, sizeof **out, compare_places);
            break;
        }
    return ROWTIDE_OK;
}
