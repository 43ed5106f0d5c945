#include "crdt/new_keys.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

enum { NONE = -1 };

struct rowtide__numbered {
    rowtide__crdt_table *table;
    int64_t row;
    size_t at, size; /* of the key, in `bytes` */
    uint32_t hash;
    int32_t below;     /* in the same bucket of hashes */
    int32_t below_row; /* and of rows */
};

typedef struct rowtide__numbered numbered;

void rowtide__new_keys_dispose(rowtide__new_keys *all)
{
    rowtide__free(all->keys);
    rowtide__free(all->buckets);
    rowtide_buffer_dispose(&all->bytes);
    memset(all, 0, sizeof *all);
}

void rowtide__new_keys_clear(rowtide__new_keys *all)
{
    enum { KEEP = 1 << 12 };
    if (all->bucket_count > KEEP) {
        rowtide__new_keys_dispose(all);
        return;
    }
    /* Where many were once, there may be few now. */
    rowtide__new_keys_cut(all, 0);
}

static int32_t *bucket_of(const rowtide__new_keys *all, uint32_t hash)
{
    return &all->buckets[hash & (all->bucket_count - 1)];
}

static int32_t *bucket_of_row(const rowtide__new_keys *all, int64_t row)
{
    return &all->buckets[all->bucket_count
                         + ((uint64_t)row & (all->bucket_count - 1))];
}

int64_t rowtide__new_keys_find(const rowtide__new_keys *all,
                               const rowtide__crdt_table *table,
                               const rowtide__key *key)
{
    if (all->count == all->written)
        return 0;
    int32_t place = *bucket_of(all, key->hash);
    for (; place != NONE && (size_t)place >= all->written;
         place = all->keys[place].below) {
        const numbered *at = &all->keys[place];
        if (at->hash == key->hash && at->table == table && at->size == key->size
            && memcmp(all->bytes.data + at->at, key->data, key->size) == 0)
            return at->row;
    }
    return 0;
}

int64_t rowtide__new_keys_last(const rowtide__new_keys *all,
                               const rowtide__crdt_table *table)
{
    for (size_t i = all->count; i > 0; i--)
        if (all->keys[i - 1].table == table)
            return all->keys[i - 1].row;
    return 0;
}

static void enter_bucket(rowtide__new_keys *all, size_t place)
{
    numbered *at = &all->keys[place];
    int32_t *bucket = bucket_of(all, at->hash);
    int32_t *row_bucket = bucket_of_row(all, at->row);
    at->below = *bucket;
    at->below_row = *row_bucket;
    *bucket = *row_bucket = (int32_t)place;
}

static int grow(rowtide__new_keys *all)
{
    size_t capacity = all->capacity ? all->capacity * 2 : 32;
    if (all->count < all->capacity)
        return ROWTIDE_OK;
    numbered *grown = rowtide__realloc(all->keys, capacity * sizeof *grown);
    if (!grown)
        return ROWTIDE_ENOMEM;
    all->keys = grown;
    int32_t *buckets = rowtide__alloc_array(capacity * 4, sizeof *buckets);
    if (!buckets)
        return ROWTIDE_ENOMEM;
    rowtide__free(all->buckets);
    all->buckets = buckets;
    all->bucket_count = capacity * 2;
    all->capacity = capacity;
    memset(buckets, 0xff, capacity * 4 * sizeof *buckets);
    for (size_t i = 0; i < all->count; i++)
        enter_bucket(all, i);
    return ROWTIDE_OK;
}

int rowtide__new_keys_add(rowtide__new_keys *all, rowtide__crdt_table *table,
                          const rowtide__key *key)
{
    if (all->count >= INT32_MAX / 4)
        return rowtide__fail(ROWTIDE_ETOOBIG, "too many changes at once");
    int rc = grow(all);
    size_t at = all->bytes.size;
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&all->bytes, key->data, key->size);
    if (rc != ROWTIDE_OK)
        return rc;
    all->keys[all->count] = (numbered){table,     key->row, at,  key->size,
                                       key->hash, NONE,     NONE};
    enter_bucket(all, all->count++);
    return ROWTIDE_OK;
}

void rowtide__new_keys_entry(const rowtide__new_keys *all, size_t place,
                             rowtide__new_key *out)
{
    const numbered *at = &all->keys[place];
    out->table = at->table;
    out->row = at->row;
    out->hash = at->hash;
    out->data = all->bytes.data + at->at;
    out->size = at->size;
}

int rowtide__new_keys_of_row(const rowtide__new_keys *all,
                             const rowtide__crdt_table *table, int64_t row,
                             rowtide__new_key *out)
{
    if (all->count == all->written)
        return 0;
    int32_t place = *bucket_of_row(all, row);
    for (; place != NONE && (size_t)place >= all->written;
         place = all->keys[place].below_row)
        if (all->keys[place].row == row && all->keys[place].table == table) {
            rowtide__new_keys_entry(all, (size_t)place, out);
            return 1;
        }
    return 0;
}

void rowtide__new_keys_cut(rowtide__new_keys *all, size_t height)
{
    while (all->count > height) {
        const numbered *top = &all->keys[--all->count];
        *bucket_of(all, top->hash) = top->below;
        *bucket_of_row(all, top->row) = top->below_row;
        all->bytes.size = top->at;
    }
    if (all->written > height)
        all->written = height;
}

size_t rowtide__new_keys_size(const rowtide__new_keys *all)
{
    return (all->count - all->written) * sizeof(numbered) + all->bytes.size;
}
