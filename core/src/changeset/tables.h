#ifndef ROWTIDE_CHANGESET_TABLES_H
#define ROWTIDE_CHANGESET_TABLES_H

#include <rowtide/changeset.h>

/* What a table header says, kept once for each different name. */
typedef struct rowtide__table {
    struct rowtide__table *next; /* in its hash slot */
    const char *name;
    const unsigned char *primary_key; /* column_count bytes */
    const uint16_t *key_columns;      /* which columns are in the key */
    size_t name_size;                 /* without the NUL */
    int column_count;
    int key_count;
    uint32_t hash;
    rowtide_change_counts counts; /* filled by who counts */
    size_t index;                 /* place in order of first appearance */
} rowtide__table;

typedef struct rowtide__tables {
    rowtide__table **items; /* in order of first appearance */
    size_t count, capacity;
    rowtide__table **slots;
    size_t slot_count; /* 0 or a power of two */
} rowtide__tables;

/* Positive: a table of this name, whatever the case of its letters, is there
 * with other columns or another key. */
enum { ROWTIDE__TABLE_DIFFERS = 1 };

/* `shape` has name, name_size, column_count and primary_key; copied. */
int rowtide__tables_add(rowtide__tables *tables, const rowtide__table *shape,
                        rowtide__table **out);

/* The table of exactly this name, or NULL. */
rowtide__table *rowtide__tables_find(const rowtide__tables *tables,
                                     const char *name, size_t name_size);

/* The first table whose name is the same but for the case of ASCII letters,
 * as SQLite compares them, or NULL. */
rowtide__table *rowtide__tables_find_folded(const rowtide__tables *tables,
                                            const char *name, size_t name_size);

/* 1 if both have the same number of columns and the same key. */
int rowtide__table_same_shape(const rowtide__table *a, const rowtide__table *b);

void rowtide__tables_dispose(rowtide__tables *tables);

#endif
