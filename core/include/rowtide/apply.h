/**
 * @file rowtide/apply.h
 * @brief Apply a changeset, and decide about conflicts.
 *
 * All of it is applied or nothing. Outside a transaction the call makes one;
 * inside one of the caller's it makes a savepoint there, and leaves that
 * transaction open, as it was, whatever happens. (One exception is SQLite's
 * own: on a few errors, such as a trigger with RAISE(ROLLBACK) or a disk that
 * is full in the middle of an UPDATE, it rolls back the caller's transaction
 * as well.)
 *
 * Changes that violate a constraint are tried again when their table is
 * through, so their order does not matter, and rows that only exchange unique
 * values are written together: deleted and inserted with their new values,
 * without foreign key actions. That is not done for a table with triggers that
 * fire, nor where foreign keys refer to other columns than the primary key.
 *
 * Foreign keys are checked at the end, if `PRAGMA foreign_keys` is on. Until
 * then they are deferred; the caller's `PRAGMA defer_foreign_keys` is put back
 * afterwards. Violations that a handler let pass are committed by the call's
 * own transaction, but for those of keys declared INITIALLY DEFERRED, which
 * SQLite never commits. In a transaction of the caller's they stay in it; if
 * it defers foreign keys itself its commit fails until they are mended.
 *
 * The settings that flags change, and the last insert rowid, are as before
 * when the call returns. Hooks and the authorizer of the application stay in
 * place. Only tables of the schema "main" are written.
 */
#ifndef ROWTIDE_APPLY_H
#define ROWTIDE_APPLY_H

#include <rowtide/changeset.h>
#include <rowtide/db.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What stands in the way of a change, with SQLite's own numbers. */
typedef enum rowtide_conflict_kind {
    /** UPDATE or DELETE: the row is there, but with other values. */
    ROWTIDE_CONFLICT_DATA = 1,
    /** UPDATE or DELETE: no row with this primary key. */
    ROWTIDE_CONFLICT_NOT_FOUND = 2,
    /** INSERT: a row with this primary key is there already. */
    ROWTIDE_CONFLICT_CONFLICT = 3,
    /** A UNIQUE, CHECK, NOT NULL or type constraint, or a trigger, says no. */
    ROWTIDE_CONFLICT_CONSTRAINT = 4,
    /** Once, at the end: foreign keys are violated that were not before. */
    ROWTIDE_CONFLICT_FOREIGN_KEY = 5
} rowtide_conflict_kind;

/** What to do about it, with SQLite's own numbers. */
typedef enum rowtide_conflict_action {
    /** Leave the change out and go on. For a foreign key conflict: commit. */
    ROWTIDE_ACTION_OMIT = 0,
    /** Let the change win. Only for data and conflict: for the others it is
     *  an error, ::ROWTIDE_EINVAL, and nothing is applied. */
    ROWTIDE_ACTION_REPLACE = 1,
    /** Undo everything and return ::ROWTIDE_ECONFLICT. */
    ROWTIDE_ACTION_ABORT = 2
} rowtide_conflict_action;

/** A conflict, valid during the callback only. */
typedef struct rowtide_conflict {
    rowtide_conflict_kind kind;
    const rowtide_change *change;     /**< NULL for a foreign key conflict */
    const rowtide_value *conflicting; /**< the row that is in the database,
                                           `change->column_count` values, for
                                           data and conflict; else NULL */
    int64_t foreign_key_count; /**< rows that violate a foreign key, for a
                                    foreign key conflict. Without
                                    ::ROWTIDE_APPLY_FK_NO_ACTION those that
                                    were committed while foreign keys were off
                                    are among them */
    const char *message;       /**< one line that says what is the matter */
} rowtide_conflict;

/**
 * Decide about a conflict. The connection may be read and written meanwhile,
 * and other changesets applied; ending the transaction or closing the
 * connection fails the apply with ::ROWTIDE_EMISUSE.
 *
 * If ::ROWTIDE_ACTION_REPLACE for an INSERT violates a constraint, the row in
 * the way stays, and the callback is asked once more, about that.
 *
 * @return a ::rowtide_conflict_action, or a negative code to undo everything
 *  and return that code
 */
typedef int (*rowtide_conflict_cb)(const rowtide_conflict *conflict,
                                   void *user);

/** Choose changes one by one. @return 1 to apply, 0 to leave out, negative to
 *  fail */
typedef int (*rowtide_change_filter_cb)(const rowtide_change *change,
                                        void *user);

/** What to do about each kind of conflict without asking. */
typedef struct rowtide_policy {
    rowtide_conflict_action data;
    rowtide_conflict_action not_found;
    rowtide_conflict_action conflict;
    rowtide_conflict_action constraint;
    rowtide_conflict_action foreign_key;
} rowtide_policy;

/** Any conflict aborts. */
#define ROWTIDE_POLICY_ABORT                                                   \
    {ROWTIDE_ACTION_ABORT, ROWTIDE_ACTION_ABORT, ROWTIDE_ACTION_ABORT,         \
     ROWTIDE_ACTION_ABORT, ROWTIDE_ACTION_ABORT}
/** What is in the database wins. */
#define ROWTIDE_POLICY_OMIT                                                    \
    {ROWTIDE_ACTION_OMIT, ROWTIDE_ACTION_OMIT, ROWTIDE_ACTION_OMIT,            \
     ROWTIDE_ACTION_OMIT, ROWTIDE_ACTION_ABORT}
