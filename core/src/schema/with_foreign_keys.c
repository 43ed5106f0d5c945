#include "schema/read.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

static void write_names(rowtide__writer *writer, const char *const *names)
{
    rowtide__write_text(writer, "(");
    for (size_t i = 0; names[i]; i++) {
        if (i > 0)
            rowtide__write_text(writer, ", ");
        if (writer->rc == ROWTIDE_OK)
            writer->rc = rowtide__name_write(names[i], writer->buffer);
    }
    rowtide__write_text(writer, ")");
}

static void write_clause(rowtide__writer *writer, const char *words,
                         const char *what)
{
    if (!what)
        return;
    rowtide__write_text(writer, words);
    rowtide__write_text(writer, what);
}

static int write_key(const rowtide_schema_foreign_key *key, rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    rowtide__write_text(&writer, "FOREIGN KEY ");
    write_names(&writer, key->columns);
    rowtide__write_text(&writer, " REFERENCES ");
    if (writer.rc == ROWTIDE_OK)
        writer.rc = rowtide__name_write(key->table, out);
    if (key->table_columns && key->table_columns[0]) {
        rowtide__write_text(&writer, " ");
        write_names(&writer, key->table_columns);
    }
    write_clause(&writer, " ON DELETE ", key->on_delete);
    write_clause(&writer, " ON UPDATE ", key->on_update);
    return writer.rc;
}

static int add_key(rowtide__arena *arena, const rowtide_schema_foreign_key *key,
                   const char **sql)
{
    rowtide_buffer clause = ROWTIDE_BUFFER_INIT, text = ROWTIDE_BUFFER_INIT;
    rowtide__ddl *ddl = NULL;
    int rc = write_key(key, &clause);
    if (rc == ROWTIDE_OK)
        rc = rowtide__ddl_parse(*sql, strlen(*sql), arena, &ddl);
    if (rc == ROWTIDE_OK)
        rc = rowtide__edit_set_table_constraint(ddl, NULL, clause.data, &text);
    if (rc == ROWTIDE_OK)
        rc = rowtide__name_copy(arena, text.data, text.size, sql);
    rowtide_buffer_dispose(&clause);
    rowtide_buffer_dispose(&text);
    return rc;
}

static int copy_table(rowtide__arena *arena, const rowtide_schema_table *table,
                      rowtide__list *tables)
{
    rowtide_schema_table *copy = rowtide__arena_alloc(arena, sizeof *copy);
    if (!copy)
        return ROWTIDE_ENOMEM;
    *copy = *table;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; table->foreign_keys[i] && rc == ROWTIDE_OK; i++)
        if (table->foreign_keys[i]->relation)
            rc = add_key(arena, table->foreign_keys[i], &copy->sql);
    return rc == ROWTIDE_OK ? rowtide__list_add(tables, copy) : rc;
}

int rowtide__schema_with_foreign_keys(const rowtide_schema *schema,
                                      rowtide_schema **out)
{
    rowtide_schema changed = {0};
    rowtide__list tables = {&changed.arena, NULL, 0, 0};
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    int rc = ROWTIDE_OK;
    *out = NULL;
    for (size_t i = 0; schema->contents.tables[i] && rc == ROWTIDE_OK; i++)
        rc = copy_table(&changed.arena, schema->contents.tables[i], &tables);
    changed.contents.tables = (const void *)rowtide__list_finish(&tables);
    changed.contents.views = schema->contents.views;
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_print(&changed, &sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_parse(sql.data ? sql.data : "", out);
    rowtide_buffer_dispose(&sql);
    rowtide__arena_dispose(&changed.arena);
    return rc;
}
