#ifndef ROWTIDE_SCHEMA_DDL_PARSER_H
#define ROWTIDE_SCHEMA_DDL_PARSER_H

#include "schema/ddl.h"
#include "base/error.h"

/* ## name.c */
/* Is it a keyword that SQLite never takes for a name? */
int rowtide__word_reserved(const rowtide__lexer *lexer,
                           const rowtide__token *token);

/* ## ddl_tokens.c: a parser looks at one token, and at what is behind it only
 * with `after` */
typedef struct rowtide__ddl_parser {
    rowtide__lexer lexer; /* behind `token` */
    rowtide__token token;
    size_t end; /* of the token before */
    rowtide__arena *arena;
} rowtide__ddl_parser;

void rowtide__parser_open(rowtide__ddl_parser *parser, const char *text,
                          size_t size, rowtide__arena *arena);
void rowtide__parser_advance(rowtide__ddl_parser *parser);
int rowtide__parser_at(const rowtide__ddl_parser *parser, const char *word);
int rowtide__parser_after(const rowtide__ddl_parser *parser, const char *word);
/* 1 and past it, if it is there. */
int rowtide__parser_accept(rowtide__ddl_parser *parser, const char *word);
/* ROWTIDE_EINVAL: "expected ..., found ...". */
int rowtide__parser_fail(const rowtide__ddl_parser *parser, const char *wanted);
int rowtide__parser_expect(rowtide__ddl_parser *parser, const char *word);
int rowtide__parser_is_name(const rowtide__ddl_parser *parser);
/* `what` is for messages; `span` may be NULL. */
int rowtide__parser_name(rowtide__ddl_parser *parser, const char *what,
                         const char **out, rowtide__span *span);
/* "(" any balanced tokens ")"; `inside` is what is between. */
int rowtide__parser_parentheses(rowtide__ddl_parser *parser,
                                rowtide__span *inside);
/* Up to a comma or closing parenthesis outside of parentheses, or the end. */
int rowtide__parser_expression(rowtide__ddl_parser *parser, rowtide__span *out);
/* "(" name, ... ")", with COLLATE and ASC or DESC that mean nothing. */
int rowtide__parser_names(rowtide__ddl_parser *parser, const char *what,
                          const char *const **out);
void *rowtide__parser_alloc(rowtide__ddl_parser *parser, size_t size);
rowtide__span rowtide__parser_since(const rowtide__ddl_parser *parser,
                                    size_t at);

/* ## ddl_part.c */
/* "(" part, ... ")"; `autoincrement` may be NULL. */
int rowtide__parser_parts(rowtide__ddl_parser *parser, int *autoincrement,
                          const rowtide__ddl_part **out, size_t *count_out);

/* ## ddl_constraint.c */
/* Adds one, or none for a mere CONSTRAINT name, to the end of the list. */
int rowtide__parser_column_constraint(rowtide__ddl_parser *parser,
                                      rowtide__ddl_column *column);
int rowtide__parser_table_constraint(rowtide__ddl_parser *parser,
                                     rowtide__ddl *ddl);
int rowtide__parser_at_column_constraint(const rowtide__ddl_parser *parser);
int rowtide__parser_at_table_constraint(const rowtide__ddl_parser *parser);

/* ## ddl_table.c: what is behind the name of a table */
int rowtide__parser_table(rowtide__ddl_parser *parser, rowtide__ddl *ddl);

#endif
