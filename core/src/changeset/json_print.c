#include "changeset/render.h"
#include "changeset/codec.h"
#include "base/error.h"
#include "base/json.h"
#include "base/utf8.h"

#include <math.h>
#include <string.h>

static void write_hex_object(rowtide__writer *writer, const char *name,
                             const void *data, size_t size)
{
    rowtide__write_text(writer, "{\"");
    rowtide__write_text(writer, name);
    rowtide__write_text(writer, "\":\"");
    rowtide__write_hex(writer, data, size);
    rowtide__write_text(writer, "\"}");
}

static void write_string(rowtide__writer *writer, const void *data, size_t size)
{
    if (rowtide__utf8_valid(data, size))
        rowtide__json_write_string(writer, data, size);
    else
        write_hex_object(writer, "text", data, size);
}

/* SQLite has no NaN: it makes NULL of it. */
static void write_real(rowtide__writer *writer, double real)
{
    if (isfinite(real))
        rowtide__json_write_real(writer, real);
    else if (isnan(real))
        rowtide__write_text(writer, "null");
    else
        rowtide__write_text(writer, real > 0 ? "{\"real\":\"inf\"}"
                                             : "{\"real\":\"-inf\"}");
}

void rowtide__write_json_value(rowtide__writer *writer,
                               const rowtide_value *value)
{
    switch (value->type) {
    case ROWTIDE_INTEGER:
        rowtide__json_write_integer(writer, value->integer);
        break;
    case ROWTIDE_REAL:
        write_real(writer, value->real);
        break;
    case ROWTIDE_TEXT:
        write_string(writer, value->data, value->size);
        break;
    case ROWTIDE_BLOB:
        write_hex_object(writer, "blob", value->data, value->size);
        break;
    case ROWTIDE_NULL:
        rowtide__write_text(writer, "null");
        break;
    default:
        rowtide__write_text(writer, "{}");
    }
}

typedef struct layout {
    const char *separator; /* behind a comma in an array */
    const char *member;    /* in front of a member of a change */
    const char *colon;
    const char *end;
} layout;

static const layout compact_layout = {"", "", ":", ""};
static const layout open_layout = {" ", "\n      ", ": ", "\n    "};

static void write_member(rowtide__writer *writer, const layout *look,
                         const char *name)
{
    rowtide__write_byte(writer, ',');
    rowtide__write_text(writer, look->member);
    rowtide__write_byte(writer, '"');
    rowtide__write_text(writer, name);
    rowtide__write_byte(writer, '"');
    rowtide__write_text(writer, look->colon);
}

static void write_comma(rowtide__writer *writer, const layout *look, int i)
{
    if (i > 0) {
        rowtide__write_byte(writer, ',');
        rowtide__write_text(writer, look->separator);
    }
}

static void write_values(rowtide__writer *writer, const layout *look,
                         const char *name, const rowtide_change *change,
                         const rowtide_value *values)
{
    if (!values)
        return;
    write_member(writer, look, name);
    rowtide__write_byte(writer, '[');
    for (int i = 0; i < change->column_count; i++) {
        write_comma(writer, look, i);
        rowtide__write_json_value(writer, &values[i]);
    }
    rowtide__write_byte(writer, ']');
}

static void write_key(rowtide__writer *writer, const layout *look,
                      const rowtide_change *change)
{
    write_member(writer, look, "primary_key");
    rowtide__write_byte(writer, '[');
    for (int i = 0; i < change->column_count; i++) {
        write_comma(writer, look, i);
        rowtide__json_write_integer(writer, change->primary_key[i]);
    }
    rowtide__write_byte(writer, ']');
}

static void write_columns(rowtide__writer *writer, const layout *look,
                          const rowtide_change *change,
                          const char *const *columns)
{
    write_member(writer, look, "columns");
    rowtide__write_byte(writer, '[');
    for (int i = 0; i < change->column_count; i++) {
        write_comma(writer, look, i);
        write_string(writer, columns[i], strlen(columns[i]));
    }
    rowtide__write_byte(writer, ']');
}

static const char *kind_name(rowtide_change_kind kind)
{
    return kind == ROWTIDE_CHANGE_INSERT   ? "insert"
           : kind == ROWTIDE_CHANGE_UPDATE ? "update"
                                           : "delete";
}

void rowtide__write_json_change(rowtide__writer *writer,
                                const rowtide_change *change,
                                const char *const *columns, int starts_table,
                                int compact)
{
    const layout *look = compact ? &compact_layout : &open_layout;
    rowtide__write_byte(writer, '{');
    rowtide__write_text(writer, look->member);
    rowtide__write_text(writer, "\"table\"");
    rowtide__write_text(writer, look->colon);
    write_string(writer, change->table, strlen(change->table));
    if (starts_table) {
        write_member(writer, look, "starts_table");
        rowtide__write_text(writer, "true");
    }
    write_member(writer, look, "kind");
    rowtide__write_format(writer, "\"%s\"", kind_name(change->kind));
    write_member(writer, look, "indirect");
    rowtide__write_text(writer, change->indirect ? "true" : "false");
    write_key(writer, look, change);
    if (columns)
        write_columns(writer, look, change, columns);
    write_values(writer, look, "old", change, change->old_values);
    write_values(writer, look, "new", change, change->new_values);
    rowtide__write_text(writer, look->end);
    rowtide__write_byte(writer, '}');
}

