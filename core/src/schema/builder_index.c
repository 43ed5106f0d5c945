#include "schema/builder.h"
#include "base/crc64.h"

#include <string.h>

typedef rowtide_schema_builder builder;
typedef rowtide__built_table table;
typedef rowtide__built_index built_index;

/* ## What it is on */

/* One column of an index in SQL; a mere name must be that of a column. */
static int check_part(builder *b, const table *t, const char *sql)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&text, ROWTIDE_OK};
    rowtide__ddl *ddl = NULL;
    rowtide__write_text(&writer, "CREATE INDEX i ON t(");
    rowtide__write_text(&writer, sql);
    rowtide__write_text(&writer, ")");
    const char *statement;
    int rc = rowtide__builder_keep(b, &writer, &statement);
    if (rc == ROWTIDE_OK)
        rc = rowtide__ddl_parse(statement, strlen(statement), &b->arena, &ddl);
    if (rc == ROWTIDE_EINVAL)
        rc = rowtide__fail(rc, "%s", rowtide_error_message());
    if (rc == ROWTIDE_OK && ddl->parts->name
        && !rowtide__builder_find_column(t, ddl->parts->name))
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "there is no column \"%s\"",
                           ddl->parts->name);
    return rc;
}

static int write_part(builder *b, rowtide__writer *writer, const table *t,
                      const char *part)
{
    if (rowtide__builder_find_column(t, part)) {
        rowtide__builder_write_name(writer, part);
        return writer->rc;
    }
    const char *sql;
    int rc = rowtide__builder_expression(b, part, &sql);
    if (rc == ROWTIDE_OK)
        rc = check_part(b, t, sql);
    if (rc == ROWTIDE_OK)
        rowtide__write_text(writer, sql);
    return rc;
}

static void write_where(rowtide__writer *writer, const built_index *index)
{
    const char *alive = index->unique ? index->table->options.soft_delete
                                      : NULL;
    if (!index->where && !alive)
        return;
    rowtide__write_text(writer, " WHERE ");
    if (index->where && alive)
        rowtide__write_text(writer, "(");
    if (index->where)
        rowtide__write_text(writer, index->where);
    if (index->where && alive)
        rowtide__write_text(writer, ") AND ");
    if (alive) {
        rowtide__builder_write_name(writer, alive);
        rowtide__write_text(writer, " IS NULL");
    }
}

static int write_target(builder *b, rowtide__writer *writer,
                        const built_index *index)
{
    int rc = ROWTIDE_OK;
    rowtide__builder_write_name(writer, index->table->name);
    rowtide__write_text(writer, " (");
    for (size_t i = 0; index->columns[i] && rc == ROWTIDE_OK; i++) {
        rowtide__write_text(writer, i ? ", " : "");
        rc = write_part(b, writer, index->table, index->columns[i]);
    }
    rowtide__write_text(writer, ")");
    write_where(writer, index);
    return rc == ROWTIDE_OK ? writer->rc : rc;
}

static int resolve(builder *b, built_index *index)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&text, ROWTIDE_OK};
    int rc = write_target(b, &writer, index);
    if (rc == ROWTIDE_OK)
        return rowtide__builder_keep(b, &writer, &index->sql);
    rowtide_buffer_dispose(&text);
    return rowtide__fail_context("table \"%s\", index on \"%s\"",
                                 index->table->name, index->columns[0]);
}

/* ## How it is called */

static int is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || (c & 0x80);
}

/* What is no letter in SQL becomes one underscore. */
static void write_label(rowtide__writer *writer, const table *t,
                        const char *part)
{
    int gap = 0, any = 0;
    if (rowtide__builder_find_column(t, part)) {
        rowtide__write_text(writer, part);
        return;
    }
    for (; *part; part++) {
        if (!is_letter(*part)) {
            gap = any;
            continue;
        }
        if (gap)
            rowtide__write_byte(writer, '_');
        rowtide__write_byte(writer, *part);
        gap = 0;
        any = 1;
    }
}

static int make_name(builder *b, built_index *index)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&text, ROWTIDE_OK};
    rowtide__write_text(&writer, index->unique ? "ux_" : "ix_");
    rowtide__write_text(&writer, index->table->name);
    for (size_t i = 0; index->columns[i]; i++) {
        rowtide__write_byte(&writer, '_');
        write_label(&writer, index->table, index->columns[i]);
    }
    return rowtide__builder_keep(b, &writer, &index->name);
}

/* A number that depends on nothing but the index itself. */
static int make_name_unique(builder *b, built_index *index)
{
    uint64_t sum = rowtide__crc64(0, index->sql, strlen(index->sql));
    index->name = rowtide__arena_format(&b->arena, "%s_%08x", index->name,
                                        (unsigned)(sum & 0xFFFFFFFFu));
    return index->name ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

typedef int (*step)(builder *b, built_index *index);

static int each(builder *b, step step)
{
    for (table *t = b->tables; t; t = t->next)
        for (built_index *i = t->indexes; i; i = i->next) {
            int rc = step(b, i);
            if (rc != ROWTIDE_OK)
                return rc;
        }
    return ROWTIDE_OK;
}

static int name_index(builder *b, built_index *index)
{
    index->given = index->name != NULL;
    return index->given ? ROWTIDE_OK : make_name(b, index);
}

/* Names are database-wide: table a_b, column c, and table a, column b_c, ask
 * for the same one. Then both get another, whichever came first: so none
 * changes when declarations are moved. */
static int mark_taken(builder *b, rowtide__map *map)
{
    for (table *t = b->tables; t; t = t->next)
        for (built_index *i = t->indexes; i; i = i->next) {
            built_index *other = (built_index *)rowtide__map_get(map, i->name);
            if (other && i->given && other->given)
                return rowtide__fail(ROWTIDE_EEXISTS,
                                     "table \"%s\": index \"%s\" is declared "
                                     "twice",
                                     t->name, i->name);
            if (other)
                i->taken = other->taken = 1;
            if (rowtide__builder_find_table(b, i->name))
                i->taken = 1;
            int rc = other && other->given ? ROWTIDE_OK
                                           : rowtide__map_set(map, i->name, i);
            if (rc != ROWTIDE_OK)
                return rc;
        }
    return ROWTIDE_OK;
}

/* The same index declared in two ways is one. */
static void drop_repeated(table *t)
{
    for (built_index *i = t->indexes; i; i = i->next)
        for (built_index **place = &i->next; *place;) {
            built_index *other = *place;
            if (!i->given && !other->given && i->unique == other->unique
                && strcmp(i->sql, other->sql) == 0)
                *place = other->next;
            else
                place = &other->next;
        }
}

static int settle(builder *b, built_index *index)
{
    return index->taken && !index->given ? make_name_unique(b, index)
                                         : ROWTIDE_OK;
}

int rowtide__builder_index(builder *b)
{
    rowtide__map map = {.arena = &b->arena};
    int rc = each(b, resolve);
    if (rc == ROWTIDE_OK)
        rc = each(b, name_index);
    for (table *t = b->tables; t && rc == ROWTIDE_OK; t = t->next)
        drop_repeated(t);
    if (rc == ROWTIDE_OK)
        rc = mark_taken(b, &map);
    return rc == ROWTIDE_OK ? each(b, settle) : rc;
}
