#ifndef ROWTIDE_CHANGESET_DECODE_H
#define ROWTIDE_CHANGESET_DECODE_H

#include "changeset/tables.h"
#include "base/error.h"

typedef enum rowtide__item {
    ROWTIDE__ITEM_NONE,
    ROWTIDE__ITEM_TABLE,
    ROWTIDE__ITEM_CHANGE
} rowtide__item;

/* The bytes may be trusted: they passed before. `tables` knows them all. */
#define ROWTIDE__DECODE_TRUSTED 1u
/* Only spans are wanted, not values. Checked bytes fill the values anyway. */
#define ROWTIDE__DECODE_SPANS 2u
/* Rebase data: the indirect byte says replaced, columns may be undefined. */
#define ROWTIDE__DECODE_REBASE 4u
/* Give each change as its inverse. */
#define ROWTIDE__DECODE_INVERT 8u

/* Reads a changeset item by item from a window on its bytes. With a source,
 * the window slides and grows to what one item takes. */
typedef struct rowtide__decoder {
    const unsigned char *start, *at, *end; /* the window, what is consumed */
    int64_t base;                          /* offset of `start` */
    rowtide_source *source;                /* NULL: the window is all */
    unsigned char *buffer;
    size_t capacity;
    int at_eof;

    unsigned flags;
    int patchset; /* -1 until the first header */
    rowtide__tables *tables;
    rowtide__tables own_tables;
    rowtide__table *table; /* in force */

    /* The item that was just read. */
    rowtide__item item;
    rowtide_change change;
    const unsigned char *record; /* its bytes behind the indirect byte, */
    const unsigned char *second; /* for an UPDATE the new record, */
    const unsigned char *finish; /* and where they end */

    rowtide_value *values; /* two rows of them */
    int value_capacity;    /* columns */

    const unsigned char *fault_at;
    const char *fault;
    size_t missing; /* not 0: only so many bytes behind fault_at */
    rowtide__error_state failed;
} rowtide__decoder;

/* Memory is borrowed. `tables` may be NULL: the decoder keeps its own. */
void rowtide__decoder_open(rowtide__decoder *decoder, const void *data,
                           size_t size, rowtide__tables *tables,
                           unsigned flags);
void rowtide__decoder_open_source(rowtide__decoder *decoder,
                                  rowtide_source *source, unsigned flags);
/* ROWTIDE_OK with `item`, ROWTIDE_DONE, or an error, which then stays. */
int rowtide__decoder_step(rowtide__decoder *decoder);
/* The same, passing over table headers. */
int rowtide__decoder_next(rowtide__decoder *decoder);
int64_t rowtide__decoder_position(const rowtide__decoder *decoder);
void rowtide__decoder_dispose(rowtide__decoder *decoder);

/* ## Between decode.c and window.c and check.c */

/* Slide and fill the window until `missing` more bytes are there. `at_eof` is
 * set if they never come. */
int rowtide__window_fill(rowtide__decoder *decoder);

/* Set fault and return 0 if the change breaks a rule of its kind. */
int rowtide__check_change(rowtide__decoder *decoder);

#endif
