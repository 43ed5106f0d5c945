#include "crdt/tail.h"
#include "crdt/numbers.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum { NONE = -1 };

static void empty_buckets(rowtide__tail *tail)
{
    for (int i = 0; i < ROWTIDE__TAIL_BUCKETS; i++)
        tail->buckets[i] = NONE;
}

int rowtide__tail_new(rowtide__tail **out)
{
    rowtide__tail *tail = rowtide__alloc_zero(sizeof *tail);
    *out = tail;
    if (!tail)
        return ROWTIDE_ENOMEM;
    empty_buckets(tail);
    sqlite3_randomness(sizeof tail->seed, &tail->seed);
    int rc = rowtide__pending_new(&tail->folding);
    if (rc == ROWTIDE_OK)
        rowtide__pending_leap(tail->folding);
    return rc;
}

void rowtide__tail_free(rowtide__tail *tail)
{
    if (!tail)
        return;
    rowtide__free(tail->body);
    rowtide__free(tail->kept);
    rowtide__free(tail->groups);
    rowtide__clock_dispose(&tail->part);
    rowtide__clock_dispose(&tail->whole);
    rowtide_buffer_dispose(&tail->record);
    rowtide__pending_free(tail->folding);
    rowtide__new_keys_dispose(&tail->keys);
    rowtide__log_dispose(&tail->items);
    rowtide__clock_dispose(&tail->undo.clock);
    rowtide__free(tail);
}

void rowtide__tail_clear(rowtide__tail *tail)
{
    if (tail->count > 0)
        empty_buckets(tail);
    rowtide__new_keys_clear(&tail->keys);
    tail->items.count = 0;
    tail->undo.possible = 0;
    tail->count = tail->group_count = tail->used = 0;
    tail->db_version = tail->outdated = 0;
}

void rowtide__tail_doubt(rowtide__tail *tail)
{
    tail->known = 0;
}

int rowtide__tail_is_known(const rowtide__tail *tail)
{
    return tail->known;
}

int64_t rowtide__tail_stamp(const rowtide__tail *tail)
{
    return tail->stamp;
}

int64_t rowtide__tail_version(const rowtide__tail *tail)
{
    return tail->db_version;
}

struct rowtide__new_keys *rowtide__tail_keys(rowtide__tail *tail)
{
    return &tail->keys;
}

/* ## Rows */

static int32_t *bucket_of(rowtide__tail *tail, int64_t table, int64_t row)
{
    uint64_t hash = ((uint64_t)table * 0x9E3779B97F4A7C15u ^ (uint64_t)row)
                    * 0xff51afd7ed558ccdu;
    return &tail->buckets[hash >> 32 & (ROWTIDE__TAIL_BUCKETS - 1)];
}

static rowtide__kept *find_kept(rowtide__tail *tail, int64_t table, int64_t row)
{
    int32_t place = *bucket_of(tail, table, row);
    for (; place != NONE; place = tail->kept[place].below)
        if (tail->kept[place].row == row && tail->kept[place].table == table)
            return &tail->kept[place];
    return NULL;
}

int rowtide__tail_has(rowtide__tail *tail, int64_t table, int64_t row,
                      int64_t known)
{
    const rowtide__kept *kept = find_kept(tail, table, row);
    for (int i = 0; kept && i < kept->count; i++)
        if (tail->groups[kept->groups_at + (uint32_t)i].db_version > known)
            return 1;
    return 0;
}

static int grow(void **memory, size_t *capacity, size_t count, size_t size)
{
    if (count <= *capacity)
        return ROWTIDE_OK;
    size_t wanted = count < 64 ? 64 : count + count / 2;
    void *grown = rowtide__realloc(*memory, wanted * size);
    if (!grown)
        return ROWTIDE_ENOMEM;
    *memory = grown;
    *capacity = wanted;
    return ROWTIDE_OK;
}

static int add_kept(rowtide__tail *tail, int64_t table, int64_t row,
                    rowtide__kept **out)
{
    int rc = grow((void **)&tail->kept, &tail->capacity, tail->count + 1,
                  sizeof *tail->kept);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__kept *kept = *out = &tail->kept[tail->count];
    int32_t *bucket = bucket_of(tail, table, row);
    memset(kept, 0, sizeof *kept);
    kept->table = table;
    kept->row = row;
    kept->below = *bucket;
    *bucket = (int32_t)tail->count++;
    return ROWTIDE_OK;
}

static int set_groups(rowtide__tail *tail, rowtide__kept *kept,
                      const rowtide__clock *clock)
{
    kept->count = 0;
    if (clock->count > kept->capacity) {
        size_t end = tail->group_count + (size_t)clock->count;
        int rc = grow((void **)&tail->groups, &tail->group_capacity, end,
                      sizeof *tail->groups);
        if (rc != ROWTIDE_OK)
            return rc;
        kept->groups_at = (uint32_t)tail->group_count;
        kept->capacity = clock->count;
        tail->group_count = end;
    }
    kept->count = clock->count;
    memcpy(tail->groups + kept->groups_at, clock->groups,
           (size_t)clock->count * sizeof *clock->groups);
    return ROWTIDE_OK;
}

