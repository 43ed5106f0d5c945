#ifndef ROWTIDE_SCHEMA_READ_H
#define ROWTIDE_SCHEMA_READ_H

#include "schema/model.h"

/* A row of sqlite_schema. */
typedef struct rowtide__row {
    const char *type, *name, *table, *sql;
} rowtide__row;

/* A model while it is made. */
typedef struct rowtide__reading {
    sqlite3 *sqlite;
    rowtide_schema_read_options options; /* `schema` is never NULL */
    rowtide_schema *model;
    rowtide__arena *arena; /* of the model */
    rowtide__list rows, tables, views;
    int kinds_needed; /* a table of which the text cannot tell */
    const rowtide__relation *relations;
    size_t relation_count;
} rowtide__reading;

/* As rowtide__schema_read_sqlite(), with relations. */
int rowtide__schema_read_with(sqlite3 *sqlite,
                              const rowtide_schema_read_options *options,
                              const rowtide__relation *relations, size_t count,
                              rowtide_schema **out);

/* Set the last error from a result code of a connection that has no handle. */
int rowtide__sqlite_fail(sqlite3 *sqlite, int sqlite_rc, const char *context);

void *rowtide__arena_zero(rowtide__arena *arena, size_t size);
/* A span of the text as a string; *out is NULL if it is not there. */
int rowtide__span_copy(rowtide__arena *arena, const rowtide__ddl *ddl,
                       rowtide__span span, const char **out);

/* With all its texts. */
int rowtide__foreign_key_copy(rowtide__arena *arena,
                              const rowtide_schema_foreign_key *key,
                              rowtide_schema_foreign_key **out);

/* ## read_object.c: what the text of one object says. `sql` is in the arena;
 * a text that cannot be parsed leaves `ddl` NULL. */
int rowtide__read_ddl(rowtide__arena *arena, const char *sql,
                      const rowtide__ddl **out);
int rowtide__read_index(rowtide__arena *arena, const rowtide__row *row,
                        rowtide__index *out);
int rowtide__read_trigger(rowtide__arena *arena, const rowtide__row *row,
                          rowtide__trigger *out);
int rowtide__read_parts(rowtide__arena *arena, const rowtide__ddl *ddl,
                        const rowtide__ddl_part *parts, size_t count,
                        const rowtide_schema_indexed_column *const **out);

/* ## read_table.c: the same of an ordinary table */
int rowtide__read_table(rowtide__reading *it, rowtide__table *table);

/* ## read_pragma.c: what no text says */

/* The module of a virtual table that does not exist, in a scratch database,
 * has this column only. */
#define ROWTIDE__UNKNOWN_COLUMN "rowtide unknown column"

/* Columns as PRAGMA table_xinfo has them; none if SQLite cannot tell. */
int rowtide__read_columns(rowtide__reading *it, const char *name,
                          const rowtide_schema_column *const **out);
/* The same of a table, with its key. */
int rowtide__read_unparsed(rowtide__reading *it, rowtide__table *table);
/* Tell shadow tables, and STRICT and WITHOUT ROWID where the text did not. */
int rowtide__read_kinds(rowtide__reading *it);

#endif
