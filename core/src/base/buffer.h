#ifndef ROWTIDE_BASE_BUFFER_H
#define ROWTIDE_BASE_BUFFER_H

#include <rowtide/buffer.h>

/* Each returns ROWTIDE_OK or ROWTIDE_ENOMEM. */
int rowtide__buffer_reserve(rowtide_buffer *buffer, size_t more);
int rowtide__buffer_append(rowtide_buffer *buffer, const void *data,
                           size_t size);
int rowtide__buffer_append_text(rowtide_buffer *buffer, const char *text);
int rowtide__buffer_append_byte(rowtide_buffer *buffer, int byte);
int rowtide__buffer_append_format(rowtide_buffer *buffer, const char *format,
                                  ...) __attribute__((format(printf, 2, 3)));

/* Empty, keeping the memory. */
void rowtide__buffer_clear(rowtide_buffer *buffer);
/* Back to the size that it had before something was appended. */
void rowtide__buffer_cut(rowtide_buffer *buffer, size_t size);

#endif
