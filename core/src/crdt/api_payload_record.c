#include "crdt/payload.h"

#include "base/error.h"

#include <string.h>

#include <zlib.h>

static const unsigned char magic[8] = {0x8a, 'R', 'O', 'W', 'C', 'R', 'D', 'T'};

/* ## Big-endian numbers */

static void put32(unsigned char *at, uint32_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8)
        at[i] = (unsigned char)number;
}

static void put64(unsigned char *at, int64_t number)
{
    put32(at, (uint32_t)((uint64_t)number >> 32));
    put32(at + 4, (uint32_t)number);
}

static uint32_t get32(const unsigned char *at)
{
    uint32_t number = 0;
    for (int i = 0; i < 4; i++)
        number = number << 8 | at[i];
    return number;
}

static int64_t get64(const unsigned char *at)
{
    return (int64_t)((uint64_t)get32(at) << 32 | get32(at + 4));
}

uint32_t rowtide__payload_checksum(uint32_t checksum, const void *data,
                                   size_t size)
{
    return (uint32_t)crc32_z(checksum, data, size);
}

static void seal(unsigned char *record, size_t size)
{
    put32(record + size - 4, rowtide__payload_checksum(0, record, size - 4));
}

static int check_seal(const unsigned char *record, size_t size, int64_t offset)
{
    if (get32(record + size - 4)
        == rowtide__payload_checksum(0, record, size - 4))
        return ROWTIDE_OK;
    return rowtide__fail_at(ROWTIDE_ECORRUPT, offset,
                            "payload: the checksum of the record at byte %lld "
                            "is wrong",
                            (long long)offset);
}

/* ## Head */

void rowtide__payload_put_head(const rowtide__payload_head *head,
                               unsigned char out[ROWTIDE__PAYLOAD_HEAD])
{
    memset(out, 0, ROWTIDE__PAYLOAD_HEAD);
    memcpy(out, magic, sizeof magic);
    put32(out + 8, ROWTIDE__PAYLOAD_FORMAT);
    put32(out + 12, head->flags);
    memcpy(out + 16, head->site, sizeof head->site);
    memcpy(out + 32, head->exclude, sizeof head->exclude);
    put64(out + 48, head->since);
    put64(out + 56, head->acknowledged);
    seal(out, ROWTIDE__PAYLOAD_HEAD);
}

int rowtide__payload_get_head(const unsigned char in[ROWTIDE__PAYLOAD_HEAD],
                              rowtide__payload_head *out)
{
    const unsigned known = ROWTIDE__PAYLOAD_COMPLETE
                           | ROWTIDE__PAYLOAD_EXCLUDES;
    if (memcmp(in, magic, sizeof magic))
        return rowtide__fail_at(ROWTIDE_ECORRUPT, 0,
                                "payload: does not begin like one");
    if (get32(in + 8) != ROWTIDE__PAYLOAD_FORMAT)
        return rowtide__fail_at(ROWTIDE_EUNSUPPORTED, 8,
                                "payload: version %lu of the format; known is "
                                "%d",
                                (unsigned long)get32(in + 8),
                                ROWTIDE__PAYLOAD_FORMAT);
    int rc = check_seal(in, ROWTIDE__PAYLOAD_HEAD, 0);
    if (rc != ROWTIDE_OK)
        return rc;
    out->flags = get32(in + 12);
    if (out->flags & ~known)
        return rowtide__fail_at(ROWTIDE_EUNSUPPORTED, 12,
                                "payload: flags 0x%x are not known",
                                out->flags & ~known);
    memcpy(out->site, in + 16, sizeof out->site);
    memcpy(out->exclude, in + 32, sizeof out->exclude);
    out->since = get64(in + 48);
    out->acknowledged = get64(in + 56);
    if (out->since < 0 || out->acknowledged < 0)
        return rowtide__fail_at(ROWTIDE_ECORRUPT, 48,
                                "payload: a version is below 0");
    return ROWTIDE_OK;
}

