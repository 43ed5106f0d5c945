#ifndef ROWTIDE_CHANGESET_BYTES_H
#define ROWTIDE_CHANGESET_BYTES_H

#include <rowtide/changeset.h>

#include <string.h>

/* Bytes of the format that were checked already. Numbers are big-endian,
 * lengths are SQLite's varints: seven bits a byte, most significant first. */

enum {
    ROWTIDE__COLUMNS_MAX = 32767,
    ROWTIDE__LENGTH_MAX = 0x7fffffff,
    ROWTIDE__NAME_MAX = 1 << 20, /* with the NUL */
    ROWTIDE__VARINT_MAX = 5,     /* bytes that a length of 31 bits takes */
    ROWTIDE__REPLACED = 0xff     /* in rebase records only: see rebase.c */
};

static inline uint64_t rowtide__load64(const unsigned char *bytes)
{
    uint64_t number;
    memcpy(&number, bytes, sizeof number);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    return number;
}

static inline void rowtide__store64(unsigned char *bytes, uint64_t number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    memcpy(bytes, &number, sizeof number);
}

static inline const unsigned char *rowtide__load_varint(const unsigned char *at,
                                                        uint32_t *number)
{
    uint32_t value = *at & 0x7fu;
    while (*at++ & 0x80u)
        value = value << 7 | (*at & 0x7fu);
    *number = value;
    return at;
}

/* Past the value at `at`. */
static inline const unsigned char *rowtide__skip_value(const unsigned char *at)
{
    uint32_t size;
    switch (*at++) {
    case ROWTIDE_INTEGER:
    case ROWTIDE_REAL:
        return at + 8;
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        at = rowtide__load_varint(at, &size);
        return at + size;
    default:
        return at;
    }
}

static inline const unsigned char *rowtide__skip_values(const unsigned char *at,
                                                        int count)
{
    while (count-- > 0)
        at = rowtide__skip_value(at);
    return at;
}

/* Views of `count` values, and past them. */
static inline const unsigned char *
rowtide__load_values(const unsigned char *at, rowtide_value *values, int count)
{
    uint32_t size;
    uint64_t bits;
    for (int i = 0; i < count; i++) {
        rowtide_value *value = &values[i];
        value->type = (rowtide_type)*at++;
        switch (value->type) {
        case ROWTIDE_INTEGER:
            value->integer = (int64_t)rowtide__load64(at);
            at += 8;
            break;
        case ROWTIDE_REAL:
            bits = rowtide__load64(at);
            memcpy(&value->real, &bits, sizeof bits);
            at += 8;
            break;
        case ROWTIDE_TEXT:
        case ROWTIDE_BLOB:
            at = rowtide__load_varint(at, &size);
            value->data = at;
            value->size = size;
            at += size;
            break;
        default:
            break;
        }
    }
    return at;
}

/* Put a varint down; it takes at most ROWTIDE__VARINT_MAX bytes. */
static inline unsigned char *rowtide__store_varint(unsigned char *at,
                                                   uint32_t number)
{
    int shift = 28;
    while (shift > 0 && number >> shift == 0)
        shift -= 7;
    for (; shift > 0; shift -= 7)
        *at++ = (unsigned char)((number >> shift & 0x7fu) | 0x80u);
    *at++ = (unsigned char)(number & 0x7fu);
    return at;
}

/* Past a copy of the bytes from `from` to `to`. */
static inline unsigned char *rowtide__copy_span(unsigned char *at,
                                                const unsigned char *from,
                                                const unsigned char *to)
{
    size_t size = (size_t)(to - from);
    memcpy(at, from, size);
    return at + size;
}

#endif
