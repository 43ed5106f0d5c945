#include "crdt/merge.h"
#include "crdt/pack.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* Whole rows that were merged, written by one statement for each batch: most of
 * what a statement costs is not the row that it writes. Sorted by key, they go
 * through the table page by page.
 *
 * Only what no trigger sees and no constraint refuses is held so: then it does
 * not matter in which order rows are written, nor when. */

typedef struct rowtide__merge_cache cache;
typedef rowtide__batch batch;

enum {
    BATCHES = 32,
    MOST_ROWS = 1 << 15,
    MOST_BYTES = 1 << 20,
    LARGE = 1 << 16
};

struct rowtide__batches {
    batch all[BATCHES];
    int count; /* that have rows */
    uint64_t generation;
    size_t rows, bytes;
    const batch *running;
};

typedef struct rowtide__batches batches;

void rowtide__batch_free(rowtide__crdt *engine)
{
    batches *held = engine->merge->batches;
    for (int i = 0; held && i < BATCHES; i++) {
        rowtide__free(held->all[i].places);
        rowtide__key_order_dispose(&held->all[i].rows);
        rowtide_buffer_dispose(&held->all[i].cells);
    }
    rowtide__free(held);
    engine->merge->batches = NULL;
}

void rowtide__batch_discard(rowtide__crdt *engine)
{
    batches *held = engine->merge->batches;
    for (int i = 0; held && i < held->count; i++) {
        rowtide__free(held->all[i].places);
        held->all[i].places = NULL;
        rowtide__key_order_clear(&held->all[i].rows);
        rowtide__buffer_clear(&held->all[i].cells);
    }
    if (held) {
        held->count = 0;
        held->rows = held->bytes = 0;
    }
}

const batch *rowtide__batch_running(const rowtide__crdt *engine)
{
    const cache *merge = engine->merge;
    return merge && merge->batches ? merge->batches->running : NULL;
}

int rowtide__batch_any(const rowtide__crdt *engine)
{
    const batches *held = engine->merge->batches;
    return held && held->count > 0;
}

static int is_same_key(const rowtide__crdt_table *table,
                       const rowtide__ordered_key *row, const rowtide__key *key)
{
    rowtide__unpack unpack = {row->data, row->size, 0, 1};
    rowtide_value value;
    if (!table->integer_key)
        return row->size == key->size
               && memcmp(row->data, key->data, key->size) == 0;
    return rowtide__unpack_next(&unpack, &value) == ROWTIDE_OK
           && value.integer == key->row;
}

int rowtide__batch_has(const rowtide__crdt *engine,
                       const rowtide__crdt_table *table,
                       const rowtide__key *key)
{
    batches *held = engine->merge->batches;
    if (!held || held->generation != engine->generation)
        return 0;
    for (int i = 0; i < held->count; i++) {
        rowtide__key_order *rows = &held->all[i].rows;
        if (held->all[i].table != table)
            continue;
        rowtide__key_order_locate(rows);
        for (size_t n = 0; n < rows->count; n++)
            if (is_same_key(table, &rows->keys[n], key))
                return 1;
    }
    return 0;
}

/* ## Writing */

static void open_key(const batch *it, const rowtide__ordered_key *row,
                     rowtide__key *out)
{
    rowtide__unpack unpack = {row->data, row->size, 0, 1};
    rowtide_value value;
    memset(out, 0, sizeof *out);
    out->data = row->data;
    out->size = row->size;
    if (it->table->integer_key
        && rowtide__unpack_next(&unpack, &value) == ROWTIDE_OK)
        rowtide__key_of_integer(value.integer, out);
}

