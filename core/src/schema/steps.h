#ifndef ROWTIDE_SCHEMA_STEPS_H
#define ROWTIDE_SCHEMA_STEPS_H

#include "base/arena.h"
#include "schema/model.h"

#include <rowtide/schema_diff.h>
#include <rowtide/schema_plan.h>

/* From a difference to what has to be run: shared by generate, which writes it
 * down, and plan, which runs it. */

/* A difference as the room sees it. */
struct rowtide_schema_difference {
    rowtide__arena arena;
    rowtide_schema *from, *to;
    rowtide_schema_diff_options options; /* renames copied */
    rowtide_schema_changes changes;
};

/* `old` becomes `new`; either may be NULL. Names in terms of hints are
 * resolved: this is how to ask which is which. */
int rowtide__difference_old_name(const rowtide_schema_difference *difference,
                                 const char *new_table, const char *new_column,
                                 const char **out); /* *out NULL: none */

/* What the SQLite at hand can do. */
typedef struct rowtide__abilities {
    int version;      /* sqlite3_libversion_number() */
    int rows_unknown; /* no database at hand: assume that tables have rows */
} rowtide__abilities;

/* A step before anybody counted rows. */
typedef struct rowtide__step {
    rowtide_plan_step view; /* statements: what is run, for CREATE, DROP,
                               RENAME, ADD_COLUMN, ALTER; for REBUILD what is
                               written out */
    const rowtide__table *old_table, *new_table; /* of a rebuild */
    const char *rebuilt_sql; /* of a rebuild: the edited CREATE statement */
} rowtide__step;

/* Steps in an order in which they can be run: renames, drops of what is in the
 * way (indexes, triggers, views), tables, columns, rebuilds, drops of tables,
 * then indexes, views and triggers. One rebuild of a table at most. */
int rowtide__steps_make(const rowtide_schema_difference *difference,
                        const rowtide__abilities *abilities,
                        rowtide__arena *arena,
                        const rowtide__step *const **out);

/* The whole procedure for one table as statements that any tool can run, from
 * PRAGMA foreign_keys=OFF to its end. */
int rowtide__rebuild_statements(const rowtide__step *step,
                                const rowtide_schema *from,
                                rowtide__arena *arena, const char *const **out);

#endif
