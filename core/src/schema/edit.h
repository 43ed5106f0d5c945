#ifndef ROWTIDE_SCHEMA_EDIT_H
#define ROWTIDE_SCHEMA_EDIT_H

#include "schema/ddl.h"

/* ## edit_text.c: a text with a few places changed */
enum { ROWTIDE__SPLICES = 4 };

typedef struct rowtide__splice {
    size_t at, size; /* goes away */
    size_t from;     /* what comes instead, in `added` */
    size_t added;
} rowtide__splice;

/* Splices are given from left to right and do not overlap. */
typedef struct rowtide__edit {
    const rowtide__ddl *ddl;
    rowtide__splice splices[ROWTIDE__SPLICES];
    int count;
    rowtide_buffer added;
    int rc;
    int columns; /* how many more there are to be */
} rowtide__edit;

void rowtide__edit_open(rowtide__edit *edit, const rowtide__ddl *ddl);
/* Begin a splice; what is written then goes to its place. */
void rowtide__edit_at(rowtide__edit *edit, size_t at, size_t size);
void rowtide__edit_write(rowtide__edit *edit, const char *text, size_t size);
void rowtide__edit_text(rowtide__edit *edit, const char *text);
void rowtide__edit_name(rowtide__edit *edit, const char *name);
/* SQL without white space and comments at its ends. */
void rowtide__edit_sql(rowtide__edit *edit, const char *sql);
/* Write the result, which must parse, and release the edit. */
int rowtide__edit_finish(rowtide__edit *edit, rowtide_buffer *out);

/* ## edit_item.c: columns and constraints of a table, with commas between */

/* Behind the last of a kind, which is `last`. */
void rowtide__edit_add_item(rowtide__edit *edit, rowtide__span last,
                            const char *sql);
void rowtide__edit_drop_item(rowtide__edit *edit, rowtide__span item);

#endif
