#include "crdt/engine.h"
#include "crdt/pack.h"
#include "base/buffer.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

static int fail_key(const rowtide__crdt_table *table, const char *what)
{
    return rowtide__fail(ROWTIDE_EINVAL, "table \"%s\": %s", table->name, what);
}

void rowtide__key_of_integer(int64_t integer, rowtide__key *key)
{
    memset(key, 0, sizeof *key);
    key->row = integer;
    key->known = 1;
}

static int take_integer(rowtide__crdt_table *table, const rowtide_value *value,
                        rowtide__key *key)
{
    if (value->type != ROWTIDE_INTEGER)
        return fail_key(table, "the key is not an integer");
    rowtide__key_of_integer(value->integer, key);
    return ROWTIDE_OK;
}

static void point_at(rowtide__key *key, const rowtide_buffer *buffer)
{
    memset(key, 0, sizeof *key);
    key->data = buffer->data;
    key->size = buffer->size;
}

int rowtide__key_pack(rowtide__crdt_table *table, const rowtide_value *values,
                      rowtide_buffer *out, rowtide__key *key)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    if (table->integer_key)
        return take_integer(table, values, key);
    rowtide__buffer_clear(out);
    for (int i = 0; i < table->key_count; i++)
        rowtide__pack_value(&writer, &values[i]);
    point_at(key, out);
    return writer.rc;
}

/* SQLite makes NULL of what is not a number. */
static int is_null(const rowtide_value *value)
{
    return value->type == ROWTIDE_NULL
           || (value->type == ROWTIDE_REAL && isnan(value->real));
}

int rowtide__key_read(rowtide__crdt_table *table, const void *pk, size_t size,
                      rowtide_buffer *out, rowtide__key *key)
{
    rowtide__unpack unpack;
    rowtide_value value;
    rowtide__writer writer = {out, ROWTIDE_OK};
    int rc = rowtide__unpack_open(&unpack, pk, size);
    if (rc != ROWTIDE_OK)
        return rc;
    if (unpack.left != table->key_count)
        return fail_key(table, "the key has another number of columns");
    rowtide__buffer_clear(out);
    while ((rc = rowtide__unpack_next(&unpack, &value)) == ROWTIDE_OK) {
        if (is_null(&value))
            return fail_key(table, "a part of the key is NULL");
        if (table->integer_key)
            return take_integer(table, &value, key);
        rowtide__pack_value(&writer, &value);
    }
    point_at(key, out);
    return rc < 0 ? rc : writer.rc;
}

int rowtide__key_write(rowtide__crdt_table *table, const rowtide__key *key,
                       rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    rowtide__buffer_clear(out);
    rowtide__write_byte(&writer, table->key_count);
    if (table->integer_key) {
        rowtide_value value = rowtide_value_integer(key->row);
        rowtide__pack_value(&writer, &value);
    } else {
        rowtide__write(&writer, key->data, key->size);
    }
    return writer.rc;
}

int rowtide__key_bind(rowtide__crdt_table *table, sqlite3_stmt *stmt, int first,
                      const rowtide__key *key)
{
    rowtide__unpack unpack = {key->data, key->size, 0, table->key_count};
    rowtide_value value;
    int rc = ROWTIDE_OK;
    if (table->integer_key) {
        sqlite3_bind_int64(stmt, first, key->row);
        return ROWTIDE_OK;
    }
    for (int i = 0; i < table->key_count && rc == ROWTIDE_OK; i++) {
        rc = rowtide__unpack_next(&unpack, &value);
        if (rc == ROWTIDE_OK)
            rc = rowtide__crdt_bind(stmt, first + i, &value);
    }
    return rc;
}

int rowtide__key_equal(const rowtide__key *a, const rowtide__key *b)
{
    if (!a->data || !b->data)
        return a->data == b->data && a->row == b->row;
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}
