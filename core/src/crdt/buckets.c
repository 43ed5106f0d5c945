#include "crdt/numbers.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* ## Hashes
 *
 * SipHash with one and three rounds: peers choose keys, and must not be able to
 * choose them so that all have one hash. */

typedef struct sip {
    uint64_t a, b, c, d;
} sip;

static uint64_t turn(uint64_t number, int bits)
{
    return number << bits | number >> (64 - bits);
}

static void mix(sip *it)
{
    it->a += it->b;
    it->b = turn(it->b, 13) ^ it->a;
    it->a = turn(it->a, 32);
    it->c += it->d;
    it->d = turn(it->d, 16) ^ it->c;
    it->a += it->d;
    it->d = turn(it->d, 21) ^ it->a;
    it->c += it->b;
    it->b = turn(it->b, 17) ^ it->c;
    it->c = turn(it->c, 32);
}

static void mix_in(sip *it, uint64_t word)
{
    it->d ^= word;
    mix(it);
    it->a ^= word;
}

/* With the seed 0 all keys have one hash: so that tests can see what then
 * happens. */
uint32_t rowtide__key_hash(uint64_t seed, const void *data, size_t size)
{
    sip it = {seed ^ 0x736f6d6570736575u, ~seed ^ 0x646f72616e646f6du,
              seed ^ 0x6c7967656e657261u, ~seed ^ 0x7465646279746573u};
    const unsigned char *at = data;
    size_t left = size;
    uint64_t word;
    if (seed == 0)
        return 0;
    for (; left >= sizeof word; at += sizeof word, left -= sizeof word) {
        memcpy(&word, at, sizeof word);
        mix_in(&it, word);
    }
    word = (uint64_t)size << 56;
    for (size_t i = 0; i < left; i++)
        word |= (uint64_t)at[i] << (8 * i);
    mix_in(&it, word);
    it.c ^= 0xff;
    mix(&it);
    mix(&it);
    mix(&it);
    word = it.a ^ it.b ^ it.c ^ it.d;
    return (uint32_t)(word ^ word >> 32);
}

/* ## Buckets */

typedef struct bucket {
    int64_t first;
    const unsigned char *pairs;
    size_t count;
    int hash_bytes, row_bytes;
} bucket;

static uint64_t read_number(const unsigned char *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

static size_t pair_size(const bucket *it)
{
    return (size_t)it->hash_bytes + (size_t)it->row_bytes;
}

static uint64_t hash_at(const bucket *it, size_t place)
{
    return (uint64_t)it->first
           + read_number(it->pairs + place * pair_size(it), it->hash_bytes);
}

static int64_t row_at(const bucket *it, size_t place)
{
    const unsigned char *at = it->pairs + place * pair_size(it);
    return (int64_t)read_number(at + it->hash_bytes, it->row_bytes);
}

static int decode_bucket(const rowtide__crdt_table *table, sqlite3_stmt *stmt,
                         bucket *out)
{
    const unsigned char *data = sqlite3_column_blob(stmt, 1);
    size_t size = (size_t)sqlite3_column_bytes(stmt, 1);
    memset(out, 0, sizeof *out);
    out->first = sqlite3_column_int64(stmt, 0);
    if (data && size > 0) {
        out->pairs = data + 1;
        out->hash_bytes = data[0] >> 4;
        out->row_bytes = data[0] & 15;
        if (pair_size(out) > 0)
            out->count = (size - 1) / pair_size(out);
    }
    if (data && size > 0 && out->hash_bytes <= 4 && out->row_bytes <= 8
        && out->count * pair_size(out) == size - 1)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_ECORRUPT,
                         "table \"%s\": the hashes of its keys are damaged",
                         table->name);
}

static int prepare(rowtide__crdt *engine, const rowtide__crdt_table *table,
                   sqlite3_stmt **stmt, const char *format)
{
    return *stmt ? ROWTIDE_OK
                 : rowtide__crdt_prepare(engine, stmt, format,
                                         (long long)table->id);
}

/* The bucket for a hash, valid until the statement is reset. ROWTIDE_DONE if
 * there is none. */
static int open_bucket(rowtide__crdt *engine, rowtide__crdt_table *table,
                       uint32_t hash, bucket *out)
{
    sqlite3_stmt **stmt = &table->numbers->read_bucket;
    int rc = prepare(engine, table, stmt,
                     "SELECT first, pairs FROM main.rowtide_crdt_find_%lld "
                     "WHERE first <= ? ORDER BY first DESC LIMIT 1");
    memset(out, 0, sizeof *out);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(*stmt, 1, hash);
    rc = rowtide__crdt_step(engine, *stmt);
    return rc == ROWTIDE_OK ? decode_bucket(table, *stmt, out) : rc;
}

