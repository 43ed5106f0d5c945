#ifndef ROWTIDE_CRDT_MERGE_H
#define ROWTIDE_CRDT_MERGE_H

#include "crdt/engine.h"

/* The changes of a row mostly come one after the other. Its clock is kept, and
 * a merge that says so has its cells held until another row comes, or until
 * someone wants to see what is written. */

typedef struct rowtide__held {
    int place; /* in table->columns */
    rowtide_value value;
    size_t at; /* of text and blobs, in `bytes` */
} rowtide__held;

struct rowtide__merge_cache {
    int busy;              /* a change is on its way in */
    sqlite3_stmt *running; /* it writes the row */
    int place;             /* of the cell that is written at once; -1: none */
    /* By statements of ours or of triggers while they ran. */
    int inserted, deleted;
    int writing; /* what is held is on its way out */

    /* The statement that writes to crsql_changes: see merge_statement.c. */
    int statement; /* 0: another one than before, 1: it goes on, 2: and `batch`
                      is known */
    int total;     /* sqlite3_total_changes() while it lasts */
    int batch;     /* its cells may be held */
    uint64_t watched; /* the statement before which the schema was looked at */
    uint64_t run;

    /* The row that was merged into last. */
    rowtide__crdt_table *table; /* NULL: none */
    rowtide__key row;
    rowtide_buffer pk, key; /* of the wire; what `row` points to */
    uint64_t serial, generation;
    rowtide__clock clock;

    int unsaved; /* the clock has changed since it was put */
    int exists;  /* the row was there before the first cell that is held */
    rowtide__held *cells; /* in order of place */
    int count, capacity;
    rowtide_buffer bytes;
};

/* How cells are merged. */
enum {
    ROWTIDE__AT_ONCE,
    ROWTIDE__HELD_IF_SAFE, /* those that nothing can refuse */
    ROWTIDE__HELD
};

/* ## merge_statement.c */
/* Is this a further row of a statement whose cells may be held? */
int rowtide__merge_is_batch(rowtide__crdt *engine);
/* A row has been inserted into crsql_changes. */
void rowtide__merge_note_statement(rowtide__crdt *engine);
/* What may refuse a row: table->guarded. */
enum { ROWTIDE__TRIGGERS = 1, ROWTIDE__CONSTRAINTS = 2 };
/* Read it, unless that has been done in this schema. */
int rowtide__merge_read_guarded(rowtide__crdt *engine,
                                rowtide__crdt_table *table);
/* Notice that the schema has changed. */
int rowtide__merge_watch(rowtide__crdt *engine);

/* ## merge_row.c */
/* What is held is written: nothing to do if there is nothing. */
int rowtide__merge_flush(rowtide__crdt *engine);
/* Flush, and forget the row. */
int rowtide__merge_leave(rowtide__crdt *engine);
/* Forget the row, held cells and all. */
void rowtide__merge_discard(rowtide__crdt *engine);
/* The same after a rollback to a savepoint. */
void rowtide__merge_rollback_to(rowtide__crdt *engine);
/* A statement of a merge is running, and no trigger is there that could write
 * to another row. */
int rowtide__merge_is_alone(const rowtide__crdt *engine);
/* Is it the row that is being written? */
int rowtide__merge_is_writing(const rowtide__crdt *engine,
                              const rowtide__crdt_table *table,
                              const rowtide__key *key);
/* And is this one of its cells that are? */
int rowtide__merge_is_set(const rowtide__crdt *engine, int place);
/* The application is writing to a row. */
int rowtide__merge_yield(rowtide__crdt *engine, rowtide__crdt_table *table,
                         const rowtide__key *key);
int rowtide__merge_hold(rowtide__crdt *engine, int place,
                        const rowtide_value *value, int exists);
/* Write one cell of the row at once. */
int rowtide__merge_write_cell(rowtide__crdt *engine, int place,
                              const rowtide_value *value, int exists);
/* The row is written, or removed: what triggers did to it meanwhile. */
int rowtide__merge_settle(rowtide__crdt *engine, int removed);
int rowtide__merge_remove_row(rowtide__crdt *engine);
int rowtide__merge_create_row(rowtide__crdt *engine);
/* Say in the last error where it was. */
int rowtide__merge_name(const char *table, const void *pk, size_t size,
                        const char *column);

#endif
