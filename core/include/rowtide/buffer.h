/**
 * @file rowtide/buffer.h
 * @brief Bytes that the library hands to the caller.
 */
#ifndef ROWTIDE_BUFFER_H
#define ROWTIDE_BUFFER_H

#include <rowtide/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A growing run of bytes owned by the caller.
 *
 * Start with ::ROWTIDE_BUFFER_INIT and end with rowtide_buffer_dispose().
 * `data` always has a NUL behind its `size` bytes, so text can be used as a C
 * string. Functions that fill a buffer replace what it held, and leave it
 * empty when they fail.
 */
typedef struct rowtide_buffer {
    char *data;
    size_t size;
    size_t capacity;
} rowtide_buffer;

#define ROWTIDE_BUFFER_INIT {NULL, 0, 0}

/** Release the bytes and make the buffer empty; it may be used again. */
ROWTIDE_API void rowtide_buffer_dispose(rowtide_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif
