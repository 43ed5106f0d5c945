#include "base/buffer.h"
#include "base/error.h"
#include "base/json.h"

#include <rowtide/shape.h>

#include <string.h>

static void write_item(rowtide__writer *writer, const rowtide_shape *shape,
                       const void *item);

static void write_string(rowtide__writer *writer, const char *text)
{
    if (text)
        rowtide__json_write_string(writer, text, strlen(text));
    else
        rowtide__write_text(writer, "null");
}

static void write_texts(rowtide__writer *writer, const char *const *texts)
{
    if (!texts) {
        rowtide__write_text(writer, "null");
        return;
    }
    rowtide__write_byte(writer, '[');
    for (size_t i = 0; texts[i]; i++) {
        if (i > 0)
            rowtide__write_text(writer, ", ");
        write_string(writer, texts[i]);
    }
    rowtide__write_byte(writer, ']');
}

static void write_items(rowtide__writer *writer, const rowtide_shape *shape,
                        const void *const *items)
{
    if (!items) {
        rowtide__write_text(writer, "null");
        return;
    }
    rowtide__write_byte(writer, '[');
    for (size_t i = 0; items[i]; i++) {
        if (i > 0)
            rowtide__write_text(writer, ", ");
        write_item(writer, shape, items[i]);
    }
    rowtide__write_byte(writer, ']');
}

/* Fields may be of any pointer type, so they are copied out. */
static const void *read_pointer(const void *at)
{
    const void *pointer;
    memcpy(&pointer, at, sizeof pointer);
    return pointer;
}

static int read_int(const void *at)
{
    int number;
    memcpy(&number, at, sizeof number);
    return number;
}

static int64_t read_integer(const void *at)
{
    int64_t number;
    memcpy(&number, at, sizeof number);
    return number;
}

static void write_field(rowtide__writer *writer, const rowtide_field *field,
                        const void *at)
{
    switch (field->kind) {
    case ROWTIDE_FIELD_TEXT:
        write_string(writer, read_pointer(at));
        break;
    case ROWTIDE_FIELD_BOOLEAN:
        rowtide__write_text(writer, read_int(at) ? "true" : "false");
        break;
    case ROWTIDE_FIELD_INTEGER:
        rowtide__json_write_integer(writer, read_integer(at));
        break;
    case ROWTIDE_FIELD_ENUM:
        write_string(writer, field->names[read_int(at)]);
        break;
    case ROWTIDE_FIELD_TEXTS:
        write_texts(writer, read_pointer(at));
        break;
    case ROWTIDE_FIELD_ITEM:
        write_item(writer, field->shape, read_pointer(at));
        break;
    case ROWTIDE_FIELD_ITEMS:
        write_items(writer, field->shape, read_pointer(at));
        break;
    }
}

static void write_item(rowtide__writer *writer, const rowtide_shape *shape,
                       const void *item)
{
    if (!item) {
        rowtide__write_text(writer, "null");
        return;
    }
    rowtide__write_byte(writer, '{');
    for (const rowtide_field *field = shape->fields; field->name; field++) {
        if (field > shape->fields)
            rowtide__write_text(writer, ", ");
        write_string(writer, field->name);
        rowtide__write_text(writer, ": ");
        write_field(writer, field, (const char *)item + field->offset);
    }
    rowtide__write_byte(writer, '}');
}

int rowtide_shape_json(const rowtide_shape *shape, const void *item,
                       rowtide_buffer *buf_out)
{
    ROWTIDE__CHECK_ARG(shape, "shape_json");
    ROWTIDE__CHECK_ARG(item, "shape_json");
    ROWTIDE__CHECK_ARG(buf_out, "shape_json");
    size_t before = buf_out->size;
    rowtide__writer writer = {buf_out, ROWTIDE_OK};
    write_item(&writer, shape, item);
    if (writer.rc != ROWTIDE_OK)
        rowtide__buffer_cut(buf_out, before);
    return writer.rc;
}
