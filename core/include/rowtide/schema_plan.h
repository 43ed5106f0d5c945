/**
 * @file rowtide/schema_plan.h
 * @brief Bring a database to a schema: plan, look whether rows are in the way,
 *  apply.
 *
 * A plan takes the cheapest safe way for each change: none but the stored text,
 * ALTER TABLE as far as the loaded SQLite can, ADD COLUMN, and else a rebuild
 * of the table. A rebuild edits the stored CREATE statement, so comments,
 * constraints and their names stay as they are, and keeps triggers, views,
 * rowids, AUTOINCREMENT sequences and the statistics of ANALYZE.
 *
 * The stored text is changed in place (`PRAGMA writable_schema`) only where no
 * byte of the data depends on it: a declared type of the same affinity, NOT
 * NULL, CHECK and foreign keys, after a look at the rows; never a DEFAULT, which
 * is also the value of rows older than their column. A connection with
 * `SQLITE_DBCONFIG_DEFENSIVE` rebuilds instead.
 *
 * Everything is about the "main" database.
 */
#ifndef ROWTIDE_SCHEMA_PLAN_H
#define ROWTIDE_SCHEMA_PLAN_H

#include <rowtide/schema_diff.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_plan rowtide_plan;

typedef enum rowtide_plan_method {
    ROWTIDE_METHOD_CREATE,
    ROWTIDE_METHOD_DROP,
    ROWTIDE_METHOD_RENAME,
    ROWTIDE_METHOD_ADD_COLUMN,
    ROWTIDE_METHOD_ALTER,  /**< ALTER TABLE in another form */
    ROWTIDE_METHOD_REBUILD /**< a new table, into which the rows are copied */
} rowtide_plan_method;

typedef struct rowtide_plan_step {
    rowtide_plan_method method;
    rowtide_schema_object object;
    const char *table;
    const char *name;   /**< of the object */
    const char *reason; /**< one line: what it is for */
    rowtide_schema_effect effect;
    const char *refused; /**< why it will not be run; NULL: it will. A table
                              that takes part in merging is altered between
                              crsql_begin_alter() and crsql_commit_alter() */
    const rowtide_schema_change *const *changes; /**< that it makes */
    const char *const *statements; /**< what is run; of a rebuild the whole
                                        procedure, from `PRAGMA
                                        foreign_keys=OFF` to COMMIT, as it can
                                        be run with any tool */
    int64_t rows;  /**< that have to be read or copied, 0 if none */
    int64_t bytes; /**< of disk that are needed meanwhile, an estimate */
} rowtide_plan_step;

typedef struct rowtide_plan_steps {
    const rowtide_plan_step *const *steps; /**< NULL-terminated, in order */
} rowtide_plan_steps;

/** Convert values by other rules, as when TEXT becomes INTEGER. */
#define ROWTIDE_ALLOW_LOSSY 1u
/** Remove tables, columns and what else the schema does not have. */
#define ROWTIDE_ALLOW_DESTRUCTIVE 2u

typedef struct rowtide_plan_options {
    size_t size;
    unsigned allow; /**< steps that are lossy or destructive are planned, and
                         refused without the flag */
    const char *const *renames; /**< as for rowtide_schema_diff() */
    rowtide_schema_undeclared undeclared;
} rowtide_plan_options;

#define ROWTIDE_PLAN_OPTIONS_INIT                                              \
    {sizeof(rowtide_plan_options), 0, NULL, ROWTIDE_UNDECLARED_REMOVE}

/**
 * Plan how the database becomes `to`. Nothing is written.
 *
 * @param out  free it with rowtide_plan_free()
 */
ROWTIDE_API int rowtide_schema_plan(rowtide_db *db, const rowtide_schema *to,
                                    const rowtide_plan_options *options,
                                    rowtide_plan **out);

/** Release the plan. */
ROWTIDE_API void rowtide_plan_free(rowtide_plan *plan);

