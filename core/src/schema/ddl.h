#ifndef ROWTIDE_SCHEMA_DDL_H
#define ROWTIDE_SCHEMA_DDL_H

#include "base/arena.h"
#include "schema/lex.h"

#include <rowtide/buffer.h>

/* What a CREATE statement says, and where it says it, so that it can be edited.
 * Names are without their quotes, in the arena; everything else is a span of
 * the text, which is borrowed. Spans never have white space or comments at
 * their ends. */
typedef struct rowtide__span {
    size_t at, size; /* size 0: not there */
} rowtide__span;

typedef enum rowtide__ddl_kind {
    ROWTIDE__DDL_TABLE,
    ROWTIDE__DDL_VIRTUAL_TABLE,
    ROWTIDE__DDL_INDEX,
    ROWTIDE__DDL_TRIGGER,
    ROWTIDE__DDL_VIEW
} rowtide__ddl_kind;

typedef enum rowtide__constraint_kind {
    ROWTIDE__PRIMARY_KEY,
    ROWTIDE__UNIQUE,
    ROWTIDE__NOT_NULL,
    ROWTIDE__NULL, /* "NULL", which SQLite accepts and ignores */
    ROWTIDE__CHECK,
    ROWTIDE__DEFAULT,
    ROWTIDE__COLLATE,
    ROWTIDE__FOREIGN_KEY,
    ROWTIDE__GENERATED
} rowtide__constraint_kind;

/* A column of a key or of an index. */
typedef struct rowtide__ddl_part {
    rowtide__span span;
    const char *name;         /* NULL: an expression */
    rowtide__span expression; /* without COLLATE and ASC or DESC behind it */
    const char *collation;    /* or NULL */
    int descending;
} rowtide__ddl_part;

typedef struct rowtide__ddl_constraint {
    struct rowtide__ddl_constraint *next;
    rowtide__constraint_kind kind;
    rowtide__span span; /* with "CONSTRAINT name" */
    const char *name;   /* or NULL */
    rowtide__span body; /* CHECK, GENERATED: inside the parentheses. DEFAULT:
                           the value, with its parentheses if it has them */
    const char *collation;
    const char *on_conflict; /* upper case, or NULL */
    int autoincrement, stored;
    const rowtide__ddl_part *parts; /* of a key of the table, or one, the
                                       column itself, with its DESC */
    size_t part_count;
    const char *const *columns; /* of a foreign key; NULL-terminated */
    const char *table;          /* that it refers to */
    rowtide__span table_span;
    const char *const *table_columns; /* NULL-terminated, maybe empty */
    const char *on_delete, *on_update, *match; /* upper case, or NULL */
    const char *deferral; /* upper case, one blank between words, or NULL */
} rowtide__ddl_constraint;

typedef struct rowtide__ddl_column {
    struct rowtide__ddl_column *next;
    const char *name;
    rowtide__span span, name_span, type_span;
    const char *type; /* as SQLite shows it: tokens joined; "" if none */
    rowtide__ddl_constraint *constraints;
} rowtide__ddl_column;

typedef struct rowtide__ddl {
    rowtide__ddl_kind kind;
    const char *text;
    size_t size;
    const char *name;
    rowtide__span name_span; /* without "schema." before it */
    const char *table;       /* of an index or trigger: that it is on */
    rowtide__span table_span;

    /* A table. */
    rowtide__span body; /* between the outer parentheses; size 0 for CREATE
                           TABLE ... AS SELECT */
    rowtide__ddl_column *columns;
    rowtide__ddl_constraint *constraints; /* of the table */
    int strict, without_rowid;
    rowtide__span options; /* behind the parenthesis: "STRICT, WITHOUT ROWID" */

    const char *module;      /* of a virtual table */
    rowtide__span arguments; /* in its parentheses */

    /* An index. */
    int unique;
    const rowtide__ddl_part *parts;
    size_t part_count;
    rowtide__span where;

    /* A trigger. */
    const char *timing; /* "BEFORE", "AFTER", "INSTEAD OF"; "BEFORE" if the
                           text has none, as for SQLite */
    const char *event;
    const char *const *update_columns; /* of UPDATE OF; NULL: all */
} rowtide__ddl;

