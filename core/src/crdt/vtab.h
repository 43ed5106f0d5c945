#ifndef ROWTIDE_CRDT_VTAB_H
#define ROWTIDE_CRDT_VTAB_H

#include "crdt/engine.h"

/* What our virtual tables have in common: they know the engine of their
 * connection, and tell SQLite the last error of the thread. */

int rowtide__vtab_connect(sqlite3 *sqlite, void *engine,
                          const char *declaration, sqlite3_vtab **out);
int rowtide__vtab_disconnect(sqlite3_vtab *vtab);
rowtide__crdt *rowtide__vtab_engine(sqlite3_vtab *vtab);
/* A cursor of this size, zeroed. */
int rowtide__vtab_open(size_t size, sqlite3_vtab_cursor **out);
/* SQLite's code for a status, SQLITE_OK for ROWTIDE_DONE. */
int rowtide__vtab_end_call(sqlite3_vtab *vtab, int status);

#endif
