#ifndef ROWTIDE_CRDT_ENABLE_H
#define ROWTIDE_CRDT_ENABLE_H

#include "crdt/engine.h"

/* Columns of a primary key. */
enum { ROWTIDE__MAX_KEYS = 30 };

/* May it take part? */
int rowtide__crdt_check_table(rowtide__crdt *engine, const char *table);
int rowtide__crdt_is_enabled(rowtide__crdt *engine, const char *name, int *out);
/* ## triggers.c */
int rowtide__crdt_create_triggers(rowtide__crdt *engine,
                                  const rowtide__crdt_table *table);
/* Those of a table that is being altered. */
int rowtide__crdt_begin_triggers(rowtide__crdt *engine,
                                 const rowtide__crdt_table *table);
/* By the name that the table had when they were made. */
int rowtide__crdt_drop_triggers(rowtide__crdt *engine, const char *name);
/* ## views.c */
int rowtide__crdt_create_views(rowtide__crdt *engine,
                               const rowtide__crdt_table *table);
int rowtide__crdt_drop_views(rowtide__crdt *engine, const char *name);

/* ## enable.c */
/* Neither is atomic by itself. */
int rowtide__crdt_enable_table(rowtide__crdt *engine, const char *name);
int rowtide__crdt_forget_table(rowtide__crdt *engine,
                               rowtide__crdt_table *table);

/* Give every row that has no clock, or is dead by it, a new one. */
int rowtide__crdt_backfill(rowtide__crdt *engine, rowtide__crdt_table *table);
int rowtide__crdt_register_columns(rowtide__crdt *engine, int64_t id,
                                   const char *table);

/* Run `change` and write what it left pending, in a savepoint. */
int rowtide__crdt_atomically(rowtide__crdt *engine, const char *name,
                             int (*change)(rowtide__crdt *, const char *));

#endif
