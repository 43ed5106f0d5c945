#ifndef ROWTIDE_CHANGESET_STORE_H
#define ROWTIDE_CHANGESET_STORE_H

#include "db/connection.h"

#include <rowtide/changeset.h>

/* A table that the library keeps for itself. */
typedef struct rowtide__store_table {
    const char *name;
    const char *owner;   /* in messages: "an audit log" */
    const char *columns; /* "id, time", exactly what it must have */
    const char *sql;     /* makes it and its indexes */
} rowtide__store_table;

/* Make the tables that are missing. One that is there with other columns
 * belongs to somebody else: ROWTIDE_ESCHEMA. Writes only if one is missing. */
int rowtide__store_ensure(rowtide_db *db, const rowtide__store_table *tables,
                          int count);

/* Run one statement with these values bound. */
int rowtide__store_run(rowtide_db *db, const char *sql,
                       const rowtide_value *values, int count);

/* NULL is SQL NULL. */
rowtide_value rowtide__store_text(const char *text);

/* Read a changeset that a helper stored: one column of one row, found by
 * `key`. ROWTIDE_DONE if there is no such row. */
int rowtide__store_changeset(rowtide_db *db, const char *sql, int64_t key,
                             rowtide_changeset **out);

#endif
