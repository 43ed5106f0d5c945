#include "changeset/apply.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

static size_t bytes_of(const rowtide_value *values, int count)
{
    size_t size = 0;
    for (int i = 0; values && i < count; i++)
        size += values[i].size;
    return size;
}

/* Copy values and their bytes to where there is room for them. */
static const rowtide_value *copy_values(rowtide_value **to, char **bytes,
                                        const rowtide_value *from, int count)
{
    if (!from)
        return NULL;
    rowtide_value *copy = *to;
    memcpy(copy, from, (size_t)count * sizeof *copy);
    for (int i = 0; i < count; i++)
        if (copy[i].size) {
            memcpy(*bytes, copy[i].data, copy[i].size);
            copy[i].data = *bytes;
            *bytes += copy[i].size;
        } else {
            copy[i].data = NULL;
        }
    *to += count;
    return copy;
}

/* One piece of memory, the values right behind the entry. */
static rowtide__apply_pending *copy_change(const rowtide__apply_table *table,
                                           const rowtide_change *change)
{
    int count = change->column_count;
    size_t arrays = (change->old_values != NULL) + (change->new_values != NULL);
    size_t values = arrays * (size_t)count * sizeof(rowtide_value);
    rowtide__apply_pending *entry = rowtide__alloc(
        sizeof *entry + values + bytes_of(change->old_values, count)
        + bytes_of(change->new_values, count));
    if (!entry)
        return NULL;
    rowtide_value *to = (rowtide_value *)(void *)(entry + 1);
    char *bytes = (char *)(entry + 1) + values;
    entry->change = *change;
    entry->change.table = table->name;
    entry->change.primary_key = table->primary_key;
    entry->change.old_values = copy_values(&to, &bytes, change->old_values,
                                           count);
    entry->change.new_values = copy_values(&to, &bytes, change->new_values,
                                           count);
    return entry;
}

static void append_entry(rowtide__apply *apply, rowtide__apply_pending *entry)
{
    entry->next = NULL;
    if (!apply->pending)
        apply->pending_end = &apply->pending;
    *apply->pending_end = entry;
    apply->pending_end = &entry->next;
    apply->pending_count++;
}

int rowtide__apply_pending_add(rowtide__apply *apply,
                               const rowtide_change *change, int forced)
{
    rowtide__apply_pending *entry = copy_change(apply->table, change);
    if (!entry)
        return ROWTIDE_ENOMEM;
    entry->forced = forced;
    append_entry(apply, entry);
    return ROWTIDE_OK;
}

static void free_entries(rowtide__apply_pending *entry)
{
    while (entry) {
        rowtide__apply_pending *next = entry->next;
        rowtide__free(entry);
        entry = next;
    }
}

static rowtide__apply_pending *take_all(rowtide__apply *apply)
{
    rowtide__apply_pending *entries = apply->pending;
    apply->pending = NULL;
    apply->pending_count = 0;
    return entries;
}

void rowtide__apply_pending_free(rowtide__apply *apply)
{
    free_entries(take_all(apply));
}

/* What still fails becomes pending again, unless this is the last time. */
static int try_all(rowtide__apply *apply, int last)
{
    rowtide__apply_pending *entry = take_all(apply);
    int rc = ROWTIDE_OK;
    while (entry && rc == ROWTIDE_OK) {
        rowtide__apply_pending *next = entry->next;
        rc = rowtide__apply_change(apply, &entry->change, entry->forced, last);
        rowtide__free(entry);
        entry = next;
    }
    free_entries(entry);
    return rc;
}

int rowtide__apply_pending_flush(rowtide__apply *apply)
{
    int rc = ROWTIDE_OK, rewritten = 0;
    int64_t before = INT64_MAX;
    while (rc == ROWTIDE_OK && apply->pending_count
           && apply->pending_count < before) {
        before = apply->pending_count;
        rc = try_all(apply, 0);
        /* Chains of unique values can take as many passes as they are long,
         * and rings never end. */
        if (rc == ROWTIDE_OK && apply->pending_count > 1 && !rewritten) {
            rewritten = 1;
            rc = rowtide__apply_rewrite(apply);
            if (rc == ROWTIDE_DONE)
                rc = ROWTIDE_OK;
        }
    }
    return rc == ROWTIDE_OK && apply->pending ? try_all(apply, 1) : rc;
}
