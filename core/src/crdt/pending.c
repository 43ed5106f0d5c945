#include "crdt/new_keys.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

enum { NONE = -1 };

typedef struct item {
    rowtide__crdt_table *table;
    int64_t row, rows;
    uint32_t groups_at;
    int32_t count;
    uint32_t hash;
    int32_t below; /* in the same bucket */
    int fresh;     /* no older item is about this row */
} item;

typedef struct mark {
    int number;
    size_t height;
    int64_t rows; /* of the item on top */
    size_t written;
    rowtide__new_keys_mark keys;
    int64_t note;
} mark;

/* Items of a table with more than one row, in order. */
typedef struct run_list {
    rowtide__crdt_table *table;
    int32_t *items;
    size_t count, capacity;
    struct run_list *next;
} run_list;

struct rowtide__pending {
    item *items;
    size_t count, capacity;
    size_t written; /* items below are in the database already */
    rowtide__group *groups;
    size_t group_count, group_capacity;
    int32_t *buckets;
    size_t bucket_count; /* a power of two */
    run_list *runs;
    rowtide__new_keys keys;
    mark *marks;
    size_t mark_count, mark_capacity;
    int leaps; /* runs may have them */
};

int rowtide__pending_new(rowtide__pending **out)
{
    *out = rowtide__alloc_zero(sizeof **out);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static void drop_runs(rowtide__pending *pending)
{
    while (pending->runs) {
        run_list *list = pending->runs;
        pending->runs = list->next;
        rowtide__free(list->items);
        rowtide__free(list);
    }
}

void rowtide__pending_free(rowtide__pending *pending)
{
    if (!pending)
        return;
    drop_runs(pending);
    rowtide__free(pending->items);
    rowtide__free(pending->groups);
    rowtide__free(pending->buckets);
    rowtide__free(pending->marks);
    rowtide__new_keys_dispose(&pending->keys);
    rowtide__free(pending);
}

static void empty_buckets(rowtide__pending *pending)
{
    for (size_t i = 0; i < pending->bucket_count; i++)
        pending->buckets[i] = NONE;
}

/* ## Runs */

static run_list *runs_of(const rowtide__pending *pending,
                         const rowtide__crdt_table *table)
{
    run_list *list = pending->runs;
    while (list && list->table != table)
        list = list->next;
    return list;
}

static run_list *make_runs(rowtide__pending *pending,
                           rowtide__crdt_table *table)
{
    run_list *list = runs_of(pending, table);
    if (list)
        return list;
    list = rowtide__alloc_zero(sizeof *list);
    if (!list)
        return NULL;
    list->table = table;
    list->next = pending->runs;
    pending->runs = list;
    return list;
}

/* The item whose run has the row, or NONE. */
static int32_t find_run(const rowtide__pending *pending,
                        const rowtide__crdt_table *table, int64_t row)
{
    const run_list *list = runs_of(pending, table);
    size_t low = 0, high = list ? list->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const item *run = &pending->items[list->items[middle]];
        if (run->row <= row)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return NONE;
    int32_t place = list->items[low - 1];
    const item *run = &pending->items[place];
    return row - run->row < run->rows ? place : NONE;
}

/* Note that an item has become a run. 0 if it would break the order. */
static int add_run(rowtide__pending *pending, int32_t place)
{
    const item *run = &pending->items[place];
    run_list *list = make_runs(pending, run->table);
    if (!list)
        return ROWTIDE_ENOMEM;
    if (list->count > 0) {
        const item *last = &pending->items[list->items[list->count - 1]];
        if (list->items[list->count - 1] == place)
            return 1;
        if (last->row >= run->row || list->items[list->count - 1] > place)
            return 0;
    }
    int rc = rowtide__grow(&list->items, &list->capacity, list->count + 1,
                           sizeof *list->items);
    if (rc != ROWTIDE_OK)
        return rc;
    list->items[list->count++] = place;
    return 1;
}

/* ## The table of rows */

static uint32_t hash_row(const rowtide__crdt_table *table, int64_t row)
{
    uint64_t hash = (uint64_t)table->id * 0x9E3779B97F4A7C15u;
    hash = (hash ^ (uint64_t)row) * 0xff51afd7ed558ccdu;
    hash ^= hash >> 32;
    return (uint32_t)(hash * 0x9E3779B1u >> 8);
}

static int32_t find_item(const rowtide__pending *pending,
                         const rowtide__crdt_table *table, int64_t row,
                         uint32_t hash)
{
    int32_t place = NONE;
    if (pending->bucket_count > 0)
        place = pending->buckets[hash & (pending->bucket_count - 1)];
    for (; place != NONE && (size_t)place >= pending->written;
         place = pending->items[place].below) {
        const item *entry = &pending->items[place];
        if (entry->table == table && entry->row == row)
            return place;
    }
    place = find_run(pending, table, row);
    return place != NONE && (size_t)place >= pending->written ? place : NONE;
}

static void enter_item(rowtide__pending *pending, int32_t place)
{
    item *entry = &pending->items[place];
    int32_t *bucket =
        &pending->buckets[entry->hash & (pending->bucket_count - 1)];
    entry->below = *bucket;
    *bucket = place;
}

static int grow_buckets(rowtide__pending *pending)
{
    size_t count = pending->bucket_count ? pending->bucket_count * 4 : 64;
    if (pending->count < pending->bucket_count)
        return ROWTIDE_OK;
    int32_t *buckets = rowtide__alloc_array(count, sizeof *buckets);
    if (!buckets)
        return ROWTIDE_ENOMEM;
    rowtide__free(pending->buckets);
    pending->buckets = buckets;
    pending->bucket_count = count;
    empty_buckets(pending);
    for (size_t i = 0; i < pending->count; i++)
        enter_item(pending, (int32_t)i);
    return ROWTIDE_OK;
}

/* ## The stack */

static void pop(rowtide__pending *pending)
{
    int32_t place = (int32_t)pending->count - 1;
    item *entry = &pending->items[place];
    pending->buckets[entry->hash & (pending->bucket_count - 1)] = entry->below;
    run_list *list = runs_of(pending, entry->table);
    if (list && list->count > 0 && list->items[list->count - 1] == place)
        list->count--;
    pending->group_count = entry->groups_at;
    pending->count--;
}

void rowtide__pending_clear(rowtide__pending *pending)
{
    enum { KEEP = 1 << 12 };
    if (pending->bucket_count > KEEP) {
        rowtide__free(pending->buckets);
        pending->buckets = NULL;
        pending->bucket_count = 0;
    } else {
        /* Where many were once, there may be few now. */
        for (size_t i = 0; i < pending->count; i++)
            pending->buckets[pending->items[i].hash
                             & (pending->bucket_count - 1)] = NONE;
    }
    drop_runs(pending);
    pending->count = pending->written = pending->group_count = 0;
    pending->mark_count = 0;
    rowtide__new_keys_clear(&pending->keys);
}

/* Items below are part of a savepoint and must not change. */
static size_t floor_of(const rowtide__pending *pending)
{
    size_t height = pending->written;
    if (pending->mark_count > 0
        && pending->marks[pending->mark_count - 1].height > height)
        height = pending->marks[pending->mark_count - 1].height;
    return height;
}

static int put_groups(rowtide__pending *pending, item *entry,
                      const rowtide__clock *clock)
{
    size_t end = (size_t)entry->groups_at + (size_t)clock->count;
    int rc = rowtide__grow(&pending->groups, &pending->group_capacity, end,
                           sizeof *pending->groups);
    if (rc != ROWTIDE_OK)
        return rc;
    if (clock->count > 0)
        memcpy(pending->groups + entry->groups_at, clock->groups,
               (size_t)clock->count * sizeof *clock->groups);
    entry->count = clock->count;
    pending->group_count = end;
    return ROWTIDE_OK;
}

static int can_fold(rowtide__pending *pending, const item *below,
                    const item *top)
{
    size_t height = floor_of(pending);
    return top->table == below->table && top->fresh && below->fresh
           && top->rows == 1 && top->count == below->count
           && pending->count - 1 >= height
           && pending->count - 2 >= pending->written && top->row != INT64_MIN
           && top->row - 1 == below->row + (below->rows - 1);
}

/* Make one run of the two items on top, if they are one. */
static int fold(rowtide__pending *pending)
{
    if (pending->count < 2)
        return ROWTIDE_OK;
    int32_t place = (int32_t)pending->count - 2;
    item *below = &pending->items[place], *top = below + 1;
    if (!can_fold(pending, below, top))
        return ROWTIDE_OK;
    /* The strides of an item that a mark can bring back must not change. */
    if (below->rows == 1 && (size_t)place < floor_of(pending))
        return ROWTIDE_OK;
    int rc = add_run(pending, place);
    if (rc != 1)
        return rc < 0 ? rc : ROWTIDE_OK;
    if (rowtide__groups_extend(pending->groups + below->groups_at, below->rows,
                               pending->groups + top->groups_at, top->count,
                               pending->leaps)) {
        pop(pending);
        below->rows++;
    }
    return ROWTIDE_OK;
}

static int push(rowtide__pending *pending, rowtide__crdt_table *table,
                int64_t row, const rowtide__clock *clock, int fresh)
{
    int rc = rowtide__grow(&pending->items, &pending->capacity,
                           pending->count + 1, sizeof *pending->items);
    if (rc == ROWTIDE_OK)
        rc = grow_buckets(pending);
    if (rc != ROWTIDE_OK)
        return rc;
    item *entry = &pending->items[pending->count];
    memset(entry, 0, sizeof *entry);
    entry->table = table;
    entry->row = row;
    entry->rows = 1;
    entry->hash = hash_row(table, row);
    entry->fresh = fresh;
    entry->groups_at = (uint32_t)pending->group_count;
    rc = put_groups(pending, entry, clock);
    if (rc == ROWTIDE_OK)
        enter_item(pending, (int32_t)pending->count++);
    return rc;
}

int rowtide__pending_put(rowtide__pending *pending, rowtide__crdt_table *table,
                         int64_t row, const rowtide__clock *clock)
{
    int32_t place = find_item(pending, table, row, hash_row(table, row));
    if (pending->count >= INT32_MAX / 2 || pending->group_count >= INT32_MAX)
        return rowtide__fail(ROWTIDE_ETOOBIG, "too many changes at once");
    if (place != NONE && (size_t)place == pending->count - 1
        && (size_t)place >= floor_of(pending)
        && pending->items[place].rows == 1)
        return put_groups(pending, &pending->items[place], clock);
    int rc = place == NONE ? fold(pending) : ROWTIDE_OK;
    return rc == ROWTIDE_OK ? push(pending, table, row, clock, place == NONE)
                            : rc;
}

int rowtide__pending_find(rowtide__pending *pending, rowtide__crdt_table *table,
                          int64_t row, rowtide__clock *out)
{
    if (pending->count == pending->written)
        return 0;
    int32_t place = find_item(pending, table, row, hash_row(table, row));
    if (place == NONE)
        return 0;
    const item *entry = &pending->items[place];
    int rc = rowtide__clock_row(out, pending->groups + entry->groups_at,
                                entry->count, row - entry->row);
    return rc < 0 ? rc : 1;
}

void rowtide__pending_leap(rowtide__pending *pending)
{
    pending->leaps = 1;
}

int rowtide__pending_settle(rowtide__pending *pending)
{
    return fold(pending);
}

size_t rowtide__pending_size(const rowtide__pending *pending)
{
    return (pending->count - pending->written) * sizeof(item)
           + pending->group_count * sizeof(rowtide__group)
           + rowtide__new_keys_size(&pending->keys);
}

size_t rowtide__pending_count(const rowtide__pending *pending)
{
    return pending->count - pending->written;
}

void rowtide__pending_entry(const rowtide__pending *pending, size_t nth,
                            rowtide__entry *out)
{
    const item *entry = &pending->items[pending->written + nth];
    out->table = entry->table;
    out->row = entry->row;
    out->rows = entry->rows;
    out->groups = pending->groups + entry->groups_at;
    out->count = entry->count;
}

/* ## New keys */

struct rowtide__new_keys *rowtide__pending_keys(rowtide__pending *pending)
{
    return &pending->keys;
}

/* ## Savepoints */

static void cut_to(rowtide__pending *pending, size_t height)
{
    while (pending->count > height)
        pop(pending);
    if (pending->written > height)
        pending->written = height;
}

void rowtide__pending_written(rowtide__pending *pending)
{
    if (pending->mark_count == 0) {
        rowtide__pending_clear(pending);
        return;
    }
    const mark *top = &pending->marks[pending->mark_count - 1];
    cut_to(pending, top->height);
    pending->written = pending->count;
    rowtide__new_keys_cut(&pending->keys, top->keys.height);
    pending->keys.written = pending->keys.count;
}

int rowtide__pending_mark(rowtide__pending *pending, int number, int64_t note)
{
    rowtide__pending_unmark(pending, number);
    int rc = fold(pending);
    if (rc == ROWTIDE_OK)
        rc = rowtide__grow(&pending->marks, &pending->mark_capacity,
                           pending->mark_count + 1, sizeof *pending->marks);
    if (rc != ROWTIDE_OK)
        return rc;
    mark *made = &pending->marks[pending->mark_count++];
    made->number = number;
    made->note = note;
    made->height = pending->count;
    made->written = pending->written;
    made->keys.height = pending->keys.count;
    made->keys.written = pending->keys.written;
    made->rows = pending->count > 0 ? pending->items[pending->count - 1].rows
                                    : 0;
    return ROWTIDE_OK;
}

void rowtide__pending_unmark(rowtide__pending *pending, int number)
{
    while (pending->mark_count > 0
           && pending->marks[pending->mark_count - 1].number >= number)
        pending->mark_count--;
    if (pending->mark_count == 0 && pending->count == pending->written
        && pending->count > 0 && pending->keys.count == pending->keys.written)
        rowtide__pending_clear(pending);
}

int64_t rowtide__pending_cut(rowtide__pending *pending, int number)
{
    mark *found = NULL;
    size_t left = pending->mark_count;
    while (left > 0 && pending->marks[left - 1].number >= number)
        found = &pending->marks[--left];
    /* SQLite has told of all savepoints that were opened since we joined: this
     * one is older than everything here. */
    if (!found || found->number != number) {
        cut_to(pending, 0);
        rowtide__new_keys_cut(&pending->keys, 0);
        pending->mark_count = left;
        return 0;
    }
    cut_to(pending, found->height);
    if (pending->count > 0)
        pending->items[pending->count - 1].rows = found->rows;
    pending->written = found->written;
    rowtide__new_keys_cut(&pending->keys, found->keys.height);
    pending->keys.written = found->keys.written;
    found->number = number;
    pending->mark_count = left + 1;
    return found->note;
}
