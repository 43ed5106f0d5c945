#include "changeset/html.h"
#include "changeset/html_style.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

typedef struct page {
    rowtide_changeset *changeset;
    rowtide__writer *writer;
    int64_t shown;
    unsigned char *seen;  /* which tables had their section */
    rowtide_buffer table; /* of the section that is open */
} page;

static const char kind_letters[] = "iud";

static int kind_index(const rowtide_change *change)
{
    return change->kind == ROWTIDE_CHANGE_INSERT   ? 0
           : change->kind == ROWTIDE_CHANGE_UPDATE ? 1
                                                   : 2;
}

/* ## The top of the page */

static void write_head(rowtide__writer *writer, const char *title)
{
    rowtide__write_text(
        writer, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
                "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                "content=\"width=device-width,initial-scale=1\">\n"
                "<meta http-equiv=\"Content-Security-Policy\" "
                "content=\"default-src 'none';style-src 'unsafe-inline'\">\n"
                "<title>");
    rowtide__write_escaped(writer, title, strlen(title));
    rowtide__write_text(writer, "</title>\n<style>\n");
    for (size_t i = 0; i < sizeof html_style / sizeof *html_style; i++)
        rowtide__write_text(writer, html_style[i]);
    rowtide__write_text(writer, "</style>\n</head>\n<body>\n<main>\n<h1>");
    rowtide__write_escaped(writer, title, strlen(title));
    rowtide__write_text(writer, "</h1>\n");
}

static void write_count_cells(rowtide__writer *writer,
                              const rowtide_change_counts *counts)
{
    const int64_t number[] = {counts->inserts, counts->updates,
                              counts->deletes};
    for (int i = 0; i < 3; i++) {
        rowtide__write_format(writer, "<td class=\"%c\">",
                              number[i] ? kind_letters[i] : 'z');
        rowtide__write_count(writer, number[i]);
        rowtide__write_text(writer, "</td>");
    }
    rowtide__write_text(writer, "</tr>\n");
}

static void write_summary_row(page *self, int index,
                              const rowtide_change_counts *counts)
{
    const char *name = rowtide_changeset_table_name(self->changeset, index);
    rowtide__write_format(self->writer, "<tr><td><a href=\"#t%d\">", index + 1);
    rowtide__write_escaped(self->writer, name, strlen(name));
    rowtide__write_text(self->writer, "</a></td>");
    write_count_cells(self->writer, counts);
}

static int write_summary(page *self)
{
    rowtide_change_counts sum = {0, 0, 0, 0}, counts;
    rowtide__writer *writer = self->writer;
    int tables = rowtide_changeset_table_count(self->changeset);
    rowtide__write_text(writer,
                        "<nav>\n<table>\n<thead><tr><th>Table</th>"
                        "<th>Inserted</th><th>Updated</th><th>Deleted</th>"
                        "</tr></thead>\n<tbody>\n");
    for (int i = 0; i < tables; i++) {
        int rc = rowtide_changeset_table_counts(self->changeset, i, &counts);
        if (rc != ROWTIDE_OK)
            return rc;
        rowtide__add_counts(&sum, &counts);
        write_summary_row(self, i, &counts);
    }
    rowtide__write_text(writer, "</tbody>\n");
    if (tables > 1) {
        rowtide__write_text(writer, "<tfoot><tr><td>All</td>");
        write_count_cells(writer, &sum);
        rowtide__write_text(writer, "</tfoot>\n");
    }
    rowtide__write_text(writer, "</table>\n</nav>\n");
    return ROWTIDE_OK;
}

