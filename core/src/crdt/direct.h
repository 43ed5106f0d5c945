#ifndef ROWTIDE_CRDT_DIRECT_H
#define ROWTIDE_CRDT_DIRECT_H

#include "crdt/engine.h"

/* ## direct.c: one row without joining the transaction */
/* Before a function of a trigger begins. Does nothing if it has to join. */
void rowtide__direct_enter(rowtide__crdt *engine);
int rowtide__direct_is_entered(const rowtide__crdt *engine);
/* A row has a new clock, which stays as it is until this is left. */
int rowtide__direct_put(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t row, const rowtide__clock *clock);
/* Behind it. ROWTIDE_DONE if it has to be done again, joined. */
int rowtide__direct_leave(rowtide__crdt *engine, int status);
/* Join after all, before anything was done. */
int rowtide__direct_cancel(rowtide__crdt *engine);
/* 0 if what was written so was rolled back, and what is known is not so. */
int rowtide__direct_is_committed(rowtide__crdt *engine);
/* The tail has been read: if it is another one than was written so last, that
 * was rolled back, or somebody came behind it, and what is known is not so. */
void rowtide__direct_check(rowtide__crdt *engine);
/* The version of the transaction has been read: if it goes on with what was
 * written so, that is pending again. */
int rowtide__direct_resume(rowtide__crdt *engine);

#endif
