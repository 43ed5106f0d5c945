/**
 * @file rowtide/schema.h
 * @brief A schema as a value: read it, look at it, print it.
 *
 * A ::rowtide_schema is immutable. It comes from a database, from SQL, or from
 * a builder (<rowtide/schema_build.h>), and whichever it was, the same SQL
 * gives the same model. It may be read by many threads at once.
 *
 * What a table says is taken from its stored CREATE statement, so clauses that
 * no PRAGMA shows (CHECK, COLLATE, ON CONFLICT, names of constraints, the
 * WHERE of an index) are there, as they were written.
 */
#ifndef ROWTIDE_SCHEMA_H
#define ROWTIDE_SCHEMA_H

#include <rowtide/buffer.h>
#include <rowtide/db.h>
#include <rowtide/shape.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct rowtide_schema rowtide_schema;

/* ## What is in it. All lists are NULL-terminated. */

/** How SQLite treats values of a column; by the rules of its documentation,
 *  "Determination Of Column Affinity". */
typedef enum rowtide_schema_affinity {
    ROWTIDE_AFFINITY_BLOB,
    ROWTIDE_AFFINITY_TEXT,
    ROWTIDE_AFFINITY_NUMERIC,
    ROWTIDE_AFFINITY_INTEGER,
    ROWTIDE_AFFINITY_REAL
} rowtide_schema_affinity;

typedef struct rowtide_schema_column {
    const char *name;
    const char *type; /**< as declared, "" if it has none */
    rowtide_schema_affinity affinity;
    int not_null;
    int64_t primary_key;      /**< 0, or its place in the key from 1 on */
    const char *default_sql;  /**< as written, or NULL */
    const char *collation;    /**< as declared, or NULL for BINARY */
    const char *generated_as; /**< the expression, or NULL */
    int stored;               /**< of a generated one: STORED, not VIRTUAL */
    int hidden;               /**< of a virtual table */
    const char *sql;          /**< its whole definition; NULL if a view's or a
                                   virtual table's */
} rowtide_schema_column;

/** A column of an index or of a key. */
typedef struct rowtide_schema_indexed_column {
    const char *name;       /**< NULL if it is an expression */
    const char *expression; /**< NULL if it is a column */
    const char *collation;  /**< as written, or NULL for the column's own */
    int descending;
} rowtide_schema_indexed_column;

/** PRIMARY KEY or UNIQUE, of a column or of the table. */
typedef struct rowtide_schema_key {
    const char *name; /**< of the constraint, or NULL */
    int primary;
    const rowtide_schema_indexed_column *const *columns;
    const char *on_conflict; /**< such as "REPLACE", or NULL */
    int autoincrement;
} rowtide_schema_key;

typedef struct rowtide_schema_check {
    const char *name;       /**< of the constraint, or NULL */
    const char *column;     /**< that it is written at, or NULL */
    const char *expression; /**< without the parentheses around it */
} rowtide_schema_check;

typedef struct rowtide_schema_foreign_key {
    const char *name; /**< of the constraint, or NULL */
    const char *const *columns;
    const char *table;                /**< that it refers to */
    const char *const *table_columns; /**< empty: its primary key */
    const char *on_delete;            /**< such as "SET NULL", or NULL */
    const char *on_update;
    const char *match; /**< or NULL */
    const char
        *deferral; /**< such as "DEFERRABLE INITIALLY DEFERRED" or NULL */
    int relation;  /**< declared with a builder, and so no constraint
                               unless foreign keys are asked for */
} rowtide_schema_foreign_key;

typedef struct rowtide_schema_index {
    const char *name;
    const char *table;
    int unique;
    const rowtide_schema_indexed_column *const *columns;
    const char *where; /**< or NULL */
    const char *sql;
} rowtide_schema_index;

typedef struct rowtide_schema_trigger {
    const char *name;
    const char *table;  /**< or view */
    const char *timing; /**< "BEFORE", "AFTER" or "INSTEAD OF" */
    const char *event;  /**< "INSERT", "UPDATE" or "DELETE" */
    const char *sql;
} rowtide_schema_trigger;

typedef enum rowtide_schema_table_kind {
    ROWTIDE_TABLE_ORDINARY,
    ROWTIDE_TABLE_VIRTUAL,
    ROWTIDE_TABLE_SHADOW /**< belongs to a virtual table, which keeps it */
} rowtide_schema_table_kind;