int rowtide__tail_remember(rowtide__tail *tail, int64_t table, int64_t row)
{
    rowtide__tail_undo *undo = &tail->undo;
    const rowtide__kept *kept = find_kept(tail, table, row);
    undo->table = table;
    undo->row = row;
    undo->used = tail->used;
    undo->items = tail->items.count;
    undo->keys = tail->keys.count;
    undo->db_version = tail->db_version;
    undo->outdated = tail->outdated;
    undo->existed = kept != NULL;
    undo->whole = kept && kept->whole;
    undo->clock.count = 0;
    int rc = kept ? rowtide__clock_copy(&undo->clock,
                                        tail->groups + kept->groups_at,
                                        kept->count)
                  : ROWTIDE_OK;
    undo->possible = rc == ROWTIDE_OK;
    return rc;
}

static int undo_row(rowtide__tail *tail)
{
    const rowtide__tail_undo *undo = &tail->undo;
    rowtide__kept *kept = find_kept(tail, undo->table, undo->row);
    if (undo->existed) {
        kept->whole = undo->whole;
        return set_groups(tail, kept, &undo->clock);
    }
    *bucket_of(tail, undo->table, undo->row) = kept->below;
    tail->count--;
    return ROWTIDE_OK;
}

/* Its clock and its key become pending. */
static int pend_row(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    rowtide__tail *tail = engine->tail;
    const rowtide__tail_undo *undo = &tail->undo;
    const rowtide__kept *kept = find_kept(tail, undo->table, undo->row);
    rowtide__new_key added;
    rowtide__key key;
    int rc = rowtide__clock_copy(&tail->whole, tail->groups + kept->groups_at,
                                 kept->count);
    if (rc == ROWTIDE_OK && tail->keys.count > undo->keys) {
        rowtide__new_keys_entry(&tail->keys, undo->keys, &added);
        memset(&key, 0, sizeof key);
        key.row = added.row;
        key.hash = added.hash;
        key.data = added.data;
        key.size = added.size;
        rc = rowtide__new_keys_add(rowtide__pending_keys(engine->pending),
                                   table, &key);
    }
    return rc == ROWTIDE_OK ? rowtide__pending_put(engine->pending, table,
                                                   undo->row, &tail->whole)
                            : rc;
}

int rowtide__tail_take_back(rowtide__crdt *engine)
{
    rowtide__tail *tail = engine->tail;
    const rowtide__tail_undo *undo = &tail->undo;
    rowtide__crdt_table *table = engine->tables;
    while (table && table->id != undo->table)
        table = table->next;
    if (!undo->possible || !table || rowtide__pending_count(engine->pending))
        return ROWTIDE_OK;
    tail->undo.possible = 0;
    int rc = pend_row(engine, table);
    if (rc == ROWTIDE_OK)
        rc = undo_row(tail);
    if (rc != ROWTIDE_OK) {
        rowtide__tail_doubt(tail);
        return rc;
    }
    rowtide__new_keys_cut(&tail->keys, undo->keys);
    tail->used = undo->used;
    tail->items.count = undo->items;
    tail->db_version = undo->db_version;
    tail->outdated = undo->outdated;
    tail->taken_back = 1;
    return ROWTIDE_OK;
}

static int apply(rowtide__clock *to, const rowtide__group *groups, int count)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; i < count && rc == ROWTIDE_OK; i++) {
        rowtide__cell cell = {groups[i].site, groups[i].version,
                              groups[i].db_version, groups[i].sequence};
        rc = rowtide__clock_set_range(to, groups[i].column, groups[i].count,
                                      &cell);
    }
    return rc;
}

/* `tail->part` is set for one row. */
static int note_row(rowtide__tail *tail, int64_t table, int64_t row, int whole)
{
    rowtide__kept *kept = find_kept(tail, table, row);
    int rc = ROWTIDE_OK;
    if (!kept) {
        rc = add_kept(tail, table, row, &kept);
    } else if (!whole) {
        rc = rowtide__clock_copy(&tail->whole, tail->groups + kept->groups_at,
                                 kept->count);
        if (rc == ROWTIDE_OK)
            rc = apply(&tail->whole, tail->part.groups, tail->part.count);
        return rc == ROWTIDE_OK ? set_groups(tail, kept, &tail->whole) : rc;
    }
    if (rc != ROWTIDE_OK)
        return rc;
    kept->whole = whole;
    return set_groups(tail, kept, &tail->part);
}

/* A row that is new, and was not deleted before, leaves nothing behind. */
static int is_fresh(const rowtide__tail_entry *entry)
{
    const rowtide__group *first = entry->clock.groups;
    return entry->whole && entry->clock.count == 1 && first->version == 1
           && first->column != ROWTIDE__SENTINEL;
}

