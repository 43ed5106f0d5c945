#include "schema/lex.h"

#include <string.h>

static int is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r';
}

static int is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static int is_hex(int c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static int is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'
           || c >= 0x80;
}

static int is_name(int c)
{
    return is_name_start(c) || is_digit(c) || c == '$';
}

/* The byte `offset` behind the position, 0 behind the end. */
static int look(const rowtide__lexer *lexer, size_t at)
{
    return at < lexer->size ? (unsigned char)lexer->text[at] : 0;
}

static size_t skip_line_comment(const rowtide__lexer *lexer, size_t at)
{
    const char *end = memchr(lexer->text + at, '\n', lexer->size - at);
    return end ? (size_t)(end - lexer->text) : lexer->size;
}

static size_t skip_block_comment(rowtide__lexer *lexer, size_t at)
{
    for (at += 2; at + 1 < lexer->size; at++)
        if (lexer->text[at] == '*' && lexer->text[at + 1] == '/')
            return at + 2;
    lexer->open_comment = 1;
    return lexer->size;
}

static int is_byte_order_mark(const rowtide__lexer *lexer, size_t at)
{
    return look(lexer, at) == 0xEF && look(lexer, at + 1) == 0xBB
           && look(lexer, at + 2) == 0xBF;
}

static void skip_space(rowtide__lexer *lexer)
{
    size_t at = lexer->at;
    for (;;) {
        int c = look(lexer, at), next = look(lexer, at + 1);
        if (is_space(c))
            at++;
        else if (c == '-' && next == '-')
            at = skip_line_comment(lexer, at);
        /* SQLite takes a final slash and star for two operators. */
        else if (c == '/' && next == '*' && at + 2 < lexer->size)
            at = skip_block_comment(lexer, at);
        else if (is_byte_order_mark(lexer, at))
            at += 3;
        else
            break;
    }
    lexer->at = at;
}

static size_t skip_names(const rowtide__lexer *lexer, size_t at)
{
    while (is_name(look(lexer, at)))
        at++;
    return at;
}

static size_t skip_digits(const rowtide__lexer *lexer, size_t at)
{
    while (is_digit(look(lexer, at)) || look(lexer, at) == '_')
        at++;
    return at;
}

/* To behind the closing quote; a doubled one is part of the text. */
static size_t skip_quoted(const rowtide__lexer *lexer, size_t at,
                          int *unfinished)
{
    char close = lexer->text[at];
    int bracket = close == '[';
    if (bracket)
        close = ']';
    for (at++; at < lexer->size; at++) {
        if (lexer->text[at] != close)
            continue;
        if (bracket || look(lexer, at + 1) != close)
            return at + 1;
        at++;
    }
    *unfinished = 1;
    return lexer->size;
}

static size_t skip_number(const rowtide__lexer *lexer, size_t at,
                          rowtide__token_kind *kind)
{
    int c = look(lexer, at), next = look(lexer, at + 1);
    if (c == '0' && (next == 'x' || next == 'X')
        && is_hex(look(lexer, at + 2))) {
        for (at += 2; is_hex(look(lexer, at)) || look(lexer, at) == '_';)
            at++;
    } else {
        at = skip_digits(lexer, at);
        if (look(lexer, at) == '.')
            at = skip_digits(lexer, at + 1);
        c = look(lexer, at);
        size_t digits = at + 1;
        if (look(lexer, digits) == '+' || look(lexer, digits) == '-')
            digits++;
        if ((c == 'e' || c == 'E') && is_digit(look(lexer, digits)))
            at = skip_digits(lexer, digits);
    }
    *kind = is_name(look(lexer, at)) ? ROWTIDE__TOKEN_BAD
                                     : ROWTIDE__TOKEN_NUMBER;
    return skip_names(lexer, at);
}

static size_t skip_blob(const rowtide__lexer *lexer, size_t at,
                        rowtide__token *token)
{
    size_t digits = at += 2;
    while (is_hex(look(lexer, at)))
        at++;
    token->kind = ROWTIDE__TOKEN_BLOB;
    if (look(lexer, at) == '\'' && (at - digits) % 2 == 0)
        return at + 1;
    token->kind = ROWTIDE__TOKEN_BAD;
    while (at < lexer->size && lexer->text[at] != '\'')
        at++;
    token->unfinished = at == lexer->size;
    return at < lexer->size ? at + 1 : at;
}