static int hold_row(rowtide__crdt *engine, const batch *it,
                    const rowtide__ordered_key *row)
{
    cache *merge = engine->merge;
    rowtide__unpack unpack = {(const unsigned char *)it->cells.data,
                              it->cells.size, (size_t)row->number + 1,
                              it->count};
    rowtide_value value;
    int exists = it->cells.data[row->number] != 0, rc;
    merge->count = 0;
    rowtide__buffer_clear(&merge->bytes);
    open_key(it, row, &merge->row);
    rc = rowtide__key_write(it->table, &merge->row, &merge->pk);
    for (int i = 0; i < it->count && rc == ROWTIDE_OK; i++) {
        rc = rowtide__unpack_next(&unpack, &value);
        if (rc == ROWTIDE_OK)
            rc = rowtide__merge_hold(engine, it->places[i], &value, exists);
    }
    return rc;
}

/* One row after the other, so that an error says which it was. */
static int write_singly(rowtide__crdt *engine, const batch *it)
{
    cache *merge = engine->merge, kept = *merge;
    const rowtide_buffer none = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    merge->cells = NULL;
    merge->places = NULL;
    merge->cell_capacity = merge->place_capacity = 0;
    merge->bytes = merge->pk = none;
    merge->table = it->table;
    merge->generation = engine->generation;
    for (size_t i = 0; i < it->rows.count && rc == ROWTIDE_OK; i++) {
        rc = hold_row(engine, it, &it->rows.keys[i]);
        if (rc == ROWTIDE_OK)
            rc = rowtide__merge_write_held(engine);
    }
    rowtide__free(merge->cells);
    rowtide__free(merge->places);
    rowtide_buffer_dispose(&merge->bytes);
    rowtide_buffer_dispose(&merge->pk);
    *merge = kept;
    return rc;
}

/* ROWTIDE_DONE if there is no statement for it: an authorizer or a limit of the
 * application may forbid it. */
static int write_at_once(rowtide__crdt *engine, const batch *it)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__merge_find_set(engine, it->table, ROWTIDE__SET_BATCH,
                                     it->places, it->count, &stmt);
    if (rc == ROWTIDE_ENOMEM)
        return rc;
    if (rc != ROWTIDE_OK || !stmt) {
        rowtide_error_clear();
        return ROWTIDE_DONE;
    }
    engine->merge->batches->running = it;
    rc = rowtide__merge_run(engine, stmt, 0);
    engine->merge->batches->running = NULL;
    return rc;
}

/* Rowids that nobody chose are given in the order in which rows came. */
static int sort_rows(rowtide__crdt *engine, batch *it)
{
    int rc = it->table->integer_key
                 ? ROWTIDE_OK
                 : rowtide__crdt_prepare_get(engine, it->table);
    if (rc == ROWTIDE_OK && !it->table->rowid)
        return rowtide__key_order_sort(&it->rows, it->table->key_count);
    rowtide__key_order_locate(&it->rows);
    return rc;
}

static int write_batch(rowtide__crdt *engine, batch *it)
{
    int rc = rowtide__merge_read_guarded(engine, it->table);
    if (rc == ROWTIDE_OK && it->table->guarded)
        rc = rowtide__merge_fail_schema();
    if (rc == ROWTIDE_OK)
        rc = sort_rows(engine, it);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = it->rows.count > 1 ? write_at_once(engine, it) : ROWTIDE_DONE;
    if (rc == ROWTIDE_DONE || rowtide__merge_is_refused(engine, rc))
        return write_singly(engine, it);
    return rc == ROWTIDE_OK
               ? rc
               : rowtide__fail_context("table \"%.80s\"", it->table->name);
}

int rowtide__batch_write(rowtide__crdt *engine)
{
    batches *held = engine->merge->batches;
    if (!held || held->count == 0)
        return ROWTIDE_OK;
    if (held->generation != engine->generation)
        return rowtide__merge_fail_schema();
    int rc = rowtide__merge_watch(engine);
    for (int i = 0; i < held->count && rc == ROWTIDE_OK; i++)
        rc = write_batch(engine, &held->all[i]);
    rowtide__batch_discard(engine);
    return rc;
}

/* ## Taking */

static int may_take(const rowtide__crdt *engine)
{
    const cache *merge = engine->merge;
    const rowtide__crdt_table *table = merge->table;
    return merge->count > 0 && !table->guarded && !table->folding
           && !table->altering && merge->generation == engine->generation
           && merge->bytes.size <= LARGE
           && table->key_count + merge->count <= ROWTIDE__BATCH_COLUMNS;
}

static int is_for(const batch *it, const cache *merge)
{
    return it->table == merge->table && it->count == merge->count
           && memcmp(it->places, merge->places,
                     (size_t)it->count * sizeof *it->places)
                  == 0;
}

static int begin_batch(cache *merge, batch *out)
{
    out->table = merge->table;
    out->count = merge->count;
    out->places = rowtide__memdup(merge->places,
                                  (size_t)merge->count * sizeof *out->places);
    rowtide__key_order_clear(&out->rows);
    return out->places ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* A row may have other cells the next time, which must not come first: there is
 * one batch of a table. */
static int find_batch(rowtide__crdt *engine, batch **out)
{
    cache *merge = engine->merge;
    batches *held = merge->batches;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < held->count; i++) {
        *out = &held->all[i];
        if (is_for(*out, merge))
            return ROWTIDE_OK;
        if ((*out)->table == merge->table)
            rc = ROWTIDE_DONE;
    }
    if (rc == ROWTIDE_DONE || held->count == BATCHES)
        rc = rowtide__batch_write(engine);
    if (rc != ROWTIDE_OK)
        return rc;
    *out = &held->all[held->count];
    rc = begin_batch(merge, *out);
    held->count += rc == ROWTIDE_OK;
    held->generation = engine->generation;
    return rc;
}

static int add_cells(const cache *merge, rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    rowtide__write_byte(&writer, merge->exists);
    for (int i = 0; i < merge->count; i++) {
        rowtide_value value = merge->cells[i].value;
        if (value.size > 0)
            value.data = merge->bytes.data + merge->cells[i].at;
        rowtide__pack_value(&writer, &value);
    }
    return writer.rc;
}

static int pack_integer(cache *merge)
{
    rowtide_value value = rowtide_value_integer(merge->row.row);
    rowtide__writer writer = {&merge->key, ROWTIDE_OK};
    rowtide__buffer_clear(&merge->key);
    rowtide__pack_value(&writer, &value);
    return writer.rc;
}

static int add_row(cache *merge, batch *it)
{
    size_t start = it->cells.size;
    int rc = add_cells(merge, &it->cells);
    if (rc == ROWTIDE_OK && it->table->integer_key)
        rc = pack_integer(merge);
    if (rc == ROWTIDE_OK)
        rc = rowtide__key_order_add(&it->rows, merge->key.data, merge->key.size,
                                    (int64_t)start);
    if (rc != ROWTIDE_OK)
        return rc;
    merge->batches->rows++;
    merge->batches->bytes += it->cells.size - start + merge->key.size;
    return ROWTIDE_OK;
}

static int take(rowtide__crdt *engine)
{
    batches *held = engine->merge->batches;
    batch *it;
    int rc = find_batch(engine, &it);
    if (rc == ROWTIDE_OK)
        rc = add_row(engine->merge, it);
    if (rc == ROWTIDE_OK
        && (held->rows >= MOST_ROWS || held->bytes >= MOST_BYTES))
        rc = rowtide__batch_write(engine);
    return rc;
}

int rowtide__batch_take(rowtide__crdt *engine)
{
    cache *merge = engine->merge;
    int rc = rowtide__merge_read_guarded(engine, merge->table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!may_take(engine))
        return ROWTIDE_DONE;
    if (!merge->batches)
        merge->batches = rowtide__alloc_zero(sizeof *merge->batches);
    if (!merge->batches)
        return ROWTIDE_ENOMEM;
    if (merge->batches->count > 0
        && merge->batches->generation != engine->generation)
        return rowtide__merge_fail_schema();
    return take(engine);
}
