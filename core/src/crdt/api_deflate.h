#ifndef ROWTIDE_CRDT_API_DEFLATE_H
#define ROWTIDE_CRDT_API_DEFLATE_H

#include <rowtide/buffer.h>

/* Raw deflate (RFC 1951). `state` is NULL at first and keeps the memory for
 * the next time. */

/* ROWTIDE_DONE if it does not become smaller. */
int rowtide__deflate(void **state, const void *data, size_t size,
                     rowtide_buffer *out);
void rowtide__deflate_free(void *state);

/* To exactly `expected` bytes; memory grows with what comes out.
 * ROWTIDE_DONE if it is anything else. */
int rowtide__inflate(void **state, const void *data, size_t size,
                     size_t expected, rowtide_buffer *out);
void rowtide__inflate_free(void *state);

#endif
