#include "changeset/render.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/number.h"

#include <inttypes.h>
#include <string.h>

enum { TEXT_BYTES = 60, BLOB_BYTES = 16 };

#define RESET "\x1b[0m"
#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define RED "\x1b[31m"
#define GREEN "\x1b[32m"
#define YELLOW "\x1b[33m"

typedef struct listing {
    rowtide_changeset *changeset;
    rowtide__writer *writer;
    int color;
    int64_t shown;
    unsigned char *seen;       /* which tables had their heading */
    rowtide_buffer last_table; /* of the heading that is up */
} listing;

static void set_color(const listing *list, const char *code)
{
    if (list->color)
        rowtide__write_text(list->writer, code);
}

static void write_colored(const listing *list, const char *code,
                          const char *text)
{
    set_color(list, code);
    rowtide__write_text(list->writer, text);
    set_color(list, RESET);
}

/* Nothing in the data may steer the terminal. */
static void write_visible(rowtide__writer *writer, const void *data,
                          size_t size, int quote)
{
    const char *text = data;
    for (size_t at = 0; at < size;) {
        char escape[16];
        int length;
        if (rowtide__visible_escape(text + at, size - at, &length, escape)) {
            rowtide__write_text(writer, escape);
        } else {
            if (quote && (text[at] == '\'' || text[at] == '\\'))
                rowtide__write_byte(writer, '\\');
            rowtide__write(writer, text + at, (size_t)length);
        }
        at += (size_t)length;
    }
}

static void write_size(const listing *list, size_t size)
{
    set_color(list, DIM);
    rowtide__write_text(list->writer, " (");
    rowtide__write_count(list->writer, (int64_t)size);
    rowtide__write_text(list->writer, size == 1 ? " byte)" : " bytes)");
    set_color(list, RESET);
}

static void write_text(const listing *list, const rowtide_value *value,
                       const char *color)
{
    size_t cut = rowtide__text_cut(value->data, value->size, TEXT_BYTES);
    rowtide__write_byte(list->writer, '\'');
    write_visible(list->writer, value->data, cut, 1);
    rowtide__write_text(list->writer, cut < value->size ? "…'" : "'");
    if (cut < value->size) {
        write_size(list, value->size);
        set_color(list, color);
    }
}

static void write_blob(const listing *list, const rowtide_value *value,
                       const char *color)
{
    size_t cut = value->size <= BLOB_BYTES ? value->size : BLOB_BYTES;
    rowtide__write_text(list->writer, "x'");
    rowtide__write_hex(list->writer, value->data, cut);
    rowtide__write_text(list->writer, cut < value->size ? "…'" : "'");
    write_size(list, value->size);
    set_color(list, color);
}

static void write_value(const listing *list, const rowtide_value *value,
                        const char *color)
{
    char real[ROWTIDE__REAL_SIZE];
    set_color(list, color);
    switch (value->type) {
    case ROWTIDE_INTEGER:
        rowtide__write_format(list->writer, "%" PRId64, value->integer);
        break;
    case ROWTIDE_REAL:
        rowtide__real_format(value->real, real);
        rowtide__write_text(list->writer, real);
        break;
    case ROWTIDE_TEXT:
        write_text(list, value, color);
        break;
    case ROWTIDE_BLOB:
        write_blob(list, value, color);
        break;
    case ROWTIDE_NULL:
        rowtide__write_text(list->writer, "NULL");
        break;
    default:
        rowtide__write_text(list->writer, "?");
    }
    set_color(list, RESET);
}

static void write_column(rowtide__render *render, const listing *list,
                         const rowtide_change *change, int column,
                         const char *behind)
{
    char spare[16];
    const char *name = rowtide__names_column(&render->names, change, column,
                                             spare);
    set_color(list, DIM);
    write_visible(list->writer, name, strlen(name), 0);
    rowtide__write_text(list->writer, behind);
    set_color(list, RESET);
}