/* Where pairs begin that are not below the hash. */
static size_t lower_bound(const bucket *it, uint32_t hash)
{
    size_t low = 0, high = it->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (hash_at(it, middle) < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int rowtide__buckets_find(rowtide__crdt *engine, rowtide__crdt_table *table,
                          const rowtide__key *key, int64_t *out)
{
    bucket found;
    int rc = open_bucket(engine, table, key->hash, &found);
    *out = 0;
    for (size_t i = lower_bound(&found, key->hash);
         rc == ROWTIDE_OK && i < found.count && hash_at(&found, i) == key->hash
         && *out == 0;
         i++) {
        int same = rowtide__blocks_is(engine, table, row_at(&found, i), key);
        if (same == 1)
            *out = row_at(&found, i);
        rc = same < 0 ? same : ROWTIDE_OK;
    }
    sqlite3_reset(table->numbers->read_bucket);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## Changing them */

static int bytes_needed(uint64_t number)
{
    int bytes = 1;
    while (number >>= 8)
        bytes++;
    return bytes;
}

static void put_number(unsigned char *out, uint64_t number, int bytes)
{
    for (int i = bytes; i-- > 0; number >>= 8)
        out[i] = (unsigned char)number;
}

static int64_t greatest_row(const rowtide__hashed *hashed, size_t count)
{
    int64_t greatest = 0;
    for (size_t i = 0; i < count; i++)
        if (hashed[i].row > greatest)
            greatest = hashed[i].row;
    return greatest;
}

static int encode_bucket(rowtide_buffer *out, int64_t first,
                         const rowtide__hashed *hashed, size_t count)
{
    int row_bytes = bytes_needed((uint64_t)greatest_row(hashed, count));
    int hash_bytes = bytes_needed(
        count > 0 ? hashed[count - 1].hash - (uint64_t)first : 0);
    size_t size = (size_t)hash_bytes + (size_t)row_bytes;
    rowtide__buffer_clear(out);
    int rc = rowtide__buffer_reserve(out, 1 + count * size);
    if (rc != ROWTIDE_OK)
        return rc;
    unsigned char *at = (unsigned char *)out->data;
    *at++ = (unsigned char)(hash_bytes << 4 | row_bytes);
    for (size_t i = 0; i < count; i++, at += size) {
        put_number(at, hashed[i].hash - (uint64_t)first, hash_bytes);
        put_number(at + hash_bytes, (uint64_t)hashed[i].row, row_bytes);
    }
    out->size = 1 + count * size;
    return ROWTIDE_OK;
}

static int write_bucket(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t first, const rowtide__hashed *hashed,
                        size_t count)
{
    sqlite3_stmt **stmt = &table->numbers->put_bucket;
    int rc = prepare(engine, table, stmt,
                     "REPLACE INTO main.rowtide_crdt_find_%lld VALUES(?, ?)");
    if (rc == ROWTIDE_OK)
        rc = encode_bucket(&engine->bytes, first, hashed, count);
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(*stmt, 1, first);
    sqlite3_bind_blob64(*stmt, 2, engine->bytes.data, engine->bytes.size,
                        SQLITE_STATIC);
    return rowtide__crdt_run(engine, *stmt);
}

/* Into how many buckets pairs should go, filling them well. */
static size_t count_pieces(const rowtide__hashed *hashed, size_t count,
                           int64_t first)
{
    uint64_t range = hashed[count - 1].hash - (uint64_t)first;
    int row_bytes = bytes_needed((uint64_t)greatest_row(hashed, count));
    size_t pieces = 1, size;
    for (int hash_bytes = 4; hash_bytes > 0; hash_bytes--) {
        size = count * ((size_t)hash_bytes + (size_t)row_bytes);
        pieces = (size + ROWTIDE__BLOCK_BYTES - 1) / ROWTIDE__BLOCK_BYTES;
        if (bytes_needed(range / pieces * 5 / 4) >= hash_bytes)
            break;
    }
    return pieces;
}

/* Equal hashes stay together. */
static int write_pieces(rowtide__crdt *engine, rowtide__crdt_table *table,
                        int64_t first, const rowtide__hashed *hashed,
                        size_t count)
{
    size_t pieces = count_pieces(hashed, count, first), from = 0;
    int rc = ROWTIDE_OK;
    for (size_t i = 1; i <= pieces && rc == ROWTIDE_OK; i++) {
        size_t to = count * i / pieces;
        while (to > from && to < count
               && hashed[to].hash == hashed[to - 1].hash)
            to++;
        if (to <= from)
            continue;
        rc = write_bucket(engine, table, from == 0 ? first : hashed[from].hash,
                          hashed + from, to - from);
        from = to;
    }
    return rc;
}

static void merge(const bucket *old, const rowtide__hashed *added, size_t count,
                  rowtide__hashed *out)
{
    for (size_t i = 0, j = 0; i < old->count || j < count;) {
        if (j == count
            || (i < old->count && hash_at(old, i) <= added[j].hash)) {
            out->hash = (uint32_t)hash_at(old, i);
            out++->row = row_at(old, i++);
        } else {
            *out++ = added[j++];
        }
    }
}

/* Where the bucket behind this one begins. */
static int read_end(rowtide__crdt *engine, rowtide__crdt_table *table,
                    int64_t first, int64_t *out)
{
    sqlite3_stmt **stmt = &table->numbers->next_bucket;
    int rc = prepare(engine, table, stmt,
                     "SELECT first FROM main.rowtide_crdt_find_%lld WHERE "
                     "first > ? ORDER BY first LIMIT 1");
    *out = INT64_MAX;
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3_bind_int64(*stmt, 1, first);
    rc = rowtide__crdt_step(engine, *stmt);
    if (rc == ROWTIDE_OK)
        *out = sqlite3_column_int64(*stmt, 0);
    sqlite3_reset(*stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* Add what belongs into the bucket of the first; *count becomes how many. */
static int add_to_bucket(rowtide__crdt *engine, const rowtide__hashed *hashed,
                         size_t *count)
{
    rowtide__crdt_table *table = hashed->table;
    rowtide__hashed *merged = NULL;
    bucket old;
    int64_t end = INT64_MAX;
    size_t taken = 1, total = 0;
    int rc = open_bucket(engine, table, hashed->hash, &old);
    int64_t first = rc == ROWTIDE_OK ? old.first : 0;
    if (rc >= 0 && *count > 1)
        rc = read_end(engine, table, first, &end);
    while (taken < *count && hashed[taken].hash < end)
        taken++;
    if (rc >= 0) {
        total = old.count + taken;
        merged = rowtide__alloc_array(total, sizeof *merged);
        rc = merged ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    }
    if (rc == ROWTIDE_OK)
        merge(&old, hashed, taken, merged);
    if (table->numbers->read_bucket)
        sqlite3_reset(table->numbers->read_bucket);
    if (rc == ROWTIDE_OK)
        rc = write_pieces(engine, table, first, merged, total);
    rowtide__free(merged);
    *count = taken;
    return rc;
}

int rowtide__buckets_add(rowtide__crdt *engine, const rowtide__hashed *hashed,
                         size_t count)
{
    int rc = ROWTIDE_OK;
    while (count > 0 && rc == ROWTIDE_OK) {
        size_t taken = count;
        rc = add_to_bucket(engine, hashed, &taken);
        hashed += taken;
        count -= taken;
    }
    return rc;
}

static int drop_pair(rowtide__crdt *engine, const rowtide__hashed *hashed,
                     const bucket *old, rowtide__hashed *kept)
{
    size_t count = 0;
    int64_t first = old->first;
    for (size_t i = 0; i < old->count; i++)
        if (row_at(old, i) != hashed->row)
            kept[count++] = (rowtide__hashed){
                hashed->table, (uint32_t)hash_at(old, i), row_at(old, i)};
    sqlite3_reset(hashed->table->numbers->read_bucket);
    return write_bucket(engine, hashed->table, first, kept, count);
}

int rowtide__buckets_drop(rowtide__crdt *engine, const rowtide__hashed *hashed)
{
    rowtide__hashed *kept;
    bucket old;
    int rc = open_bucket(engine, hashed->table, hashed->hash, &old);
    if (rc == ROWTIDE_OK) {
        kept = rowtide__alloc_array(old.count + 1, sizeof *kept);
        rc = kept ? drop_pair(engine, hashed, &old, kept) : ROWTIDE_ENOMEM;
        rowtide__free(kept);
    }
    if (hashed->table->numbers->read_bucket)
        sqlite3_reset(hashed->table->numbers->read_bucket);
    return rc < 0 ? rc : ROWTIDE_OK;
}
