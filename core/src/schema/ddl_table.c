#include "schema/ddl_parser.h"

#include <string.h>

typedef rowtide__ddl_parser parser;

static int read_type_size(parser *p)
{
    if (!rowtide__parser_accept(p, "("))
        return ROWTIDE_OK;
    for (int i = 0; i < 2; i++) {
        if (!rowtide__parser_accept(p, "-"))
            rowtide__parser_accept(p, "+");
        if (p->token.kind != ROWTIDE__TOKEN_NUMBER)
            return rowtide__parser_fail(p, "a number");
        rowtide__parser_advance(p);
        if (!rowtide__parser_accept(p, ","))
            break;
    }
    return rowtide__parser_expect(p, ")");
}

static int is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* SQLite's parser takes GENERATED ALWAYS for a part of the type, and cuts it
 * off by its letters. */
static size_t cut_generated(const char *text, size_t size)
{
    static const char *const words[] = {"always", "generated"};
    if (size < 16)
        return size;
    for (int i = 0; i < 2; i++) {
        size_t length = strlen(words[i]);
        rowtide__lexer lexer = {text, size, 0, 0, 0, 0, 0};
        rowtide__token token = {ROWTIDE__TOKEN_WORD, size - length, length, 0};
        if (size < length || !rowtide__token_is(&lexer, &token, words[i]))
            break;
        for (size -= length; size > 0 && is_blank(text[size - 1]);)
            size--;
    }
    return size;
}

static int is_quote(char c)
{
    return c == '\'' || c == '"' || c == '`' || c == '[';
}

static int has_quote(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (is_quote(text[i]))
            return 1;
    return 0;
}

/* The types of STRICT tables are kept as numbers, and shown in upper case. */
static const char *standard_type(const char *text, size_t size)
{
    static const char *const types[] = {"ANY",     "BLOB", "INT",
                                        "INTEGER", "REAL", "TEXT"};
    rowtide__lexer lexer = {text, size, 0, 0, 0, 0, 0};
    rowtide__token token = {ROWTIDE__TOKEN_WORD, 0, size, 0};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (rowtide__token_is(&lexer, &token, types[i]))
            return types[i];
    return NULL;
}

/* Behind GENERATED ALWAYS, if the words of the type are followed by that. */
static size_t generated_end(const parser *p)
{
    parser ahead = *p;
    size_t end = p->end;
    if (p->lexer.text[end - 1] != ')'
        && rowtide__parser_accept(&ahead, "generated")
        && rowtide__parser_accept(&ahead, "always"))
        end = ahead.end;
    return end;
}

/* What PRAGMA table_info shows. */
static int set_type(parser *p, rowtide__ddl_column *column, const char *text,
                    size_t size)
{
    column->type = "";
    if (size == 0)
        return ROWTIDE_OK;
    if (size > 2 && is_quote(text[0]) && !has_quote(text + 1, size - 2)) {
        text++;
        size -= 2;
    }
    column->type = standard_type(text, size);
    if (column->type)
        return ROWTIDE_OK;
    if (!is_quote(text[0]))
        return rowtide__name_copy(p->arena, text, size, &column->type);
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, text, size);
    rowtide__token token = rowtide__lexer_next(&lexer);
    return rowtide__name_read(&lexer, &token, p->arena, &column->type);
}

static int read_type(parser *p, rowtide__ddl_column *column)
{
    size_t start = p->token.at;
    int rc = ROWTIDE_OK;
    if (rowtide__parser_is_name(p)
        && !rowtide__parser_at_column_constraint(p)) {
        while (rowtide__parser_is_name(p)
               && !rowtide__parser_at_column_constraint(p))
            rowtide__parser_advance(p);
        rc = read_type_size(p);
        column->type_span = rowtide__parser_since(p, start);
    }
    const char *text = p->lexer.text + start;
    size_t end = generated_end(p);
    size_t size = end > start ? cut_generated(text, end - start) : 0;
    if (size < column->type_span.size)
        column->type_span.size = size;
    return rc == ROWTIDE_OK ? set_type(p, column, text, size) : rc;
}

static int read_column(parser *p, rowtide__ddl_column *column)
{
    size_t start = p->token.at;
    int rc = rowtide__parser_name(p, "the name of a column", &column->name,
                                  &column->name_span);
    if (rc == ROWTIDE_OK)
        rc = read_type(p, column);
    while (rc == ROWTIDE_OK && !rowtide__parser_at(p, ",")
           && !rowtide__parser_at(p, ")"))
        rc = rowtide__parser_column_constraint(p, column);
    column->span = rowtide__parser_since(p, start);
    return rc;
}

static int read_columns(parser *p, rowtide__ddl *ddl)
{
    rowtide__ddl_column **end = &ddl->columns;
    int rc;
    do {
        rowtide__ddl_column *column = rowtide__parser_alloc(p, sizeof *column);
        if (!column)
            return ROWTIDE_ENOMEM;
        rc = read_column(p, column);
        *end = column;
        end = &column->next;
    } while (rc == ROWTIDE_OK && rowtide__parser_accept(p, ",")
             && !rowtide__parser_at_table_constraint(p));
    return rc;
}

/* Commas between them may be missing. */
static int read_constraints(parser *p, rowtide__ddl *ddl)
{
    int rc = ROWTIDE_OK;
    while (rc == ROWTIDE_OK && !rowtide__parser_at(p, ")")) {
        rc = rowtide__parser_table_constraint(p, ddl);
        if (rc == ROWTIDE_OK && rowtide__parser_accept(p, ",")
            && !rowtide__parser_at_table_constraint(p))
            rc = rowtide__parser_fail(p, "a constraint of the table");
    }
    return rc;
}

static int read_option(parser *p, rowtide__ddl *ddl)
{
    if (rowtide__parser_accept(p, "strict")) {
        ddl->strict = 1;
        return ROWTIDE_OK;
    }
    if (!rowtide__parser_accept(p, "without"))
        return rowtide__parser_fail(p, "STRICT or WITHOUT ROWID");
    ddl->without_rowid = 1;
    return rowtide__parser_expect(p, "ROWID");
}

static int read_options(parser *p, rowtide__ddl *ddl)
{
    size_t start = p->token.at;
    if (p->token.kind == ROWTIDE__TOKEN_END || rowtide__parser_at(p, ";"))
        return ROWTIDE_OK;
    int rc;
    do {
        rc = read_option(p, ddl);
    } while (rc == ROWTIDE_OK && rowtide__parser_accept(p, ","));
    ddl->options = rowtide__parser_since(p, start);
    return rc;
}

/* CREATE TABLE ... AS SELECT has no columns to tell of. */
static int skip_select(parser *p)
{
    rowtide__span select;
    int rc = rowtide__parser_expression(p, &select);
    while (rc == ROWTIDE_OK && rowtide__parser_accept(p, ","))
        rc = rowtide__parser_expression(p, &select);
    return rc;
}

int rowtide__parser_table(parser *p, rowtide__ddl *ddl)
{
    if (rowtide__parser_accept(p, "as"))
        return skip_select(p);
    int rc = rowtide__parser_expect(p, "(");
    size_t start = p->token.at;
    if (rc == ROWTIDE_OK)
        rc = read_columns(p, ddl);
    if (rc == ROWTIDE_OK)
        rc = read_constraints(p, ddl);
    if (rc != ROWTIDE_OK)
        return rc;
    ddl->body = rowtide__parser_since(p, start);
    rowtide__parser_advance(p);
    return read_options(p, ddl);
}
