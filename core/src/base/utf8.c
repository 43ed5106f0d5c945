#include "base/utf8.h"

#include <string.h>

static int length_of(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xC2 && lead <= 0xDF)
        return 2;
    if (lead >= 0xE0 && lead <= 0xEF)
        return 3;
    if (lead >= 0xF0 && lead <= 0xF4)
        return 4;
    return 0;
}

int rowtide__utf8_decode(const void *data, size_t size, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = data;
    int length = size ? length_of(bytes[0]) : 0;
    if (length == 0 || (size_t)length > size)
        return 0;
    uint32_t character = length == 1 ? bytes[0] : bytes[0] & (0x7Fu >> length);
    for (int i = 1; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        character = character << 6 | (bytes[i] & 0x3Fu);
    }
    if (character < least[length] || character > 0x10FFFF
        || (character >= 0xD800 && character <= 0xDFFF))
        return 0;
    *out = character;
    return length;
}

int rowtide__utf8_encode(uint32_t character, char out[4])
{
    if (character < 0x80) {
        out[0] = (char)character;
        return 1;
    }
    if (character < 0x800) {
        out[0] = (char)(0xC0 | character >> 6);
        out[1] = (char)(0x80 | (character & 0x3F));
        return 2;
    }
    if (character < 0x10000) {
        out[0] = (char)(0xE0 | character >> 12);
        out[1] = (char)(0x80 | (character >> 6 & 0x3F));
        out[2] = (char)(0x80 | (character & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | character >> 18);
    out[1] = (char)(0x80 | (character >> 12 & 0x3F));
    out[2] = (char)(0x80 | (character >> 6 & 0x3F));
    out[3] = (char)(0x80 | (character & 0x3F));
    return 4;
}

int rowtide__utf8_valid(const void *data, size_t size)
{
    const unsigned char *at = data;
    while (size > 0) {
        uint32_t character;
        int length = rowtide__utf8_decode(at, size, &character);
        if (length == 0)
            return 0;
        at += length;
        size -= (size_t)length;
    }
    return 1;
}

static int breaks_line(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x2028 || c == 0x2029;
}

static int is_continuation(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

void rowtide__utf8_clean(char *text)
{
    size_t left = strlen(text);
    char *to = text;
    while (left > 0) {
        uint32_t character = 0;
        size_t length = (size_t)rowtide__utf8_decode(text, left, &character);
        if (length == 0) {
            *to++ = '?';
            for (length = 1; length < left && is_continuation(text[length]);)
                length++;
        } else if (breaks_line(character)) {
            *to++ = ' ';
        } else {
            memmove(to, text, length);
            to += length;
        }
        text += length;
        left -= length;
    }
    *to = '\0';
}

int rowtide__utf8_unsafe(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) /* C0, DEL, C1 */
           || c == 0xAD || c == 0x61C          /* soft hyphen, ALM */
           || (c >= 0x200B && c <= 0x200F)     /* zero width, marks */
           || (c >= 0x2028 && c <= 0x202E)     /* separators, overrides */
           || (c >= 0x2060 && c <= 0x206F)     /* joiners, isolates */
           || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB)
           || (c >= 0xE0000 && c <= 0xE007F); /* tags */
}
