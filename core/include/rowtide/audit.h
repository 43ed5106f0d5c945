/**
 * @file rowtide/audit.h
 * @brief An audit log: who changed what and when, kept in the same database.
 *
 * Two tables hold it. `rowtide_audit` has one row per entry: `id`, `time`
 * (UTC, ISO 8601 with milliseconds), `author`, `label`, `changeset` (the
 * bytes). `rowtide_audit_change` has one row per change: `entry`, `position`,
 * `table_name`, `kind`, `indirect`, and the JSON objects `primary_key`,
 * `old_values` and `new_values` by column name. Both are ordinary tables to be
 * queried with SQL. An entry is written in the transaction of the changes it
 * speaks of, so there is neither a change without its entry nor an entry
 * without its change.
 *
 * `old_values` is NULL for an insert and `new_values` for a delete; an update
 * has the columns that it changed in both. Values that JSON lacks are as in
 * docs/changeset-json.md, such as {"blob":"00ff"}.
 */
#ifndef ROWTIDE_AUDIT_H
#define ROWTIDE_AUDIT_H

#include <rowtide/capture.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_audit rowtide_audit;

typedef struct rowtide_audit_entry {
    const char *author; /**< or NULL */
    const char *label;  /**< what was done, or NULL */
    const char *time;   /**< or NULL: now. It starts with a date, in any form
                             SQLite knows, and is stored as UTC. */
} rowtide_audit_entry;

/** Open the log of a database, making its tables if they are not there.
 *  @param out  free it with rowtide_audit_free() */
ROWTIDE_API int rowtide_audit_open(rowtide_db *db, rowtide_audit **out);

/**
 * Start an entry: begins a transaction (a savepoint inside the caller's one)
 * and a capture of the chosen tables. The log's own tables are never
 * recorded.
 *
 * @param options  what to record, or NULL for every table; only the schema
 *  "main" can be recorded here
 * @return ::ROWTIDE_OK, ::ROWTIDE_EMISUSE if an entry was begun already,
 *  ::ROWTIDE_EBUSY if another connection is writing, or an error
 */
ROWTIDE_API int rowtide_audit_begin(rowtide_audit *audit,
                                    const rowtide_capture_options *options);

/**
 * End the entry: append it and commit. If nothing changed, no entry is made
 * and `*id` is 0. On failure everything since rowtide_audit_begin() is undone;
 * but if the transaction has been ended by somebody else meanwhile, this is
 * ::ROWTIDE_EMISUSE, no entry is made, and the database is left alone.
 *
 * @param entry  copied; or NULL
 * @param id  the entry's id, if not NULL
 */
ROWTIDE_API int rowtide_audit_commit(rowtide_audit *audit,
                                     const rowtide_audit_entry *entry,
                                     int64_t *id);

/** Undo everything since rowtide_audit_begin(). */
ROWTIDE_API int rowtide_audit_rollback(rowtide_audit *audit);

/** Append a changeset that was captured elsewhere as an entry. Columns of a
 *  table that is not in the database are called c1, c2 and so on. */
ROWTIDE_API int rowtide_audit_append(rowtide_audit *audit,
                                     rowtide_changeset *changeset,
                                     const rowtide_audit_entry *entry,
                                     int64_t *id);

/** Get the changeset of an entry: to undo it, to ship it. */
ROWTIDE_API int rowtide_audit_changeset(rowtide_audit *audit, int64_t id,
                                        rowtide_changeset **out);

/** Delete entries older than a time ("2026-01-31", or more exact), or all but
 *  the newest `keep` if `before` is NULL. @param pruned  how many, if not
 *  NULL */
ROWTIDE_API int rowtide_audit_prune(rowtide_audit *audit, const char *before,
                                    int64_t keep, int64_t *pruned);

/** Close the log, rolling back an entry that was begun. */
ROWTIDE_API void rowtide_audit_free(rowtide_audit *audit);

#ifdef __cplusplus
}
#endif

#endif
