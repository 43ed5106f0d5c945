/**
 * @file rowtide/schema_build.h
 * @brief Declare a schema table by table instead of writing SQL.
 *
 *     rowtide_schema_builder_table(builder, "posts", NULL);
 *     rowtide_schema_builder_column(builder, "id", "INTEGER", &key);
 *     rowtide_schema_builder_column(builder, "title", "TEXT", &needed);
 *     rowtide_schema_builder_belongs_to(builder, "users", NULL);
 *     rowtide_schema_builder_finish(builder, &schema);
 *
 * What comes out is an ordinary ::rowtide_schema, as if its SQL had been
 * parsed. Names are quoted; types, defaults, checks and expressions are SQL
 * and go in as they are. A default that is no literal gets parentheses.
 *
 * Names of indexes are database-wide. Where two that are made up would be the
 * same, or one is taken, they get the checksum of what they index behind them.
 *
 * After an error the builder refuses everything with that same error, so one
 * look at the result of rowtide_schema_builder_finish() is enough.
 */
#ifndef ROWTIDE_SCHEMA_BUILD_H
#define ROWTIDE_SCHEMA_BUILD_H

#include <rowtide/schema.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_schema_builder rowtide_schema_builder;

/** @param out  free it with rowtide_schema_builder_free() */
ROWTIDE_API int rowtide_schema_builder_new(rowtide_schema_builder **out);

/** Release the builder. */
ROWTIDE_API void rowtide_schema_builder_free(rowtide_schema_builder *builder);

typedef struct rowtide_schema_table_options {
    size_t size;
    int strict;
    int without_rowid;
    const char *const
        *primary_key;        /**< columns of a key of several, in order */
    const char *soft_delete; /**< a column that is NULL while the row is alive:
                                  unique indexes then hold for such rows only */
} rowtide_schema_table_options;

#define ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT                                      \
    {sizeof(rowtide_schema_table_options), 0, 0, NULL, NULL}

/** Begin a table. What follows belongs to it. */
ROWTIDE_API int
rowtide_schema_builder_table(rowtide_schema_builder *builder, const char *name,
                             const rowtide_schema_table_options *options);

typedef struct rowtide_schema_column_options {
    size_t size;
    int primary_key; /**< several columns that have it are one key */
    int autoincrement;
    int not_null;
    int unique;               /**< a unique index, named ux_<table>_<column> */
    int indexed;              /**< an index, named ix_<table>_<column> */
    const char *default_sql;  /**< an SQL expression, or NULL */
    const char *check;        /**< an SQL expression, or NULL */
    const char *collation;    /**< or NULL */
    const char *generated_as; /**< an SQL expression, or NULL */
    int stored;               /**< of a generated one */
} rowtide_schema_column_options;

#define ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT                                     \
    {sizeof(rowtide_schema_column_options),                                    \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     0,                                                                        \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     NULL,                                                                     \
     0}

/** Add a column. @param type  such as "TEXT"; NULL or "" for none */
ROWTIDE_API int
rowtide_schema_builder_column(rowtide_schema_builder *builder, const char *name,
                              const char *type,
                              const rowtide_schema_column_options *options);

typedef struct rowtide_schema_index_options {
    size_t size;
    const char *name; /**< NULL: ix_<table>_<columns>, ux_… if unique */
    int unique;
    const char *where; /**< an SQL expression, or NULL. That of soft deletion is
                            added to that of a unique index */
} rowtide_schema_index_options;

#define ROWTIDE_SCHEMA_INDEX_OPTIONS_INIT                                      \
    {sizeof(rowtide_schema_index_options), NULL, 0, NULL}

/**
 * Add an index.
 *
 * @param columns  NULL-terminated. Each is the name of a column, or, if the
 *  table has none of that name, SQL: "lower(name)", "name COLLATE NOCASE DESC"
 */
ROWTIDE_API int
rowtide_schema_builder_index(rowtide_schema_builder *builder,
                             const char *const *columns,
                             const rowtide_schema_index_options *options);

/** Add a CHECK of the table. @param name  of the constraint, or NULL */
ROWTIDE_API int rowtide_schema_builder_check(rowtide_schema_builder *builder,
                                             const char *name,
                                             const char *expression);

typedef struct rowtide_schema_relation_options {
    size_t size;
    const char *column; /**< NULL: <singular of the other table>_id, by the
                             rules of English: "user_id" for "users",
                             "category_id" for "categories". Made if the table
                             has no column of that name; for many to many the
                             junction table's name */
    const char *table_column; /**< that is referred to; NULL: its key */
    const char *on_delete;    /**< such as "CASCADE", or NULL */
    const char *on_update;
    int not_null;
    int foreign_key; /**< 1: a constraint, when the table is made. 0: only if
                          rowtide_schema_auto_migrate() is asked for them all */
} rowtide_schema_relation_options;

#define ROWTIDE_SCHEMA_RELATION_OPTIONS_INIT                                   \
    {sizeof(rowtide_schema_relation_options), NULL, NULL, NULL, NULL, 0, 0}

/** Rows of the table refer to one of another table, which may be declared
 *  later, or exist in the database only. */
ROWTIDE_API int rowtide_schema_builder_belongs_to(
    rowtide_schema_builder *builder, const char *table,
    const rowtide_schema_relation_options *options);

/** Rows of the table and of another one refer to each other through a table
 *  of their keys, named <table>_<other> unless `column` says otherwise. If both
 *  tables declare it under one name, or a table of that name is declared, that
 *  is the one. */
ROWTIDE_API int rowtide_schema_builder_many_to_many(
    rowtide_schema_builder *builder, const char *table,
    const rowtide_schema_relation_options *options);

/** Add statements as they are: triggers, views, virtual tables. */
ROWTIDE_API int rowtide_schema_builder_sql(rowtide_schema_builder *builder,
                                           const char *sql);

/** Make the model. The builder is empty afterwards.
 *  @param out  free it with rowtide_schema_free() */
ROWTIDE_API int rowtide_schema_builder_finish(rowtide_schema_builder *builder,
                                              rowtide_schema **out);

#ifdef __cplusplus
}
#endif

#endif
