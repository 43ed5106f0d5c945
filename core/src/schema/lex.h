#ifndef ROWTIDE_SCHEMA_LEX_H
#define ROWTIDE_SCHEMA_LEX_H

#include <stddef.h>

/* SQLite's tokens. A lexer is a position in a text; a copy is a bookmark. It
 * never fails: what is no token is BAD, and a string or comment without an end
 * reaches to the end of the text. */
typedef enum rowtide__token_kind {
    ROWTIDE__TOKEN_END,
    ROWTIDE__TOKEN_WORD,   /* a keyword or a bare name */
    ROWTIDE__TOKEN_QUOTED, /* "a", `a` or [a] */
    ROWTIDE__TOKEN_STRING, /* 'a' */
    ROWTIDE__TOKEN_NUMBER,
    ROWTIDE__TOKEN_BLOB,     /* x'00' */
    ROWTIDE__TOKEN_VARIABLE, /* ?1 :a @a $a */
    ROWTIDE__TOKEN_SYMBOL,   /* an operator, as long as it can be: "||" */
    ROWTIDE__TOKEN_BAD
} rowtide__token_kind;

typedef struct rowtide__token {
    rowtide__token_kind kind;
    size_t at, size; /* in the text */
    int unfinished;  /* no closing quote */
} rowtide__token;

typedef struct rowtide__lexer {
    const char *text;
    size_t size;
    size_t at;
    size_t space; /* where the white space and comments before the last token
                     began */
    int open_comment;     /* a comment without an end was passed over */
    size_t line, line_at; /* of statements.c: lines before that byte */
} rowtide__lexer;

void rowtide__lexer_open(rowtide__lexer *lexer, const char *text, size_t size);
/* White space and comments are passed over. */
rowtide__token rowtide__lexer_next(rowtide__lexer *lexer);
rowtide__token rowtide__lexer_peek(const rowtide__lexer *lexer);

/* Is the token this keyword or symbol, in any case? A quoted one never is. */
int rowtide__token_is(const rowtide__lexer *lexer, const rowtide__token *token,
                      const char *word);

/* ## statements.c: one statement after the other, as SQLite cuts them: a
 * trigger's body belongs to its statement. */
typedef struct rowtide__statement {
    size_t at, size; /* without the ";", without what is before it */
    size_t line;     /* from 1 on */
    int complete;    /* it ends with ";" */
} rowtide__statement;

/* 1 and a statement, 0 at the end of the text. */
int rowtide__statement_next(rowtide__lexer *lexer, rowtide__statement *out);

#endif
