#include "schema/ddl_parser.h"

/* The tokens of a part, without what is cut off its end. */
typedef struct slice {
    const char *text;
    size_t at, end;
} slice;

static rowtide__lexer lexer_of(const slice *slice)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, slice->text, slice->end);
    lexer.at = slice->at;
    return lexer;
}

static int is(const rowtide__lexer *lexer, rowtide__token token,
              const char *word)
{
    return rowtide__token_is(lexer, &token, word);
}

/* Past the parenthesis that closes the one just read. */
static void skip_parentheses(rowtide__lexer *lexer)
{
    for (size_t depth = 1; depth > 0;) {
        rowtide__token token = rowtide__lexer_next(lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            return;
        depth += (size_t)is(lexer, token, "(");
        depth -= (size_t)is(lexer, token, ")");
    }
}

static void skip_case(rowtide__lexer *lexer)
{
    for (size_t depth = 1; depth > 0;) {
        rowtide__token token = rowtide__lexer_next(lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            return;
        depth += (size_t)is(lexer, token, "case");
        depth -= (size_t)is(lexer, token, "end");
    }
}

/* Where the first term of an expression ends: what COLLATE behind it applies
 * to as a whole. Signs bind closer than COLLATE does, all else less. */
static size_t term_end(const slice *slice)
{
    rowtide__lexer lexer = lexer_of(slice);
    rowtide__token token = rowtide__lexer_next(&lexer);
    while (is(&lexer, token, "-") || is(&lexer, token, "+")
           || is(&lexer, token, "~"))
        token = rowtide__lexer_next(&lexer);
    if (is(&lexer, token, "("))
        skip_parentheses(&lexer);
    else if (is(&lexer, token, "case"))
        skip_case(&lexer);
    else if (is(&lexer, token, "not"))
        return slice->at;
    else if (token.kind == ROWTIDE__TOKEN_WORD
             || token.kind == ROWTIDE__TOKEN_QUOTED) {
        token = rowtide__lexer_peek(&lexer);
        if (is(&lexer, token, "(")) {
            rowtide__lexer_next(&lexer);
            skip_parentheses(&lexer);
        }
    }
    return lexer.at;
}

/* Cut "COLLATE name ..." off, if that is all there is behind the first term;
 * the last of them counts. */
static int cut_collations(rowtide__ddl_parser *parser, slice *slice,
                          const char **collation)
{
    const char *name = NULL;
    size_t end = term_end(slice);
    rowtide__lexer lexer = lexer_of(slice);
    lexer.at = end;
    for (;;) {
        rowtide__token token = rowtide__lexer_next(&lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            break;
        if (!is(&lexer, token, "collate"))
            return ROWTIDE_OK;
        token = rowtide__lexer_next(&lexer);
        if (token.kind < ROWTIDE__TOKEN_WORD
            || token.kind > ROWTIDE__TOKEN_STRING)
            return ROWTIDE_OK;
        int rc = rowtide__name_read(&lexer, &token, parser->arena, &name);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    if (name && !*collation)
        *collation = name;
    slice->end = end;
    return ROWTIDE_OK;
}

/* "(x)" becomes "x". */
static int cut_parentheses(slice *slice)
{
    rowtide__lexer lexer = lexer_of(slice);
    rowtide__token token = rowtide__lexer_next(&lexer);
    size_t start = lexer.at;
    if (!is(&lexer, token, "("))
        return 0;
    skip_parentheses(&lexer);
    if (rowtide__lexer_peek(&lexer).kind != ROWTIDE__TOKEN_END)
        return 0;
    rowtide__lexer_open(&lexer, slice->text, lexer.at - 1);
    lexer.at = start;
    slice->at = slice->end = rowtide__lexer_peek(&lexer).at;
    while (rowtide__lexer_next(&lexer).kind != ROWTIDE__TOKEN_END)
        slice->end = lexer.at;
    return slice->end > slice->at;
}

/* If all that is left is a name, that is the part's. */
static int read_name(rowtide__ddl_parser *parser, const slice *slice,
                     const char **out)
{
    rowtide__lexer lexer = lexer_of(slice);
    rowtide__token token = rowtide__lexer_next(&lexer);
    if (rowtide__lexer_peek(&lexer).kind != ROWTIDE__TOKEN_END
        || token.kind < ROWTIDE__TOKEN_WORD
        || token.kind > ROWTIDE__TOKEN_STRING || token.unfinished
        || rowtide__word_reserved(&lexer, &token))
        return ROWTIDE_OK;
    return rowtide__name_read(&lexer, &token, parser->arena, out);
}

/* Cut the last token off if it is one of these words and not alone. */
static int cut_word(slice *slice, const char *word)
{
    rowtide__lexer lexer = lexer_of(slice);
    rowtide__token token = rowtide__lexer_next(&lexer), last = token;
    size_t end = slice->end, before = 0;
    for (; token.kind != ROWTIDE__TOKEN_END;
         token = rowtide__lexer_next(&lexer)) {
        before = end;
        end = token.at + token.size;
        last = token;
    }
    if (last.at == slice->at || !is(&lexer, last, word))
        return 0;
    slice->end = before;
    return 1;
}

static int read_part(rowtide__ddl_parser *parser, rowtide__span span,
                     rowtide__ddl_part *out)
{
    slice slice = {parser->lexer.text, span.at, span.at + span.size};
    out->span = span;
    out->descending = cut_word(&slice, "desc");
    if (!out->descending)
        cut_word(&slice, "asc");
    int rc = cut_collations(parser, &slice, &out->collation);
    out->expression = (rowtide__span){slice.at, slice.end - slice.at};
    /* To SQLite, "((a) COLLATE x)" is the column a. */
    struct slice inner = slice;
    const char *collation = out->collation;
    while (rc == ROWTIDE_OK && cut_parentheses(&inner))
        rc = cut_collations(parser, &inner, &collation);
    if (rc == ROWTIDE_OK)
        rc = read_name(parser, &inner, &out->name);
    if (rc == ROWTIDE_OK && out->name)
        out->collation = collation;
    return rc;
}

/* AUTOINCREMENT stands behind the last part, inside the parenthesis. */
static int read_parts(rowtide__ddl_parser *parser, int *autoincrement,
                      rowtide__ddl_part *parts, size_t *count)
{
    int rc;
    *count = 0;
    do {
        rowtide__span span;
        rc = rowtide__parser_expression(parser, &span);
        if (rc != ROWTIDE_OK)
            return rc;
        if (autoincrement && rowtide__parser_at(parser, ")")) {
            slice slice = {parser->lexer.text, span.at, span.at + span.size};
            *autoincrement = cut_word(&slice, "autoincrement");
            span.size = slice.end - slice.at;
        }
        if (parts)
            rc = read_part(parser, span, &parts[*count]);
        ++*count;
    } while (rc == ROWTIDE_OK && rowtide__parser_accept(parser, ","));
    return rc == ROWTIDE_OK ? rowtide__parser_expect(parser, ")") : rc;
}

int rowtide__parser_parts(rowtide__ddl_parser *parser, int *autoincrement,
                          const rowtide__ddl_part **out, size_t *count_out)
{
    int rc = rowtide__parser_expect(parser, "(");
    rowtide__ddl_parser counting = *parser;
    if (rc == ROWTIDE_OK)
        rc = read_parts(&counting, autoincrement, NULL, count_out);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__ddl_part *parts = rowtide__parser_alloc(
        parser, *count_out * sizeof *parts);
    *out = parts;
    return parts ? read_parts(parser, autoincrement, parts, count_out)
                 : ROWTIDE_ENOMEM;
}
