#include "base/json.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/number.h"
#include "base/utf8.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void rowtide__json_open(rowtide__json *reader, const char *text, size_t size)
{
    *reader = (rowtide__json){.text = text, .size = size};
}

int rowtide__json_fail(const rowtide__json *reader, const char *format, ...)
{
    char what[200];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(what, sizeof what, format, arguments);
    va_end(arguments);
    return rowtide__fail_at(ROWTIDE_ECORRUPT, (int64_t)reader->at,
                            "JSON at byte %zu: %s", reader->at, what);
}

/* The next byte, or -1 at the end. */
static int look(const rowtide__json *reader)
{
    return reader->at < reader->size ? (unsigned char)reader->text[reader->at]
                                     : -1;
}

static int look_past_space(rowtide__json *reader)
{
    int c;
    while ((c = look(reader)) == ' ' || c == '\n' || c == '\r' || c == '\t')
        reader->at++;
    return c;
}

static int fail_expected(const rowtide__json *reader, const char *what)
{
    int c = look(reader);
    if (c < 0)
        return rowtide__json_fail(reader, "%s expected, but the text ends",
                                  what);
    if (c > 0x20 && c < 0x7F)
        return rowtide__json_fail(reader, "%s expected, not '%c'", what, c);
    return rowtide__json_fail(reader, "%s expected, not byte 0x%02x", what,
                              (unsigned)c);
}

int rowtide__json_peek(rowtide__json *reader, rowtide__json_type *type)
{
    int c = look_past_space(reader);
    if (c == 'n')
        *type = ROWTIDE__JSON_NULL;
    else if (c == 't' || c == 'f')
        *type = ROWTIDE__JSON_BOOLEAN;
    else if (c == '-' || (c >= '0' && c <= '9'))
        *type = ROWTIDE__JSON_NUMBER;
    else if (c == '"')
        *type = ROWTIDE__JSON_STRING;
    else if (c == '[')
        *type = ROWTIDE__JSON_ARRAY;
    else if (c == '{')
        *type = ROWTIDE__JSON_OBJECT;
    else
        return fail_expected(reader, "a value");
    return ROWTIDE_OK;
}

static int take_word(rowtide__json *reader, const char *word)
{
    size_t length = strlen(word);
    if (reader->size - reader->at < length
        || memcmp(reader->text + reader->at, word, length) != 0)
        return 0;
    reader->at += length;
    return 1;
}

int rowtide__json_read_null(rowtide__json *reader)
{
    look_past_space(reader);
    return take_word(reader, "null") ? ROWTIDE_OK
                                     : fail_expected(reader, "null");
}

int rowtide__json_read_boolean(rowtide__json *reader, int *out)
{
    look_past_space(reader);
    *out = take_word(reader, "true");
    if (*out || take_word(reader, "false"))
        return ROWTIDE_OK;
    return fail_expected(reader, "true or false");
}

static size_t take_digits(rowtide__json *reader)
{
    size_t start = reader->at;
    int c;
    while ((c = look(reader)) >= '0' && c <= '9')
        reader->at++;
    return reader->at - start;
}

/* Pass over a number by the grammar. */
static int scan_number(rowtide__json *reader, int *is_real)
{
    *is_real = 0;
    if (look(reader) == '-')
        reader->at++;
    if (look(reader) == '0')
        reader->at++;
    else if (take_digits(reader) == 0)
        return fail_expected(reader, "a digit");
    if (look(reader) == '.') {
        *is_real = 1;
        reader->at++;
        if (take_digits(reader) == 0)
            return fail_expected(reader, "a digit");
    }
    if (look(reader) == 'e' || look(reader) == 'E') {
        *is_real = 1;
        reader->at++;
        if (look(reader) == '+' || look(reader) == '-')
            reader->at++;
        if (take_digits(reader) == 0)
            return fail_expected(reader, "a digit");
    }
    return ROWTIDE_OK;
}