static int write_top(rowtide__render *render, page *self)
{
    int patchset = rowtide_changeset_is_patchset(self->changeset);
    int64_t count = rowtide_changeset_change_count(self->changeset);
    const char *title = render->options.title ? render->options.title
                        : patchset            ? "Patchset"
                                              : "Changeset";
    write_head(self->writer, title);
    rowtide__write_text(self->writer, "<p>");
    if (count == 0) {
        rowtide__write_text(self->writer, "No changes</p>\n");
        return ROWTIDE_OK;
    }
    rowtide__write_plural(self->writer, count, "change");
    rowtide__write_text(self->writer, " in ");
    rowtide__write_plural(
        self->writer, rowtide_changeset_table_count(self->changeset), "table");
    if (patchset)
        rowtide__write_text(self->writer,
                            "; a patchset, which has no old values");
    rowtide__write_text(self->writer, "</p>\n");
    return write_summary(self);
}

/* ## A table */

static void write_section_counts(page *self, int index)
{
    static const char *const words[] = {"inserted", "updated", "deleted"};
    rowtide_change_counts counts = {0, 0, 0, 0};
    rowtide_changeset_table_counts(self->changeset, index, &counts);
    const int64_t number[] = {counts.inserts, counts.updates, counts.deletes};
    int any = 0;
    for (int i = 0; i < 3; i++) {
        if (number[i] == 0)
            continue;
        rowtide__write_format(self->writer, "%s<span class=\"%c\">",
                              any++ ? " · " : "", kind_letters[i]);
        rowtide__write_count(self->writer, number[i]);
        rowtide__write_format(self->writer, " %s</span>", words[i]);
    }
}

static int open_section(page *self, const rowtide_change *change)
{
    rowtide__writer *writer = self->writer;
    rowtide__writer name = {.buffer = &self->table};
    int index = rowtide__find_table(self->changeset, change->table);
    if (index < 0)
        return rowtide__fail(ROWTIDE_EINTERNAL, "table \"%s\" is not counted",
                             change->table);
    if (self->shown > 0)
        rowtide__write_text(writer, "</table>\n</section>\n");
    if (self->seen[index])
        rowtide__write_text(writer, "<section>\n<h2>");
    else
        rowtide__write_format(writer, "<section id=\"t%d\">\n<h2>", index + 1);
    rowtide__write_escaped(writer, change->table, strlen(change->table));
    rowtide__write_text(writer, "<small class=\"n\">");
    if (self->seen[index])
        rowtide__write_text(writer, "continued");
    else
        write_section_counts(self, index);
    rowtide__write_text(writer,
                        "</small></h2>\n<table class=\"rows\">\n<colgroup><col>"
                        "<col><col></colgroup>\n<thead><tr><th>Column</th>"
                        "<th>Before</th><th>After</th></tr></thead>\n");
    self->seen[index] = 1;
    self->table.size = 0;
    rowtide__write_text(&name, change->table);
    return name.rc;
}

/* ## A change */

static void write_column_name(rowtide__render *render,
                              const rowtide_change *change, int column)
{
    char spare[16];
    const char *name = rowtide__names_column(&render->names, change, column,
                                             spare);
    rowtide__write_escaped(&render->writer, name, strlen(name));
}

static const rowtide_value *known(const rowtide_value *values, int column)
{
    if (!values || values[column].type == ROWTIDE_UNDEFINED)
        return NULL;
    return &values[column];
}

static void write_change_title(rowtide__render *render,
                               const rowtide_change *change)
{
    static const char *const words[] = {"inserted", "updated", "deleted"};
    int kind = kind_index(change);
    rowtide__writer *writer = &render->writer;
    rowtide__write_format(writer,
                          "<tr><th colspan=\"3\"><span class=\"b %c\">%s"
                          "</span><span class=\"k\">",
                          kind_letters[kind], words[kind]);
    int any = 0;
    for (int i = 0; i < change->column_count; i++) {
        const rowtide_value *value = known(change->old_values, i);
        if (!change->primary_key[i])
            continue;
        if (!value)
            value = known(change->new_values, i);
        rowtide__write_text(writer, any++ ? " <i>" : "<i>");
        write_column_name(render, change, i);
        rowtide__write_text(writer, " =</i> ");
        rowtide__write_html_value(writer, value, NULL);
    }
    rowtide__write_text(writer, "</span>");
    if (change->indirect)
        rowtide__write_text(writer, "<span class=\"h\">indirect</span>");
    rowtide__write_text(writer, "</th></tr>\n");
}