static const rowtide_value *either_side(const rowtide_change *change,
                                        int column)
{
    if (change->old_values
        && change->old_values[column].type != ROWTIDE_UNDEFINED)
        return &change->old_values[column];
    return change->new_values ? &change->new_values[column]
                              : &change->old_values[column];
}

static void write_key(rowtide__render *render, const listing *list,
                      const rowtide_change *change)
{
    for (int i = 0; i < change->column_count; i++) {
        if (!change->primary_key[i])
            continue;
        rowtide__write_byte(list->writer, ' ');
        write_column(render, list, change, i, "=");
        write_value(list, either_side(change, i), BOLD);
    }
}

/* A patchset does not know what was there before. */
static void write_difference(const listing *list, const rowtide_change *change,
                             int column)
{
    const rowtide_value *before = change->old_values
                                      ? &change->old_values[column]
                                      : NULL;
    const rowtide_value *after = change->new_values
                                     ? &change->new_values[column]
                                     : NULL;
    int both = change->kind == ROWTIDE_CHANGE_UPDATE;
    if (before && before->type != ROWTIDE_UNDEFINED) {
        write_value(list, before, both ? RED : "");
        if (both)
            rowtide__write_byte(list->writer, ' ');
    }
    if (both)
        rowtide__write_text(list->writer, "→ ");
    if (after)
        write_value(list, after, both ? GREEN : "");
}

static int is_known(const rowtide_change *change, int column)
{
    return (change->new_values
            && change->new_values[column].type != ROWTIDE_UNDEFINED)
           || (change->old_values
               && change->old_values[column].type != ROWTIDE_UNDEFINED);
}

static void write_change(rowtide__render *render, const listing *list,
                         const rowtide_change *change)
{
    int kind = change->kind;
    rowtide__write_text(list->writer, "  ");
    write_colored(list,
                  kind == ROWTIDE_CHANGE_INSERT   ? GREEN
                  : kind == ROWTIDE_CHANGE_DELETE ? RED
                                                  : YELLOW,
                  kind == ROWTIDE_CHANGE_INSERT   ? "+"
                  : kind == ROWTIDE_CHANGE_DELETE ? "-"
                                                  : "~");
    write_key(render, list, change);
    if (change->indirect)
        write_colored(list, DIM, " (indirect)");
    for (int i = 0; i < change->column_count; i++) {
        if (change->primary_key[i] || !is_known(change, i))
            continue;
        rowtide__write_text(list->writer, "  ");
        write_column(render, list, change, i, ": ");
        write_difference(list, change, i);
    }
    rowtide__write_byte(list->writer, '\n');
}

/* "+1 ~2 -3", leaving out what is none. */
static void write_counts(const listing *list,
                         const rowtide_change_counts *counts)
{
    const int64_t number[] = {counts->inserts, counts->updates,
                              counts->deletes};
    static const char *const color[] = {GREEN, YELLOW, RED};
    for (int i = 0; i < 3; i++) {
        if (number[i] == 0)
            continue;
        rowtide__write_byte(list->writer, ' ');
        set_color(list, color[i]);
        rowtide__write_byte(list->writer, "+~-"[i]);
        rowtide__write_count(list->writer, number[i]);
        set_color(list, RESET);
    }
    if (counts->indirect) {
        set_color(list, DIM);
        rowtide__write_text(list->writer, ", ");
        rowtide__write_count(list->writer, counts->indirect);
        rowtide__write_text(list->writer, " indirect");
        set_color(list, RESET);
    }
}

