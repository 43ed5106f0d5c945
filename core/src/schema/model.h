#ifndef ROWTIDE_SCHEMA_MODEL_H
#define ROWTIDE_SCHEMA_MODEL_H

#include "base/arena.h"
#include "db/connection.h"
#include "schema/ddl.h"

#include <rowtide/schema.h>

#include <stdatomic.h>

/* ## list.c: NULL-terminated lists in an arena */
typedef struct rowtide__list {
    rowtide__arena *arena;
    const void **items;
    size_t count, capacity;
} rowtide__list;

int rowtide__list_add(rowtide__list *list, const void *item);
/* Never NULL. The list may be added to and finished again. */
const void *const *rowtide__list_finish(rowtide__list *list);

/* Immutable and counted. `contents` is the public face; each public struct is
 * the first member of one of these, which has what the text says as well. */
struct rowtide_schema {
    rowtide__arena arena;
    atomic_size_t references;
    rowtide_schema_contents contents;
    struct rowtide__entry *entries; /* tables and views by name */
    size_t entry_room;
};

typedef struct rowtide__table {
    rowtide_schema_table view;
    const rowtide__ddl *ddl; /* of view.sql; NULL if it could not be parsed */
} rowtide__table;

typedef struct rowtide__index {
    rowtide_schema_index view;
    const rowtide__ddl *ddl;
} rowtide__index;

typedef struct rowtide__trigger {
    rowtide_schema_trigger view;
    const rowtide__ddl *ddl;
} rowtide__trigger;

typedef struct rowtide__view {
    rowtide_schema_view view;
    const rowtide__ddl *ddl;
} rowtide__view;

/* In SQLite tables and views share their names. Indexes and triggers are
 * listed here while the model is made. */
typedef struct rowtide__entry {
    const char *name;      /* NULL: the place is free */
    rowtide__table *table; /* or */
    rowtide__view *view;
    rowtide__list indexes, triggers;
} rowtide__entry;

/* Places for `count` names. */
int rowtide__schema_reserve(rowtide_schema *schema, size_t count);
/* The entry of that name, or the free place for it, or NULL if there is no
 * place at all. */
rowtide__entry *rowtide__schema_entry(const rowtide_schema *schema,
                                      const char *name);

const rowtide__table *rowtide__schema_table(const rowtide_schema *schema,
                                            const char *name);
const rowtide__view *rowtide__schema_view(const rowtide_schema *schema,
                                          const char *name);
const rowtide_schema_column *
rowtide__table_column(const rowtide_schema_table *table, const char *name);

rowtide_schema *rowtide__schema_retain(const rowtide_schema *schema);

/* As rowtide_schema_read(), for a bare connection, inside an entered db or on
 * a scratch one. `options` may be NULL. */
int rowtide__schema_read_sqlite(struct sqlite3 *sqlite,
                                const rowtide_schema_read_options *options,
                                rowtide_schema **out);

/* A copy of a model with relations turned into foreign keys in the CREATE
 * statements (all of them, not only those with `foreign_key` set). */
int rowtide__schema_with_foreign_keys(const rowtide_schema *schema,
                                      rowtide_schema **out);

/* Relations that the builder declared; read by rowtide__schema_parse_with(). */
typedef struct rowtide__relation {
    const char *table;
    rowtide_schema_foreign_key key;
} rowtide__relation;

/* As rowtide_schema_parse(), with relations that no SQL says: they are listed
 * in `foreign_keys` of their table, with `relation` 1. */
int rowtide__schema_parse_with(const char *sql,
                               const rowtide__relation *relations, size_t count,
                               rowtide_schema **out);

/* ## shapes.c */
extern const rowtide_shape rowtide__change_shape; /* of one change */
extern const rowtide_shape rowtide__contents_shape;

/* The order in which tables can be made so that each comes after what it
 * refers to; where references go in a circle, in the order of `tables`. */
int rowtide__schema_order(const rowtide_schema_table *const *tables,
                          rowtide__arena *arena,
                          const rowtide_schema_table *const **out);

#endif
