#ifndef ROWTIDE_CRDT_FRACT_H
#define ROWTIDE_CRDT_FRACT_H

#include "base/writer.h"
#include "crdt/engine.h"

/* Keys that keep rows in an order: between any two there is room for another.
 * The first letter says how many digits the whole part has, the rest is a
 * fraction; digits are the printable characters of ASCII, so that keys compare
 * as bytes. */
typedef struct rowtide__digits {
    const char *data; /* NULL: no bound */
    size_t size;
} rowtide__digits;

/* Write a key between two. NULL, or what is wrong with them. */
const char *rowtide__fract_between(rowtide__digits a, rowtide__digits b,
                                   rowtide__writer *out);

/* crsql_fract_as_ordered() and crsql_fract_fix_conflict_return_old_key() */
void rowtide__fract_as_ordered(sqlite3_context *context, int count,
                               sqlite3_value **values);
void rowtide__fract_fix_conflict(sqlite3_context *context, int count,
                                 sqlite3_value **values);

#endif
