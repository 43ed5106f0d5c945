#include "crdt/numbers.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

typedef struct rowtide__numbers numbers;

void rowtide__numbers_finalize(rowtide__crdt_table *table)
{
    numbers *all = table->numbers;
    if (!all)
        return;
    sqlite3_stmt **statements[] = {&all->read_keys,   &all->put_keys,
                                   &all->drop_keys,   &all->read_bucket,
                                   &all->next_bucket, &all->put_bucket};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) {
        sqlite3_finalize(*statements[i]);
        *statements[i] = NULL;
    }
}

void rowtide__numbers_free(rowtide__crdt_table *table)
{
    rowtide__numbers_finalize(table);
    if (table->numbers)
        rowtide_buffer_dispose(&table->numbers->keys);
    rowtide__free(table->numbers);
    table->numbers = NULL;
}

int rowtide__key_of_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t row, rowtide_buffer *out, rowtide__key *key)
{
    rowtide__new_key found;
    memset(key, 0, sizeof *key);
    key->row = row;
    key->known = 1;
    if (table->integer_key)
        return rowtide__key_write(table, key, out);
    int rc = rowtide__blocks_read(engine, table, row, &found);
    if (rc == ROWTIDE_DONE)
        rc = rowtide__blocks_fail(table);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__buffer_clear(out);
    rc = rowtide__buffer_reserve(out, 1 + found.size);
    if (rc != ROWTIDE_OK)
        return rc;
    out->data[0] = (char)table->key_count;
    memcpy(out->data + 1, found.data, found.size);
    out->size = 1 + found.size;
    key->data = out->data + 1;
    key->size = found.size;
    return ROWTIDE_OK;
}

/* ## From keys to numbers */

/* The number behind that of the last key. */
static int try_guess(rowtide__crdt *engine, rowtide__crdt_table *table,
                     const rowtide__key *key)
{
    numbers *all = table->numbers;
    if (!rowtide__blocks_has(engine, all, all->guess)
        && !(all->guessed && all->serial == engine->stored_serial))
        return 0;
    return rowtide__blocks_is(engine, table, all->guess, key);
}

static int find_stored(rowtide__crdt *engine, rowtide__crdt_table *table,
                       rowtide__key *key)
{
    numbers *all = table->numbers;
    int rc = try_guess(engine, table, key);
    all->guessed = rc == 1;
    if (rc == 1)
        key->row = all->guess;
    if (rc != 0)
        return rc < 0 ? rc : ROWTIDE_OK;
    if (all->lookups++ > 0)
        rc = rowtide__blocks_bound(engine, table);
    if (rc != ROWTIDE_OK
        || (all->bound_serial == engine->stored_serial && all->next == 1))
        return rc;
    return rowtide__buckets_find(engine, table, key, &key->row);
}

static int find_unwritten(rowtide__crdt *engine,
                          const rowtide__crdt_table *table, rowtide__key *key)
{
    const rowtide__new_keys *pending = rowtide__pending_keys(engine->pending);
    int rc = rowtide__tail_know(engine);
    key->row = rowtide__new_keys_find(pending, table, key);
    if (rc == ROWTIDE_OK && key->row == 0)
        key->row = rowtide__new_keys_find(engine->unstored, table, key);
    return rc;
}

int rowtide__key_find(rowtide__crdt *engine, rowtide__crdt_table *table,
                      rowtide__key *key)
{
    if (key->known)
        return ROWTIDE_OK;
    int rc = rowtide__blocks_open(table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (key->missed == 0)
        key->hash = rowtide__key_hash(engine->seed, key->data, key->size);
    rc = find_unwritten(engine, table, key);
    if (rc == ROWTIDE_OK && key->row == 0
        && key->missed != engine->stored_serial) {
        rc = find_stored(engine, table, key);
        if (key->row != 0)
            table->numbers->guess = key->row + 1;
    }
    key->known = rc == ROWTIDE_OK && key->row != 0;
    key->missed = engine->stored_serial;
    return rc;
}

static void give_above(numbers *all, const rowtide__new_keys *keys,
                       const rowtide__crdt_table *table)
{
    int64_t last = rowtide__new_keys_last(keys, table);
    if (all->given < last)
        all->given = last;
}

static int next_number(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t *out)
{
    numbers *all = table->numbers;
    int rc = ROWTIDE_OK;
    if (all->given_serial != engine->stored_serial) {
        rc = rowtide__blocks_bound(engine, table);
        all->given = all->next - 1;
        give_above(all, rowtide__pending_keys(engine->pending), table);
        if (rc == ROWTIDE_OK)
            rc = rowtide__tail_know(engine);
        give_above(all, engine->unstored, table);
        all->given_serial = engine->stored_serial;
    }
    *out = ++all->given;
    return rc;
}

int rowtide__key_number(rowtide__crdt *engine, rowtide__crdt_table *table,
                        rowtide__key *key)
{
    int rc = rowtide__key_find(engine, table, key);
    if (rc != ROWTIDE_OK || key->known)
        return rc;
    rc = next_number(engine, table, &key->row);
    if (rc == ROWTIDE_OK)
        rc = rowtide__new_keys_add(rowtide__pending_keys(engine->pending),
                                   table, key);
    key->known = rc == ROWTIDE_OK;
    /* A number that was not used is given again. */
    if (rc != ROWTIDE_OK)
        table->numbers->given_serial = 0;
    return rc;
}

/* ## Writing */

static int append_keys(rowtide__crdt *engine, const rowtide__new_keys *keys)
{
    int rc = ROWTIDE_OK;
    for (size_t i = keys->written; i < keys->count && rc == ROWTIDE_OK; i++) {
        rowtide__new_key added;
        rowtide__new_keys_entry(keys, i, &added);
        rc = rowtide__blocks_append(engine, &added);
    }
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next) {
        if (!table->numbers)
            continue;
        if (rc == ROWTIDE_OK && table->numbers->changed)
            rc = rowtide__blocks_write(engine, table);
        table->numbers->changed = 0;
        table->numbers->serial = 0;
    }
    return rc;
}

static int compare_hashed(const void *left, const void *right)
{
    const rowtide__hashed *a = left, *b = right;
    if (a->table != b->table)
        return a->table->id < b->table->id ? -1 : 1;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

static int write_hashes(rowtide__crdt *engine, const rowtide__new_keys *keys)
{
    size_t count = keys->count - keys->written;
    rowtide__hashed *hashed = rowtide__alloc_array(count, sizeof *hashed);
    int rc = hashed ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++) {
        rowtide__new_key added;
        rowtide__new_keys_entry(keys, keys->written + i, &added);
        hashed[i] = (rowtide__hashed){added.table, added.hash, added.row};
    }
    if (rc == ROWTIDE_OK)
        qsort(hashed, count, sizeof *hashed, compare_hashed);
    for (size_t i = 0, next; i < count && rc == ROWTIDE_OK; i = next) {
        for (next = i; next < count && hashed[next].table == hashed[i].table;)
            next++;
        rc = rowtide__buckets_add(engine, hashed + i, next - i);
    }
    rowtide__free(hashed);
    return rc;
}

int rowtide__numbers_write(rowtide__crdt *engine, const rowtide__new_keys *keys)
{
    if (keys->count == keys->written)
        return ROWTIDE_OK;
    int rc = append_keys(engine, keys);
    return rc == ROWTIDE_OK ? write_hashes(engine, keys) : rc;
}
