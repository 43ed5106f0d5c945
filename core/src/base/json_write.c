#include "base/json.h"
#include "base/number.h"
#include "base/utf8.h"

#include <inttypes.h>

static void write_escape(rowtide__writer *writer, uint32_t character)
{
    switch (character) {
    case '"':
        rowtide__write_text(writer, "\\\"");
        break;
    case '\\':
        rowtide__write_text(writer, "\\\\");
        break;
    case '\n':
        rowtide__write_text(writer, "\\n");
        break;
    case '\r':
        rowtide__write_text(writer, "\\r");
        break;
    case '\t':
        rowtide__write_text(writer, "\\t");
        break;
    default:
        rowtide__write_format(writer, "\\u%04x", (unsigned)character);
    }
}

/* What is unsafe to look at, too; tags, which need two units, are left. */
static int must_escape(uint32_t c)
{
    return c == '"' || c == '\\' || (c <= 0xFFFF && rowtide__utf8_unsafe(c));
}

void rowtide__json_write_string(rowtide__writer *writer, const void *data,
                                size_t size)
{
    const char *text = data;
    size_t start = 0, at = 0;
    rowtide__write_byte(writer, '"');
    while (at < size) {
        uint32_t character = 0;
        int length = rowtide__utf8_decode(text + at, size - at, &character);
        size_t next = at + (length ? (size_t)length : 1);
        if (must_escape(character)) {
            rowtide__write(writer, text + start, at - start);
            write_escape(writer, character);
            start = next;
        }
        at = next;
    }
    rowtide__write(writer, text + start, size - start);
    rowtide__write_byte(writer, '"');
}

void rowtide__json_write_integer(rowtide__writer *writer, int64_t integer)
{
    rowtide__write_format(writer, "%" PRId64, integer);
}

void rowtide__json_write_real(rowtide__writer *writer, double real)
{
    char text[ROWTIDE__REAL_SIZE];
    rowtide__real_format(real, text);
    rowtide__write_text(writer, text);
}
