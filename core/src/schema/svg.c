#include "schema/svg.h"
#include "schema/read.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

enum { CHARACTER = 8, LEAST_WIDTH = 132 };

static void measure(rowtide__box *box)
{
    size_t names = rowtide__svg_width(box->table->name) + 1, rows = 0;
    if (box->table->module)
        names += rowtide__svg_width(box->table->module) + 7;
    size_t widest = 0;
    for (size_t i = 0; box->table->columns[i]; i++) {
        const rowtide_schema_column *column = box->table->columns[i];
        if (column->hidden)
            continue;
        rows++;
        size_t name = rowtide__svg_width(column->name);
        size_t type = rowtide__svg_width(column->type);
        widest = name > widest ? name : widest;
        box->type_width = type > box->type_width ? type : box->type_width;
    }
    /* Room for a mark on either side. */
    size_t columns = widest + box->type_width + 8;
    box->width = (int64_t)(columns > names + 3 ? columns : names + 3)
                 * CHARACTER;
    if (box->width < LEAST_WIDTH)
        box->width = LEAST_WIDTH;
    box->height = SVG_HEAD + (int64_t)rows * SVG_ROW + (rows ? SVG_FOOT : 0);
}

static int add_boxes(rowtide__picture *picture,
                     const rowtide_schema_table *const *tables)
{
    for (size_t i = 0; tables[i]; i++)
        picture->box_count += tables[i]->kind != ROWTIDE_TABLE_SHADOW;
    picture->boxes = rowtide__arena_zero(
        picture->arena, picture->box_count * sizeof *picture->boxes);
    if (!picture->boxes)
        return ROWTIDE_ENOMEM;
    rowtide__box *box = picture->boxes;
    for (size_t i = 0; tables[i]; i++) {
        if (tables[i]->kind == ROWTIDE_TABLE_SHADOW)
            continue;
        box->table = tables[i];
        measure(box++);
    }
    return ROWTIDE_OK;
}

/* ## Lines */

static size_t find_box(const rowtide__picture *picture,
                       const rowtide_schema_table *table)
{
    size_t i = 0;
    while (i < picture->box_count && picture->boxes[i].table != table)
        i++;
    return i;
}

static size_t find_row(const rowtide_schema_table *table, const char *name)
{
    for (size_t i = 0; name && table->columns[i]; i++)
        if (rowtide__name_equal(table->columns[i]->name, name))
            return i + 1;
    return 0;
}

static size_t find_key_row(const rowtide_schema_table *table)
{
    for (size_t i = 0; table->columns[i]; i++)
        if (table->columns[i]->primary_key == 1)
            return i + 1;
    return 0;
}

static int is_among(const char *const *names, const char *name)
{
    for (size_t i = 0; names[i]; i++)
        if (name && rowtide__name_equal(names[i], name))
            return 1;
    return 0;
}

/* Are all columns of a unique key among these? */
static int covers(const char *const *names,
                  const rowtide_schema_indexed_column *const *columns)
{
    for (size_t i = 0; columns[i]; i++)
        if (!is_among(names, columns[i]->name))
            return 0;
    return columns[0] != NULL;
}

static int is_single(const rowtide_schema_table *table,
                     const rowtide_schema_foreign_key *key)
{
    for (size_t i = 0; table->keys[i]; i++)
        if (covers(key->columns, table->keys[i]->columns))
            return 1;
    for (size_t i = 0; table->indexes[i]; i++)
        if (table->indexes[i]->unique && !table->indexes[i]->where
            && covers(key->columns, table->indexes[i]->columns))
            return 1;
    return 0;
}

static int is_optional(const rowtide_schema_table *table,
                       const rowtide_schema_foreign_key *key)
{
    for (size_t i = 0; key->columns[i]; i++) {
        size_t row = find_row(table, key->columns[i]);
        if (row && !table->columns[row - 1]->not_null)
            return 1;
    }
    return 0;
}

static void add_line(rowtide__picture *picture, size_t from, size_t to,
                     const rowtide_schema_foreign_key *key)
{
    rowtide__line *line = &picture->lines[picture->line_count++];
    const rowtide_schema_table *table = picture->boxes[from].table;
    const rowtide_schema_table *other = picture->boxes[to].table;
    line->key = key;
    line->from = from;
    line->to = to;
    line->from_row = find_row(table, key->columns[0]);
    line->to_row = key->table_columns && key->table_columns[0]
                       ? find_row(other, key->table_columns[0])
                       : find_key_row(other);
    line->single = is_single(table, key);
    line->optional = is_optional(table, key);
    if (from != to)
        picture->boxes[from].connected = picture->boxes[to].connected = 1;
}

static int add_lines(rowtide__picture *picture, const rowtide_schema *schema)
{
    size_t count = 0;
    for (size_t i = 0; i < picture->box_count; i++)
        for (size_t k = 0; picture->boxes[i].table->foreign_keys[k]; k++)
            count++;
    picture->lines = rowtide__arena_zero(picture->arena,
                                         count * sizeof *picture->lines);
    if (!picture->lines)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < picture->box_count; i++) {
        const rowtide_schema_table *table = picture->boxes[i].table;
        for (size_t k = 0; table->foreign_keys[k]; k++) {
            const rowtide_schema_table *other = rowtide_schema_find_table(
                schema, table->foreign_keys[k]->table);
            size_t to = find_box(picture, other);
            if (to < picture->box_count)
                add_line(picture, i, to, table->foreign_keys[k]);
        }
    }
    return ROWTIDE_OK;
}

int rowtide_schema_svg(const rowtide_schema *schema, rowtide_buffer *buf_out)
{
    ROWTIDE__CHECK_ARG(schema, "schema_svg");
    ROWTIDE__CHECK_ARG(buf_out, "schema_svg");
    size_t before = buf_out->size;
    rowtide__arena arena = {0};
    rowtide__picture picture = {.arena = &arena};
    rowtide__writer writer = {buf_out, ROWTIDE_OK};
    writer.rc = add_boxes(&picture, schema->contents.tables);
    if (writer.rc == ROWTIDE_OK)
        writer.rc = add_lines(&picture, schema);
    if (writer.rc == ROWTIDE_OK)
        writer.rc = rowtide__svg_layout(&picture);
    if (writer.rc == ROWTIDE_OK)
        rowtide__svg_draw(&picture, &writer);
    rowtide__arena_dispose(&arena);
    if (writer.rc != ROWTIDE_OK)
        rowtide__buffer_cut(buf_out, before);
    return writer.rc;
}
