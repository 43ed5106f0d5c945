#include "changeset/envelope.h"

#include "base/crc64.h"
#include "base/error.h"

#include <string.h>

/* The line feed is what a transfer in text mode would spoil. */
static const unsigned char magic[8] = {'R', 'O', 'W', 'T', 'I', 'D', 'E', '\n'};

enum {
    VERSION = 1,
    VERSION_AT = 8,
    FLAGS_AT = 12,
    STREAM_AT = 16,
    NUMBER_AT = 32,
    SIZE_AT = 40,
    CHECKSUM_AT = 48,
    HEADER_CHECKSUM_AT = 56
};

static void put_integer(unsigned char *out, uint64_t integer, int size)
{
    for (int i = size - 1; i >= 0; i--) {
        out[i] = (unsigned char)integer;
        integer >>= 8;
    }
}

static uint64_t get_integer(const unsigned char *in, int size)
{
    uint64_t integer = 0;
    for (int i = 0; i < size; i++)
        integer = integer << 8 | in[i];
    return integer;
}

void rowtide__envelope_encode(const rowtide__envelope *envelope,
                              unsigned char out[ROWTIDE__ENVELOPE_SIZE])
{
    memcpy(out, magic, sizeof magic);
    put_integer(out + VERSION_AT, VERSION, 4);
    put_integer(out + FLAGS_AT, 0, 4);
    memcpy(out + STREAM_AT, envelope->stream, ROWTIDE__STREAM_ID_SIZE);
    put_integer(out + NUMBER_AT, (uint64_t)envelope->number, 8);
    put_integer(out + SIZE_AT, envelope->size, 8);
    put_integer(out + CHECKSUM_AT, envelope->checksum, 8);
    put_integer(out + HEADER_CHECKSUM_AT,
                rowtide__crc64(0, out, HEADER_CHECKSUM_AT), 8);
}

int rowtide__envelope_decode(const unsigned char in[ROWTIDE__ENVELOPE_SIZE],
                             const char *path, rowtide__envelope *out)
{
    if (memcmp(in, magic, sizeof magic))
        return rowtide__fail_at(ROWTIDE_ECORRUPT, 0,
                                "%s: not a file of a primary", path);
    if (get_integer(in + HEADER_CHECKSUM_AT, 8)
        != rowtide__crc64(0, in, HEADER_CHECKSUM_AT))
        return rowtide__fail_at(ROWTIDE_ECORRUPT, HEADER_CHECKSUM_AT,
                                "%s: the header's checksum is wrong", path);
    if (get_integer(in + VERSION_AT, 4) != VERSION
        || get_integer(in + FLAGS_AT, 4) != 0)
        return rowtide__fail_at(ROWTIDE_EUNSUPPORTED, VERSION_AT,
                                "%s: made by a newer version of rowtide", path);
    memcpy(out->stream, in + STREAM_AT, ROWTIDE__STREAM_ID_SIZE);
    out->number = (int64_t)get_integer(in + NUMBER_AT, 8);
    out->size = get_integer(in + SIZE_AT, 8);
    out->checksum = get_integer(in + CHECKSUM_AT, 8);
    return ROWTIDE_OK;
}
