#include "schema/ddl_parser.h"

#include <string.h>

void rowtide__parser_advance(rowtide__ddl_parser *parser)
{
    parser->end = parser->token.at + parser->token.size;
    parser->token = rowtide__lexer_next(&parser->lexer);
}

void rowtide__parser_open(rowtide__ddl_parser *parser, const char *text,
                          size_t size, rowtide__arena *arena)
{
    memset(parser, 0, sizeof *parser);
    rowtide__lexer_open(&parser->lexer, text, size);
    parser->arena = arena;
    parser->token = rowtide__lexer_next(&parser->lexer);
}

int rowtide__parser_at(const rowtide__ddl_parser *parser, const char *word)
{
    return rowtide__token_is(&parser->lexer, &parser->token, word);
}

int rowtide__parser_after(const rowtide__ddl_parser *parser, const char *word)
{
    rowtide__token next = rowtide__lexer_peek(&parser->lexer);
    return rowtide__token_is(&parser->lexer, &next, word);
}

int rowtide__parser_accept(rowtide__ddl_parser *parser, const char *word)
{
    if (!rowtide__parser_at(parser, word))
        return 0;
    rowtide__parser_advance(parser);
    return 1;
}

int rowtide__parser_fail(const rowtide__ddl_parser *parser, const char *wanted)
{
    const rowtide__token *token = &parser->token;
    int64_t offset = (int64_t)token->at;
    if (token->kind == ROWTIDE__TOKEN_END)
        return rowtide__fail_at(ROWTIDE_EINVAL, offset,
                                "expected %s, found the end of the statement",
                                wanted);
    int size = token->size < 40 ? (int)token->size : 40;
    return rowtide__fail_at(ROWTIDE_EINVAL, offset, "expected %s, found %.*s%s",
                            wanted, size, parser->lexer.text + token->at,
                            token->size > 40 ? "..." : "");
}

int rowtide__parser_expect(rowtide__ddl_parser *parser, const char *word)
{
    return rowtide__parser_accept(parser, word)
               ? ROWTIDE_OK
               : rowtide__parser_fail(parser, word);
}

int rowtide__parser_is_name(const rowtide__ddl_parser *parser)
{
    const rowtide__token *token = &parser->token;
    switch (token->kind) {
    case ROWTIDE__TOKEN_WORD:
        return !rowtide__word_reserved(&parser->lexer, token);
    case ROWTIDE__TOKEN_QUOTED:
    case ROWTIDE__TOKEN_STRING:
        return !token->unfinished;
    default:
        return 0;
    }
}

int rowtide__parser_name(rowtide__ddl_parser *parser, const char *what,
                         const char **out, rowtide__span *span)
{
    if (!rowtide__parser_is_name(parser))
        return rowtide__parser_fail(parser, what);
    if (span)
        *span = (rowtide__span){parser->token.at, parser->token.size};
    int rc = rowtide__name_read(&parser->lexer, &parser->token, parser->arena,
                                out);
    rowtide__parser_advance(parser);
    return rc;
}

rowtide__span rowtide__parser_since(const rowtide__ddl_parser *parser,
                                    size_t at)
{
    return (rowtide__span){at, parser->end > at ? parser->end - at : 0};
}

int rowtide__parser_expression(rowtide__ddl_parser *parser, rowtide__span *out)
{
    size_t start = parser->token.at, depth = 0;
    for (;; rowtide__parser_advance(parser)) {
        const rowtide__token *token = &parser->token;
        if (token->kind == ROWTIDE__TOKEN_BAD || token->unfinished)
            return rowtide__parser_fail(parser, "an expression");
        if (token->kind == ROWTIDE__TOKEN_END || rowtide__parser_at(parser, ";")
            || (depth == 0
                && (rowtide__parser_at(parser, ",")
                    || rowtide__parser_at(parser, ")"))))
            break;
        if (rowtide__parser_at(parser, "("))
            depth++;
        else if (rowtide__parser_at(parser, ")"))
            depth--;
    }
    if (depth > 0)
        return rowtide__parser_fail(parser, ")");
    *out = rowtide__parser_since(parser, start);
    return out->size > 0 ? ROWTIDE_OK
                         : rowtide__parser_fail(parser, "an expression");
}

int rowtide__parser_parentheses(rowtide__ddl_parser *parser,
                                rowtide__span *inside)
{
    int rc = rowtide__parser_expect(parser, "(");
    size_t start = parser->token.at;
    while (rc == ROWTIDE_OK && !rowtide__parser_at(parser, ")")) {
        rowtide__span part;
        rc = rowtide__parser_expression(parser, &part);
        if (rc == ROWTIDE_OK && rowtide__parser_accept(parser, ",")
            && rowtide__parser_at(parser, ")"))
            rc = rowtide__parser_fail(parser, "an expression");
        if (rc == ROWTIDE_OK && parser->token.kind == ROWTIDE__TOKEN_END)
            rc = rowtide__parser_fail(parser, ")");
        if (rc == ROWTIDE_OK && rowtide__parser_at(parser, ";"))
            rc = rowtide__parser_fail(parser, ")");
    }
    if (rc != ROWTIDE_OK)
        return rc;
    *inside = rowtide__parser_since(parser, start);
    rowtide__parser_advance(parser);
    return ROWTIDE_OK;
}

static int skip_order(rowtide__ddl_parser *parser)
{
    int rc = ROWTIDE_OK;
    const char *collation;
    if (rowtide__parser_accept(parser, "collate"))
        rc = rowtide__parser_name(parser, "a collation", &collation, NULL);
    if (rc == ROWTIDE_OK && !rowtide__parser_accept(parser, "asc"))
        rowtide__parser_accept(parser, "desc");
    return rc;
}

/* How many names there are at most. */
static size_t count_commas(rowtide__ddl_parser parser)
{
    size_t count = 1;
    while (parser.token.kind != ROWTIDE__TOKEN_END
           && !rowtide__parser_at(&parser, ")")) {
        count += (size_t)rowtide__parser_at(&parser, ",");
        rowtide__parser_advance(&parser);
    }
    return count;
}

int rowtide__parser_names(rowtide__ddl_parser *parser, const char *what,
                          const char *const **out)
{
    int rc = rowtide__parser_expect(parser, "(");
    if (rc != ROWTIDE_OK)
        return rc;
    size_t count = count_commas(*parser), used = 0;
    const char **names = rowtide__parser_alloc(parser,
                                               (count + 1) * sizeof *names);
    if (!names)
        return ROWTIDE_ENOMEM;
    do {
        rc = rowtide__parser_name(parser, what, &names[used++], NULL);
        if (rc == ROWTIDE_OK)
            rc = skip_order(parser);
    } while (rc == ROWTIDE_OK && rowtide__parser_accept(parser, ","));
    *out = names;
    return rc == ROWTIDE_OK ? rowtide__parser_expect(parser, ")") : rc;
}

void *rowtide__parser_alloc(rowtide__ddl_parser *parser, size_t size)
{
    void *memory = rowtide__arena_alloc(parser->arena, size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}
