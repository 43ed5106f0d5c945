#include "schema/svg.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <string.h>

enum {
    KEY_PLACE = 14, /* of the mark left of a name */
    NAME_PLACE = 28,
    RIGHT_PLACE = 14, /* of the mark right of a type */
    TYPE_PLACE = 26,
    HEAD_BASE = 20, /* base lines of texts */
    ROW_BASE = 15,
    FOOT_LENGTH = 12, /* crow's feet */
    LEGEND = 30,
    LEAST_PICTURE = 420
};

static const char STYLE[] =
    "<style>\n"
    "svg { background: #f6f8fa; }\n"
    "text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "
    "\"DejaVu Sans Mono\", monospace; fill: #1f2328; }\n"
    ".paper { fill: #f6f8fa; }\n"
    ".box { fill: #ffffff; stroke: #d0d7de; }\n"
    ".head { fill: #dbe9f9; }\n"
    ".virtual .head { fill: #efe3fa; }\n"
    ".name { font-weight: bold; }\n"
    ".type, .faint { fill: #656d76; }\n"
    ".rule { stroke: #eaeef2; }\n"
    ".line { fill: none; stroke: #57748f; stroke-width: 1.4; }\n"
    ".mark { fill: none; stroke: #57748f; stroke-width: 1.4; }\n"
    ".ring { fill: #f6f8fa; }\n"
    ".key { fill: none; stroke: #9a6700; stroke-width: 1.6; }\n"
    ".full { fill: #57748f; }\n"
    ".hollow { fill: none; stroke: #afb8c1; }\n"
    ".reference:hover .line, .reference:hover .mark { stroke: #cf222e; "
    "stroke-width: 2.4; }\n"
    "@media (prefers-color-scheme: dark) {\n"
    "svg { background: #0d1117; }\n"
    "text { fill: #e6edf3; }\n"
    ".paper, .ring { fill: #0d1117; }\n"
    ".box { fill: #161b22; stroke: #30363d; }\n"
    ".head { fill: #1c2f48; }\n"
    ".virtual .head { fill: #352448; }\n"
    ".type, .faint { fill: #8b949e; }\n"
    ".rule { stroke: #21262d; }\n"
    ".line, .mark { stroke: #7a9cbd; }\n"
    ".key { stroke: #d29922; }\n"
    ".full { fill: #7a9cbd; }\n"
    ".hollow { stroke: #484f58; }\n"
    ".reference:hover .line, .reference:hover .mark { stroke: #ff7b72; }\n"
    "}\n"
    "</style>\n";

/* ## Text */

static size_t next_character(const char *text, size_t size, uint32_t *out)
{
    int length = rowtide__utf8_decode(text, size, out);
    return length > 0 ? (size_t)length : 1;
}

static size_t cells(uint32_t character)
{
    return character >= 0x1100 ? 2 : 1;
}

size_t rowtide__svg_width(const char *text)
{
    size_t width = 0, size = strlen(text);
    for (size_t at = 0; at < size;) {
        uint32_t character = 0;
        at += next_character(text + at, size - at, &character);
        width += cells(character);
    }
    return width < SVG_LONGEST ? width : SVG_LONGEST;
}

static void write_character(rowtide__writer *writer, uint32_t c,
                            const char *text, size_t length)
{
    if (c == '&')
        rowtide__write_text(writer, "&amp;");
    else if (c == '<')
        rowtide__write_text(writer, "&lt;");
    else if (c == '>')
        rowtide__write_text(writer, "&gt;");
    else if (c == '"')
        rowtide__write_text(writer, "&quot;");
    else if (rowtide__utf8_unsafe(c) || c == 0xFFFE || c == 0xFFFF)
        rowtide__write_text(writer, "\xEF\xBF\xBD");
    else
        rowtide__write(writer, text, length);
}

/* At most `most` cells. What is no character becomes U+FFFD. */
static void write_text(rowtide__writer *writer, const char *text, size_t most)
{
    size_t size = strlen(text), width = 0;
    for (size_t at = 0; at < size;) {
        uint32_t character = 0;
        size_t length = next_character(text + at, size - at, &character);
        width += cells(character);
        if (width >= most && at + length < size) {
            rowtide__write_text(writer, "\xE2\x80\xA6");
            return;
        }
        write_character(writer, character, text + at, length);
        at += length;
    }
}

static void write_label(rowtide__writer *writer, const char *class, int64_t x,
                        int64_t y, const char *text)
{
    rowtide__write_format(
        writer, "<text class=\"%s\" x=\"%" PRId64 "\" y=\"%" PRId64 "\">",
        class, x, y);
    write_text(writer, text, SVG_LONGEST);
    rowtide__write_text(writer, "</text>\n");
}

/* ## Boxes */

static void write_key(rowtide__writer *writer, int64_t x, int64_t y)
{
    rowtide__write_format(writer,
                          "<path class=\"key\" d=\"M%" PRId64 " %" PRId64
                          "a3 3 0 1 0 -6 0a3 3 0 1 0 6 0h7v3m-3 -3v2\"/>\n",
                          x, y);
}

