#ifndef ROWTIDE_SCHEMA_BUILDER_H
#define ROWTIDE_SCHEMA_BUILDER_H

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "base/writer.h"
#include "schema/ddl.h"
#include "schema/model.h"

#include <rowtide/schema_build.h>

/* What was declared, in the order in which it was; all of it in the arena. */

typedef struct rowtide__built_relation {
    struct rowtide__built_relation *next;
    const char *table; /* the other one */
    rowtide_schema_relation_options options;
    int many;
    const char *column; /* that refers to it; once resolved */
    const char *target; /* the column referred to, or NULL for the key */
} rowtide__built_relation;

typedef struct rowtide__built_column {
    struct rowtide__built_column *next;
    const char *name, *type;
    rowtide_schema_column_options options;
    rowtide__built_relation *relation; /* that it is made for, or NULL */
} rowtide__built_column;

typedef struct rowtide__built_index {
    struct rowtide__built_index *next;
    struct rowtide__built_table *table;
    const char *const *columns;
    const char *name; /* NULL: to be made */
    const char *where;
    int unique;
    /* Once resolved: */
    const char *label; /* columns as a part of a name */
    const char *sql;   /* what is behind its name */
    int given;
    int taken; /* another index would have the same name */
} rowtide__built_index;

typedef struct rowtide__built_check {
    struct rowtide__built_check *next;
    const char *name, *expression;
} rowtide__built_check;

typedef struct rowtide__built_table {
    struct rowtide__built_table *next;
    const char *name;
    rowtide_schema_table_options options;
    rowtide__built_column *columns, **columns_end;
    rowtide__built_index *indexes, **indexes_end;
    rowtide__built_check *checks, **checks_end;
    rowtide__built_relation *relations, **relations_end;
} rowtide__built_table;

typedef struct rowtide__built_sql {
    struct rowtide__built_sql *next;
    const char *sql;
} rowtide__built_sql;

struct rowtide_schema_builder {
    rowtide__arena arena;
    rowtide__built_table *tables, **tables_end;
    rowtide__built_table *current;
    rowtide__built_sql *statements, **statements_end;
    rowtide__error_state error; /* code 0: none yet */
};

/* ## builder.c */
void *rowtide__builder_alloc(rowtide_schema_builder *builder, size_t size);
rowtide__built_table *
rowtide__builder_find_table(const rowtide_schema_builder *builder,
                            const char *name);
rowtide__built_column *
rowtide__builder_find_column(const rowtide__built_table *table,
                             const char *name);
int rowtide__builder_add_table(rowtide_schema_builder *builder,
                               const char *name, rowtide__built_table **out);
int rowtide__builder_add_column(rowtide_schema_builder *builder,
                                rowtide__built_table *table, const char *name,
                                const char *type, rowtide__built_column **out);

/* ## builder_text.c */
/* One expression, without white space and comments around it, in the arena. */
int rowtide__builder_expression(rowtide_schema_builder *builder,
                                const char *sql, const char **out);
/* What can stand behind DEFAULT: with parentheses, unless it is a literal. */
int rowtide__builder_default(rowtide_schema_builder *builder, const char *sql,
                             const char **out);
/* An action of a foreign key, in upper case. */
int rowtide__builder_action(const char *action, const char **out);
/* Statements that end where the text ends. */
int rowtide__builder_statements(const char *sql);
void rowtide__builder_write_name(rowtide__writer *writer, const char *name);
/* `"name" TYPE ...` without PRIMARY KEY if `key` is 0. */
void rowtide__builder_write_column(rowtide__writer *writer,
                                   const rowtide__built_column *column,
                                   int key);
/* A buffer's text in the arena; the buffer is released. */
int rowtide__builder_keep(rowtide_schema_builder *builder,
                          rowtide__writer *writer, const char **out);

/* ## builder_relation.c: columns and tables that relations ask for */
int rowtide__builder_relate(rowtide_schema_builder *builder);

/* ## builder_index.c: what indexes are on, and how they are called */
int rowtide__builder_index(rowtide_schema_builder *builder);

#endif
