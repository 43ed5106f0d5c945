/*
 * Plans, and a database that has everything a rebuild can lose.
 */
#ifndef ROWTIDE_TESTS_PLANS_H
#define ROWTIDE_TESTS_PLANS_H

#include "support/schema.h"

#include <rowtide/schema_plan.h>

enum { PLANS_ALL = ROWTIDE_ALLOW_LOSSY | ROWTIDE_ALLOW_DESTRUCTIVE };

/* A database in memory with core/tests/traps.sql in it. */
rowtide_db *plans_traps(void);
/* Another one with the same content. */
rowtide_db *plans_copy(rowtide_db *db);

/* SQL of the whole schema with one text in it replaced, which has to be there;
 * free() it. */
char *plans_replaced(rowtide_db *db, const char *old, const char *replacement);

/* The plan to the schema of this SQL; rowtide_plan_free() it. */
rowtide_plan *plans_make(rowtide_db *db, const char *to, unsigned allow);
rowtide_plan *plans_make_renaming(rowtide_db *db, const char *to,
                                  const char *const *renames);
/* Plan and apply. */
int plans_apply(rowtide_db *db, const char *to, unsigned allow);

/* A line for each step: "rebuild table t lossy", with " refused" behind it. */
char *plans_text(const rowtide_plan *plan);
/* A line for each finding: "null t a 3 fatal: rowid = 5". */
char *plans_findings(rowtide_db *db, const rowtide_plan *plan);

/* Everything: the schema, all rows with their rowids, settings, whether a
 * transaction is open; free() it. */
char *plans_dump(rowtide_db *db);

#endif