static void write_dot(rowtide__writer *writer, int64_t x, int64_t y, int full)
{
    rowtide__write_format(writer,
                          "<circle class=\"%s\" cx=\"%" PRId64
                          "\" cy=\"%" PRId64 "\" r=\"3.5\"/>\n",
                          full ? "full" : "hollow", x, y);
}

static int is_rowid(const rowtide_schema_table *table,
                    const rowtide_schema_column *column)
{
    return column->primary_key && !table->without_rowid
           && rowtide__name_equal(column->type, "INTEGER");
}

static void write_column(rowtide__writer *writer, const rowtide__box *box,
                         const rowtide_schema_column *column, int64_t y)
{
    int64_t right = box->x + box->width;
    rowtide__write_text(writer, "<g>");
    if (column->sql) {
        rowtide__write_text(writer, "<title>");
        write_text(writer, column->sql, 1000);
        rowtide__write_text(writer, "</title>\n");
    }
    rowtide__write_format(writer,
                          "<path class=\"rule\" d=\"M%" PRId64 " %" PRId64
                          "h%" PRId64 "\"/>\n",
                          box->x + 1, y, box->width - 2);
    if (column->primary_key)
        write_key(writer, box->x + KEY_PLACE, y + SVG_ROW / 2);
    write_label(writer, column->generated_as ? "faint" : "column",
                box->x + NAME_PLACE, y + ROW_BASE, column->name);
    rowtide__write_format(
        writer,
        "<text class=\"type\" text-anchor=\"end\" x=\"%" PRId64
        "\" y=\"%" PRId64 "\">",
        right - TYPE_PLACE, y + ROW_BASE);
    write_text(writer, column->type, SVG_LONGEST);
    rowtide__write_text(writer, "</text>\n");
    write_dot(writer, right - RIGHT_PLACE, y + SVG_ROW / 2,
              column->not_null || is_rowid(box->table, column));
    rowtide__write_text(writer, "</g>\n");
}

static void write_head(rowtide__writer *writer, const rowtide__box *box)
{
    rowtide__write_format(writer,
                          "<rect class=\"box\" x=\"%" PRId64 "\" y=\"%" PRId64
                          "\" width=\"%" PRId64 "\" height=\"%" PRId64
                          "\" rx=\"6\"/>\n",
                          box->x, box->y, box->width, box->height);
    rowtide__write_format(writer,
                          "<path class=\"head\" d=\"M%" PRId64 " %" PRId64
                          "v-%da5 5 0 0 1 5 -5"
                          "h%" PRId64 "a5 5 0 0 1 5 5v%dz\"/>\n",
                          box->x + 1, box->y + SVG_HEAD, SVG_HEAD - 6,
                          box->width - 12, SVG_HEAD - 6);
    rowtide__write_format(writer,
                          "<text x=\"%" PRId64 "\" y=\"%" PRId64
                          "\"><tspan class=\"name\">",
                          box->x + 12, box->y + HEAD_BASE);
    write_text(writer, box->table->name, SVG_LONGEST);
    rowtide__write_text(writer, "</tspan>");
    if (box->table->module) {
        rowtide__write_text(writer, "<tspan class=\"faint\"> using ");
        write_text(writer, box->table->module, SVG_LONGEST);
        rowtide__write_text(writer, "</tspan>");
    }
    rowtide__write_text(writer, "</text>\n");
}

static void write_box(rowtide__writer *writer, const rowtide__box *box)
{
    int64_t y = box->y + SVG_HEAD;
    rowtide__write_text(writer, box->table->kind == ROWTIDE_TABLE_VIRTUAL
                                    ? "<g class=\"table virtual\"><title>"
                                    : "<g class=\"table\"><title>");
    write_text(writer, box->table->name, 1000);
    rowtide__write_text(writer, "</title>\n");
    write_head(writer, box);
    for (size_t i = 0; box->table->columns[i]; i++) {
        if (box->table->columns[i]->hidden)
            continue;
        write_column(writer, box, box->table->columns[i], y);
        y += SVG_ROW;
    }
    rowtide__write_text(writer, "</g>\n");
}

/* ## Lines */

static int64_t row_middle(const rowtide__box *box, size_t row)
{
    return row ? box->y + SVG_HEAD + (int64_t)(row - 1) * SVG_ROW + SVG_ROW / 2
               : box->y + SVG_HEAD / 2;
}

/* Many rows refer, or one. `out` is 1 if the line leaves to the right. */
static void write_start(rowtide__writer *writer, int64_t x, int64_t y, int out,
                        int single)
{
    int64_t tip = x + out * FOOT_LENGTH;
    if (single)
        rowtide__write_format(writer,
                              "<path class=\"mark\" d=\"M%" PRId64 " %" PRId64
                              "v10\"/>\n",
                              x + out * 8, y - 5);
    else
        rowtide__write_format(writer,
                              "<path class=\"mark\" d=\"M%" PRId64 " %" PRId64
                              "L%" PRId64 " %" PRId64 "L%" PRId64 " %" PRId64
                              "\"/>\n",
                              x, y - 6, tip, y, x, y + 6);
}