/* ## Chunk */

uint32_t rowtide__payload_kind(const unsigned char *in)
{
    return get32(in);
}

void rowtide__payload_put_chunk(const rowtide__payload_chunk *chunk,
                                unsigned char out[ROWTIDE__PAYLOAD_CHUNK])
{
    put32(out, ROWTIDE__PAYLOAD_KIND_CHUNK);
    put32(out + 4, chunk->method);
    put32(out + 8, chunk->number);
    put32(out + 12, chunk->count);
    put32(out + 16, chunk->size);
    put32(out + 20, chunk->stored);
    put32(out + 24, chunk->checksum);
    put64(out + 28, chunk->least);
    put64(out + 36, chunk->greatest);
    seal(out, ROWTIDE__PAYLOAD_CHUNK);
}

static int fail_chunk(const rowtide__payload_chunk *chunk, int64_t offset,
                      const char *what)
{
    return rowtide__fail_at(
        ROWTIDE_ECORRUPT, offset, "payload: chunk %lu at byte %lld %s",
        (unsigned long)chunk->number, (long long)offset, what);
}

static int check_sizes(const rowtide__payload_chunk *chunk, int64_t offset)
{
    uint64_t most = (uint64_t)chunk->stored * ROWTIDE__PAYLOAD_RATIO;
    if (chunk->method == ROWTIDE__PAYLOAD_STORED) {
        if (chunk->size != chunk->stored)
            return fail_chunk(chunk, offset, "has two sizes");
    } else if (chunk->method != ROWTIDE__PAYLOAD_DEFLATED) {
        return fail_chunk(chunk, offset, "is compressed in no known way");
    } else if (chunk->size > ROWTIDE__PAYLOAD_EXPANSION && chunk->size > most) {
        return fail_chunk(chunk, offset, "claims to be too large");
    }
    if (chunk->count == 0 || chunk->count > chunk->size)
        return fail_chunk(chunk, offset, "claims a wrong number of changes");
    if (chunk->least > chunk->greatest)
        return fail_chunk(chunk, offset,
                          "has its versions the wrong way round");
    return ROWTIDE_OK;
}

int rowtide__payload_get_chunk(const unsigned char in[ROWTIDE__PAYLOAD_CHUNK],
                               int64_t offset, rowtide__payload_chunk *out)
{
    int rc = check_seal(in, ROWTIDE__PAYLOAD_CHUNK, offset);
    if (rc != ROWTIDE_OK)
        return rc;
    out->method = get32(in + 4);
    out->number = get32(in + 8);
    out->count = get32(in + 12);
    out->size = get32(in + 16);
    out->stored = get32(in + 20);
    out->checksum = get32(in + 24);
    out->least = get64(in + 28);
    out->greatest = get64(in + 36);
    return check_sizes(out, offset);
}

/* ## End */

void rowtide__payload_put_end(const rowtide__payload_end *end,
                              unsigned char out[ROWTIDE__PAYLOAD_END])
{
    memset(out, 0, ROWTIDE__PAYLOAD_END);
    put32(out, ROWTIDE__PAYLOAD_KIND_END);
    put32(out + 4, end->chunks);
    put64(out + 8, end->count);
    put64(out + 16, end->until);
    put32(out + 24, end->chain);
    seal(out, ROWTIDE__PAYLOAD_END);
}

int rowtide__payload_get_end(const unsigned char in[ROWTIDE__PAYLOAD_END],
                             int64_t offset, rowtide__payload_end *out)
{
    int rc = check_seal(in, ROWTIDE__PAYLOAD_END, offset);
    if (rc != ROWTIDE_OK)
        return rc;
    out->chunks = get32(in + 4);
    out->count = get64(in + 8);
    out->until = get64(in + 16);
    out->chain = get32(in + 24);
    return ROWTIDE_OK;
}