/* 0 if it does not fit. */
static int parse_integer(const char *text, size_t size, int64_t *out)
{
    int negative = text[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + (negative ? 1 : 0), value = 0;
    for (size_t i = negative ? 1 : 0; i < size; i++) {
        unsigned digit = (unsigned)(text[i] - '0');
        if (value > (limit - digit) / 10)
            return 0;
        value = value * 10 + digit;
    }
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return 1;
}

int rowtide__json_read_number(rowtide__json *reader, int *is_real,
                              int64_t *integer, double *real)
{
    look_past_space(reader);
    rowtide__json start = *reader;
    int rc = scan_number(reader, is_real);
    if (rc != ROWTIDE_OK)
        return rc;
    const char *text = start.text + start.at;
    size_t size = reader->at - start.at;
    if (!*is_real) {
        if (!parse_integer(text, size, integer))
            return rowtide__json_fail(&start,
                                      "the integer does not fit in 64 bits");
        return ROWTIDE_OK;
    }
    if (!rowtide__real_parse(text, size, real))
        return ROWTIDE_ENOMEM;
    if (!isfinite(*real))
        return rowtide__json_fail(&start, "the number is too large");
    return ROWTIDE_OK;
}

int rowtide__json_read_integer(rowtide__json *reader, int64_t *out)
{
    look_past_space(reader);
    rowtide__json start = *reader;
    int is_real;
    double real;
    int rc = rowtide__json_read_number(reader, &is_real, out, &real);
    if (rc == ROWTIDE_OK && is_real)
        return rowtide__json_fail(&start, "an integer expected");
    return rc;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits behind \u. */
static int read_unit(rowtide__json *reader, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(look(reader));
        if (digit < 0)
            return fail_expected(reader, "a hexadecimal digit");
        *out = *out << 4 | (uint32_t)digit;
        reader->at++;
    }
    return ROWTIDE_OK;
}

static int read_unicode_escape(rowtide__json *reader, uint32_t *out)
{
    rowtide__json start = *reader;
    start.at -= 2;
    uint32_t low;
    int rc = read_unit(reader, out);
    if (rc != ROWTIDE_OK || *out < 0xD800 || *out > 0xDFFF)
        return rc;
    if (*out >= 0xDC00 || !take_word(reader, "\\u"))
        return rowtide__json_fail(&start, "half of a surrogate pair");
    rc = read_unit(reader, &low);
    if (rc != ROWTIDE_OK)
        return rc;
    if (low < 0xDC00 || low > 0xDFFF)
        return rowtide__json_fail(&start, "half of a surrogate pair");
    *out = 0x10000 + ((*out - 0xD800) << 10) + (low - 0xDC00);
    return ROWTIDE_OK;
}

static int read_escape(rowtide__json *reader, rowtide_buffer *out)
{
    static const char names[] = "\"\\/bfnrt";
    static const char values[] = "\"\\/\b\f\n\r\t";
    reader->at++;
    int c = look(reader);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    if (found) {
        reader->at++;
        return out ? rowtide__buffer_append_byte(out, values[found - names])
                   : ROWTIDE_OK;
    }
    if (c != 'u')
        return fail_expected(reader, "an escape");
    reader->at++;
    uint32_t character;
    char bytes[4];
    int rc = read_unicode_escape(reader, &character);
    if (rc != ROWTIDE_OK || !out)
        return rc;
    int length = rowtide__utf8_encode(character, bytes);
    return rowtide__buffer_append(out, bytes, (size_t)length);
}

/* Characters that stand for themselves. */
static int read_plain(rowtide__json *reader, rowtide_buffer *out)
{
    size_t start = reader->at;
    int c;
    while ((c = look(reader)) >= 0x20 && c != '"' && c != '\\') {
        uint32_t character;
        int length = c < 0x80 ? 1
                              : rowtide__utf8_decode(reader->text + reader->at,
                                                     reader->size - reader->at,
                                                     &character);
        if (length == 0)
            return rowtide__json_fail(reader, "not UTF-8");
        reader->at += (size_t)length;
    }
    if (c < 0)
        return rowtide__json_fail(reader, "the string does not end");
    if (c < 0x20)
        return rowtide__json_fail(
            reader, "control character 0x%02x must be escaped", (unsigned)c);
    return out ? rowtide__buffer_append(out, reader->text + start,
                                        reader->at - start)
               : ROWTIDE_OK;
}

/* `out` NULL: only check. */
static int scan_string(rowtide__json *reader, rowtide_buffer *out)
{
    int rc = ROWTIDE_OK;
    if (look_past_space(reader) != '"')
        return fail_expected(reader, "a string");
    reader->at++;
    while (rc == ROWTIDE_OK) {
        rc = read_plain(reader, out);
        if (rc != ROWTIDE_OK)
            break;
        if (look(reader) == '"') {
            reader->at++;
            break;
        }
        rc = read_escape(reader, out);
    }
    return rc;
}

int rowtide__json_read_string(rowtide__json *reader, rowtide_buffer *out)
{
    rowtide__buffer_clear(out);
    int rc = rowtide__buffer_reserve(out, 0);
    return rc == ROWTIDE_OK ? scan_string(reader, out) : rc;
}

static int begin(rowtide__json *reader, int bracket, const char *what)
{
    if (look_past_space(reader) != bracket)
        return fail_expected(reader, what);
    if (reader->depth >= ROWTIDE__JSON_DEPTH)
        return rowtide__json_fail(reader, "nested deeper than %d",
                                  ROWTIDE__JSON_DEPTH);
    reader->depth++;
    reader->at++;
    return ROWTIDE_OK;
}

int rowtide__json_begin_array(rowtide__json *reader)
{
    return begin(reader, '[', "an array");
}

int rowtide__json_begin_object(rowtide__json *reader)
{
    return begin(reader, '{', "an object");
}

/* Step over the comma, or over the bracket that ends it all. */
static int next(rowtide__json *reader, int *first, int bracket)
{
    int c = look_past_space(reader);
    if (c == bracket) {
        reader->at++;
        reader->depth--;
        return ROWTIDE_DONE;
    }
    if (*first) {
        *first = 0;
        return ROWTIDE_OK;
    }
    if (c != ',')
        return fail_expected(reader,
                             bracket == ']' ? "',' or ']'" : "',' or '}'");
    reader->at++;
    if (look_past_space(reader) == bracket)
        return fail_expected(reader, "a value");
    return ROWTIDE_OK;
}

int rowtide__json_next_item(rowtide__json *reader, int *first)
{
    return next(reader, first, ']');
}

static int next_member(rowtide__json *reader, int *first, rowtide_buffer *name)
{
    int rc = next(reader, first, '}');
    if (rc != ROWTIDE_OK)
        return rc;
    rc = scan_string(reader, name);
    if (rc != ROWTIDE_OK)
        return rc;
    if (look_past_space(reader) != ':')
        return fail_expected(reader, "':'");
    reader->at++;
    return ROWTIDE_OK;
}

int rowtide__json_next_member(rowtide__json *reader, int *first,
                              rowtide_buffer *name)
{
    rowtide__buffer_clear(name);
    int rc = rowtide__buffer_reserve(name, 0);
    return rc == ROWTIDE_OK ? next_member(reader, first, name) : rc;
}

static int skip_inside(rowtide__json *reader, int is_object)
{
    int first = 1;
    int rc = is_object ? rowtide__json_begin_object(reader)
                       : rowtide__json_begin_array(reader);
    while (rc == ROWTIDE_OK) {
        rc = is_object ? next_member(reader, &first, NULL)
                       : rowtide__json_next_item(reader, &first);
        if (rc == ROWTIDE_OK)
            rc = rowtide__json_skip(reader);
    }
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

int rowtide__json_skip(rowtide__json *reader)
{
    rowtide__json_type type;
    int ignored;
    int rc = rowtide__json_peek(reader, &type);
    if (rc != ROWTIDE_OK)
        return rc;
    switch (type) {
    case ROWTIDE__JSON_NULL:
        return rowtide__json_read_null(reader);
    case ROWTIDE__JSON_BOOLEAN:
        return rowtide__json_read_boolean(reader, &ignored);
    case ROWTIDE__JSON_NUMBER:
        return scan_number(reader, &ignored);
    case ROWTIDE__JSON_STRING:
        return scan_string(reader, NULL);
    default:
        return skip_inside(reader, type == ROWTIDE__JSON_OBJECT);
    }
}

int rowtide__json_end(rowtide__json *reader)
{
    if (look_past_space(reader) >= 0)
        return fail_expected(reader, "the end");
    return ROWTIDE_OK;
}
