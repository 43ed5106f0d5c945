/*
 * Every kind of change to the database of plans_traps(), and what has to be
 * the same afterwards.
 */
#ifndef ROWTIDE_TESTS_TRAPS_H
#define ROWTIDE_TESTS_TRAPS_H

#include "support/plans.h"

/* What one edit of the schema's text makes of it. */
typedef struct trap_change {
    const char *name, *old, *replacement;
    const char *steps; /* NULL: many */
} trap_change;

enum { TRAP_CHANGE_COUNT = 17 };
extern const trap_change TRAP_CHANGES[TRAP_CHANGE_COUNT];

/* rowtide_plan_free() it. */
rowtide_plan *traps_plan(rowtide_db *db, const trap_change *which);
/* Nothing that should have survived a change differs. */
void traps_assert(rowtide_db *was, rowtide_db *is, const char *name);

#endif