static int note_key(rowtide__crdt *engine, const rowtide__tail_entry *entry,
                    int64_t nth)
{
    const rowtide__tail_key *from = &entry->keys[nth];
    rowtide__crdt_table *table = engine->tables;
    rowtide__key key;
    while (table && table->id != entry->table)
        table = table->next;
    if (!table)
        return ROWTIDE_OK;
    memset(&key, 0, sizeof key);
    key.row = entry->row + nth;
    key.data = from->data;
    key.size = from->size;
    key.hash = rowtide__key_hash(engine->seed, from->data, from->size);
    return rowtide__new_keys_add(&engine->tail->keys, table, &key);
}

static int note_items(rowtide__tail *tail, const rowtide__tail_entry *entry)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; i < entry->clock.count && rc == ROWTIDE_OK; i++) {
        const rowtide__group *group = &entry->clock.groups[i];
        rowtide__logged item = {
            group->db_version, group->sequence, entry->table,
            entry->row,        entry->rows,     group->stride,
            group->column,     group->count,    0};
        if (entry->rows == 1)
            item.stride = item.count;
        if (group->db_version == entry->db_version)
            rc = rowtide__log_add(&tail->items, &item);
    }
    return rc;
}

int rowtide__tail_note(rowtide__crdt *engine, const rowtide__tail_entry *entry)
{
    rowtide__tail *tail = engine->tail;
    int rc = note_items(tail, entry);
    tail->outdated += !is_fresh(entry);
    tail->db_version = entry->db_version;
    for (int64_t i = 0; i < entry->rows && rc == ROWTIDE_OK; i++) {
        rc = rowtide__clock_row(&tail->part, entry->clock.groups,
                                entry->clock.count, i);
        if (rc == ROWTIDE_OK)
            rc = note_row(tail, entry->table, entry->row + i, entry->whole);
        if (rc == ROWTIDE_OK && entry->keys[i].size > 0)
            rc = note_key(engine, entry, i);
    }
    return rc;
}

/* ## Reading */

static int fail_damaged(void)
{
    return rowtide__fail(ROWTIDE_ECORRUPT, "the tail of the log is damaged");
}

static int read_records(rowtide__crdt *engine, size_t from)
{
    rowtide__tail *tail = engine->tail;
    rowtide__tail_scan scan;
    int rc;
    memset(&scan, 0, sizeof scan);
    scan.in.data = tail->body + ROWTIDE__TAIL_HEADER + from;
    scan.in.size = tail->used - from;
    scan.entry.db_version = tail->db_version;
    while ((rc = rowtide__tail_next(&scan)) == ROWTIDE_OK
           && (rc = rowtide__tail_note(engine, &scan.entry)) == ROWTIDE_OK)
        ;
    rowtide__tail_scan_dispose(&scan);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* Mostly something was added, or nothing. */
static int is_longer(const rowtide__tail *tail, const unsigned char *data,
                     size_t size, size_t used)
{
    return size == tail->size && used >= tail->used
           && (tail->used == 0
               || memcmp(data + ROWTIDE__TAIL_HEADER,
                         tail->body + ROWTIDE__TAIL_HEADER, tail->used)
                      == 0);
}

static int take_body(rowtide__crdt *engine, const unsigned char *data,
                     size_t size)
{
    rowtide__tail *tail = engine->tail;
    if (!data || size < ROWTIDE__TAIL_HEADER || data[0] > ROWTIDE__TAIL_FORMAT)
        return fail_damaged();
    size_t used = (size_t)data[1] | (size_t)data[2] << 8;
    if (used > size - ROWTIDE__TAIL_HEADER)
        return fail_damaged();
    if (!is_longer(tail, data, size, used))
        rowtide__tail_clear(tail);
    if (size != tail->size) {
        unsigned char *body = rowtide__realloc(tail->body, size);
        if (!body)
            return ROWTIDE_ENOMEM;
        tail->body = body;
        tail->size = size;
    }
    size_t from = tail->used;
    memcpy(tail->body, data, size);
    tail->used = used;
    tail->taken_back = 0;
    if (from != used)
        tail->undo.possible = 0;
    return read_records(engine, from);
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
    rowtide__kept *kept = find_kept(tail, table->id, row);
    if (rc == ROWTIDE_OK)
        rc = apply(out, tail->groups + kept->groups_at, kept->count);
    if (rc == ROWTIDE_OK)
        rc = set_groups(tail, kept, out);
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
    const rowtide__kept *kept = find_kept(tail, table->id, row);
    if (!kept)
        return 0;
    if (!kept->whole)
        return complete(engine, table, row, out);
    rc = rowtide__clock_copy(out, tail->groups + kept->groups_at, kept->count);
    return rc < 0 ? rc : 1;
}

/* ## All of it */

int rowtide__tail_items(rowtide__crdt *engine, rowtide__log *out)
{
    rowtide__tail *tail = engine->tail;
    int rc = rowtide__tail_know(engine);
    out->count = 0;
    for (size_t i = 0; i < tail->items.count && rc == ROWTIDE_OK; i++)
        rc = rowtide__log_add(out, &tail->items.items[i]);
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
