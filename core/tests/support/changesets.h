/*
 * Changesets made by running SQL.
 */
#ifndef ROWTIDE_TESTS_CHANGESETS_H
#define ROWTIDE_TESTS_CHANGESETS_H

#include <rowtide/apply.h>
#include <rowtide/capture.h>

/* What `sql` does to the database, which keeps it. Free the changeset. */
rowtide_changeset *changesets_record(rowtide_db *db, const char *sql);
rowtide_changeset *changesets_record_patchset(rowtide_db *db, const char *sql);

/* What `sql` would do to a database that `schema` makes. */
rowtide_changeset *changesets_of(const char *schema, const char *sql);

/* "delete t 1|'x'|NULL -> 2|..": one line for each change, sorted by nobody;
 * undefined values are "-". free() it. */
char *changesets_text(rowtide_changeset *changeset);

#endif