static size_t skip_variable(const rowtide__lexer *lexer, size_t at,
                            rowtide__token_kind *kind)
{
    size_t start = at + 1;
    int c = look(lexer, at);
    at = start;
    if (c == '?') {
        while (is_digit(look(lexer, at)))
            at++;
        *kind = ROWTIDE__TOKEN_VARIABLE;
        return at;
    }
    while (is_name(look(lexer, at))
           || (look(lexer, at) == ':' && look(lexer, at + 1) == ':'))
        at += look(lexer, at) == ':' ? 2 : 1;
    *kind = at > start ? ROWTIDE__TOKEN_VARIABLE : ROWTIDE__TOKEN_BAD;
    return at;
}

static size_t skip_symbol(const rowtide__lexer *lexer, size_t at,
                          rowtide__token_kind *kind)
{
    static const char *const symbols[] = {"->>", "->", "==", "<=", "<>",
                                          "<<",  ">=", ">>", "!=", "||"};
    for (size_t i = 0; i < sizeof symbols / sizeof *symbols; i++) {
        size_t size = strlen(symbols[i]);
        if (lexer->size - at >= size
            && memcmp(lexer->text + at, symbols[i], size) == 0)
            return at + size;
    }
    if (!look(lexer, at) || !strchr("-+*/%=<>|,&~().;", lexer->text[at]))
        *kind = ROWTIDE__TOKEN_BAD;
    return at + 1;
}

static void read_token(const rowtide__lexer *lexer, rowtide__token *token)
{
    size_t at = token->at, end;
    int c = look(lexer, at), next = look(lexer, at + 1);
    token->kind = ROWTIDE__TOKEN_SYMBOL;
    if (c == '\'' || c == '"' || c == '`' || c == '[') {
        token->kind = c == '\'' ? ROWTIDE__TOKEN_STRING : ROWTIDE__TOKEN_QUOTED;
        end = skip_quoted(lexer, at, &token->unfinished);
    } else if ((c == 'x' || c == 'X') && next == '\'') {
        end = skip_blob(lexer, at, token);
    } else if (is_name_start(c)) {
        token->kind = ROWTIDE__TOKEN_WORD;
        end = skip_names(lexer, at);
    } else if (is_digit(c) || (c == '.' && is_digit(next))) {
        end = skip_number(lexer, at, &token->kind);
    } else if (c && strchr("?$@:#", c)) {
        end = skip_variable(lexer, at, &token->kind);
    } else {
        end = skip_symbol(lexer, at, &token->kind);
    }
    token->size = end - at;
}

void rowtide__lexer_open(rowtide__lexer *lexer, const char *text, size_t size)
{
    *lexer = (rowtide__lexer){text, size, 0, 0, 0, 0, 0};
}

rowtide__token rowtide__lexer_next(rowtide__lexer *lexer)
{
    rowtide__token token = {ROWTIDE__TOKEN_END, 0, 0, 0};
    lexer->space = lexer->at;
    skip_space(lexer);
    token.at = lexer->at;
    if (lexer->at < lexer->size)
        read_token(lexer, &token);
    lexer->at += token.size;
    return token;
}

rowtide__token rowtide__lexer_peek(const rowtide__lexer *lexer)
{
    rowtide__lexer copy = *lexer;
    return rowtide__lexer_next(&copy);
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int rowtide__token_is(const rowtide__lexer *lexer, const rowtide__token *token,
                      const char *word)
{
    if (token->kind != ROWTIDE__TOKEN_WORD
        && token->kind != ROWTIDE__TOKEN_SYMBOL)
        return 0;
    const char *text = lexer->text + token->at;
    for (size_t i = 0; i < token->size; i++)
        if (!word[i] || lower(text[i]) != lower(word[i]))
            return 0;
    return word[token->size] == '\0';
}
