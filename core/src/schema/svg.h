#ifndef ROWTIDE_SCHEMA_SVG_H
#define ROWTIDE_SCHEMA_SVG_H

#include "base/writer.h"
#include "schema/model.h"

/* A picture in whole numbers, so that it is the same everywhere. */
enum {
    SVG_HEAD = 30,    /* height of the name of a table */
    SVG_ROW = 22,     /* and of a column */
    SVG_FOOT = 6,     /* below the last one */
    SVG_GAP = 28,     /* between tables */
    SVG_CHANNEL = 96, /* between layers, where the lines run */
    SVG_MARGIN = 32,
    SVG_LONGEST = 40 /* characters of a name or type */
};

typedef struct rowtide__box {
    const rowtide_schema_table *table;
    int64_t x, y, width, height;
    size_t type_width; /* characters */
    int connected;     /* to another one */
    size_t layer;      /* 0: refers to nothing */
    size_t place;      /* in its layer, for sorting */
    int64_t pull;
} rowtide__box;

typedef struct rowtide__line {
    const rowtide_schema_foreign_key *key;
    size_t from, to;         /* boxes */
    size_t from_row, to_row; /* 0: the name; columns count from 1 */
    int optional, single;    /* it may be NULL; only one row refers so */
} rowtide__line;

typedef struct rowtide__picture {
    rowtide__arena *arena;
    rowtide__box *boxes;
    rowtide__line *lines;
    size_t box_count, line_count;
    int64_t width, height;
} rowtide__picture;

/* ## svg_layout.c: give every box a place where it covers no other */
int rowtide__svg_layout(rowtide__picture *picture);

/* ## svg_draw.c */
void rowtide__svg_draw(const rowtide__picture *picture,
                       rowtide__writer *writer);
/* Characters, as wide as they are in a monospaced font; at most LONGEST. */
size_t rowtide__svg_width(const char *text);

#endif
