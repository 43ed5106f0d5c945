#ifndef ROWTIDE_CRDT_MERGE_CHANGE_H
#define ROWTIDE_CRDT_MERGE_CHANGE_H

#include "crdt/merge.h"

/* One change on its way in. */
typedef struct rowtide__merge {
    rowtide__crdt *engine;
    const rowtide_crdt_change *change;
    rowtide__crdt_table *table;
    rowtide__key key;
    int column;     /* place in table->columns, -1: the row itself */
    int64_t length; /* causal length before */
    rowtide__clock *clock;
    rowtide__cell cell; /* what is set */
    int hold;
    int won;
    int others_failed; /* what was held before: the error is not its own */
} rowtide__merge;

/* ## merge.c */
/* What is held is written, so that it can be seen. */
int rowtide__merge_flush_others(rowtide__merge *work);

/* ## merge_wins.c */
/* Is the change of a cell to be made? */
int rowtide__merge_decide_cell(rowtide__merge *work, int *out);
/* The site of the change with that of a cell: below, above or 0. */
int rowtide__merge_compare_site(rowtide__merge *work, int32_t ordinal,
                                int *out);

#endif
