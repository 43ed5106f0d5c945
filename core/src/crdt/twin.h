#ifndef ROWTIDE_CRDT_TWIN_H
#define ROWTIDE_CRDT_TWIN_H

#include "crdt/engine.h"

/* Keys may be equal to the table, by a collation, and yet have other bytes.
 * REPLACE removes the row that has the other spelling, and tells no trigger.
 * So it is looked for before, by a trigger that only such tables have, and
 * noted until the row that takes its place is there. A note that is old does no
 * harm: if a row with its key lives, the next one that is equal finds it. */
struct rowtide__twin {
    rowtide__crdt_table *table; /* NULL: none */
    rowtide_buffer gone, come;  /* packed, without the count */
};

/* The row with `key` has been written: was it in the place of another one?
 * 1 with the key of that, borrowed, 0 if not. The note is forgotten. */
int rowtide__twin_take(rowtide__crdt *engine, rowtide__crdt_table *table,
                       const rowtide__key *key, rowtide__key *gone);
void rowtide__twin_free(rowtide__crdt *engine);
/* crsql_before_insert(table, key.., key of the row that is equal..),
 * crsql_before_update(table, new key.., old key.., key of that row..) */
int rowtide__crdt_add_twin(rowtide__crdt *engine);

#endif
