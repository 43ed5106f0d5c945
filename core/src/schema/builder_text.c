#include "schema/builder.h"
#include "schema/ddl_parser.h"

#include <string.h>

typedef rowtide_schema_builder builder;

int rowtide__builder_keep(builder *b, rowtide__writer *writer, const char **out)
{
    int rc = writer->rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__name_copy(&b->arena, writer->buffer->data,
                                writer->buffer->size, out);
    rowtide_buffer_dispose(writer->buffer);
    return rc;
}

/* ## Expressions */

int rowtide__builder_expression(builder *b, const char *sql, const char **out)
{
    rowtide__ddl_parser parser;
    rowtide__span span;
    rowtide__parser_open(&parser, sql, strlen(sql), &b->arena);
    int rc = rowtide__parser_expression(&parser, &span);
    if (rc == ROWTIDE_OK && parser.token.kind != ROWTIDE__TOKEN_END)
        rc = rowtide__parser_fail(&parser, "the end of the expression");
    return rc == ROWTIDE_OK
               ? rowtide__name_copy(&b->arena, sql + span.at, span.size, out)
               : rc;
}

/* A number with a sign or not, a string, a blob, NULL and the like. */
static int is_literal(const char *sql)
{
    static const char *const words[] = {"null",         "true",
                                        "false",        "current_date",
                                        "current_time", "current_timestamp"};
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    rowtide__token token = rowtide__lexer_next(&lexer);
    int sign = rowtide__token_is(&lexer, &token, "-")
               || rowtide__token_is(&lexer, &token, "+");
    if (sign)
        token = rowtide__lexer_next(&lexer);
    if (rowtide__lexer_peek(&lexer).kind != ROWTIDE__TOKEN_END)
        return 0;
    if (token.kind == ROWTIDE__TOKEN_NUMBER)
        return 1;
    if (sign)
        return 0;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (rowtide__token_is(&lexer, &token, words[i]))
            return 1;
    return token.kind == ROWTIDE__TOKEN_STRING
           || token.kind == ROWTIDE__TOKEN_BLOB;
}

/* Are the first and the last token parentheses that belong together? */
static int is_wrapped(builder *b, const char *sql)
{
    rowtide__ddl_parser parser;
    rowtide__span inside;
    if (*sql != '(')
        return 0;
    rowtide__parser_open(&parser, sql, strlen(sql), &b->arena);
    return rowtide__parser_parentheses(&parser, &inside) == ROWTIDE_OK
           && parser.token.kind == ROWTIDE__TOKEN_END;
}

int rowtide__builder_default(builder *b, const char *sql, const char **out)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&text, ROWTIDE_OK};
    int rc = rowtide__builder_expression(b, sql, out);
    if (rc != ROWTIDE_OK || is_literal(*out) || is_wrapped(b, *out))
        return rc;
    rowtide__write_byte(&writer, '(');
    rowtide__write_text(&writer, *out);
    rowtide__write_byte(&writer, ')');
    return rowtide__builder_keep(b, &writer, out);
}

int rowtide__builder_action(const char *action, const char **out)
{
    static const char *const actions[] = {"CASCADE", "RESTRICT", "SET NULL",
                                          "SET DEFAULT", "NO ACTION"};
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (!rowtide__name_equal(action, actions[i]))
            continue;
        *out = actions[i];
        return ROWTIDE_OK;
    }
    return rowtide__fail(ROWTIDE_EINVAL,
                         "\"%s\" is none of CASCADE, RESTRICT, SET NULL, SET "
                         "DEFAULT and NO ACTION",
                         action);
}

int rowtide__builder_statements(const char *sql)
{
    rowtide__lexer lexer;
    rowtide__token token;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    do {
        token = rowtide__lexer_next(&lexer);
        if (token.unfinished)
            return rowtide__fail_at(ROWTIDE_EINVAL, (int64_t)token.at,
                                    "SQL that was added: a quote is not "
                                    "closed: %.40s",
                                    sql + token.at);
    } while (token.kind != ROWTIDE__TOKEN_END);
    if (lexer.open_comment)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "SQL that was added: a comment is not closed");
    return ROWTIDE_OK;
}

/* ## Columns */

void rowtide__builder_write_name(rowtide__writer *writer, const char *name)
{
    if (writer->rc == ROWTIDE_OK)
        writer->rc = rowtide__name_write(name, writer->buffer);
}

static void write_clause(rowtide__writer *writer, const char *before,
                         const char *sql, const char *behind)
{
    if (!sql)
        return;
    rowtide__write_text(writer, before);
    rowtide__write_text(writer, sql);
    rowtide__write_text(writer, behind);
}

void rowtide__builder_write_column(rowtide__writer *writer,
                                   const rowtide__built_column *column, int key)
{
    const rowtide_schema_column_options *o = &column->options;
    rowtide__builder_write_name(writer, column->name);
    if (*column->type)
        write_clause(writer, " ", column->type, "");
    if (key && o->primary_key)
        write_clause(writer, " PRIMARY KEY",
                     o->autoincrement ? " AUTOINCREMENT" : "", "");
    if (o->not_null)
        rowtide__write_text(writer, " NOT NULL");
    write_clause(writer, " DEFAULT ", o->default_sql, "");
    write_clause(writer, " CHECK (", o->check, ")");
    if (o->collation) {
        rowtide__write_text(writer, " COLLATE ");
        rowtide__builder_write_name(writer, o->collation);
    }
    write_clause(writer, " GENERATED ALWAYS AS (", o->generated_as,
                 o->stored ? ") STORED" : ") VIRTUAL");
}
