#include "schema/model.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

typedef enum tail {
    NOTHING,
    LINE_COMMENT, /* would hide what is behind it */
    BLOCK_COMMENT
} tail;

/* What a statement ends in, behind its last token. */
static tail find_tail(const char *text, size_t size)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, text, size);
    while (rowtide__lexer_next(&lexer).kind != ROWTIDE__TOKEN_END)
        ;
    if (lexer.open_comment)
        return BLOCK_COMMENT;
    tail found = NOTHING;
    for (size_t at = lexer.space; at < size; at++) {
        if (found == LINE_COMMENT)
            found = text[at] == '\n' ? NOTHING : LINE_COMMENT;
        else if (strncmp(text + at, "/*", 2) == 0)
            at = (size_t)(strstr(text + at + 2, "*/") - text) + 1;
        else if (strncmp(text + at, "--", 2) == 0)
            found = LINE_COMMENT;
    }
    return found;
}

static void print_statement(rowtide__writer *writer, const char *sql)
{
    static const char *const ENDS[] = {";\n", "\n;\n", "*/;\n"};
    rowtide__write_text(writer, sql);
    rowtide__write_text(writer, ENDS[find_tail(sql, strlen(sql))]);
}

static void print_table(rowtide__writer *writer,
                        const rowtide_schema_table *table)
{
    if (table->kind == ROWTIDE_TABLE_SHADOW)
        return;
    print_statement(writer, table->sql);
    for (size_t i = 0; table->indexes[i]; i++)
        print_statement(writer, table->indexes[i]->sql);
}

static void print_triggers(rowtide__writer *writer,
                           const rowtide_schema_trigger *const *triggers)
{
    for (size_t i = 0; triggers[i]; i++)
        print_statement(writer, triggers[i]->sql);
}

/* ## Virtual tables are made where they stand, but for those that use a table
 * which is made later: content = 'table', fts5vocab(table, ...). */

static int is_view_of_another(const rowtide_schema_table *table)
{
    return table->module
           && (rowtide__name_equal(table->module, "fts4aux")
               || rowtide__name_equal(table->module, "fts5vocab"));
}

static int name_among(const rowtide_schema_table *const *tables,
                      const char *name)
{
    for (size_t i = 0; tables[i]; i++)
        if (tables[i]->kind != ROWTIDE_TABLE_SHADOW
            && rowtide__name_equal(tables[i]->name, name))
            return 1;
    return 0;
}

static int uses_later(const rowtide_schema_table *table,
                      const rowtide_schema_table *const *later,
                      rowtide__arena *arena, int *out)
{
    rowtide__lexer lexer;
    int rc = ROWTIDE_OK, may_name = 0;
    rowtide__lexer_open(&lexer, table->sql, strlen(table->sql));
    rowtide__token token = rowtide__lexer_next(&lexer);
    *out = 0;
    for (; token.kind != ROWTIDE__TOKEN_END && !*out && rc == ROWTIDE_OK;
         token = rowtide__lexer_next(&lexer)) {
        const char *name;
        if (may_name
            && (token.kind == ROWTIDE__TOKEN_WORD
                || token.kind == ROWTIDE__TOKEN_QUOTED
                || token.kind == ROWTIDE__TOKEN_STRING)) {
            rc = rowtide__name_read(&lexer, &token, arena, &name);
            if (rc == ROWTIDE_OK)
                *out = name_among(later, name);
        }
        may_name = rowtide__token_is(&lexer, &token, "=")
                   || is_view_of_another(table);
    }
    return rc;
}

static void print_tables(rowtide__writer *writer,
                         const rowtide_schema_table *const *tables,
                         rowtide__arena *arena)
{
    rowtide__list postponed = {arena, NULL, 0, 0};
    for (size_t i = 0; tables[i] && writer->rc == ROWTIDE_OK; i++) {
        int later = 0;
        if (tables[i]->kind == ROWTIDE_TABLE_VIRTUAL)
            writer->rc = uses_later(tables[i], tables + i + 1, arena, &later);
        if (writer->rc == ROWTIDE_OK && later)
            writer->rc = rowtide__list_add(&postponed, tables[i]);
        else
            print_table(writer, tables[i]);
    }
    for (size_t i = 0; i < postponed.count; i++)
        print_table(writer, postponed.items[i]);
}

int rowtide_schema_print(const rowtide_schema *schema, rowtide_buffer *buf_out)
{
    ROWTIDE__CHECK_ARG(schema, "schema_print");
    ROWTIDE__CHECK_ARG(buf_out, "schema_print");
    const rowtide_schema_table *const *tables = schema->contents.tables;
    const rowtide_schema_view *const *views = schema->contents.views;
    size_t before = buf_out->size;
    rowtide__arena arena = {0};
    rowtide__writer writer = {buf_out, ROWTIDE_OK};
    print_tables(&writer, tables, &arena);
    for (size_t i = 0; views[i]; i++)
        print_statement(&writer, views[i]->sql);
    for (size_t i = 0; tables[i]; i++)
        if (tables[i]->kind != ROWTIDE_TABLE_SHADOW)
            print_triggers(&writer, tables[i]->triggers);
    for (size_t i = 0; views[i]; i++)
        print_triggers(&writer, views[i]->triggers);
    rowtide__arena_dispose(&arena);
    if (writer.rc != ROWTIDE_OK)
        rowtide__buffer_cut(buf_out, before);
    return writer.rc;
}
