#include "db/violations.h"
#include "base/alloc.h"
#include "base/crc64.h"
#include "base/error.h"

#include <stdio.h>
#include <stdlib.h>

int rowtide__violations_add(rowtide__violations *list, uint64_t item)
{
    int rc = rowtide__grow(&list->items, &list->capacity, list->count + 1,
                           sizeof *list->items);
    if (rc == ROWTIDE_OK)
        list->items[list->count++] = item;
    return rc;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

void rowtide__violations_sort(rowtide__violations *list)
{
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare);
}

void rowtide__violations_dispose(rowtide__violations *list)
{
    rowtide__free(list->items);
    list->items = NULL;
    list->count = list->capacity = 0;
}

int rowtide__violations_has(const rowtide__violations *before, uint64_t item)
{
    return before->count
           && bsearch(&item, before->items, before->count, sizeof item,
                      compare);
}

int64_t rowtide__violations_new(const rowtide__violations *before,
                                const rowtide__violations *after)
{
    int64_t count = 0;
    size_t b = 0;
    for (size_t a = 0; a < after->count; a++) {
        while (b < before->count && before->items[b] < after->items[a])
            b++;
        if (b < before->count && before->items[b] == after->items[a])
            b++;
        else
            count++;
    }
    return count;
}

uint64_t rowtide__violation_hash(sqlite3_stmt *stmt, int columns)
{
    uint64_t hash = 0;
    for (int i = 0; i < columns; i++) {
        const char *text = (const char *)sqlite3_column_text(stmt, i);
        size_t size = (size_t)sqlite3_column_bytes(stmt, i);
        hash = rowtide__crc64(hash, text ? text : "", text ? size + 1 : 1);
    }
    return hash;
}

void rowtide__violation_describe(sqlite3_stmt *stmt, char *text, size_t size)
{
    const char *row = (const char *)sqlite3_column_text(stmt, 1);
    snprintf(text, size,
             "table \"%.100s\"%s%s refers to a row of \"%.100s\" "
             "that is not there",
             (const char *)sqlite3_column_text(stmt, 0), row ? ", rowid " : "",
             row ? row : "", (const char *)sqlite3_column_text(stmt, 2));
}
