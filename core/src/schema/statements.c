#include "schema/lex.h"

#include <string.h>

static void count_lines(rowtide__lexer *lexer, size_t at)
{
    for (; lexer->line_at < at; lexer->line_at++)
        lexer->line += lexer->text[lexer->line_at] == '\n';
}

static int is(const rowtide__lexer *lexer, const rowtide__token *token,
              const char *word)
{
    return rowtide__token_is(lexer, token, word);
}

/* Does CREATE [TEMP] TRIGGER begin here, maybe behind EXPLAIN [QUERY PLAN]? */
static int begins_trigger(rowtide__lexer lexer, rowtide__token token)
{
    if (is(&lexer, &token, "explain")) {
        token = rowtide__lexer_next(&lexer);
        if (is(&lexer, &token, "query")) {
            rowtide__lexer_next(&lexer);
            token = rowtide__lexer_next(&lexer);
        }
    }
    if (!is(&lexer, &token, "create"))
        return 0;
    token = rowtide__lexer_next(&lexer);
    if (is(&lexer, &token, "temp") || is(&lexer, &token, "temporary"))
        token = rowtide__lexer_next(&lexer);
    return is(&lexer, &token, "trigger");
}

/* Where a body has begun only ";" END ";" is the end: a CASE in it has an END
 * of its own, but never behind a ";". */
static rowtide__token find_end(rowtide__lexer *lexer, rowtide__token token,
                               size_t *end)
{
    int trigger = begins_trigger(*lexer, token), body = 0, closing = 0;
    for (;; token = rowtide__lexer_next(lexer)) {
        int semicolon = is(lexer, &token, ";");
        if (token.kind == ROWTIDE__TOKEN_END || (semicolon && !body))
            return token;
        if (semicolon && closing == 2)
            return token;
        if (semicolon)
            closing = 1;
        else if (closing == 1 && is(lexer, &token, "end"))
            closing = 2;
        else
            closing = 0;
        if (trigger && is(lexer, &token, "begin"))
            body = 1;
        *end = token.at + token.size;
    }
}

int rowtide__statement_next(rowtide__lexer *lexer, rowtide__statement *out)
{
    rowtide__token token;
    do {
        token = rowtide__lexer_next(lexer);
    } while (is(lexer, &token, ";"));
    if (token.kind == ROWTIDE__TOKEN_END)
        return 0;
    size_t end = token.at;
    count_lines(lexer, token.at);
    out->at = token.at;
    out->line = lexer->line + 1;
    token = find_end(lexer, token, &end);
    out->size = end - out->at;
    out->complete = token.kind != ROWTIDE__TOKEN_END;
    return 1;
}
