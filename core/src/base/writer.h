#ifndef ROWTIDE_BASE_WRITER_H
#define ROWTIDE_BASE_WRITER_H

#include <rowtide/buffer.h>

/* Appends to a buffer and remembers the first failure, after which it does
 * nothing: code that writes many small pieces looks at `rc` once, at the end. */
typedef struct rowtide__writer {
    rowtide_buffer *buffer;
    int rc;
} rowtide__writer;

void rowtide__write(rowtide__writer *writer, const void *data, size_t size);
void rowtide__write_text(rowtide__writer *writer, const char *text);
void rowtide__write_byte(rowtide__writer *writer, int byte);
void rowtide__write_format(rowtide__writer *writer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Lower case, two digits a byte. */
void rowtide__write_hex(rowtide__writer *writer, const void *data, size_t size);

#endif