/** @return the steps; borrowed, never NULL unless `plan` is. */
ROWTIDE_API const rowtide_plan_steps *
rowtide_plan_steps_of(const rowtide_plan *plan);

/** @return the shape of ::rowtide_plan_steps. */
ROWTIDE_API const rowtide_shape *rowtide_plan_shape(void);

/* ## Preflight */

typedef struct rowtide_preflight rowtide_preflight;

typedef enum rowtide_finding_kind {
    ROWTIDE_FINDING_NULL,        /**< NULL where NOT NULL is to come */
    ROWTIDE_FINDING_DUPLICATE,   /**< more than one row for a unique key */
    ROWTIDE_FINDING_CHECK,       /**< a CHECK does not hold */
    ROWTIDE_FINDING_FOREIGN_KEY, /**< no row that it refers to */
    ROWTIDE_FINDING_LOSSY,       /**< a value that would be converted */
    ROWTIDE_FINDING_TYPE         /**< a value that a STRICT table refuses */
} rowtide_finding_kind;

typedef struct rowtide_finding {
    rowtide_finding_kind kind;
    const char *table;
    const char *const *columns;
    int64_t count;              /**< rows */
    const char *const *samples; /**< a few of them, each as a condition for
                                     WHERE: "rowid = 5" */
    int fatal;        /**< applying would fail; 0: it would convert values */
    const char *note; /**< one line for people */
} rowtide_finding;

typedef struct rowtide_findings {
    const rowtide_finding *const *findings; /**< NULL-terminated */
} rowtide_findings;

typedef struct rowtide_plan_run_options {
    size_t size;
    rowtide_progress_cb progress; /**< or NULL. Called between statements, and
                                       while rows are copied, which is then done
                                       in batches; an index in the making is not
                                       interrupted. It must not write on this
                                       connection: ::ROWTIDE_EMISUSE. SQLite's progress handler is
                                       left to the application */
    void *progress_user;
} rowtide_plan_run_options;

#define ROWTIDE_PLAN_RUN_OPTIONS_INIT                                          \
    {sizeof(rowtide_plan_run_options), NULL, NULL}

/**
 * Look for rows that are in the way of a plan. Nothing is written.
 *
 * A NULL where NOT NULL is to come is in the way also if the column has a
 * DEFAULT: that is for rows to come, and which value the old ones should have
 * is not for us to say. Tables and columns are named as they are now.
 *
 * @param out  free it with rowtide_preflight_free()
 */
ROWTIDE_API int rowtide_plan_preflight(rowtide_db *db, const rowtide_plan *plan,
                                       const rowtide_plan_run_options *options,
                                       rowtide_preflight **out);

/** Release it. */
ROWTIDE_API void rowtide_preflight_free(rowtide_preflight *preflight);

/** @return what was found; borrowed, never NULL unless `preflight` is. */
ROWTIDE_API const rowtide_findings *
rowtide_preflight_findings(const rowtide_preflight *preflight);

/** @return the shape of ::rowtide_findings. */
ROWTIDE_API const rowtide_shape *rowtide_preflight_shape(void);

/* ## Applying */

typedef struct rowtide_schema_report rowtide_schema_report;

/** Something that was done to the schema, or was refused. */
typedef struct rowtide_schema_action {
    int done;
    rowtide_schema_object object;
    const char *table;
    const char *name;
    const char *sql;    /**< what was run; NULL if refused */
    const char *reason; /**< why it was refused; else NULL */
    int64_t rows;       /**< that were copied */
} rowtide_schema_action;

typedef struct rowtide_schema_actions {
    const rowtide_schema_action *const *actions; /**< NULL-terminated */
} rowtide_schema_actions;

/** Release the report. */
ROWTIDE_API void rowtide_schema_report_free(rowtide_schema_report *report);

/** @return what was done, in order; borrowed, never NULL unless `report` is. */
ROWTIDE_API const rowtide_schema_actions *
rowtide_schema_report_actions(const rowtide_schema_report *report);

