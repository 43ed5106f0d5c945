#include "crdt/numbers.h"
#include "crdt/new_keys.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

typedef struct rowtide__numbers numbers;

enum { FORGOTTEN = ROWTIDE_NULL };

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

static int open_numbers(rowtide__crdt_table *table)
{
    if (!table->numbers)
        table->numbers = rowtide__alloc_zero(sizeof *table->numbers);
    return table->numbers ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* ## Blocks of keys */

static int fail_damaged(const rowtide__crdt_table *table)
{
    return rowtide__fail(ROWTIDE_ECORRUPT,
                         "table \"%s\": the stored keys are damaged",
                         table->name);
}

/* The size of one packed value, 0 if it is cut short. */
static size_t value_size(const unsigned char *data, size_t left)
{
    size_t number = 0, bytes = (size_t)data[0] >> 3;
    int type = data[0] & 7;
    if (type == ROWTIDE_INTEGER)
        return 1 + bytes;
    if (type == ROWTIDE_REAL)
        return 1 + 8;
    if ((type != ROWTIDE_TEXT && type != ROWTIDE_BLOB) || bytes > 8
        || bytes >= left)
        return 0;
    for (size_t i = 1; i <= bytes; i++)
        number = number << 8 | data[i];
    return number <= left ? 1 + bytes + number : 0;
}

/* The size of the key that begins here, 0 if it is damaged. */
static size_t key_size(const rowtide__crdt_table *table,
                       const unsigned char *data, size_t left)
{
    size_t size = 0;
    if (left > 0 && data[0] == FORGOTTEN)
        return 1;
    for (int i = 0; i < table->key_count; i++) {
        size_t more = left > size ? value_size(data + size, left - size) : 0;
        if (more == 0 || more > left - size)
            return 0;
        size += more;
    }
    return size;
}

static const unsigned char *bytes_of(const numbers *all)
{
    return (const unsigned char *)all->keys.data;
}

static int prepare_keys(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    if (table->numbers->read_keys)
        return ROWTIDE_OK;
    return rowtide__crdt_prepare(
        engine, &table->numbers->read_keys,
        "SELECT first, count, keys FROM main.rowtide_crdt_keys_%lld WHERE "
        "first <= ? ORDER BY first DESC LIMIT 1",
        (long long)table->id);
}

static int take_block(rowtide__crdt *engine, numbers *all)
{
    const void *data = sqlite3_column_blob(all->read_keys, 2);
    size_t size = (size_t)sqlite3_column_bytes(all->read_keys, 2);
    all->serial = 0;
    rowtide__buffer_clear(&all->keys);
    int rc = rowtide__buffer_append(&all->keys, data ? data : "", size);
    if (rc != ROWTIDE_OK)
        return rc;
    all->first = all->at_row = sqlite3_column_int64(all->read_keys, 0);
    all->count = sqlite3_column_int64(all->read_keys, 1);
    all->at = 0;
    all->serial = engine->stored_serial;
    return ROWTIDE_OK;
}

/* Read the block that has the row, or the last before it. ROWTIDE_DONE if
 * there is none. */
static int read_block(rowtide__crdt *engine, rowtide__crdt_table *table,
                      int64_t row)
{
    int rc = prepare_keys(engine, table);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(table->numbers->read_keys, 1, row);
    rc = rowtide__crdt_step(engine, table->numbers->read_keys);
    if (rc == ROWTIDE_OK)
        rc = take_block(engine, table->numbers);
    sqlite3_reset(table->numbers->read_keys);
    if (rc == ROWTIDE_OK
        && (table->numbers->count < 1 || table->numbers->first < 1
            || table->numbers->count > (int64_t)table->numbers->keys.size))
        rc = fail_damaged(table);
    return rc;
}

static int has_row(const rowtide__crdt *engine, const numbers *all, int64_t row)
{
    return all->serial == engine->stored_serial && row >= all->first
           && row - all->first < all->count;
}

/* Stand at the key of a row. ROWTIDE_DONE if there is none. */
static int seek_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                    int64_t row, size_t *size)
{
    numbers *all = table->numbers;
    int rc = ROWTIDE_OK;
    if (!has_row(engine, all, row))
        rc = read_block(engine, table, row);
    if (rc != ROWTIDE_OK || !has_row(engine, all, row))
        return rc < 0 ? rc : ROWTIDE_DONE;
    if (row < all->at_row) {
        all->at_row = all->first;
        all->at = 0;
    }
    for (;;) {
        *size = key_size(table, bytes_of(all) + all->at,
                         all->keys.size - all->at);
        if (*size == 0)
            return fail_damaged(table);
        if (all->at_row == row)
            break;
        all->at += *size;
        all->at_row++;
    }
    return bytes_of(all)[all->at] == FORGOTTEN ? ROWTIDE_DONE : ROWTIDE_OK;
}

