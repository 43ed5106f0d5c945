#include "crdt/api_deflate.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdint.h>
#include <zlib.h>

/* Level 2 takes a third of the time of the usual 6 for a twentieth more
 * bytes. */
enum { LEVEL = 2, RAW_WINDOW = -15, MEMORY = 8, STEP = 64 * 1024 };

static void *allocate(void *user, unsigned count, unsigned size)
{
    (void)user;
    return size && count > SIZE_MAX / size
               ? NULL
               : rowtide__alloc((size_t)count * size);
}

static void release(void *user, void *memory)
{
    (void)user;
    rowtide__free(memory);
}

static z_stream *new_stream(void)
{
    z_stream *stream = rowtide__alloc_zero(sizeof *stream);
    if (stream) {
        stream->zalloc = allocate;
        stream->zfree = release;
    }
    return stream;
}

static int fail_zlib(int code)
{
    return code == Z_MEM_ERROR
               ? rowtide__nomem()
               : rowtide__fail(ROWTIDE_EINTERNAL, "zlib failed with %d", code);
}

/* Room for another step of output, but not for more than `left` bytes. */
static int make_room(z_stream *stream, rowtide_buffer *out, size_t left)
{
    size_t step = left < STEP ? left : STEP;
    int rc = rowtide__buffer_reserve(out, step);
    if (rc != ROWTIDE_OK)
        return rc;
    stream->next_out = (unsigned char *)out->data + out->size;
    stream->avail_out = (unsigned)step;
    return ROWTIDE_OK;
}

static void take_output(const z_stream *stream, rowtide_buffer *out)
{
    out->size = (size_t)((char *)stream->next_out - out->data);
    out->data[out->size] = '\0';
}

static void set_input(z_stream *stream, const void *data, size_t size)
{
    stream->next_in = (unsigned char *)(uintptr_t)data;
    stream->avail_in = (unsigned)size;
}

/* ## Deflate */

static int ready_deflate(void **state)
{
    if (*state) {
        int code = deflateReset(*state);
        return code == Z_OK ? ROWTIDE_OK : fail_zlib(code);
    }
    z_stream *stream = new_stream();
    if (!stream)
        return ROWTIDE_ENOMEM;
    int code = deflateInit2(stream, LEVEL, Z_DEFLATED, RAW_WINDOW, MEMORY,
                            Z_DEFAULT_STRATEGY);
    if (code != Z_OK) {
        rowtide__free(stream);
        return fail_zlib(code);
    }
    *state = stream;
    return ROWTIDE_OK;
}

int rowtide__deflate(void **state, const void *data, size_t size,
                     rowtide_buffer *out)
{
    int code = Z_OK;
    int rc = ready_deflate(state);
    rowtide__buffer_clear(out);
    if (rc != ROWTIDE_OK)
        return rc;
    z_stream *stream = *state;
    set_input(stream, data, size);
    while (code == Z_OK) {
        if (out->size >= size)
            return ROWTIDE_DONE;
        rc = make_room(stream, out, size - out->size);
        if (rc != ROWTIDE_OK)
            return rc;
        code = deflate(stream, Z_FINISH);
        take_output(stream, out);
    }
    if (code != Z_STREAM_END)
        return fail_zlib(code);
    return out->size < size ? ROWTIDE_OK : ROWTIDE_DONE;
}

void rowtide__deflate_free(void *state)
{
    if (state)
        deflateEnd(state);
    rowtide__free(state);
}

/* ## Inflate */

static int ready_inflate(void **state)
{
    if (*state) {
        int code = inflateReset(*state);
        return code == Z_OK ? ROWTIDE_OK : fail_zlib(code);
    }
    z_stream *stream = new_stream();
    if (!stream)
        return ROWTIDE_ENOMEM;
    int code = inflateInit2(stream, RAW_WINDOW);
    if (code != Z_OK) {
        rowtide__free(stream);
        return fail_zlib(code);
    }
    *state = stream;
    return ROWTIDE_OK;
}

int rowtide__inflate(void **state, const void *data, size_t size,
                     size_t expected, rowtide_buffer *out)
{
    int code = Z_OK;
    int rc = ready_inflate(state);
    rowtide__buffer_clear(out);
    if (rc != ROWTIDE_OK)
        return rc;
    z_stream *stream = *state;
    set_input(stream, data, size);
    while (code == Z_OK && out->size <= expected) {
        /* One byte more than expected shows that there is more. */
        rc = make_room(stream, out, expected - out->size + 1);
        if (rc != ROWTIDE_OK)
            return rc;
        code = inflate(stream, Z_NO_FLUSH);
        take_output(stream, out);
    }
    if (code == Z_MEM_ERROR)
        return rowtide__nomem();
    return code == Z_STREAM_END && out->size == expected
                   && stream->avail_in == 0
               ? ROWTIDE_OK
               : ROWTIDE_DONE;
}

void rowtide__inflate_free(void *state)
{
    if (state)
        inflateEnd(state);
    rowtide__free(state);
}
