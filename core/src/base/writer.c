#include "base/writer.h"
#include "base/buffer.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rowtide__write(rowtide__writer *writer, const void *data, size_t size)
{
    if (writer->rc == ROWTIDE_OK)
        writer->rc = rowtide__buffer_append(writer->buffer, data, size);
}

void rowtide__write_text(rowtide__writer *writer, const char *text)
{
    rowtide__write(writer, text, strlen(text));
}

void rowtide__write_byte(rowtide__writer *writer, int byte)
{
    char one = (char)byte;
    rowtide__write(writer, &one, 1);
}

void rowtide__write_format(rowtide__writer *writer, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (writer->rc != ROWTIDE_OK)
        return;
    if (length < 0 || (size_t)length >= sizeof text)
        writer->rc = rowtide__fail(ROWTIDE_EINTERNAL, "format: %s", format);
    else
        rowtide__write(writer, text, (size_t)length);
}

void rowtide__write_hex(rowtide__writer *writer, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    char text[256];
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        text[used++] = digits[bytes[i] >> 4];
        text[used++] = digits[bytes[i] & 15];
        if (used == sizeof text || i + 1 == size) {
            rowtide__write(writer, text, used);
            used = 0;
        }
    }
}
