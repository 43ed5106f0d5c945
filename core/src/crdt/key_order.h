#ifndef ROWTIDE_CRDT_KEY_ORDER_H
#define ROWTIDE_CRDT_KEY_ORDER_H

#include "crdt/engine.h"

/* Keys are gathered, then sorted in about the order of their table: going
 * through it so leads from page to page. */

typedef struct rowtide__ordered_key {
    uint64_t rank;             /* what is compared first */
    int64_t number;            /* the caller's; among equal keys the order */
    const unsigned char *data; /* packed; set by sorting */
    size_t size;
} rowtide__ordered_key;

typedef struct rowtide__key_order {
    rowtide__ordered_key *keys;
    size_t count, capacity;
    rowtide_buffer bytes;
} rowtide__key_order;

void rowtide__key_order_clear(rowtide__key_order *order);
void rowtide__key_order_dispose(rowtide__key_order *order);
/* Packed values, which have been checked. */
int rowtide__key_order_add(rowtide__key_order *order, const void *data,
                           size_t size, int64_t number);
/* Find the keys, leaving them in the order in which they came. */
void rowtide__key_order_locate(rowtide__key_order *order);
/* Find them, and sort: keys of so many columns. */
int rowtide__key_order_sort(rowtide__key_order *order, int columns);

#endif