/** The changeset wins wherever it can; what it cannot force is left out. */
#define ROWTIDE_POLICY_REPLACE                                                 \
    {ROWTIDE_ACTION_REPLACE, ROWTIDE_ACTION_OMIT, ROWTIDE_ACTION_REPLACE,      \
     ROWTIDE_ACTION_OMIT, ROWTIDE_ACTION_ABORT}

/** Apply the inverse. Not for patchsets. */
#define ROWTIDE_APPLY_INVERT 1u
/** A change that the database already has is no conflict: a DELETE of a row
 *  that is gone, an INSERT or UPDATE of a row that is so already. The report
 *  counts it as skipped. */
#define ROWTIDE_APPLY_IGNORE_NOOP 2u
/** ON DELETE and ON UPDATE actions of foreign keys do not run; violations are
 *  still found at the end, by checking all foreign keys before and after. */
#define ROWTIDE_APPLY_FK_NO_ACTION 4u
/** Triggers do not fire: for changesets that hold what triggers did. */
#define ROWTIDE_APPLY_NO_TRIGGERS 8u
/** Leave out indirect changes: for databases whose triggers redo them. */
#define ROWTIDE_APPLY_SKIP_INDIRECT 16u
/** Leave out tables that do not fit the schema instead of failing, and list
 *  them in the report. */
#define ROWTIDE_APPLY_SKIP_MISFITS 32u

typedef struct rowtide_apply_options {
    size_t size;
    rowtide_policy policy;           /**< used where `on_conflict` is NULL */
    rowtide_conflict_cb on_conflict; /**< or NULL */
    void *on_conflict_user;
    rowtide_table_filter_cb filter; /**< or NULL: all tables */
    void *filter_user;
    rowtide_change_filter_cb change_filter; /**< or NULL: all changes */
    void *change_filter_user;
    unsigned flags;
    rowtide_progress_cb progress; /**< in bytes of the input; or NULL */
    void *progress_user;
} rowtide_apply_options;

#define ROWTIDE_APPLY_OPTIONS_INIT                                             \
    {sizeof(rowtide_apply_options),                                            \
     ROWTIDE_POLICY_ABORT,                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     0,                                                                        \
     NULL,                                                                     \
     NULL}

/** What an apply did. Immutable. */
typedef struct rowtide_report rowtide_report;

typedef struct rowtide_report_table {
    const char *table;       /**< borrowed from the report */
    int64_t applied;         /**< changes made, replaced ones among them */
    int64_t omitted;         /**< left out by a conflict action */
    int64_t replaced;        /**< won over a conflicting row */
    int64_t skipped;         /**< left out by filter, flag or misfit, or
                                  there already */
    const char *skip_reason; /**< why the table does not fit, or NULL */
} rowtide_report_table;

/**
 * Apply a changeset or patchset.
 *
 * A table that is missing, has fewer columns than the changeset, another
 * primary key, or is no ordinary table is ::ROWTIDE_ESCHEMA before anything is
 * written. Column names are not in the format and cannot be checked. Further
 * columns at the end, and generated ones anywhere, are no hindrance.
 *
 * @param out  what was done, if not NULL; free it with rowtide_report_free()
 * @return ::ROWTIDE_OK; ::ROWTIDE_ECONFLICT for a conflict that was answered
 *  with abort, with a message that names table, key, kind and constraint; or
 *  another error
 */
ROWTIDE_API int rowtide_changeset_apply(rowtide_db *db,
                                        rowtide_changeset *changeset,
                                        const rowtide_apply_options *options,
                                        rowtide_report **out);

/**
 * Apply from a stream in bounded memory. Changes that violate a constraint are
 * kept for a second try once their table is through, and so are in memory.
 * A table that does not fit, or corrupt bytes, are found when they are
 * reached; then everything is undone.
 */
ROWTIDE_API int
rowtide_changeset_apply_stream(rowtide_db *db, rowtide_source *source,
                               const rowtide_apply_options *options,
                               rowtide_report **out);

/** @return the sum over all tables; `table` and `skip_reason` are NULL. */
ROWTIDE_API rowtide_report_table
rowtide_report_total(const rowtide_report *report);

/** @return how many tables the report has. */
ROWTIDE_API int rowtide_report_table_count(const rowtide_report *report);

/** Read the line of table `index` (from 0). */
ROWTIDE_API int rowtide_report_table_at(const rowtide_report *report, int index,
                                        rowtide_report_table *out);

/** @return data for rowtide_changeset_rebase(), borrowed from the report, in
 *  SQLite's form; NULL with `*size` 0 if there was nothing to decide, or if a
 *  patchset was applied. */
ROWTIDE_API const void *rowtide_report_rebase(const rowtide_report *report,
                                              size_t *size);

/** Release a report. */
ROWTIDE_API void rowtide_report_free(rowtide_report *report);

/** @return "data", "not_found", ... ; "unknown" for another number. */
ROWTIDE_API const char *rowtide_conflict_kind_name(int kind);

/** @return "insert", "update", "delete"; "unknown" for another number. */
ROWTIDE_API const char *rowtide_change_kind_name(int kind);

/** @return "omit", "replace", "abort"; "unknown" for another number. */
ROWTIDE_API const char *rowtide_conflict_action_name(int action);

#ifdef __cplusplus
}
#endif

#endif
