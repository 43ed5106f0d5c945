#ifndef ROWTIDE_CRDT_SQLITE_H
#define ROWTIDE_CRDT_SQLITE_H

/* The engine is built twice: into the library, where it calls the SQLite that
 * the library is linked to, and into the loadable extension, where it calls
 * the one that loads it. */
#ifdef ROWTIDE_LOADABLE
#include <sqlite3ext.h>
SQLITE_EXTENSION_INIT3
#else
#include <sqlite3.h>
#endif

#endif
