#include "changeset/render.h"
#include "changeset/codec.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/stream.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PASS_ON_SIZE = 16 * 1024 };

void rowtide__names_init(rowtide__names *names, rowtide_db *db)
{
    *names = (rowtide__names){.db = db};
}

static void forget_table(rowtide__names *names)
{
    rowtide__table_info_dispose(&names->info);
    rowtide__free(names->columns);
    rowtide__free(names->table);
    rowtide__names_init(names, names->db);
}

void rowtide__names_dispose(rowtide__names *names)
{
    if (names->table)
        forget_table(names);
}

static int read_info(rowtide__names *names, const char *table)
{
    int rc = rowtide__db_enter(names->db, "render");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__table_info_read(names->db, "main", table, &names->info);
    rowtide__db_leave(names->db);
    return rc;
}

static int list_ordinary_columns(rowtide__names *names)
{
    const rowtide__table_info *info = &names->info;
    if (info->kind != ROWTIDE__TABLE_ORDINARY)
        return ROWTIDE_OK;
    names->columns = rowtide__alloc_array((size_t)info->column_count + 1,
                                          sizeof *names->columns);
    if (!names->columns)
        return ROWTIDE_ENOMEM;
    for (int i = 0; i < info->column_count; i++)
        if (!info->columns[i].generated)
            names->columns[names->column_count++] = info->columns[i].name;
    return ROWTIDE_OK;
}

int rowtide__names_load(rowtide__names *names, const rowtide_change *change)
{
    if (!names->db)
        return ROWTIDE_OK;
    if (names->table && strcmp(names->table, change->table) == 0)
        return ROWTIDE_OK;
    rowtide__names_dispose(names);
    int rc = read_info(names, change->table);
    if (rc != ROWTIDE_OK)
        return rc;
    names->table = rowtide__strdup(change->table);
    if (!names->table) {
        rowtide__table_info_dispose(&names->info);
        return ROWTIDE_ENOMEM;
    }
    return list_ordinary_columns(names);
}

const char *const *rowtide__names_columns(const rowtide__names *names,
                                          const rowtide_change *change)
{
    if (!names->columns || names->column_count < change->column_count)
        return NULL;
    return names->columns;
}

const char *rowtide__names_column(const rowtide__names *names,
                                  const rowtide_change *change, int column,
                                  char spare[16])
{
    const char *const *columns = rowtide__names_columns(names, change);
    if (columns)
        return columns[column];
    snprintf(spare, 16, "c%d", column + 1);
    return spare;
}

int rowtide__render_init(rowtide__render *render,
                         const rowtide_render_options *options,
                         rowtide_sink *sink, const char *function)
{
    *render = (rowtide__render){.options = ROWTIDE_RENDER_OPTIONS_INIT,
                                .sink = sink};
    render->writer.buffer = &render->buffer;
    if (options && options->size != sizeof *options)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "%s: the options are not initialised", function);
    if (options)
        render->options = *options;
    if (render->options.limit < 0)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "%s: limit %" PRId64 " is negative", function,
                             render->options.limit);
    rowtide__names_init(&render->names, render->options.names);
    return ROWTIDE_OK;
}

void rowtide__render_dispose(rowtide__render *render)
{
    rowtide__names_dispose(&render->names);
    rowtide_buffer_dispose(&render->buffer);
}

static int hand_over(rowtide__render *render)
{
    int rc = rowtide__sink_write(render->sink, render->buffer.data,
                                 render->buffer.size);
    rowtide__buffer_clear(&render->buffer);
    return rc;
}

int rowtide__render_pass_on(rowtide__render *render)
{
    if (render->writer.rc != ROWTIDE_OK)
        return render->writer.rc;
    return render->buffer.size < PASS_ON_SIZE ? ROWTIDE_OK : hand_over(render);
}

int rowtide__render_finish(rowtide__render *render)
{
    if (render->writer.rc != ROWTIDE_OK)
        return render->writer.rc;
    int rc = render->buffer.size ? hand_over(render) : ROWTIDE_OK;
    return rc == ROWTIDE_OK ? rowtide__sink_flush(render->sink) : rc;
}

int rowtide__render_each(rowtide__render *render, rowtide_changeset_iter *iter,
                         rowtide__render_step step, void *state)
{
    const rowtide_change *change;
    int rc;
    while ((rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK) {
        rc = rowtide__names_load(&render->names, change);
        if (rc == ROWTIDE_OK)
            rc = step(render, change, state);
        if (rc == ROWTIDE_OK)
            rc = rowtide__render_pass_on(render);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

void rowtide__write_count(rowtide__writer *writer, int64_t count)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRId64, count);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-')
            rowtide__write_byte(writer, ',');
        rowtide__write_byte(writer, digits[i]);
    }
}

void rowtide__write_plural(rowtide__writer *writer, int64_t count,
                           const char *noun)
{
    rowtide__write_count(writer, count);
    rowtide__write_byte(writer, ' ');
    rowtide__write_text(writer, noun);
    if (count != 1)
        rowtide__write_byte(writer, 's');
}

int rowtide__find_table(const rowtide_changeset *changeset, const char *table)
{
    int count = rowtide_changeset_table_count(changeset);
    for (int i = 0; i < count; i++)
        if (strcmp(rowtide_changeset_table_name(changeset, i), table) == 0)
            return i;
    return -1;
}

void rowtide__add_counts(rowtide_change_counts *sum,
                         const rowtide_change_counts *more)
{
    sum->inserts += more->inserts;
    sum->updates += more->updates;
    sum->deletes += more->deletes;
    sum->indirect += more->indirect;
}

size_t rowtide__text_cut(const void *data, size_t size, size_t limit)
{
    const unsigned char *bytes = data;
    if (size <= limit)
        return size;
    while (limit > 0 && (bytes[limit] & 0xC0) == 0x80)
        limit--;
    return limit;
}

int rowtide__visible_escape(const void *data, size_t size, int *length,
                            char out[16])
{
    uint32_t character;
    *length = rowtide__utf8_decode(data, size, &character);
    if (*length == 0) {
        *length = 1;
        return snprintf(out, 16, "\\x%02x", *(const unsigned char *)data);
    }
    if (character == '\n')
        return snprintf(out, 16, "\\n");
    if (character == '\r')
        return snprintf(out, 16, "\\r");
    if (character == '\t')
        return snprintf(out, 16, "\\t");
    if (!rowtide__utf8_unsafe(character))
        return 0;
    if (character < 0x80)
        return snprintf(out, 16, "\\x%02x", (unsigned)character);
    return snprintf(out, 16, "\\u{%x}", (unsigned)character);
}