/** @return the shape of ::rowtide_schema_actions. */
ROWTIDE_API const rowtide_shape *rowtide_schema_report_shape(void);

/**
 * Apply a plan: one transaction, all or nothing.
 *
 * Preflight is done first, inside that transaction; a fatal finding is
 * ::ROWTIDE_ECONSTRAINT and names table, column, count and a row, and a value
 * that would be converted is one too, unless the plan allows what is lossy.
 * ::ROWTIDE_ESCHEMA if the schema is not that any more which the plan was made
 * for. Refused steps are left out, and are in the report.
 *
 * Inside a transaction of the caller's, a plan that rebuilds or drops a table
 * is ::ROWTIDE_EMISUSE while `PRAGMA foreign_keys` is on: SQLite would delete
 * the rows that refer to it. Everything else is one savepoint there.
 *
 * A view or trigger that worked before and does not afterwards, because a
 * column that it names is gone, is ::ROWTIDE_ESCHEMA: remove it with the column.
 * Foreign key violations that were there before are not the plan's; one that
 * is new is ::ROWTIDE_ECONSTRAINT. A temporary table or view of the same name as
 * one that changes is ::ROWTIDE_EMISUSE: SQL would mean that one.
 *
 * Whatever fails, the database, the caller's transaction and the pragmas are
 * as they were. Only a transaction of the caller's that SQLite itself rolls
 * back (a full disk, sqlite3_interrupt() during a write) is gone then.
 *
 * @param out  free it with rowtide_schema_report_free(); may be NULL
 */
ROWTIDE_API int rowtide_plan_apply(rowtide_db *db, const rowtide_plan *plan,
                                   const rowtide_plan_run_options *options,
                                   rowtide_schema_report **out);

/**
 * Rebuild a table so that it has another definition: plan and apply for one
 * table. Columns keep their values by name; indexes and triggers stay, and have
 * to fit. If it is rebuilt, `sql` is stored as it is; where SQLite can do it
 * with less, or nothing differs but how it is written, the old text stays.
 *
 * @param sql  the CREATE TABLE statement that it shall have
 * @param out  free it with rowtide_schema_report_free(); may be NULL
 */
ROWTIDE_API int rowtide_schema_rebuild(rowtide_db *db, const char *sql,
                                       const rowtide_plan_options *options,
                                       const rowtide_plan_run_options *run,
                                       rowtide_schema_report **out);

/* ## Additive migration */

typedef struct rowtide_auto_migrate_options {
    size_t size;
    int foreign_keys; /**< 1: relations of the model become foreign keys, in
                           tables that are made now */
    int dry_run;      /**< 1: do it, report it, and roll it back */
} rowtide_auto_migrate_options;

#define ROWTIDE_AUTO_MIGRATE_OPTIONS_INIT                                      \
    {sizeof(rowtide_auto_migrate_options), 0, 0}

/**
 * Add what the database lacks: tables in the order of their references,
 * columns with all their clauses, indexes that no present one means the same
 * as, views, triggers and virtual tables. Nothing is ever dropped, renamed or
 * retyped.
 *
 * All of it is one transaction, or one savepoint in that of the caller. If
 * nothing is missing there is none, and nothing is locked. What SQLite cannot
 * add to a table that has rows (a NOT NULL column without a default, ...), what
 * needs such a column, and what differs without being missing is in the report,
 * as refused, with the reason. A UNIQUE column is added as a column and a
 * unique index. A table that cannot be made is an error.
 *
 * @param out  free it with rowtide_schema_report_free(); may be NULL
 */
ROWTIDE_API int
rowtide_schema_auto_migrate(rowtide_db *db, const rowtide_schema *model,
                            const rowtide_auto_migrate_options *options,
                            rowtide_schema_report **out);

#ifdef __cplusplus
}
#endif

#endif