/* What the last change was made to, to see where a header is repeated. */
typedef struct document {
    rowtide_changeset_iter *iter;
    int64_t count;
    rowtide_buffer last_table;
    int is_open;
} document;

static void open_document(rowtide__render *render, document *doc)
{
    int patchset = rowtide__iter_is_patchset(doc->iter) == 1;
    int compact = (render->options.flags & ROWTIDE_RENDER_COMPACT) != 0;
    rowtide__writer *writer = &render->writer;
    const char *kind = patchset ? "patchset" : "changeset";
    rowtide__write_format(
        writer,
        compact ? "{\"format\":\"rowtide-changeset\",\"version\":1,"
                  "\"kind\":\"%s\",\"changes\":["
                : "{\n  \"format\": \"rowtide-changeset\",\n"
                  "  \"version\": 1,\n  \"kind\": \"%s\",\n  \"changes\": [",
        kind);
    doc->is_open = 1;
}

static void close_document(rowtide__render *render, document *doc)
{
    int compact = (render->options.flags & ROWTIDE_RENDER_COMPACT) != 0;
    if (!doc->is_open)
        open_document(render, doc);
    if (doc->count > 0)
        rowtide__write_text(&render->writer, compact ? "\n" : "\n  ");
    rowtide__write_text(&render->writer, compact ? "]}\n" : "]\n}\n");
}

static int repeats_table(document *doc, const rowtide_change *change)
{
    const rowtide_buffer *last = &doc->last_table;
    return rowtide__iter_table_started(doc->iter) && last->data
           && strcmp(last->data, change->table) == 0;
}

static int note_table(document *doc, const rowtide_change *change)
{
    rowtide_buffer *last = &doc->last_table;
    if (!rowtide__iter_table_started(doc->iter))
        return ROWTIDE_OK;
    last->size = 0;
    rowtide__writer writer = {.buffer = last};
    rowtide__write_text(&writer, change->table);
    return writer.rc;
}

static int print_change(rowtide__render *render, const rowtide_change *change,
                        void *state)
{
    document *doc = state;
    int compact = (render->options.flags & ROWTIDE_RENDER_COMPACT) != 0;
    if (!doc->is_open)
        open_document(render, doc);
    if (doc->count++ > 0)
        rowtide__write_byte(&render->writer, ',');
    rowtide__write_text(&render->writer, compact ? "\n" : "\n    ");
    rowtide__write_json_change(&render->writer, change,
                               rowtide__names_columns(&render->names, change),
                               repeats_table(doc, change), compact);
    return note_table(doc, change);
}

int rowtide_changeset_to_json(rowtide_source *source,
                              const rowtide_render_options *options,
                              rowtide_sink *sink)
{
    rowtide__render render;
    document doc = {.last_table = ROWTIDE_BUFFER_INIT};
    ROWTIDE__CHECK_ARG(source && sink, "changeset_to_json");
    int rc = rowtide__render_init(&render, options, sink, "changeset_to_json");
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_iter_stream(source, 0, &doc.iter);
    if (rc == ROWTIDE_OK)
        rc = rowtide__render_each(&render, doc.iter, print_change, &doc);
    if (rc == ROWTIDE_OK) {
        close_document(&render, &doc);
        rc = rowtide__render_finish(&render);
    }
    rowtide_changeset_iter_free(doc.iter);
    rowtide_buffer_dispose(&doc.last_table);
    rowtide__render_dispose(&render);
    return rc;
}

static int check_change(const rowtide_change *change)
{
    if (!change->table || !change->primary_key || change->column_count < 1)
        return 0;
    switch (change->kind) {
    case ROWTIDE_CHANGE_INSERT:
        return change->new_values != NULL;
    case ROWTIDE_CHANGE_DELETE:
        return change->old_values != NULL;
    case ROWTIDE_CHANGE_UPDATE:
        return change->old_values && change->new_values;
    default:
        return 0;
    }
}

int rowtide_change_to_json(const rowtide_change *change, rowtide_db *names_db,
                           rowtide_buffer *out)
{
    rowtide__names names;
    rowtide_buffer made = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {.buffer = &made};
    ROWTIDE__CHECK_ARG(out, "change_to_json");
    rowtide_buffer_dispose(out);
    ROWTIDE__CHECK_ARG(change && check_change(change), "change_to_json");
    rowtide__names_init(&names, names_db);
    int rc = rowtide__names_load(&names, change);
    if (rc == ROWTIDE_OK) {
        rowtide__write_json_change(
            &writer, change, rowtide__names_columns(&names, change), 0, 1);
        rc = writer.rc;
    }
    rowtide__names_dispose(&names);
    if (rc == ROWTIDE_OK)
        *out = made;
    else
        rowtide_buffer_dispose(&made);
    return rc;
}
