#include "changeset/apply.h"
#include "base/alloc.h"
#include "base/error.h"
#include "db/sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t mix(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return (hash ^ 0xff) * UINT64_C(1099511628211);
}

/* Table, rowid, parent and number of the key; rows of a table without rowid
 * cannot be told apart, but they can be counted. */
static uint64_t hash_violation(sqlite3_stmt *stmt)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (int i = 0; i < 4; i++) {
        const void *text = sqlite3_column_text(stmt, i);
        hash = mix(hash, text, (size_t)sqlite3_column_bytes(stmt, i));
    }
    return hash;
}

static int add(rowtide__fk_list *list, uint64_t item)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        uint64_t *items = rowtide__realloc(list->items,
                                           capacity * sizeof *items);
        if (!items)
            return ROWTIDE_ENOMEM;
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
    return ROWTIDE_OK;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static int was_there(const rowtide__fk_list *before, uint64_t item)
{
    return before->count
           && bsearch(&item, before->items, before->count, sizeof item,
                      compare);
}

static void describe(sqlite3_stmt *stmt, char *text, size_t size)
{
    const char *row = (const char *)sqlite3_column_text(stmt, 1);
    snprintf(text, size,
             "table \"%.100s\"%s%s refers to a row of \"%.100s\" "
             "that is not there",
             (const char *)sqlite3_column_text(stmt, 0), row ? ", rowid " : "",
             row ? row : "", (const char *)sqlite3_column_text(stmt, 2));
}

/* Sorted. The first one that `before` does not have is described. */
static int collect(rowtide__apply *apply, rowtide__fk_list *list, char *first,
                   size_t size)
{
    sqlite3_stmt *stmt = NULL;
    int rc = rowtide__sql_prepare(apply->db, &stmt,
                                  "PRAGMA main.foreign_key_check");
    while (rc == ROWTIDE_OK
           && (rc = rowtide__sql_step(apply->db, stmt)) == ROWTIDE_OK) {
        uint64_t item = hash_violation(stmt);
        if (first && !first[0] && !was_there(&apply->fk_before, item))
            describe(stmt, first, size);
        rc = add(list, item);
    }
    sqlite3_finalize(stmt);
    if (rc != ROWTIDE_DONE)
        return rc;
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare);
    return ROWTIDE_OK;
}

/* Both sorted: how many of `after` are not in `before`. */
static int64_t count_new(const rowtide__fk_list *before,
                         const rowtide__fk_list *after)
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

static int counter_is_up(const rowtide__apply *apply)
{
    int now = 0, high = 0;
    sqlite3_db_status(apply->sqlite, SQLITE_DBSTATUS_DEFERRED_FKS, &now, &high,
                      0);
    return now != 0;
}

int rowtide__apply_foreign_keys_before(rowtide__apply *apply)
{
    if (!apply->settings.foreign_keys)
        return ROWTIDE_OK;
    apply->check_foreign_keys = (apply->options.flags
                                 & ROWTIDE_APPLY_FK_NO_ACTION)
                                || counter_is_up(apply);
    if (!apply->check_foreign_keys)
        return ROWTIDE_OK;
    return collect(apply, &apply->fk_before, NULL, 0);
}

int rowtide__apply_foreign_keys_uncounted(rowtide__apply *apply)
{
    if (!apply->settings.foreign_keys || apply->check_foreign_keys)
        return ROWTIDE_OK;
    apply->check_foreign_keys = 1;
    if (counter_is_up(apply))
        return ROWTIDE_OK;
    return collect(apply, &apply->fk_before, NULL, 0);
}

int rowtide__apply_foreign_keys_after(rowtide__apply *apply)
{
    if (!apply->settings.foreign_keys
        || (!apply->check_foreign_keys && !counter_is_up(apply)))
        return ROWTIDE_OK;
    rowtide__fk_list after = {NULL, 0, 0};
    char first[300] = "";
    int rc = collect(apply, &after, first, sizeof first);
    int64_t count = rc == ROWTIDE_OK ? count_new(&apply->fk_before, &after) : 0;
    rowtide__free(after.items);
    if (rc != ROWTIDE_OK || count == 0)
        return rc;
    return rowtide__apply_decide_foreign_keys(apply, count, first);
}
