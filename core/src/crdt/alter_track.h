#ifndef ROWTIDE_CRDT_ALTER_TRACK_H
#define ROWTIDE_CRDT_ALTER_TRACK_H

#include "crdt/engine.h"

/* Updates of a table that is being altered. */
void rowtide__altered_free(rowtide__crdt *engine);
/* crsql_alter_before(table, old key..),
 * crsql_alter_after(table, new key.., old key..) */
int rowtide__crdt_add_alter(rowtide__crdt *engine);

#endif
