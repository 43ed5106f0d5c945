#include "base/buffer.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int rowtide__buffer_reserve(rowtide_buffer *buffer, size_t more)
{
    if (more >= SIZE_MAX / 2 - buffer->size)
        return rowtide__nomem();
    size_t needed = buffer->size + more + 1; /* the NUL */
    if (needed <= buffer->capacity)
        return ROWTIDE_OK;
    size_t capacity = buffer->capacity ? buffer->capacity * 2 : 64;
    if (capacity < needed)
        capacity = needed;
    char *data = rowtide__realloc(buffer->data, capacity);
    if (!data)
        return ROWTIDE_ENOMEM;
    data[buffer->size] = '\0';
    buffer->data = data;
    buffer->capacity = capacity;
    return ROWTIDE_OK;
}

int rowtide__buffer_append(rowtide_buffer *buffer, const void *data,
                           size_t size)
{
    int rc = rowtide__buffer_reserve(buffer, size);
    if (rc != ROWTIDE_OK)
        return rc;
    if (size)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
    buffer->data[buffer->size] = '\0';
    return ROWTIDE_OK;
}

int rowtide__buffer_append_text(rowtide_buffer *buffer, const char *text)
{
    return rowtide__buffer_append(buffer, text, strlen(text));
}

int rowtide__buffer_append_byte(rowtide_buffer *buffer, int byte)
{
    char one = (char)byte;
    return rowtide__buffer_append(buffer, &one, 1);
}

int rowtide__buffer_append_format(rowtide_buffer *buffer, const char *format,
                                  ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    int rc = length < 0 ? rowtide__fail(ROWTIDE_EINTERNAL, "format: %s", format)
                        : rowtide__buffer_reserve(buffer, (size_t)length);
    if (rc == ROWTIDE_OK) {
        vsnprintf(buffer->data + buffer->size, (size_t)length + 1, format,
                  again);
        buffer->size += (size_t)length;
    }
    va_end(again);
    return rc;
}

void rowtide__buffer_cut(rowtide_buffer *buffer, size_t size)
{
    buffer->size = size;
    if (buffer->data)
        buffer->data[size] = '\0';
}

void rowtide__buffer_clear(rowtide_buffer *buffer)
{
    rowtide__buffer_cut(buffer, 0);
}

void rowtide_buffer_dispose(rowtide_buffer *buffer)
{
    if (!buffer)
        return;
    rowtide__free(buffer->data);
    *buffer = (rowtide_buffer)ROWTIDE_BUFFER_INIT;
}
