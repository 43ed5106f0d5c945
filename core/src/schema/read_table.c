#include "schema/read.h"
#include "base/error.h"

#include <string.h>

typedef struct table_reading {
    rowtide__reading *it;
    const rowtide__ddl *ddl;
    rowtide__list columns, keys, checks, foreign_keys;
} table_reading;

static int add_key(table_reading *t, const rowtide__ddl_constraint *from)
{
    rowtide_schema_key *key = rowtide__arena_zero(t->it->arena, sizeof *key);
    if (!key)
        return ROWTIDE_ENOMEM;
    key->name = from->name;
    key->primary = from->kind == ROWTIDE__PRIMARY_KEY;
    key->on_conflict = from->on_conflict;
    key->autoincrement = from->autoincrement;
    int rc = rowtide__read_parts(t->it->arena, t->ddl, from->parts,
                                 from->part_count, &key->columns);
    return rc == ROWTIDE_OK ? rowtide__list_add(&t->keys, key) : rc;
}

static int add_check(table_reading *t, const rowtide__ddl_constraint *from,
                     const char *column)
{
    rowtide_schema_check *check = rowtide__arena_zero(t->it->arena,
                                                      sizeof *check);
    if (!check)
        return ROWTIDE_ENOMEM;
    check->name = from->name;
    check->column = column;
    int rc = rowtide__span_copy(t->it->arena, t->ddl, from->body,
                                &check->expression);
    if (!check->expression)
        check->expression = "";
    return rc == ROWTIDE_OK ? rowtide__list_add(&t->checks, check) : rc;
}

static int add_foreign_key(table_reading *t,
                           const rowtide__ddl_constraint *from)
{
    rowtide_schema_foreign_key *key = rowtide__arena_zero(t->it->arena,
                                                          sizeof *key);
    if (!key)
        return ROWTIDE_ENOMEM;
    key->name = from->name;
    key->columns = from->columns;
    key->table = from->table;
    key->table_columns = from->table_columns;
    key->on_delete = from->on_delete;
    key->on_update = from->on_update;
    key->match = from->match;
    key->deferral = from->deferral;
    return rowtide__list_add(&t->foreign_keys, key);
}

/* Constraints that a table and a column may have. */
static int add_constraint(table_reading *t, const rowtide__ddl_constraint *from,
                          const char *column)
{
    switch (from->kind) {
    case ROWTIDE__PRIMARY_KEY:
    case ROWTIDE__UNIQUE:
        return add_key(t, from);
    case ROWTIDE__CHECK:
        return add_check(t, from, column);
    case ROWTIDE__FOREIGN_KEY:
        return add_foreign_key(t, from);
    default:
        return ROWTIDE_OK;
    }
}

static int read_clause(table_reading *t, const rowtide__ddl_constraint *from,
                       rowtide_schema_column *out)
{
    switch (from->kind) {
    case ROWTIDE__NOT_NULL:
        out->not_null = 1;
        return ROWTIDE_OK;
    case ROWTIDE__DEFAULT:
        return rowtide__span_copy(t->it->arena, t->ddl, from->body,
                                  &out->default_sql);
    case ROWTIDE__COLLATE:
        out->collation = rowtide__name_equal(from->collation, "BINARY")
                             ? NULL
                             : from->collation;
        return ROWTIDE_OK;
    case ROWTIDE__GENERATED:
        out->stored = from->stored;
        return rowtide__span_copy(t->it->arena, t->ddl, from->body,
                                  &out->generated_as);
    default:
        return add_constraint(t, from, out->name);
    }
}

static int add_column(table_reading *t, const rowtide__ddl_column *from)
{
    rowtide_schema_column *column = rowtide__arena_zero(t->it->arena,
                                                        sizeof *column);
    if (!column)
        return ROWTIDE_ENOMEM;
    column->name = from->name;
    column->type = from->type;
    column->affinity = (rowtide_schema_affinity)rowtide__type_affinity(
        from->type);
    int rc = rowtide__span_copy(t->it->arena, t->ddl, from->span, &column->sql);
    for (const rowtide__ddl_constraint *c = from->constraints;
         c && rc == ROWTIDE_OK; c = c->next)
        rc = read_clause(t, c, column);
    return rc == ROWTIDE_OK ? rowtide__list_add(&t->columns, column) : rc;
}

/* ## The primary key */

static rowtide_schema_column *find_column(table_reading *t, const char *name)
{
    for (size_t i = 0; i < t->columns.count; i++) {
        const rowtide_schema_column *column = t->columns.items[i];
        if (rowtide__name_equal(column->name, name))
            return (rowtide_schema_column *)column;
    }
    return NULL;
}

/* Only a column of this very type is the rowid, which is never NULL though it
 * need not be NOT NULL. */
static int is_rowid(const rowtide_schema_key *key,
                    const rowtide_schema_column *column)
{
    return !key->columns[1] && rowtide__name_equal(column->type, "INTEGER");
}

static void number_key(table_reading *t, const rowtide_schema_key *key)
{
    int64_t place = 0;
    for (size_t i = 0; key->columns[i]; i++) {
        const char *name = key->columns[i]->name;
        rowtide_schema_column *column = name ? find_column(t, name) : NULL;
        if (!column || column->primary_key)
            continue;
        column->primary_key = ++place;
        if (t->ddl->without_rowid || (t->ddl->strict && !is_rowid(key, column)))
            column->not_null = 1;
    }
}

static void number_keys(table_reading *t)
{
    for (size_t i = 0; i < t->keys.count; i++) {
        const rowtide_schema_key *key = t->keys.items[i];
        if (key->primary)
            number_key(t, key);
    }
}

/* ## Relations of a model that is declared */

static int add_relations(table_reading *t, const char *table)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < t->it->relation_count && rc == ROWTIDE_OK; i++) {
        const rowtide__relation *relation = &t->it->relations[i];
        if (!rowtide__name_equal(relation->table, table))
            continue;
        rowtide_schema_foreign_key *key;
        rc = rowtide__foreign_key_copy(t->it->arena, &relation->key, &key);
        if (rc == ROWTIDE_OK) {
            key->relation = 1;
            rc = rowtide__list_add(&t->foreign_keys, key);
        }
    }
    return rc;
}

static void finish(table_reading *t, rowtide_schema_table *out)
{
    number_keys(t);
    out->strict = t->ddl->strict;
    out->without_rowid = t->ddl->without_rowid;
    out->columns = (const void *)rowtide__list_finish(&t->columns);
    out->keys = (const void *)rowtide__list_finish(&t->keys);
    out->checks = (const void *)rowtide__list_finish(&t->checks);
    out->foreign_keys = (const void *)rowtide__list_finish(&t->foreign_keys);
}

int rowtide__read_table(rowtide__reading *it, rowtide__table *table)
{
    rowtide__list empty = {it->arena, NULL, 0, 0};
    table_reading t = {it, table->ddl, empty, empty, empty, empty};
    int rc = ROWTIDE_OK;
    for (const rowtide__ddl_column *column = table->ddl->columns;
         column && rc == ROWTIDE_OK; column = column->next)
        rc = add_column(&t, column);
    for (const rowtide__ddl_constraint *c = table->ddl->constraints;
         c && rc == ROWTIDE_OK; c = c->next)
        rc = add_constraint(&t, c, NULL);
    if (rc == ROWTIDE_OK)
        rc = add_relations(&t, table->view.name);
    if (rc == ROWTIDE_OK)
        finish(&t, &table->view);
    return rc;
}
