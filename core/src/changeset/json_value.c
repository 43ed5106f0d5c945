#include "changeset/json_value.h"
#include "changeset/render.h"
#include "base/buffer.h"
#include "base/error.h"

#include <math.h>
#include <string.h>

static int same_text(const rowtide_buffer *text, const char *word)
{
    return text->size == strlen(word)
           && memcmp(text->data, word, text->size) == 0;
}

int rowtide__json_find_word(const rowtide_buffer *word,
                            const char *const *words, int count)
{
    for (int i = 0; i < count && words[i]; i++)
        if (same_text(word, words[i]))
            return i;
    return -1;
}

int rowtide__json_excerpt(const rowtide_buffer *text)
{
    return (int)rowtide__text_cut(text->data, text->size, 60);
}

static int hex_digit(int c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static int append_hex(const rowtide__json *reader, const rowtide_buffer *hex,
                      rowtide_buffer *out)
{
    if (hex->size % 2)
        return rowtide__json_fail(reader, "an odd number of digits");
    int rc = rowtide__buffer_reserve(out, hex->size / 2);
    for (size_t i = 0; rc == ROWTIDE_OK && i < hex->size; i += 2) {
        int high = hex_digit((unsigned char)hex->data[i]);
        int low = hex_digit((unsigned char)hex->data[i + 1]);
        if (high < 0 || low < 0)
            return rowtide__json_fail(reader, "not a hexadecimal digit");
        rc = rowtide__buffer_append_byte(out, high << 4 | low);
    }
    return rc;
}

/* Text and blobs note where their bytes start, because the buffer moves. */
static int take_bytes(rowtide_value *value, rowtide_type type,
                      rowtide_buffer *data, size_t start)
{
    *value = (rowtide_value){
        .type = type, .integer = (int64_t)start, .size = data->size - start};
    return ROWTIDE_OK;
}

static int read_special_real(const rowtide__json *reader,
                             const rowtide_buffer *text, rowtide_value *value)
{
    if (same_text(text, "inf"))
        *value = rowtide_value_real(INFINITY);
    else if (same_text(text, "-inf"))
        *value = rowtide_value_real(-INFINITY);
    else
        return rowtide__json_fail(reader, "\"inf\" or \"-inf\" expected");
    return ROWTIDE_OK;
}

/* {"blob": ...} and the like, behind the name of the member. */
static int read_tagged(rowtide_buffer *scratch, rowtide__json *reader,
                       rowtide_buffer *data, rowtide_value *value)
{
    enum { REAL, TEXT, BLOB };
    static const char *const tags[] = {"real", "text", "blob"};
    rowtide__json start = *reader;
    size_t size = data->size;
    int tag = rowtide__json_find_word(scratch, tags, 3);
    if (tag < 0)
        return rowtide__json_fail(reader, "unknown kind of value \"%.*s\"",
                                  rowtide__json_excerpt(scratch),
                                  scratch->data);
    int rc = rowtide__json_read_string(reader, scratch);
    if (rc != ROWTIDE_OK)
        return rc;
    if (tag == REAL)
        return read_special_real(&start, scratch, value);
    rc = append_hex(&start, scratch, data);
    if (rc != ROWTIDE_OK)
        return rc;
    return take_bytes(value, tag == TEXT ? ROWTIDE_TEXT : ROWTIDE_BLOB, data,
                      size);
}

static int read_object(rowtide_buffer *scratch, rowtide__json *reader,
                       rowtide_buffer *data, rowtide_value *value)
{
    int first = 1;
    int rc = rowtide__json_begin_object(reader);
    if (rc == ROWTIDE_OK)
        rc = rowtide__json_next_member(reader, &first, scratch);
    if (rc == ROWTIDE_DONE) {
        *value = rowtide_value_undefined();
        return ROWTIDE_OK;
    }
    if (rc == ROWTIDE_OK)
        rc = read_tagged(scratch, reader, data, value);
    if (rc == ROWTIDE_OK)
        rc = rowtide__json_next_member(reader, &first, scratch);
    if (rc == ROWTIDE_OK)
        return rowtide__json_fail(reader, "a value has one member");
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int read_number(rowtide__json *reader, rowtide_value *value)
{
    int is_real;
    int64_t integer = 0;
    double real = 0;
    int rc = rowtide__json_read_number(reader, &is_real, &integer, &real);
    if (rc == ROWTIDE_OK)
        *value = is_real ? rowtide_value_real(real)
                         : rowtide_value_integer(integer);
    return rc;
}

static int read_text(rowtide_buffer *scratch, rowtide__json *reader,
                     rowtide_buffer *data, rowtide_value *value)
{
    size_t start = data->size;
    int rc = rowtide__json_read_string(reader, scratch);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(data, scratch->data, scratch->size);
    return rc == ROWTIDE_OK ? take_bytes(value, ROWTIDE_TEXT, data, start) : rc;
}

int rowtide__json_read_value(rowtide_buffer *scratch, rowtide__json *reader,
                             rowtide_buffer *data, rowtide_value *value)
{
    rowtide__json_type type;
    int rc = rowtide__json_peek(reader, &type);
    if (rc != ROWTIDE_OK)
        return rc;
    switch (type) {
    case ROWTIDE__JSON_NULL:
        *value = rowtide_value_null();
        return rowtide__json_read_null(reader);
    case ROWTIDE__JSON_NUMBER:
        return read_number(reader, value);
    case ROWTIDE__JSON_STRING:
        return read_text(scratch, reader, data, value);
    case ROWTIDE__JSON_OBJECT:
        return read_object(scratch, reader, data, value);
    default:
        return rowtide__json_fail(reader, "not a form of value");
    }
}

static void point_into(rowtide_buffer *values, const rowtide_buffer *data)
{
    rowtide_value *value = (void *)values->data;
    for (size_t i = 0; i < values->size / sizeof *value; i++) {
        if (value[i].type != ROWTIDE_TEXT && value[i].type != ROWTIDE_BLOB)
            continue;
        value[i].data = value[i].size ? data->data + value[i].integer : NULL;
        value[i].integer = 0;
    }
}

int rowtide__json_read_values(rowtide_buffer *scratch, rowtide__json reader,
                              size_t columns, rowtide_buffer *values,
                              rowtide_buffer *data)
{
    rowtide__json start = reader;
    int first = 1;
    rowtide_value value;
    rowtide__buffer_clear(values);
    rowtide__buffer_clear(data);
    int rc = rowtide__json_begin_array(&reader);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__json_next_item(&reader, &first)) == ROWTIDE_OK) {
        rc = rowtide__json_read_value(scratch, &reader, data, &value);
        if (rc == ROWTIDE_OK)
            rc = rowtide__buffer_append(values, &value, sizeof value);
    }
    if (rc != ROWTIDE_DONE)
        return rc;
    if (values->size / sizeof value != columns)
        return rowtide__json_fail(&start, "%zu values, but %zu columns",
                                  values->size / sizeof value, columns);
    point_into(values, data);
    return ROWTIDE_OK;
}
