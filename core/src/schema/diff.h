#ifndef ROWTIDE_SCHEMA_DIFF_H_PRIVATE
#define ROWTIDE_SCHEMA_DIFF_H_PRIVATE

#include "base/map.h"
#include "schema/steps.h"

#include <rowtide/buffer.h>

/* ## diff_rename.c: hints, and what the old schema's texts are after them */

typedef struct rowtide__rename {
    const rowtide__table *old_table, *new_table;
    const char *old_column, *new_column; /* NULL: the table itself */
} rowtide__rename;

typedef struct rowtide__renames {
    const rowtide_schema *from, *to;
    const rowtide__rename *items;
    size_t count;
} rowtide__renames;

int rowtide__renames_read(rowtide_schema_difference *difference);

/* What a table of one side is on the other side, or NULL. */
const rowtide__table *
rowtide__renames_old_table(const rowtide__renames *renames, const char *name);
const rowtide__table *
rowtide__renames_new_table(const rowtide__renames *renames, const char *name);
/* What a column of `old_table` is called now, be it there or not. */
const char *rowtide__renames_new_column(const rowtide__renames *renames,
                                        const rowtide__table *old_table,
                                        const char *old_column);
/* What it was called; NULL if that name is another column's. */
const char *rowtide__renames_old_column(const rowtide__renames *renames,
                                        const rowtide__table *new_table,
                                        const char *new_column);

/* ## diff_text.c */

/* SQL of the old schema with the new names in it, and in a body all names in
 * quotes that make them names. */

/* An expression of `table`. */
int rowtide__renames_expression(const rowtide__renames *renames,
                                const rowtide__table *table, const char *sql,
                                size_t size, rowtide_buffer *out);
/* A statement that may name any table, such as that of a trigger of `table` or
 * of a view, which has none. *unsure is 1 if a name may be of another one. */
int rowtide__renames_body(const rowtide__renames *renames,
                          const rowtide__table *table, const char *sql,
                          rowtide_buffer *out, int *unsure);
/* The same for the new schema, where names stay. */
int rowtide__resolve_body(const rowtide_schema *schema,
                          const rowtide__table *table, const char *sql,
                          rowtide_buffer *out);

/* ## diff.c */

/* A comparison under way. After an error nothing happens any more. */
typedef struct rowtide__diff {
    rowtide_schema_difference *difference;
    rowtide__arena *arena;
    const rowtide__renames *renames;
    rowtide__list changes;
    rowtide__map new_triggers;                   /* of all tables and views */
    const rowtide__table *old_table, *new_table; /* those in work */
    int rc;
} rowtide__diff;

/* List a change. The tables in work and their name are filled in; a note that
 * is NULL means that memory ran out while it was made. */
void rowtide__diff_put(rowtide__diff *diff, rowtide__change change);
/* Does SQL of the old table in work mean what that of the new one does? Either
 * may be NULL. */
int rowtide__diff_same_expression(rowtide__diff *diff, const char *old_sql,
                                  const char *new_sql);
/* The same for whole statements that may name any table. */
int rowtide__diff_same_body(rowtide__diff *diff, const char *old_sql,
                            const char *new_sql);
/* The same for two texts in which no name is. */
int rowtide__diff_same_text(rowtide__diff *diff, const char *a, const char *b);
/* Equal names, or none on both sides. */
int rowtide__diff_same_name(const char *a, const char *b);
int rowtide__diff_ignores_undeclared(const rowtide__diff *diff);

/* ## diff_column.c */
void rowtide__diff_columns(rowtide__diff *diff);

/* ## diff_constraint.c: keys, checks and foreign keys */
void rowtide__diff_constraints(rowtide__diff *diff);
/* Is the column in a PRIMARY KEY, a UNIQUE or a unique index? */
int rowtide__table_unique_on(const rowtide_schema_table *table,
                             const char *column);

/* ## diff_constraint_text.c */
typedef struct rowtide__diff_constraint {
    const rowtide__ddl_constraint *ddl; /* NULL: a relation */
    const rowtide__ddl_column *column;  /* that it is written at, or NULL */
    rowtide__constraint_kind kind;
    const char *name;    /* of the constraint, or NULL */
    const char *meaning; /* equal if it is on the same */
    const char *parent;  /* columns that a foreign key refers to; "" if that
                            cannot be known */
    const char *details; /* what else it says */
    int matched;
} rowtide__diff_constraint;

/* Those of the old or of the new table in work, in terms of the new names. */
int rowtide__diff_collect_constraints(rowtide__diff *diff, int old,
                                      rowtide__diff_constraint **out,
                                      size_t *count_out);
/* As a constraint of the table: CONSTRAINT "n" UNIQUE ("a"); or without its
 * name. */
const char *
rowtide__diff_constraint_sql(rowtide__diff *diff, const rowtide__table *table,
                             const rowtide__diff_constraint *constraint,
                             int named);

/* ## diff_object.c: indexes, triggers, views, virtual tables */
void rowtide__diff_indexes(rowtide__diff *diff);
void rowtide__diff_triggers(rowtide__diff *diff,
                            const rowtide_schema_trigger *const *old_triggers,
                            const rowtide_schema_trigger *const *new_triggers);
void rowtide__diff_views(rowtide__diff *diff);
void rowtide__diff_virtual_table(rowtide__diff *diff);

#endif
