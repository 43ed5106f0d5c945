#include "changeset/html.h"
#include "base/number.h"

#include <inttypes.h>
#include <string.h>

/* Texts from LONG_BYTES on get a box that scrolls. */
enum { TEXT_BYTES = 4000, LONG_BYTES = 600, BLOB_BYTES = 32 };

static void write_markup(rowtide__writer *writer, int c)
{
    rowtide__write_text(writer, c == '<'   ? "&lt;"
                                : c == '>' ? "&gt;"
                                : c == '&' ? "&amp;"
                                : c == '"' ? "&quot;"
                                           : "&#39;");
}

/* A title takes no elements: there, what is unsafe is plain text. */
static void write_special(rowtide__writer *writer, const char *escape,
                          int in_cell)
{
    rowtide__write_text(writer, in_cell ? "<span class=\"e\">" : "");
    rowtide__write_text(writer, escape);
    rowtide__write_text(writer, in_cell ? "</span>" : "");
}

/* In a cell, line breaks stay what they are. */
static void write_escaped(rowtide__writer *writer, const char *text,
                          size_t size, int in_cell)
{
    size_t start = 0, at = 0;
    while (at < size) {
        char escape[16];
        int length = 1;
        int markup = memchr("<>&\"'", text[at], 5) != NULL;
        int special = !markup && !(in_cell && text[at] == '\n')
                      && rowtide__visible_escape(text + at, size - at, &length,
                                                 escape);
        if (markup || special) {
            rowtide__write(writer, text + start, at - start);
            start = at + (size_t)length;
        }
        if (markup)
            write_markup(writer, text[at]);
        if (special)
            write_special(writer, escape, in_cell);
        at += (size_t)length;
    }
    rowtide__write(writer, text + start, size - start);
}

void rowtide__write_escaped(rowtide__writer *writer, const void *data,
                            size_t size)
{
    write_escaped(writer, data, size, 0);
}

static void write_note(rowtide__writer *writer, size_t size)
{
    rowtide__write_text(writer, " <span class=\"t\">");
    rowtide__write_count(writer, (int64_t)size);
    rowtide__write_text(writer, size == 1 ? " byte</span>" : " bytes</span>");
}

/* How much two texts have in common at both ends, in whole words. */
static void compare_texts(const rowtide_value *a, const rowtide_value *b,
                          size_t *front, size_t *back)
{
    const char *x = a->data, *y = b->data;
    size_t least = a->size < b->size ? a->size : b->size;
    *front = *back = 0;
    while (*front < least && x[*front] == y[*front])
        ++*front;
    while (*front > 0 && x[*front - 1] != ' ' && x[*front - 1] != '\n')
        --*front;
    while (*back < least - *front
           && x[a->size - *back - 1] == y[b->size - *back - 1])
        ++*back;
    while (*back > 0 && x[a->size - *back] != ' ' && x[a->size - *back] != '\n')
        --*back;
}

static int worth_marking(const rowtide_value *value, const rowtide_value *other,
                         size_t *front, size_t *back)
{
    if (!other || other->type != ROWTIDE_TEXT || value->size > TEXT_BYTES
        || other->size > TEXT_BYTES || !value->size || !other->size)
        return 0;
    compare_texts(value, other, front, back);
    size_t changed = value->size - *front - *back;
    return *front + *back > 0 && changed > 0;
}

static void write_marked(rowtide__writer *writer, const rowtide_value *value,
                         size_t front, size_t back)
{
    const char *text = value->data;
    write_escaped(writer, text, front, 1);
    rowtide__write_text(writer, "<mark>");
    write_escaped(writer, text + front, value->size - front - back, 1);
    rowtide__write_text(writer, "</mark>");
    write_escaped(writer, text + value->size - back, back, 1);
}

static void write_cut(rowtide__writer *writer, const rowtide_value *value)
{
    size_t cut = rowtide__text_cut(value->data, value->size, TEXT_BYTES);
    write_escaped(writer, value->data, cut, 1);
    if (cut < value->size) {
        rowtide__write_text(writer, "…");
        write_note(writer, value->size);
    }
}

static void write_text(rowtide__writer *writer, const rowtide_value *value,
                       const rowtide_value *other)
{
    size_t front, back;
    int is_long = value->size >= LONG_BYTES;
    if (value->size == 0) {
        rowtide__write_text(writer, "<span class=\"t\">empty text</span>");
        return;
    }
    rowtide__write_text(writer, is_long ? "<div class=\"l\">" : "");
    if (worth_marking(value, other, &front, &back))
        write_marked(writer, value, front, back);
    else
        write_cut(writer, value);
    rowtide__write_text(writer, is_long ? "</div>" : "");
}

static void write_blob(rowtide__writer *writer, const rowtide_value *value)
{
    size_t cut = value->size < BLOB_BYTES ? value->size : BLOB_BYTES;
    rowtide__write_text(writer, "x&#39;");
    rowtide__write_hex(writer, value->data, cut);
    rowtide__write_text(writer, cut < value->size ? "…&#39;" : "&#39;");
    write_note(writer, value->size);
}

void rowtide__write_html_value(rowtide__writer *writer,
                               const rowtide_value *value,
                               const rowtide_value *other)
{
    char real[ROWTIDE__REAL_SIZE];
    switch (value ? value->type : ROWTIDE_UNDEFINED) {
    case ROWTIDE_INTEGER:
        rowtide__write_format(writer, "%" PRId64, value->integer);
        break;
    case ROWTIDE_REAL:
        rowtide__real_format(value->real, real);
        rowtide__write_text(writer, real);
        break;
    case ROWTIDE_TEXT:
        write_text(writer, value, other);
        break;
    case ROWTIDE_BLOB:
        write_blob(writer, value);
        break;
    case ROWTIDE_NULL:
        rowtide__write_text(writer, "<span class=\"null\">NULL</span>");
        break;
    default:
        break;
    }
}
