#ifndef ROWTIDE_CHANGESET_APPLY_H
#define ROWTIDE_CHANGESET_APPLY_H

#include "changeset/report.h"
#include "db/connection.h"
#include "db/table.h"
#include "db/transaction.h"
#include "db/violations.h"

#include <rowtide/apply.h>

/* An UPDATE for one set of changed columns. */
typedef struct rowtide__apply_update {
    struct rowtide__apply_update *next;
    sqlite3_stmt *stmt;
    unsigned char changed[]; /* one byte for each column */
} rowtide__apply_update;

/* A table of the changeset, and how it is written here. */
typedef struct rowtide__apply_table {
    struct rowtide__apply_table *next;
    rowtide__table_info info;
    char *name; /* as the changeset has it */
    int column_count;
    unsigned char *primary_key;
    int *columns; /* where each of them is in info.columns */
    int skipped;  /* by the filter, or because it does not fit */
    int judged;   /* whether it fits */
    int line;     /* in the report */
    sqlite3_stmt *insert, *delete, *select;
    rowtide__apply_update *updates; /* the one used last comes first */
    int update_count;
} rowtide__apply_table;

/* A change that violated a constraint and waits for another try. */
typedef struct rowtide__apply_pending {
    struct rowtide__apply_pending *next;
    int forced; /* REPLACE was decided for it */
    rowtide_change change;
} rowtide__apply_pending;

/* What the connection was set to before. */
typedef struct rowtide__apply_settings {
    int saved;
    int foreign_keys, triggers, defer_foreign_keys;
    sqlite3_int64 last_insert_rowid;
} rowtide__apply_settings;

typedef struct rowtide__apply {
    rowtide_db *db;
    sqlite3 *sqlite;
    rowtide_apply_options options;
    int patchset;
    rowtide__transaction transaction;
    rowtide__apply_settings settings;
    rowtide__apply_table *tables;
    rowtide__apply_table *table; /* the one in work */
    rowtide__apply_pending *pending, **pending_end;
    int64_t pending_count;
    sqlite3_stmt *savepoint, *release, *rollback_to;
    rowtide_report *report;
    int rebase_started; /* the table in work has its header */

    int check_foreign_keys; /* the counter does not know all of it */
    rowtide__violations fk_before;

    rowtide_value *row; /* the conflicting row, its bytes in row_bytes */
    int row_capacity;
    rowtide_buffer row_bytes;
    char constraint[256]; /* SQLite's words for the last violation */
    int constraint_code;

    int64_t total, next_progress; /* bytes; milliseconds */
    unsigned steps;
} rowtide__apply;

/* What came of trying a change, beside ROWTIDE_OK and errors. */
enum {
    ROWTIDE__APPLY_UNMATCHED = 16, /* no row with this key and these values */
    ROWTIDE__APPLY_VIOLATED        /* a constraint; see `constraint` */
};

/* apply_table.c */
int rowtide__apply_table_find(rowtide__apply *apply,
                              const rowtide_change *change,
                              rowtide__apply_table **out);
/* Why the changeset's table does not fit, appended; nothing if it does. */
int rowtide__apply_table_misfit(const rowtide__apply_table *table,
                                rowtide_buffer *reason);
void rowtide__apply_tables_free(rowtide__apply *apply);

/* apply_stmt.c */
int rowtide__apply_stmt_insert(rowtide__apply *apply, sqlite3_stmt **out);
int rowtide__apply_stmt_delete(rowtide__apply *apply, sqlite3_stmt **out);
int rowtide__apply_stmt_select(rowtide__apply *apply, sqlite3_stmt **out);
int rowtide__apply_stmt_update(rowtide__apply *apply,
                               const rowtide_change *change,
                               sqlite3_stmt **out);

/* apply_change.c */
/* Try a change once: ROWTIDE_OK, one of the enum above, or an error. */
int rowtide__apply_try(rowtide__apply *apply, const rowtide_change *change,
                       int forced);
/* Delete the row with the change's key, whatever else is in it. */
int rowtide__apply_force_delete(rowtide__apply *apply,
                                const rowtide_change *change);
/* Read the row with the change's key into apply->row: ROWTIDE_OK or
 * ROWTIDE_DONE if there is none. */
int rowtide__apply_read_row(rowtide__apply *apply,
                            const rowtide_change *change);
int rowtide__apply_savepoint(rowtide__apply *apply);
int rowtide__apply_release(rowtide__apply *apply);
int rowtide__apply_rollback_to(rowtide__apply *apply); /* and release */
/* Apply a change of the table in work, asking about conflicts. A violated
 * constraint is left for later, or asked about if `last`. */
int rowtide__apply_change(rowtide__apply *apply, const rowtide_change *change,
                          int forced, int last);

/* apply_conflict.c */
/* Decide: ROWTIDE_ACTION_OMIT or ROWTIDE_ACTION_REPLACE, or an error. */
int rowtide__apply_decide(rowtide__apply *apply, rowtide_conflict_kind kind,
                          const rowtide_change *change);
/* 0 to commit in spite of the violations, or an error. */
int rowtide__apply_decide_foreign_keys(rowtide__apply *apply, int64_t count,
                                       const char *first);
/* Put what was decided into the rebase data. */
int rowtide__apply_note_decision(rowtide__apply *apply,
                                 const rowtide_change *change, int replace);

/* apply_pending.c */
int rowtide__apply_pending_add(rowtide__apply *apply,
                               const rowtide_change *change, int forced);
/* The table is through: try again what is pending. */
int rowtide__apply_pending_flush(rowtide__apply *apply);
void rowtide__apply_pending_free(rowtide__apply *apply);

/* apply_rewrite.c */
/* Try to write all that is pending at once, by taking the rows out and
 * putting them in again. ROWTIDE_DONE if that is not possible. */
int rowtide__apply_rewrite(rowtide__apply *apply);

/* apply_settings.c */
int rowtide__apply_settings_change(rowtide__apply *apply);
int rowtide__apply_settings_relent(rowtide__apply *apply);
void rowtide__apply_settings_restore(rowtide__apply *apply);
/* Foreign key actions and triggers off, and to what they are during apply. */
int rowtide__apply_settings_quiet(rowtide__apply *apply);
int rowtide__apply_settings_unquiet(rowtide__apply *apply);
/* Does the connection still exist, and our transaction in it? */
int rowtide__apply_still_open(rowtide__apply *apply);

/* apply_foreign_keys.c */
int rowtide__apply_foreign_keys_before(rowtide__apply *apply);
/* Changes follow that SQLite's counter of violations does not see. */
int rowtide__apply_foreign_keys_uncounted(rowtide__apply *apply);
int rowtide__apply_foreign_keys_after(rowtide__apply *apply);

#endif
