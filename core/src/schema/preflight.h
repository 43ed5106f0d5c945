#ifndef ROWTIDE_SCHEMA_PREFLIGHT_H
#define ROWTIDE_SCHEMA_PREFLIGHT_H

#include "base/map.h"
#include "schema/plan.h"

struct rowtide_preflight {
    rowtide__arena arena;
    rowtide__list list;
    rowtide_findings view;
};

/* A table that a plan changes, as it is now and as it will be. */
typedef struct rowtide__suspect {
    const rowtide__table *old, *target;
    rowtide__list changes; /* that are going to be made */
    int edited;            /* in place: nothing else looks at the rows */
    const char *source;    /* SELECT of the rows with the new names; the column
                              "rowtide locator" tells one from the others */
    rowtide__list conditions;
} rowtide__suspect;

/* What must not be: SQL over the source that is true for a row in the way. */
typedef struct rowtide__condition {
    rowtide_finding_kind kind;
    const char *const *columns;
    const char *sql;     /* or, of duplicates, NULL and */
    const char *keys;    /* what is to be unique: "a", "b" COLLATE NOCASE */
    const char *present; /* rows that count, or NULL for all */
    const char *note;
    int64_t count;
} rowtide__condition;

/* ## preflight_source.c */
int rowtide__suspect_source(const rowtide_plan *plan, rowtide__arena *arena,
                            rowtide__suspect *suspect);
/* What a column of the new table is now, or NULL if it is new. */
int rowtide__suspect_old_column(const rowtide_plan *plan,
                                const rowtide__suspect *suspect,
                                const char *name,
                                const rowtide_schema_column **out);
int rowtide__suspect_asks(const rowtide__suspect *suspect, const char *column,
                          rowtide_schema_aspect aspect);

/* ## preflight_values.c, preflight_keys.c: add to suspect->conditions */
int rowtide__suspect_values(const rowtide_plan *plan, rowtide__arena *arena,
                            rowtide__suspect *suspect);
int rowtide__suspect_keys(const rowtide_plan *plan, rowtide__arena *arena,
                          rowtide__suspect *suspect);
/* SQL of what a column of the target has once it is copied; *out is NULL if
 * that is what it has now. */
int rowtide__suspect_converted(const rowtide_plan *plan, rowtide__arena *arena,
                               const rowtide__suspect *suspect,
                               const rowtide_schema_column *column,
                               const char **out);
/* The same of an expression, but for the affinity of its columns. */
int rowtide__suspect_convert(const rowtide_plan *plan, rowtide__arena *arena,
                             const rowtide__suspect *suspect,
                             const char *expression, const char **out);
/* `columns` is a list of names, or NULL with `column` alone. */
rowtide__condition *rowtide__suspect_add(rowtide__arena *arena,
                                         rowtide__suspect *suspect,
                                         rowtide_finding_kind kind,
                                         const char *const *columns,
                                         const char *column);

#endif
