#ifndef ROWTIDE_CHANGESET_ROWS_H
#define ROWTIDE_CHANGESET_ROWS_H

#include "base/arena.h"
#include "changeset/decode.h"

/* A change as it stands in its bytes. */
typedef struct rowtide__piece {
    int kind;
    int indirect;
    const unsigned char *record; /* old record, or the only one */
    const unsigned char *second; /* new record of a changeset's UPDATE; else
                                    the same as `finish` */
    const unsigned char *finish;
} rowtide__piece;

/* What became of one row. Rows stay in the order in which they came first. */
typedef struct rowtide__row {
    struct rowtide__row *slot_next, *table_next;
    uint64_t hash;
    unsigned char *record;
    size_t size, capacity;
    size_t key_size; /* the key's values, one behind the other, follow */
    int kind;        /* 0: nothing (any more) */
    int indirect;
} rowtide__row;

typedef struct rowtide__row_table {
    rowtide__row *first, *last;
    rowtide__row **slots;
    size_t slot_count, count;
} rowtide__row_table;

/* Rows by table and primary key. */
typedef struct rowtide__rows {
    int patchset; /* -1 until it is known */
    rowtide__tables tables;
    rowtide__row_table *row_tables; /* by the table's index */
    size_t row_table_count;
    rowtide__arena arena;
    rowtide_buffer key, merged; /* room to work in */
} rowtide__rows;

#define ROWTIDE__ROWS_INIT                                                     \
    {-1,                                                                       \
     {NULL, 0, 0, NULL, 0},                                                    \
     NULL,                                                                     \
     0,                                                                        \
     {NULL, 0},                                                                \
     ROWTIDE_BUFFER_INIT,                                                      \
     ROWTIDE_BUFFER_INIT}

void rowtide__rows_dispose(rowtide__rows *rows);

/* The change that a decoder stands on. */
rowtide__piece rowtide__decoder_piece(const rowtide__decoder *decoder);

/* The table that `shape` goes to, which may have a name in other case;
 * ROWTIDE__TABLE_DIFFERS if it does not fit. */
int rowtide__rows_table(rowtide__rows *rows, const rowtide__table *shape,
                        rowtide__table **out);

/* The row that a change is about. `*out` NULL if there is none. */
int rowtide__rows_find(rowtide__rows *rows, const rowtide__table *table,
                       const rowtide__piece *piece, rowtide__row **out);

/* The same; a row that was not there is made, with kind 0. */
int rowtide__rows_enter(rowtide__rows *rows, const rowtide__table *table,
                        const rowtide__piece *piece, rowtide__row **out);

/* Replace the record of a row. */
int rowtide__row_set(rowtide__rows *rows, rowtide__row *row,
                     const unsigned char *record, size_t size);

/* Put a change behind what happened to its row before. */
int rowtide__rows_merge(rowtide__rows *rows, const rowtide__table *table,
                        const rowtide__piece *piece);

/* Write all tables that have changes, and count them. `sink` may be NULL:
 * everything is appended to `out`; else `out` is emptied into it. */
int rowtide__rows_write(rowtide__rows *rows, rowtide_buffer *out,
                        rowtide_sink *sink);

/* Write and make a changeset, leaving nothing in `rows`. */
int rowtide__rows_finish(rowtide__rows *rows, rowtide_changeset **out);

#endif
