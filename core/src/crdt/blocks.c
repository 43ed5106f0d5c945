#include "crdt/numbers.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

typedef struct rowtide__numbers numbers;

/* What is left of a key that was forgotten. */
enum { FORGOTTEN = ROWTIDE_NULL };

int rowtide__blocks_fail(const rowtide__crdt_table *table)
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
        return bytes <= 8 ? 1 + bytes : 0;
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
            || table->numbers->first > INT64_MAX / 2
            || table->numbers->count > (int64_t)table->numbers->keys.size))
        rc = rowtide__blocks_fail(table);
    return rc;
}

int rowtide__blocks_has(const rowtide__crdt *engine, const numbers *all,
                        int64_t row)
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
    if (!rowtide__blocks_has(engine, all, row))
        rc = read_block(engine, table, row);
    if (rc != ROWTIDE_OK || !rowtide__blocks_has(engine, all, row))
        return rc < 0 ? rc : ROWTIDE_DONE;
    if (row < all->at_row) {
        all->at_row = all->first;
        all->at = 0;
    }
    for (;;) {
        *size = key_size(table, bytes_of(all) + all->at,
                         all->keys.size - all->at);
        if (*size == 0)
            return rowtide__blocks_fail(table);
        if (all->at_row == row)
            break;
        all->at += *size;
        all->at_row++;
    }
    return bytes_of(all)[all->at] == FORGOTTEN ? ROWTIDE_DONE : ROWTIDE_OK;
}

int rowtide__blocks_open(rowtide__crdt_table *table)
{
    if (!table->numbers)
        table->numbers = rowtide__alloc_zero(sizeof *table->numbers);
    return table->numbers ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

int rowtide__blocks_bound(rowtide__crdt *engine, rowtide__crdt_table *table)
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

int rowtide__blocks_is(rowtide__crdt *engine, rowtide__crdt_table *table,
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

int rowtide__blocks_read(rowtide__crdt *engine, rowtide__crdt_table *table,
                         int64_t row, rowtide__new_key *out)
{
    int rc = rowtide__tail_know(engine);
    if (rc == ROWTIDE_OK)
        rc = rowtide__blocks_open(table);
    if (rc == ROWTIDE_OK && !rowtide__blocks_has(engine, table->numbers, row)
        && rowtide__new_keys_of_row(engine->unstored, table, row, out))
        return ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = seek_row(engine, table, row, &out->size);
    if (rc == ROWTIDE_OK)
        out->data = bytes_of(table->numbers) + table->numbers->at;
    return rc;
}

/* ## Writing */

int rowtide__blocks_write(rowtide__crdt *engine, rowtide__crdt_table *table)
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
    rc = all->changed ? rowtide__blocks_write(engine, table) : ROWTIDE_OK;
    all->first = all->at_row = added->row;
    all->count = 0;
    all->at = 0;
    all->serial = engine->stored_serial;
    rowtide__buffer_clear(&all->keys);
    return rc;
}

int rowtide__blocks_append(rowtide__crdt *engine, const rowtide__new_key *added)
{
    rowtide__crdt_table *table = added->table;
    int rc = rowtide__blocks_open(table);
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
                 : rowtide__blocks_write(engine, table);
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
    int rc = rowtide__blocks_open(table);
    if (rc == ROWTIDE_OK)
        rc = rowtide__blocks_bound(engine, table);
    for (int64_t i = 0; i < rows && rc == ROWTIDE_OK; i++) {
        if (table->numbers->changed
            && !rowtide__blocks_has(engine, table->numbers, first + i))
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
