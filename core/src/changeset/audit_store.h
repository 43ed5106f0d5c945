#ifndef ROWTIDE_CHANGESET_AUDIT_STORE_H
#define ROWTIDE_CHANGESET_AUDIT_STORE_H

#include <rowtide/apply.h>
#include <rowtide/audit.h>

/* Make the log's tables if they are missing. */
int rowtide__audit_ensure(rowtide_db *db);

/* Append an entry with its changes, inside the caller's transaction. */
int rowtide__audit_store(rowtide_db *db, rowtide_changeset *changeset,
                         const rowtide_audit_entry *entry, int64_t *id);

/* UTC with milliseconds, as stored, of a time in any form that SQLite knows
 * and that starts with a date. `out` takes 32 bytes. */
int rowtide__audit_time(rowtide_db *db, const char *time, char *out);

#endif
