#ifndef ROWTIDE_CRDT_NUMBERS_H
#define ROWTIDE_CRDT_NUMBERS_H

#include "crdt/new_keys.h"

/* The keys of a table that are not integers have numbers, 1, 2, 3.. in the
 * order in which they came.
 *
 * rowtide_crdt_keys_N has the keys, packed, in blocks: `count` of them from
 * number `first` on. One that was forgotten is a NULL.
 *
 * rowtide_crdt_find_N has their numbers by hash, in buckets: the hashes from
 * `first` up to the next bucket. A bucket is a byte with two sizes, of hashes
 * and of numbers, then pairs of these, big endian, in order. Different keys may
 * have the same hash. */
enum { ROWTIDE__BLOCK_BYTES = 990 };

struct rowtide__numbers {
    sqlite3_stmt *read_keys, *put_keys, *drop_keys;
    sqlite3_stmt *read_bucket, *next_bucket, *put_bucket;

    /* The block that was read last. */
    uint64_t serial; /* engine->stored_serial then; 0: none */
    int64_t first, count;
    rowtide_buffer keys;
    int64_t at_row; /* whose key is at `at` */
    size_t at;
    int changed; /* not written yet */

    /* Keys often come in the order of their numbers. */
    int64_t guess;
    int guessed; /* the last was right */

    int lookups;
    uint64_t bound_serial; /* when `next` was read */
    int64_t next;          /* behind the last number that is stored */
    uint64_t given_serial;
    int64_t given; /* the number that was given last */
};

typedef struct rowtide__hashed {
    rowtide__crdt_table *table;
    uint32_t hash;
    int64_t row;
} rowtide__hashed;

/* ## blocks.c */
/* Make table->numbers. */
int rowtide__blocks_open(rowtide__crdt_table *table);
/* Read which number is the next. */
int rowtide__blocks_bound(rowtide__crdt *engine, rowtide__crdt_table *table);
/* 1 if the block that was read last has the row. */
int rowtide__blocks_has(const rowtide__crdt *engine,
                        const struct rowtide__numbers *all, int64_t row);
/* 1 if the key of the row is this one. */
int rowtide__blocks_is(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t row, const rowtide__key *key);
/* The key of a row, borrowed until the next call. ROWTIDE_DONE if there is
 * none. */
int rowtide__blocks_read(rowtide__crdt *engine, rowtide__crdt_table *table,
                         int64_t row, rowtide__new_key *out);
/* Behind the last one; the last block is then to be written. */
int rowtide__blocks_append(rowtide__crdt *engine,
                           const rowtide__new_key *added);
int rowtide__blocks_write(rowtide__crdt *engine, rowtide__crdt_table *table);
int rowtide__blocks_fail(const rowtide__crdt_table *table);

/* ## buckets.c */
uint32_t rowtide__key_hash(uint64_t seed, const void *data, size_t size);
/* The number of a key that is stored, 0 if it has none. */
int rowtide__buckets_find(rowtide__crdt *engine, rowtide__crdt_table *table,
                          const rowtide__key *key, int64_t *out);
/* In order, of one table. */
int rowtide__buckets_add(rowtide__crdt *engine, const rowtide__hashed *hashed,
                         size_t count);
int rowtide__buckets_drop(rowtide__crdt *engine, const rowtide__hashed *hashed);

#endif
