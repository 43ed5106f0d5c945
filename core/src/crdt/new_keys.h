#ifndef ROWTIDE_CRDT_NEW_KEYS_H
#define ROWTIDE_CRDT_NEW_KEYS_H

#include "crdt/engine.h"

/* A key whose number is not written yet. */
typedef struct rowtide__new_key {
    rowtide__crdt_table *table;
    int64_t row;
    uint32_t hash;
    const void *data; /* points into the stack */
    size_t size;
} rowtide__new_key;

/* Keys that were given numbers in this transaction: a stack with a table of
 * hashes, and one of numbers. What is below `written` is in the database already. */
typedef struct rowtide__new_keys {
    struct rowtide__numbered *keys;
    size_t count, capacity, written;
    rowtide_buffer bytes;
    int32_t *buckets;    /* of hashes, then of rows */
    size_t bucket_count; /* of each; a power of two */
} rowtide__new_keys;

typedef struct rowtide__new_keys_mark {
    size_t height, written;
} rowtide__new_keys_mark;

void rowtide__new_keys_dispose(rowtide__new_keys *all);
void rowtide__new_keys_clear(rowtide__new_keys *all);
/* 0 if there is none. */
int64_t rowtide__new_keys_find(const rowtide__new_keys *all,
                               const rowtide__crdt_table *table,
                               const rowtide__key *key);
/* The greatest number of the table, 0 if there is none. */
int64_t rowtide__new_keys_last(const rowtide__new_keys *all,
                               const rowtide__crdt_table *table);
int rowtide__new_keys_add(rowtide__new_keys *all, rowtide__crdt_table *table,
                          const rowtide__key *key);
void rowtide__new_keys_entry(const rowtide__new_keys *all, size_t place,
                             rowtide__new_key *out);
/* 1 if the row is among them. */
int rowtide__new_keys_of_row(const rowtide__new_keys *all,
                             const rowtide__crdt_table *table, int64_t row,
                             rowtide__new_key *out);
void rowtide__new_keys_cut(rowtide__new_keys *all, size_t height);
size_t rowtide__new_keys_size(const rowtide__new_keys *all);

#endif
