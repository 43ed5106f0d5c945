#include "changeset/decode.h"
#include "base/alloc.h"
#include "base/stream.h"

#include <string.h>

static void slide_window(rowtide__decoder *decoder)
{
    size_t kept = (size_t)(decoder->end - decoder->at);
    if (kept && decoder->at != decoder->buffer)
        memmove(decoder->buffer, decoder->at, kept);
    decoder->base += decoder->at - decoder->start;
    decoder->start = decoder->at = decoder->buffer;
    decoder->end = decoder->buffer + kept;
}

static int grow_window(rowtide__decoder *decoder)
{
    size_t used = (size_t)(decoder->end - decoder->at);
    size_t capacity = decoder->capacity ? decoder->capacity * 2
                                        : (size_t)ROWTIDE__CHUNK;
    unsigned char *buffer = rowtide__realloc(decoder->buffer, capacity);
    if (!buffer)
        return ROWTIDE_ENOMEM;
    decoder->buffer = buffer;
    decoder->capacity = capacity;
    decoder->start = decoder->at = buffer;
    decoder->end = buffer + used;
    return ROWTIDE_OK;
}

static int fill_to_capacity(rowtide__decoder *decoder)
{
    size_t used = (size_t)(decoder->end - decoder->start);
    while (used < decoder->capacity && !decoder->at_eof) {
        size_t size = decoder->capacity - used;
        int rc = rowtide__source_read(decoder->source, decoder->buffer + used,
                                      &size);
        if (rc != ROWTIDE_OK)
            return rc;
        decoder->at_eof = size == 0;
        used += size;
        decoder->end = decoder->buffer + used;
    }
    return ROWTIDE_OK;
}

/* The window doubles only once it is full of bytes that did arrive, so that a
 * length which is a lie does not get memory. */
int rowtide__window_fill(rowtide__decoder *decoder)
{
    size_t needed = decoder->missing;
    if (decoder->buffer)
        needed += (size_t)(decoder->fault_at - decoder->at);
    else if (grow_window(decoder) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    slide_window(decoder);
    for (;;) {
        int rc = fill_to_capacity(decoder);
        size_t there = (size_t)(decoder->end - decoder->start);
        if (rc != ROWTIDE_OK || decoder->at_eof || there >= needed)
            return rc;
        rc = grow_window(decoder);
        if (rc != ROWTIDE_OK)
            return rc;
    }
}
