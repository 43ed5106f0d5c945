#ifndef ROWTIDE_DB_VIOLATIONS_H
#define ROWTIDE_DB_VIOLATIONS_H

#include "db/connection.h"

/* Rows that violate a foreign key, to tell those that are new from those that
 * were there: a list of hashes. Rows of a table without rowid cannot be told
 * apart, but they can be counted. */
typedef struct rowtide__violations {
    uint64_t *items;
    size_t count, capacity;
} rowtide__violations;

int rowtide__violations_add(rowtide__violations *list, uint64_t item);
void rowtide__violations_sort(rowtide__violations *list);
void rowtide__violations_dispose(rowtide__violations *list);

/* `before` is sorted. */
int rowtide__violations_has(const rowtide__violations *before, uint64_t item);
/* Both are sorted: how many of `after` are not in `before`. */
int64_t rowtide__violations_new(const rowtide__violations *before,
                                const rowtide__violations *after);

/* A row of PRAGMA foreign_key_check, by so many of its columns. */
uint64_t rowtide__violation_hash(sqlite3_stmt *stmt, int columns);
void rowtide__violation_describe(sqlite3_stmt *stmt, char *text, size_t size);

#endif