/* To one row, or to none. */
static void write_end(rowtide__writer *writer, int64_t x, int64_t y, int out,
                      int optional)
{
    rowtide__write_format(
        writer, "<path class=\"mark\" d=\"M%" PRId64 " %" PRId64 "v10\"/>\n",
        x + out * 6, y - 5);
    if (optional)
        rowtide__write_format(writer,
                              "<circle class=\"mark ring\" cx=\"%" PRId64
                              "\" cy=\"%" PRId64 "\" r=\"4\"/>\n",
                              x + out * 13, y);
}

static void write_names(rowtide__writer *writer, const char *const *names)
{
    for (size_t i = 0; names && names[i]; i++) {
        rowtide__write_text(writer, i > 0 ? ", " : "(");
        write_text(writer, names[i], 200);
    }
    rowtide__write_text(writer, names && names[0] ? ")" : "");
}

static void write_title(rowtide__writer *writer,
                        const rowtide__picture *picture,
                        const rowtide__line *line)
{
    rowtide__write_text(writer, "<title>");
    write_text(writer, picture->boxes[line->from].table->name, 200);
    write_names(writer, line->key->columns);
    rowtide__write_text(writer, " \xE2\x86\x92 ");
    write_text(writer, picture->boxes[line->to].table->name, 200);
    write_names(writer, line->key->table_columns);
    if (line->key->on_delete) {
        rowtide__write_text(writer, " on delete ");
        write_text(writer, line->key->on_delete, 40);
    }
    rowtide__write_text(writer, "</title>\n");
}

static void write_line(rowtide__writer *writer, const rowtide__picture *picture,
                       const rowtide__line *line)
{
    const rowtide__box *from = &picture->boxes[line->from];
    const rowtide__box *to = &picture->boxes[line->to];
    int64_t y1 = row_middle(from, line->from_row);
    int64_t y2 = row_middle(to, line->to_row);
    /* Out on the side where the other one is; where they stand above each
     * other or are the same, both on the right. */
    int start = to->x + to->width <= from->x ? -1 : 1;
    int end = from->x + from->width <= to->x ? -1 : 1;
    int64_t x1 = start < 0 ? from->x : from->x + from->width;
    int64_t x2 = end < 0 ? to->x : to->x + to->width;
    int64_t bend = x1 > x2 ? (x1 - x2) / 2 : (x2 - x1) / 2;
    if (start == end)
        bend = SVG_CHANNEL / 2;
    if (bend < SVG_CHANNEL / 3)
        bend = SVG_CHANNEL / 3;
    rowtide__write_text(writer, "<g class=\"reference\">");
    write_title(writer, picture, line);
    rowtide__write_format(
        writer,
        "<path class=\"line\" d=\"M%" PRId64 " %" PRId64 "C%" PRId64 " %" PRId64
        " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 "\"/>\n",
        x1, y1, x1 + start * bend, y1, x2 + end * bend, y2, x2, y2);
    write_start(writer, x1, y1, start, line->single);
    write_end(writer, x2, y2, end, line->optional);
    rowtide__write_text(writer, "</g>\n");
}

/* ## All of it */

static void write_legend(rowtide__writer *writer, int64_t y)
{
    int64_t x = SVG_MARGIN;
    write_key(writer, x + 4, y);
    write_label(writer, "faint", x + 20, y + 4, "primary key");
    write_dot(writer, x + 128, y, 1);
    write_label(writer, "faint", x + 138, y + 4, "not null");
    rowtide__write_format(
        writer, "<path class=\"line\" d=\"M%" PRId64 " %" PRId64 "h36\"/>\n",
        x + 222, y);
    write_start(writer, x + 222, y, 1, 0);
    write_end(writer, x + 258, y, -1, 1);
    write_label(writer, "faint", x + 266, y + 4, "refers to");
}

static void write_opening(rowtide__writer *writer, int64_t width,
                          int64_t height)
{
    rowtide__write_format(
        writer,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" "
        "viewBox=\"0 0 %" PRId64 " %" PRId64 "\" width=\"%" PRId64
        "\" height=\"%" PRId64 "\">\n",
        width, height, width, height);
    rowtide__write_text(writer, "<title>Database schema</title>\n");
    rowtide__write_text(writer, STYLE);
    rowtide__write_text(writer, "<rect class=\"paper\" width=\"100%\" "
                                "height=\"100%\"/>\n");
}

void rowtide__svg_draw(const rowtide__picture *picture, rowtide__writer *writer)
{
    int64_t width = picture->width, height = picture->height;
    if (width < LEAST_PICTURE)
        width = LEAST_PICTURE;
    if (height == 0)
        height = 2 * SVG_MARGIN + SVG_ROW;
    write_opening(writer, width, height + LEGEND);
    if (picture->box_count == 0)
        write_label(writer, "faint", SVG_MARGIN, SVG_MARGIN + ROW_BASE,
                    "There are no tables.");
    for (size_t i = 0; i < picture->line_count; i++)
        write_line(writer, picture, &picture->lines[i]);
    for (size_t i = 0; i < picture->box_count; i++)
        write_box(writer, &picture->boxes[i]);
    write_legend(writer, height);
    rowtide__write_text(writer, "</svg>\n");
}