int rowtide__numbers_is(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t row, const rowtide__key *key)
{
    size_t size;
    int rc = seek_row(engine, table, row, &size);
    if (rc != ROWTIDE_OK)
        return rc < 0 ? rc : 0;
    return size == key->size
           && memcmp(bytes_of(table->numbers) + table->numbers->at, key->data,
                     size)
                  == 0;
}

static int find_of_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                       int64_t row, rowtide__new_key *out)
{
    int rc = rowtide__tail_know(engine);
    if (rc == ROWTIDE_OK)
        rc = open_numbers(table);
    if (rc == ROWTIDE_OK && !has_row(engine, table->numbers, row)
        && rowtide__new_keys_of_row(engine->unstored, table, row, out))
        return ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = seek_row(engine, table, row, &out->size);
    if (rc == ROWTIDE_OK)
        out->data = bytes_of(table->numbers) + table->numbers->at;
    return rc == ROWTIDE_DONE ? fail_damaged(table) : rc;
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
    int rc = find_of_row(engine, table, row, &found);
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

/* Read what number is the next. */
static int read_next(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    numbers *all = table->numbers;
    if (all->bound_serial == engine->stored_serial)
        return ROWTIDE_OK;
    int rc = read_block(engine, table, INT64_MAX);
    if (rc < 0)
        return rc;
    all->next = rc == ROWTIDE_DONE ? 1 : all->first + all->count;
    all->bound_serial = engine->stored_serial;
    if (!table->bounded) {
        table->bounded = table->has_clocks = 1;
        table->max_row = all->next - 1;
    }
    return ROWTIDE_OK;
}

/* The number behind that of the last key. */
static int try_guess(rowtide__crdt *engine, rowtide__crdt_table *table,
                     const rowtide__key *key)
{
    numbers *all = table->numbers;
    if (!has_row(engine, all, all->guess)
        && !(all->guessed && all->serial == engine->stored_serial))
        return 0;
    return rowtide__numbers_is(engine, table, all->guess, key);
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
        rc = read_next(engine, table);
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
    int rc = open_numbers(table);
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
        rc = read_next(engine, table);
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

static int write_block(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    numbers *all = table->numbers;
    int rc = ROWTIDE_OK;
    if (!all->put_keys)
        rc = rowtide__crdt_prepare(
            engine, &all->put_keys,
            "REPLACE INTO main.rowtide_crdt_keys_%lld VALUES(?, ?, ?)",
            (long long)table->id);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(all->put_keys, 1, all->first);
    sqlite3_bind_int64(all->put_keys, 2, all->count);
    sqlite3_bind_blob64(all->put_keys, 3, all->keys.data, all->keys.size,
                        SQLITE_STATIC);
    all->changed = 0;
    return rowtide__crdt_run(engine, all->put_keys);
}

/* Go on with the last block, or begin a new one. */
static int open_block(rowtide__crdt *engine, rowtide__crdt_table *table,
                      const rowtide__new_key *added)
{
    numbers *all = table->numbers;
    int rc = ROWTIDE_OK;
    if (!all->changed
        && (all->serial != engine->stored_serial
            || all->first + all->count != added->row))
        rc = read_block(engine, table, added->row);
    if (rc < 0)
        return rc;
    if (rc == ROWTIDE_OK && all->first + all->count == added->row
        && all->keys.size + added->size <= ROWTIDE__BLOCK_BYTES)
        return ROWTIDE_OK;
    rc = all->changed ? write_block(engine, table) : ROWTIDE_OK;
    all->first = all->at_row = added->row;
    all->count = 0;
    all->at = 0;
    all->serial = engine->stored_serial;
    rowtide__buffer_clear(&all->keys);
    return rc;
}

static int append_key(rowtide__crdt *engine, const rowtide__new_key *added)
{
    rowtide__crdt_table *table = added->table;
    int rc = open_numbers(table);
    if (rc == ROWTIDE_OK)
        rc = open_block(engine, table, added);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&table->numbers->keys, added->data,
                                    added->size);
    if (rc != ROWTIDE_OK)
        return rc;
    table->numbers->count++;
    table->numbers->changed = 1;
    return ROWTIDE_OK;
}

static int append_keys(rowtide__crdt *engine, const rowtide__new_keys *keys)
{
    int rc = ROWTIDE_OK;
    for (size_t i = keys->written; i < keys->count && rc == ROWTIDE_OK; i++) {
        rowtide__new_key added;
        rowtide__new_keys_entry(keys, i, &added);
        rc = append_key(engine, &added);
    }
    for (rowtide__crdt_table *table = engine->tables; table;
         table = table->next) {
        if (!table->numbers)
            continue;
        if (rc == ROWTIDE_OK && table->numbers->changed)
            rc = write_block(engine, table);
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

/* ## Forgetting */

static int drop_block(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    numbers *all = table->numbers;
    int rc = ROWTIDE_OK;
    if (!all->drop_keys)
        rc = rowtide__crdt_prepare(
            engine, &all->drop_keys,
            "DELETE FROM main.rowtide_crdt_keys_%lld WHERE first = ?",
            (long long)table->id);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(all->drop_keys, 1, all->first);
    return rowtide__crdt_run(engine, all->drop_keys);
}

/* The last block stays: it says what number is the next. */
static int save_block(rowtide__crdt *engine, rowtide__crdt_table *table)
{
    numbers *all = table->numbers;
    int rc = (int64_t)all->keys.size == all->count
                     && all->first + all->count < all->next
                 ? drop_block(engine, table)
                 : write_block(engine, table);
    all->serial = 0;
    return rc;
}

static int drop_row(rowtide__crdt *engine, rowtide__crdt_table *table,
                    int64_t row)
{
    numbers *all = table->numbers;
    size_t size;
    int rc = seek_row(engine, table, row, &size);
    if (rc != ROWTIDE_OK)
        return rc < 0 ? rc : ROWTIDE_OK;
    char *at = all->keys.data + all->at;
    rowtide__hashed hashed = {table, rowtide__key_hash(engine->seed, at, size),
                              row};
    at[0] = FORGOTTEN;
    memmove(at + 1, at + size, all->keys.size - all->at - size);
    all->keys.size -= size - 1;
    all->changed = 1;
    return rowtide__buckets_drop(engine, &hashed);
}

int rowtide__numbers_drop(rowtide__crdt *engine, rowtide__crdt_table *table,
                          int64_t first, int64_t rows)
{
    if (table->integer_key)
        return ROWTIDE_OK;
    int rc = open_numbers(table);
    if (rc == ROWTIDE_OK)
        rc = read_next(engine, table);
    for (int64_t i = 0; i < rows && rc == ROWTIDE_OK; i++) {
        if (table->numbers->changed
            && !has_row(engine, table->numbers, first + i))
            rc = save_block(engine, table);
        if (rc == ROWTIDE_OK)
            rc = drop_row(engine, table, first + i);
    }
    if (rc == ROWTIDE_OK && table->numbers->changed)
        rc = save_block(engine, table);
    table->numbers->changed = 0;
    table->numbers->serial = 0;
    return rc;
}
