#ifndef ROWTIDE_CRDT_CLOCK_H
#define ROWTIDE_CRDT_CLOCK_H

#include <rowtide/buffer.h>

#include <stdint.h>

/* The clock of a row: for each cell who set it, when, and how often.
 *
 * Cells that were set together share a group: the columns `column` up to
 * `column + count - 1`, with sequences that go up by one. Column 0 is the row
 * itself, whose version is the causal length. In a run of rows with successive
 * keys the sequences of row n are greater by n times `stride`, and its
 * db_versions by n times `leap`. */
typedef struct rowtide__group {
    int32_t column;
    int32_t count;
    int32_t site; /* ordinal, 0 is this database */
    int64_t version;
    int64_t db_version;
    int64_t sequence;
    int64_t stride;
    int64_t leap;
} rowtide__group;

enum { ROWTIDE__SENTINEL = 0 };

typedef struct rowtide__clock {
    rowtide__group *groups; /* in order of column, not overlapping */
    int count;
    int capacity;
} rowtide__clock;

typedef struct rowtide__cell {
    int32_t site;
    int64_t version, db_version, sequence;
} rowtide__cell;

#define ROWTIDE__CLOCK_INIT {NULL, 0, 0}

void rowtide__clock_dispose(rowtide__clock *clock);
int rowtide__clock_copy(rowtide__clock *to, const rowtide__group *groups,
                        int count);
/* Behind the last one. */
int rowtide__clock_append(rowtide__clock *clock, const rowtide__group *group);
/* The run without its first rows. */
void rowtide__clock_shift(rowtide__clock *clock, int64_t rows);
/* The clock of one row of a run. */
int rowtide__clock_row(rowtide__clock *to, const rowtide__group *groups,
                       int count, int64_t nth);

/* 1 and the cell if the column has one. */
int rowtide__clock_find(const rowtide__clock *clock, int column,
                        rowtide__cell *out);
/* Causal length: of the sentinel, else 1 with cells and 0 without. */
int64_t rowtide__clock_length(const rowtide__clock *clock);
int rowtide__clock_set(rowtide__clock *clock, int column,
                       const rowtide__cell *cell);
/* Set `count` columns from `column` on, with successive sequences. */
int rowtide__clock_set_range(rowtide__clock *clock, int column, int count,
                             const rowtide__cell *cell);
int rowtide__clock_drop(rowtide__clock *clock, int column);
/* All but the sentinel. */
void rowtide__clock_drop_cells(rowtide__clock *clock);
void rowtide__clock_zero_cells(rowtide__clock *clock, int64_t db_version);

/* 1 if `b` can be row number `rows` of the run that `a` is. If `rows` is 1,
 * the strides of `a` are chosen so, and the leaps if there may be any. */
int rowtide__groups_extend(rowtide__group *a, int64_t rows,
                           const rowtide__group *b, int count, int leaps);

/* On disk: a byte with flags, then varints. `rows` is 1 for a single row. */
int rowtide__clock_encode(rowtide_buffer *out, const rowtide__group *groups,
                          int count, int64_t rows);
int rowtide__clock_decode(rowtide__clock *out, int64_t *rows, const void *data,
                          size_t size);

/* Varints of 1 to 10 bytes, seven bits each, lowest first. */
int rowtide__varint_put(unsigned char *out, uint64_t number);
/* Bytes read, 0 if there is no whole number. */
int rowtide__varint_get(const unsigned char *data, size_t size, uint64_t *out);
uint64_t rowtide__zigzag(int64_t number);
int64_t rowtide__unzigzag(uint64_t number);

#endif
