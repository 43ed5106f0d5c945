#ifndef ROWTIDE_CRDT_SCAN_H
#define ROWTIDE_CRDT_SCAN_H

#include "crdt/clock.h"

/* Reads varints one after the other; once the bytes run out it is bad, and
 * stays so. */
typedef struct rowtide__scan {
    const unsigned char *data;
    size_t size;
    int bad;
} rowtide__scan;

/* Differences that wrap, as what is read may be anything. */
static inline int64_t rowtide__plus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t rowtide__minus(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline uint64_t rowtide__scan_take(rowtide__scan *in)
{
    uint64_t number = 0;
    int size = rowtide__varint_get(in->data, in->size, &number);
    if (size == 0)
        in->bad = 1;
    in->data += size;
    in->size -= (size_t)size;
    return number;
}

#endif
