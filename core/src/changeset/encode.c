#include "changeset/codec.h"
#include "changeset/bytes.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

static void set_end(rowtide_buffer *out, const unsigned char *end)
{
    out->size = (size_t)(end - (const unsigned char *)out->data);
    out->data[out->size] = '\0';
}

static unsigned char *put_number(unsigned char *at, rowtide_type type,
                                 uint64_t bits)
{
    *at = (unsigned char)type;
    rowtide__store64(at + 1, bits);
    return at + 9;
}

static unsigned char *put_real(unsigned char *at, double real)
{
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    if (real == real)
        return put_number(at, ROWTIDE_REAL, bits);
    *at = ROWTIDE_NULL; /* what SQLite makes of a NaN */
    return at + 1;
}

static unsigned char *put_bytes(unsigned char *at, const rowtide_value *value)
{
    *at++ = (unsigned char)value->type;
    at = rowtide__store_varint(at, (uint32_t)value->size);
    if (value->size)
        memcpy(at, value->data, value->size);
    return at + value->size;
}

int rowtide__encode_value(rowtide_buffer *out, const rowtide_value *value)
{
    int has_bytes = value->type == ROWTIDE_TEXT || value->type == ROWTIDE_BLOB;
    size_t size = has_bytes ? value->size : 8;
    if (size > ROWTIDE__LENGTH_MAX)
        return rowtide__fail(ROWTIDE_ETOOBIG,
                             "value of %zu bytes: a changeset can hold 2 GiB",
                             size);
    if (rowtide__buffer_reserve(out, 1 + ROWTIDE__VARINT_MAX + size)
        != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    unsigned char *at = (unsigned char *)out->data + out->size;
    switch (value->type) {
    case ROWTIDE_INTEGER:
        at = put_number(at, ROWTIDE_INTEGER, (uint64_t)value->integer);
        break;
    case ROWTIDE_REAL:
        at = put_real(at, value->real);
        break;
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        at = put_bytes(at, value);
        break;
    default:
        *at++ = (unsigned char)value->type;
    }
    set_end(out, at);
    return ROWTIDE_OK;
}

int rowtide__encode_table(rowtide_buffer *out, int patchset, const char *table,
                          int column_count, const unsigned char *primary_key)
{
    size_t columns = (size_t)column_count, name_size = strlen(table) + 1;
    if (rowtide__buffer_reserve(out,
                                1 + ROWTIDE__VARINT_MAX + columns + name_size)
        != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    unsigned char *at = (unsigned char *)out->data + out->size;
    *at++ = patchset ? 'P' : 'T';
    at = rowtide__store_varint(at, (uint32_t)column_count);
    memcpy(at, primary_key, columns);
    memcpy(at + columns, table, name_size);
    set_end(out, at + columns + name_size);
    return ROWTIDE_OK;
}

static int encode_record(rowtide_buffer *out, const rowtide_value *values,
                         int count)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; i < count && rc == ROWTIDE_OK; i++)
        rc = rowtide__encode_value(out, &values[i]);
    return rc;
}

/* The one record of a patchset's DELETE or UPDATE: the key, and for an UPDATE
 * the new values among it. */
static int encode_patch(rowtide_buffer *out, const rowtide_change *change)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; i < change->column_count && rc == ROWTIDE_OK; i++) {
        if (change->primary_key[i])
            rc = rowtide__encode_value(out, &change->old_values[i]);
        else if (change->kind == ROWTIDE_CHANGE_UPDATE)
            rc = rowtide__encode_value(out, &change->new_values[i]);
    }
    return rc;
}

int rowtide__encode_change(rowtide_buffer *out, int patchset,
                           const rowtide_change *change)
{
    int count = change->column_count;
    int rc = rowtide__buffer_append_byte(out, (int)change->kind);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append_byte(out, change->indirect != 0);
    if (rc != ROWTIDE_OK)
        return rc;
    if (change->kind == ROWTIDE_CHANGE_INSERT)
        return encode_record(out, change->new_values, count);
    if (patchset)
        return encode_patch(out, change);
    rc = encode_record(out, change->old_values, count);
    if (rc == ROWTIDE_OK && change->kind == ROWTIDE_CHANGE_UPDATE)
        rc = encode_record(out, change->new_values, count);
    return rc;
}