static void write_cell(rowtide__writer *writer, const char *side,
                       const rowtide_value *value, const rowtide_value *other)
{
    rowtide__write_format(writer, "<td class=\"%s\">", value ? side : "none");
    if (value)
        rowtide__write_html_value(writer, value, other);
    rowtide__write_text(writer, "</td>");
}

static void write_column_row(rowtide__render *render,
                             const rowtide_change *change, int column)
{
    const rowtide_value *before = known(change->old_values, column);
    const rowtide_value *after = known(change->new_values, column);
    if (change->primary_key[column] || (!before && !after))
        return;
    rowtide__write_text(&render->writer, "<tr><td>");
    write_column_name(render, change, column);
    rowtide__write_text(&render->writer, "</td>");
    write_cell(&render->writer, "old", before, after);
    write_cell(&render->writer, "new", after, before);
    rowtide__write_text(&render->writer, "</tr>\n");
}

static int print_change(rowtide__render *render, const rowtide_change *change,
                        void *state)
{
    page *self = state;
    int rc = ROWTIDE_OK;
    if (render->options.limit && self->shown >= render->options.limit)
        return ROWTIDE_OK;
    if (!self->table.data || strcmp(self->table.data, change->table) != 0)
        rc = open_section(self, change);
    rowtide__write_text(&render->writer, "<tbody>\n");
    write_change_title(render, change);
    for (int i = 0; i < change->column_count; i++)
        write_column_row(render, change, i);
    rowtide__write_text(&render->writer, "</tbody>\n");
    self->shown++;
    return rc;
}

static void write_bottom(page *self)
{
    int64_t count = rowtide_changeset_change_count(self->changeset);
    if (self->shown > 0)
        rowtide__write_text(self->writer, "</table>\n</section>\n");
    if (count > self->shown) {
        rowtide__write_text(self->writer, "<p>… and ");
        rowtide__write_count(self->writer, count - self->shown);
        rowtide__write_text(self->writer, " more</p>\n");
    }
    rowtide__write_text(self->writer, "</main>\n</body>\n</html>\n");
}

static int print_page(rowtide__render *render, page *self)
{
    rowtide_changeset_iter *iter = NULL;
    int rc = write_top(render, self);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_new(self->changeset, 0, &iter);
    if (rc == ROWTIDE_OK)
        rc = rowtide__render_each(render, iter, print_change, self);
    if (rc == ROWTIDE_OK) {
        write_bottom(self);
        rc = rowtide__render_finish(render);
    }
    rowtide_changeset_iter_free(iter);
    return rc;
}

static int read_changeset(rowtide_source *source, page *self)
{
    int rc = rowtide_changeset_read(source, &self->changeset);
    if (rc != ROWTIDE_OK)
        return rc;
    int tables = rowtide_changeset_table_count(self->changeset);
    self->seen = rowtide__alloc_zero((size_t)tables);
    return self->seen ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

int rowtide_changeset_to_html(rowtide_source *source,
                              const rowtide_render_options *options,
                              rowtide_sink *sink)
{
    rowtide__render render;
    page self = {.table = ROWTIDE_BUFFER_INIT};
    ROWTIDE__CHECK_ARG(source && sink, "changeset_to_html");
    int rc = rowtide__render_init(&render, options, sink, "changeset_to_html");
    if (rc == ROWTIDE_OK)
        rc = read_changeset(source, &self);
    if (rc == ROWTIDE_OK) {
        self.writer = &render.writer;
        rc = print_page(&render, &self);
    }
    rowtide__free(self.seen);
    rowtide_buffer_dispose(&self.table);
    rowtide_changeset_free(self.changeset);
    rowtide__render_dispose(&render);
    return rc;
}