static int write_heading(listing *list, const rowtide_change *change)
{
    rowtide_change_counts counts = {0, 0, 0, 0};
    rowtide__writer last = {.buffer = &list->last_table};
    int index = rowtide__find_table(list->changeset, change->table);
    if (index < 0)
        return rowtide__fail(ROWTIDE_EINTERNAL, "table \"%s\" is not counted",
                             change->table);
    if (list->shown > 0)
        rowtide__write_byte(list->writer, '\n');
    set_color(list, BOLD);
    write_visible(list->writer, change->table, strlen(change->table), 0);
    set_color(list, RESET);
    int again = list->seen[index];
    if (again)
        write_colored(list, DIM, " (continued)");
    else if (rowtide_changeset_table_counts(list->changeset, index, &counts)
             == ROWTIDE_OK)
        write_counts(list, &counts);
    rowtide__write_byte(list->writer, '\n');
    list->seen[index] = 1;
    list->last_table.size = 0;
    rowtide__write_text(&last, change->table);
    return last.rc;
}

static int print_change(rowtide__render *render, const rowtide_change *change,
                        void *state)
{
    listing *list = state;
    int rc = ROWTIDE_OK;
    if (render->options.limit && list->shown >= render->options.limit)
        return ROWTIDE_OK;
    if (!list->last_table.data
        || strcmp(list->last_table.data, change->table) != 0)
        rc = write_heading(list, change);
    write_change(render, list, change);
    list->shown++;
    return rc;
}

static int write_summary(const listing *list)
{
    rowtide_change_counts sum = {0, 0, 0, 0}, counts;
    int tables = rowtide_changeset_table_count(list->changeset);
    int64_t count = rowtide_changeset_change_count(list->changeset);
    for (int i = 0; i < tables; i++) {
        int rc = rowtide_changeset_table_counts(list->changeset, i, &counts);
        if (rc != ROWTIDE_OK)
            return rc;
        rowtide__add_counts(&sum, &counts);
    }
    if (count > list->shown) {
        rowtide__write_text(list->writer, "  … and ");
        rowtide__write_count(list->writer, count - list->shown);
        rowtide__write_text(list->writer, " more\n");
    }
    if (count == 0) {
        rowtide__write_text(list->writer, "no changes\n");
        return ROWTIDE_OK;
    }
    rowtide__write_byte(list->writer, '\n');
    rowtide__write_plural(list->writer, count, "change");
    rowtide__write_text(list->writer, " in ");
    rowtide__write_plural(list->writer, tables, "table");
    if (rowtide_changeset_is_patchset(list->changeset))
        rowtide__write_text(list->writer, " (patchset)");
    rowtide__write_byte(list->writer, ':');
    write_counts(list, &sum);
    rowtide__write_byte(list->writer, '\n');
    return ROWTIDE_OK;
}

static int print_listing(rowtide__render *render, listing *list)
{
    rowtide_changeset_iter *iter = NULL;
    int rc = rowtide_changeset_iter_new(list->changeset, 0, &iter);
    if (rc == ROWTIDE_OK)
        rc = rowtide__render_each(render, iter, print_change, list);
    if (rc == ROWTIDE_OK)
        rc = write_summary(list);
    if (rc == ROWTIDE_OK)
        rc = rowtide__render_finish(render);
    rowtide_changeset_iter_free(iter);
    return rc;
}

static int make_seen(listing *list)
{
    int tables = rowtide_changeset_table_count(list->changeset);
    list->seen = rowtide__alloc_zero((size_t)tables);
    return list->seen ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

int rowtide_changeset_to_text(rowtide_source *source,
                              const rowtide_render_options *options,
                              rowtide_sink *sink)
{
    rowtide__render render;
    listing list = {.last_table = ROWTIDE_BUFFER_INIT};
    ROWTIDE__CHECK_ARG(source && sink, "changeset_to_text");
    int rc = rowtide__render_init(&render, options, sink, "changeset_to_text");
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_read(source, &list.changeset);
    if (rc == ROWTIDE_OK)
        rc = make_seen(&list);
    if (rc == ROWTIDE_OK) {
        list.writer = &render.writer;
        list.color = (render.options.flags & ROWTIDE_RENDER_COLOR) != 0;
        rc = print_listing(&render, &list);
    }
    rowtide__free(list.seen);
    rowtide_buffer_dispose(&list.last_table);
    rowtide_changeset_free(list.changeset);
    rowtide__render_dispose(&render);
    return rc;
}
