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
    tail->segment_count = 0;
}

int rowtide__tail_is_empty(const rowtide__tail *tail)
{
    return tail->used == 0 && tail->segment_count == 0;
}

int64_t rowtide__tail_next_stamp(rowtide__tail *tail)
{
    tail->seed = tail->seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)(tail->seed >> 1 | (uint64_t)1 << 62);
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

rowtide__kept *rowtide__kept_find(rowtide__tail *tail, int64_t table,
                                  int64_t row)
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
    const rowtide__kept *kept = rowtide__kept_find(tail, table, row);
    for (int i = 0; kept && i < kept->count; i++)
        if (tail->groups[kept->groups_at + (uint32_t)i].db_version > known)
            return 1;
    return 0;
}

static int add_kept(rowtide__tail *tail, int64_t table, int64_t row,
                    rowtide__kept **out)
{
    int rc = rowtide__grow(&tail->kept, &tail->capacity, tail->count + 1,
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

void rowtide__kept_drop_last(rowtide__tail *tail)
{
    const rowtide__kept *last = &tail->kept[--tail->count];
    *bucket_of(tail, last->table, last->row) = last->below;
}

int rowtide__kept_set(rowtide__tail *tail, rowtide__kept *kept,
                      const rowtide__clock *clock)
{
    if (clock->count > kept->capacity) {
        size_t end = tail->group_count + (size_t)clock->count;
        int rc = rowtide__grow(&tail->groups, &tail->group_capacity, end,
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

int rowtide__tail_apply(rowtide__clock *to, const rowtide__group *groups,
                        int count)
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
    rowtide__kept *kept = rowtide__kept_find(tail, table, row);
    int rc = ROWTIDE_OK;
    if (!kept) {
        rc = add_kept(tail, table, row, &kept);
    } else if (!whole) {
        rc = rowtide__clock_copy(&tail->whole, tail->groups + kept->groups_at,
                                 kept->count);
        if (rc == ROWTIDE_OK)
            rc = rowtide__tail_apply(&tail->whole, tail->part.groups,
                                     tail->part.count);
        return rc == ROWTIDE_OK ? rowtide__kept_set(tail, kept, &tail->whole)
                                : rc;
    }
    if (rc != ROWTIDE_OK)
        return rc;
    kept->whole = whole;
    return rowtide__kept_set(tail, kept, &tail->part);
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
    rowtide__crdt_table *table = rowtide__crdt_table_known(engine,
                                                           entry->table);
    rowtide__key key;
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
