#ifndef ROWTIDE_CRDT_API_H
#define ROWTIDE_CRDT_API_H

#include "crdt/engine.h"
#include "db/connection.h"

/* The engine of the connection, registered if it is not yet. Call it between
 * rowtide__db_enter() and rowtide__db_leave(). */
int rowtide__crdt_of(rowtide_db *db, rowtide__crdt **out);

#endif
