#ifndef ROWTIDE_CRDT_MERGE_H
#define ROWTIDE_CRDT_MERGE_H

#include "crdt/key_order.h"

/* The changes of a row mostly come one after the other. Its clock is kept, and
 * a merge that says so has its cells held until another row comes. Whole rows
 * then go to a batch, if nothing can refuse them, and are written when someone
 * wants to see them, or when they are many. */

typedef struct rowtide__held {
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
    rowtide__held *cells;
    int *places; /* of the cells, in table->columns; in order */
    int count;
    size_t cell_capacity, place_capacity;
    rowtide_buffer bytes;

    struct rowtide__batches *batches; /* merge_batch.c; NULL: none yet */

    /* Savepoints of statements; 0: none. See rowtide__merge_savepoint(). */
    int exposed; /* 1 + the one in which older rows were written */
    int lost;    /* 1 + the one that took such rows with it */
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

/* ## merge_sets.c: statements that write several cells */
enum rowtide__set_kind {
    ROWTIDE__SET_NEW, /* of a row that may not be there */
    ROWTIDE__SET_OLD,
    ROWTIDE__SET_BATCH /* of all rows of the batch that is being written */
};
/* The text of one, whose parameters are the key, then the cells; rows.c. */
int rowtide__crdt_write_row(const rowtide__crdt_table *table,
                            enum rowtide__set_kind kind, const int *places,
                            int count, rowtide_buffer *out);
/* *out is NULL if there are too many of them. */
int rowtide__merge_find_set(rowtide__crdt *engine, rowtide__crdt_table *table,
                            enum rowtide__set_kind kind, const int *places,
                            int count, sqlite3_stmt **out);

/* ## merge_hold.c */
/* All that is held is written: nothing to do if there is nothing. */
int rowtide__merge_flush(rowtide__crdt *engine);
/* Flush, and forget the row. */
int rowtide__merge_leave(rowtide__crdt *engine);
/* Another row comes: this one may join a batch. */
int rowtide__merge_next_row(rowtide__crdt *engine);
/* Forget all that is held. */
void rowtide__merge_discard(rowtide__crdt *engine);
/* The same when the transaction has ended. */
void rowtide__merge_end(rowtide__crdt *engine);
/* Savepoints: they begin, end, and are rolled back to. */
int rowtide__merge_savepoint(rowtide__crdt *engine, int number);
int rowtide__merge_release(rowtide__crdt *engine, int number);
void rowtide__merge_rollback_to(rowtide__crdt *engine, int number);
/* An error if rows that were merged were undone, their clocks not. */
int rowtide__merge_check(const rowtide__crdt *engine);
/* The application is writing to a row. */
int rowtide__merge_yield(rowtide__crdt *engine, rowtide__crdt_table *table,
                         const rowtide__key *key);
int rowtide__merge_hold(rowtide__crdt *engine, int place,
                        const rowtide_value *value, int exists);

/* ## merge_batch.c: rows of one table with the same cells */
typedef struct rowtide__batch {
    rowtide__crdt_table *table;
    int *places; /* of the cells, in table->columns */
    int count;
    rowtide__key_order rows; /* numbered by where they are in `cells` */
    /* Of each row a byte, 1 if it was there before, then its cells, packed. */
    rowtide_buffer cells;
} rowtide__batch;

/* The row becomes part of a batch. ROWTIDE_DONE if it cannot. */
int rowtide__batch_take(rowtide__crdt *engine);
int rowtide__batch_write(rowtide__crdt *engine);
void rowtide__batch_discard(rowtide__crdt *engine);
void rowtide__batch_free(rowtide__crdt *engine);
int rowtide__batch_any(const rowtide__crdt *engine);
/* 1 if a batch has the row. */
int rowtide__batch_has(const rowtide__crdt *engine,
                       const rowtide__crdt_table *table,
                       const rowtide__key *key);
/* The one that is being written; NULL: none. */
const rowtide__batch *rowtide__batch_running(const rowtide__crdt *engine);
/* The columns of rowtide_crdt_batch, which has its rows: batch_table.c. */
enum { ROWTIDE__BATCH_COLUMNS = 127 };

/* ## merge_row.c */
/* Run a statement that writes to a table that takes part. What its triggers
 * write is tracked if they may be there, but for the row that is written. */
int rowtide__merge_run(rowtide__crdt *engine, sqlite3_stmt *stmt, int triggers);
/* What is held was meant for another schema. */
int rowtide__merge_fail_schema(void);
/* Something in what was written is refused, and the statement undone: what was
 * it? */
int rowtide__merge_is_refused(const rowtide__crdt *engine, int rc);
/* Write the cells of the row that are held. */
int rowtide__merge_write_held(rowtide__crdt *engine);
/* Is it the row that was merged into last? */
int rowtide__merge_is_row(const struct rowtide__merge_cache *held,
                          const rowtide__crdt_table *table,
                          const rowtide__key *key);
/* A statement of a merge is running, and no trigger is there that could write
 * to another row. */
int rowtide__merge_is_alone(const rowtide__crdt *engine);
/* Is it the row that is being written? */
int rowtide__merge_is_writing(const rowtide__crdt *engine,
                              const rowtide__crdt_table *table,
                              const rowtide__key *key);
/* And is this one of its cells that are? */
int rowtide__merge_is_set(const rowtide__crdt *engine, int place);
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
