#include "crdt/pack.h"
#include "base/error.h"

#include <string.h>

static int bytes_needed(uint64_t number)
{
    int bytes = 0;
    for (; number; number >>= 8)
        bytes++;
    return bytes;
}

/* A byte, then the number, big endian. */
static void put(rowtide__writer *writer, int byte, uint64_t number, int bytes)
{
    unsigned char out[9] = {(unsigned char)byte};
    for (int i = bytes; i > 0; i--, number >>= 8)
        out[i] = (unsigned char)number;
    rowtide__write(writer, out, 1 + (size_t)bytes);
}

static void put_number(rowtide__writer *writer, int type, uint64_t number)
{
    int bytes = bytes_needed(number);
    put(writer, bytes << 3 | type, number, bytes);
}

void rowtide__pack_value(rowtide__writer *writer, const rowtide_value *value)
{
    uint64_t bits;
    switch (value->type) {
    case ROWTIDE_INTEGER:
        put_number(writer, ROWTIDE_INTEGER, (uint64_t)value->integer);
        break;
    case ROWTIDE_REAL:
        memcpy(&bits, &value->real, sizeof bits);
        put(writer, ROWTIDE_REAL, bits, 8);
        break;
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        put_number(writer, value->type, value->size);
        rowtide__write(writer, value->data, value->size);
        break;
    default:
        rowtide__write_byte(writer, ROWTIDE_NULL);
    }
}

static int fail_packed(const char *what)
{
    return rowtide__fail(ROWTIDE_ECORRUPT, "packed values: %s", what);
}

int rowtide__unpack_open(rowtide__unpack *unpack, const void *data, size_t size)
{
    memset(unpack, 0, sizeof *unpack);
    if (!data || size == 0)
        return fail_packed("there are no bytes");
    unpack->data = data;
    unpack->size = size;
    unpack->at = 1;
    unpack->left = unpack->data[0];
    return ROWTIDE_OK;
}

static int get_big_endian(rowtide__unpack *unpack, int bytes, uint64_t *out)
{
    *out = 0;
    if (bytes > 8)
        return fail_packed("a number has more than 8 bytes");
    if ((size_t)bytes > unpack->size - unpack->at)
        return fail_packed("cut short");
    while (bytes-- > 0)
        *out = *out << 8 | unpack->data[unpack->at++];
    return ROWTIDE_OK;
}

static int get_bytes(rowtide__unpack *unpack, uint64_t size, rowtide_value *out)
{
    if (size > unpack->size - unpack->at)
        return fail_packed("cut short");
    out->data = unpack->data + unpack->at;
    out->size = (size_t)size;
    unpack->at += (size_t)size;
    return ROWTIDE_OK;
}

int rowtide__unpack_next(rowtide__unpack *unpack, rowtide_value *out)
{
    uint64_t number = 0;
    *out = rowtide_value_null();
    if (unpack->left == 0)
        return ROWTIDE_DONE;
    if (unpack->at >= unpack->size)
        return fail_packed("cut short");
    int byte = unpack->data[unpack->at++];
    int type = byte & 7, bytes = byte >> 3, rc;
    if (type < ROWTIDE_INTEGER || type > ROWTIDE_NULL)
        return fail_packed("a value has no known type");
    if (type == ROWTIDE_NULL)
        bytes = 0;
    rc = get_big_endian(unpack, type == ROWTIDE_REAL ? 8 : bytes, &number);
    if (rc == ROWTIDE_OK && (type == ROWTIDE_TEXT || type == ROWTIDE_BLOB))
        rc = get_bytes(unpack, number, out);
    if (rc != ROWTIDE_OK)
        return rc;
    out->type = (rowtide_type)type;
    if (type == ROWTIDE_INTEGER)
        out->integer = (int64_t)number;
    if (type == ROWTIDE_REAL)
        memcpy(&out->real, &number, sizeof out->real);
    unpack->left--;
    return ROWTIDE_OK;
}