typedef struct rowtide_schema_table {
    const char *name;
    rowtide_schema_table_kind kind;
    const char *module; /**< of a virtual table, or NULL */
    int without_rowid;
    int strict;
    const rowtide_schema_column *const *columns;
    const rowtide_schema_key *const *keys;
    const rowtide_schema_check *const *checks;
    const rowtide_schema_foreign_key *const *foreign_keys;
    const rowtide_schema_index *const *indexes;
    const rowtide_schema_trigger *const *triggers;
    const char *sql;
} rowtide_schema_table;

typedef struct rowtide_schema_view {
    const char *name;
    const rowtide_schema_column *const *columns; /**< empty if SQLite cannot
                                                      tell: it is broken */
    const rowtide_schema_trigger *const *triggers;
    const char *sql;
} rowtide_schema_view;

/** Tables and views in the order in which they were made. */
typedef struct rowtide_schema_contents {
    const rowtide_schema_table *const *tables;
    const rowtide_schema_view *const *views;
} rowtide_schema_contents;

/* ## Making one */

typedef struct rowtide_schema_read_options {
    size_t size;
    const char *schema;        /**< "main", "temp" or what was attached; NULL
                                    for "main" */
    const char *const *tables; /**< NULL-terminated: only these tables, with
                                    what belongs to them; NULL: everything */
    int internal;              /**< 1: also what this library and cr-sqlite
                                    keep for themselves, such as rowtide_… */
} rowtide_schema_read_options;

#define ROWTIDE_SCHEMA_READ_OPTIONS_INIT                                       \
    {sizeof(rowtide_schema_read_options), NULL, NULL, 0}

/**
 * Read the schema of a database. A table that does not exist is not there, and
 * a view is not a table: asking for it as one gives nothing.
 *
 * `sqlite_…` tables are never part of it. Nothing is written.
 *
 * @param out  free it with rowtide_schema_free()
 */
ROWTIDE_API int rowtide_schema_read(rowtide_db *db,
                                    const rowtide_schema_read_options *options,
                                    rowtide_schema **out);

/**
 * Read SQL text, such as a file of CREATE statements or the output of `.dump`.
 *
 * CREATE, ALTER and DROP are run in an empty database in memory, so the result
 * is what SQLite makes of them. Statements that change no schema (INSERT,
 * PRAGMA, BEGIN, COMMIT, ...) are passed over. Functions, collations and
 * modules need not exist, and no file is touched: ATTACH is an error, and so is
 * a statement that takes too long or too much memory. An error has the line in
 * its message, and rowtide_error_offset() the byte.
 *
 * @param out  free it with rowtide_schema_free()
 */
ROWTIDE_API int rowtide_schema_parse(const char *sql, rowtide_schema **out);

/** Release the model. */
ROWTIDE_API void rowtide_schema_free(rowtide_schema *schema);

/* ## Looking at it */

/** @return everything in it; borrowed, never NULL unless `schema` is. */
ROWTIDE_API const rowtide_schema_contents *
rowtide_schema_contents_of(const rowtide_schema *schema);

/** @return a table by name, in any case, or NULL. */
ROWTIDE_API const rowtide_schema_table *
rowtide_schema_find_table(const rowtide_schema *schema, const char *table);

/** @return the shape of ::rowtide_schema_contents. */
ROWTIDE_API const rowtide_shape *rowtide_schema_shape(void);

/** Write the model as JSON. @param buf_out  appended to */
ROWTIDE_API int rowtide_schema_json(const rowtide_schema *schema,
                                    rowtide_buffer *buf_out);

/**
 * Write it as SQL that makes the same schema in an empty database: statements
 * as they are stored, in an order in which they can be run, each ending with
 * ";" and a line feed. Reading that again gives an equal model. Shadow tables
 * are left out: their virtual table makes them.
 *
 * @param buf_out  appended to
 */
ROWTIDE_API int rowtide_schema_print(const rowtide_schema *schema,
                                     rowtide_buffer *buf_out);

/** Draw tables and the references between them, as an SVG document.
 *  @param buf_out  appended to */
ROWTIDE_API int rowtide_schema_svg(const rowtide_schema *schema,
                                   rowtide_buffer *buf_out);

#ifdef __cplusplus
}
#endif

#endif
