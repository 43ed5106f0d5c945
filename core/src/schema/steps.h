#ifndef ROWTIDE_SCHEMA_STEPS_H
#define ROWTIDE_SCHEMA_STEPS_H

#include "base/arena.h"
#include "schema/model.h"

#include <rowtide/schema_diff.h>
#include <rowtide/schema_plan.h>

/* From a difference to what has to be run: shared by generate, which writes it
 * down, and plan, which runs it. */

/* A difference as the room sees it. Each of its changes is the first member
 * of a rowtide__change. */
struct rowtide_schema_difference {
    rowtide__arena arena;
    rowtide_schema *from, *to;
    rowtide_schema_diff_options options; /* renames copied */
    rowtide_schema_changes changes;
    struct rowtide__renames *renames; /* the hints, read */
};

/* A change, and where in the two schemas it is; NULL where it isn't. */
typedef struct rowtide__change {
    rowtide_schema_change view;
    const rowtide__table *old_table, *new_table;
    const rowtide_schema_column *old_column, *new_column;
    const rowtide__ddl_constraint *old_constraint, *new_constraint;
} rowtide__change;

/* The name in `from` of a table of `to`, or of one of its columns if
 * `new_column` isn't NULL. *out is NULL if it is new. */
int rowtide__difference_old_name(const rowtide_schema_difference *difference,
                                 const char *new_table, const char *new_column,
                                 const char **out);

/* What the SQLite at hand can do, and what may be done. */
typedef struct rowtide__abilities {
    int version;      /* sqlite3_libversion_number() */
    unsigned allow;   /* ROWTIDE_ALLOW_...; what needs another one becomes a
                          step with `refused` */
    int edit_text;    /* the stored text may be changed in place */
    int verbatim;     /* a rebuilt table gets the text of `to` as it is */
    int stat1, stat4; /* sqlite_stat1 and 4 exist */
    /* 1, 0 or an error: has this table of `from` rows? NULL: assume so. */
    int (*has_rows)(void *user, const char *table);
    /* 1, 0 or an error: has anything this name, also what no model shows?
     * NULL: only `from` tells. */
    int (*has_name)(void *user, const char *name);
    void *user;
} rowtide__abilities;

typedef enum rowtide__step_how {
    ROWTIDE__HOW_RUN,    /* the statements, one after the other */
    ROWTIDE__HOW_EDIT,   /* put `table_sql` into sqlite_schema */
    ROWTIDE__HOW_REBUILD /* `body`, with foreign keys off */
} rowtide__step_how;

/* A step before anybody counted rows. */
typedef struct rowtide__step {
    rowtide_plan_step view; /* statements: what is run, or for a REBUILD all
                               that is written out to run it with any tool */
    rowtide__step_how how;
    const rowtide__table *old_table; /* of EDIT and REBUILD: after the steps
                                        before this one */
    const rowtide__table *new_table; /* of `to`, or NULL */
    const char *table_sql;           /* the edited CREATE statement */
    const char *const *body; /* of a REBUILD: what is between BEGIN and COMMIT,
                                with legacy_alter_table=ON */
    size_t copy_at;          /* which one of these copies the rows; SIZE_MAX:
                                none */
    const char *spare;       /* what the new table is called until then */
    const char *copy_some;   /* the same for ?2 rows with a rowid above ?1, or
                              NULL if it can't be done in parts */
    const char *last_copied; /* SELECT of the highest rowid in the new table */
} rowtide__step;

typedef struct rowtide__steps {
    rowtide__arena arena;
    const rowtide__step *const *items; /* NULL-terminated */
    rowtide_schema *from; /* as it is once names and columns have been changed
                             by ALTER TABLE; counted */
} rowtide__steps;

/* Steps in an order in which they can be run: renames, drops of what is in the
 * way (triggers, indexes, views), tables, columns, edits and rebuilds, drops
 * of tables, then indexes, views and triggers. One rebuild of a table at most.
 * Only what difference->changes lists is done. */
int rowtide__steps_make(const rowtide_schema_difference *difference,
                        const rowtide__abilities *abilities,
                        rowtide__steps *out);
void rowtide__steps_dispose(rowtide__steps *steps);

/* ## steps_replay.c: what SQLite makes of these statements, on a scratch
 * database with the same schema */
int rowtide__schema_replay(const rowtide_schema *from,
                           const char *const *statements, rowtide_schema **out);

#endif