/* Parse one CREATE statement. `text` is borrowed and must outlive *out, which
 * is in the arena. What the grammar does not know is ROWTIDE_EINVAL with the
 * offset; SQLite accepts whatever this does not check inside expressions. */
int rowtide__ddl_parse(const char *text, size_t size, rowtide__arena *arena,
                       rowtide__ddl **out);

rowtide__ddl_column *rowtide__ddl_find_column(const rowtide__ddl *ddl,
                                              const char *name);
/* The first of a kind, or NULL. */
const rowtide__ddl_constraint *
rowtide__ddl_find_constraint(const rowtide__ddl_column *column,
                             rowtide__constraint_kind kind);

/* ## name.c */
/* ASCII case folding, as SQLite compares names. */
int rowtide__name_equal(const char *a, const char *b);
/* The name that a WORD, QUOTED or STRING token stands for. */
int rowtide__name_read(const rowtide__lexer *lexer, const rowtide__token *token,
                       rowtide__arena *arena, const char **out);
/* The same text in the arena. */
int rowtide__name_copy(rowtide__arena *arena, const char *text, size_t size,
                       const char **out);
/* Always in double quotes. */
int rowtide__name_write(const char *name, rowtide_buffer *out);

/* ## normal.c: SQL that is the same but for how it is written */
/* Tokens with one blank between, keywords and bare names in lower case,
 * quotes that change nothing gone, outer parentheses gone. Two texts of which
 * this is equal mean the same. `out` is emptied first. */
int rowtide__sql_normal(const char *text, size_t size, rowtide_buffer *out);
/* 1 if they are equal so, 0 if not, or a negative code. NULL equals NULL. */
int rowtide__sql_same(const char *a, size_t a_size, const char *b,
                      size_t b_size);
/* The same for expressions in which the columns of `table` (which may be NULL)
 * are all that is in scope: CHECK, indexes, generated columns. There "a" in
 * double quotes is known to be a column if there is one. */
int rowtide__sql_normal_of(const rowtide__ddl *table, const char *text,
                           size_t size, rowtide_buffer *out);
int rowtide__sql_same_of(const rowtide__ddl *table, const char *a,
                         size_t a_size, const char *b, size_t b_size);
/* Of a declared type, by SQLite's rules; a rowtide_schema_affinity. */
int rowtide__type_affinity(const char *type);

/* ## edit.c: the stored text of a table, changed in one place and otherwise
 * left alone: white space and comments stay. Each writes a whole statement,
 * which parses; `out` is emptied first. */
int rowtide__edit_rename_table(const rowtide__ddl *ddl, const char *name,
                               rowtide_buffer *out);
/* `definition` is a column with its clauses: "a TEXT NOT NULL". Behind the
 * last column, in front of the constraints of the table. */
int rowtide__edit_add_column(const rowtide__ddl *ddl, const char *definition,
                             rowtide_buffer *out);
/* Together with the comma, and a comment on the same line behind it. */
int rowtide__edit_drop_column(const rowtide__ddl *ddl,
                              const rowtide__ddl_column *column,
                              rowtide_buffer *out);
int rowtide__edit_set_column(const rowtide__ddl *ddl,
                             const rowtide__ddl_column *column,
                             const char *definition, rowtide_buffer *out);
/* Only its name, in its definition: references elsewhere in the table (keys,
 * checks, indexes) are SQLite's to rename. */
int rowtide__edit_set_type(const rowtide__ddl *ddl,
                           const rowtide__ddl_column *column, const char *type,
                           rowtide_buffer *out);
/* The constraint `old` of the column becomes `sql`; NULL removes it, no `old`
 * adds one. Likewise for constraints of the table. */
int rowtide__edit_set_column_constraint(const rowtide__ddl *ddl,
                                        const rowtide__ddl_column *column,
                                        const rowtide__ddl_constraint *old,
                                        const char *sql, rowtide_buffer *out);
int rowtide__edit_set_table_constraint(const rowtide__ddl *ddl,
                                       const rowtide__ddl_constraint *old,
                                       const char *sql, rowtide_buffer *out);
int rowtide__edit_set_options(const rowtide__ddl *ddl, int strict,
                              int without_rowid, rowtide_buffer *out);

#endif
