#include "schema/auto_migrate.h"
#include "base/error.h"

#include <string.h>

typedef rowtide__migration migration;
typedef rowtide_schema_indexed_column part;

/* ## The same index */

/* By which values are compared. */
static const char *collation_of(const rowtide_schema_table *table,
                                const part *part)
{
    const rowtide_schema_column *column = NULL;
    if (part->collation)
        return part->collation;
    if (part->name)
        column = rowtide__table_column(table, part->name);
    return column && column->collation ? column->collation : "BINARY";
}

static int same_sql(const rowtide__table *have, const char *a, const char *b)
{
    return rowtide__sql_same_of(have->ddl, a, a ? strlen(a) : 0, b,
                                b ? strlen(b) : 0);
}

static int same_part(const rowtide__table *have, const part *a,
                     const rowtide__table *want, const part *b)
{
    if (!a->name != !b->name || a->descending != b->descending
        || !rowtide__name_equal(collation_of(&have->view, a),
                                collation_of(&want->view, b)))
        return 0;
    return a->name ? rowtide__name_equal(a->name, b->name)
                   : same_sql(have, a->expression, b->expression);
}

static int same_parts(const rowtide__table *have, const part *const *a,
                      const rowtide__table *want, const part *const *b)
{
    int same = 1;
    for (; *a && *b && same == 1; a++, b++)
        same = same_part(have, *a, want, *b);
    return same == 1 ? !*a && !*b : same;
}

static int same_index(const rowtide__table *have, const rowtide_schema_index *a,
                      const rowtide__table *want, const rowtide_schema_index *b)
{
    if (a->unique != b->unique)
        return 0;
    int same = same_parts(have, a->columns, want, b->columns);
    return same == 1 ? same_sql(have, a->where, b->where) : same;
}

/* A constraint that is there does what a unique index would. */
static int has_key(const rowtide__table *have, const rowtide__table *want,
                   const rowtide_schema_index *index)
{
    int same = 0;
    if (!index->unique || index->where)
        return 0;
    for (size_t i = 0; have->view.keys[i] && same == 0; i++)
        same = same_parts(have, have->view.keys[i]->columns, want,
                          index->columns);
    return same;
}

static int has_index(const rowtide__table *have, const rowtide__table *want,
                     const rowtide_schema_index *index)
{
    int same = has_key(have, want, index);
    for (size_t i = 0; have->view.indexes[i] && same == 0; i++)
        same = same_index(have, have->view.indexes[i], want, index);
    return same;
}

int rowtide__migration_has_unique(const rowtide__table *have,
                                  const rowtide__ddl_constraint *constraint)
{
    for (size_t i = 0; have->view.indexes[i]; i++) {
        const rowtide_schema_index *index = have->view.indexes[i];
        size_t at = 0;
        if (!index->unique || index->where)
            continue;
        for (; at < constraint->part_count && index->columns[at]; at++)
            if (!index->columns[at]->name || !constraint->parts[at].name
                || !rowtide__name_equal(index->columns[at]->name,
                                        constraint->parts[at].name))
                break;
        if (!index->columns[at] && at == constraint->part_count)
            return 1;
    }
    return 0;
}

/* ## Making it */

static const rowtide_schema_index *find_index(const rowtide_schema_table *table,
                                              const char *name)
{
    for (size_t i = 0; table->indexes[i]; i++)
        if (rowtide__name_equal(table->indexes[i]->name, name))
            return table->indexes[i];
    return NULL;
}

/* An index of that name is there, and is another one. */
static int refuse_other(migration *it, const rowtide__addition *addition,
                        const rowtide__table *have,
                        const rowtide_schema_index *want)
{
    const rowtide_schema_index *other = have ? find_index(&have->view,
                                                          addition->name)
                                             : NULL;
    if (!other)
        return rowtide__migration_refuse(it, addition,
                                         "an index of that name is there "
                                         "already");
    if (want->where && !other->where)
        return rowtide__migration_refuse(
            it, addition,
            "an index of that name is there, and it is for all rows, not only "
            "WHERE %s",
            want->where);
    return rowtide__migration_refuse(
        it, addition, "an index of that name is there, and it differs: %s",
        other->sql);
}

static int refuse_name(migration *it, const rowtide__addition *addition,
                       const char *type, const char *table)
{
    if (strcmp(type, "index") == 0)
        return rowtide__migration_refuse(
            it, addition, "an index of table \"%s\" has that name", table);
    return rowtide__migration_refuse(it, addition, "a %s has that name", type);
}

static int add_index(migration *it, const rowtide__table *want,
                     const rowtide__table *have, const rowtide__index *index)
{
    rowtide__addition addition = {ROWTIDE_OBJECT_INDEX, want->view.name,
                                  index->view.name};
    const char *type, *table;
    int same = have ? has_index(have, want, &index->view) : 0;
    if (same != 0)
        return same < 0 ? same : ROWTIDE_OK;
    int rc = rowtide__migration_find(it, 0, addition.name, &type, &table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (type && strcmp(type, "index") == 0
        && rowtide__name_equal(table, want->view.name))
        return refuse_other(it, &addition, have, &index->view);
    if (type)
        return refuse_name(it, &addition, type, table);
    return rowtide__migration_create(it, &addition, index->ddl,
                                     index->view.sql);
}

int rowtide__migration_indexes(migration *it, const rowtide__table *want,
                               const rowtide__table *have)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; want->view.indexes[i] && rc >= 0; i++)
        rc = add_index(it, want, have,
                       (const rowtide__index *)want->view.indexes[i]);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## A name that is free */

static int is_in_model(const rowtide_schema *model, const char *name)
{
    const rowtide_schema_table *const *table = model->contents.tables;
    for (; *table; table++)
        if (rowtide__name_equal((*table)->name, name)
            || find_index(*table, name))
            return 1;
    return rowtide__schema_view(model, name) != NULL;
}

int rowtide__migration_name_index(migration *it, const char *table,
                                  const char *column, const char **out)
{
    enum { TRIES = 100 };
    const char *type, *on;
    for (int i = 1; i <= TRIES; i++) {
        *out = i == 1 ? rowtide__arena_format(&it->arena, "ux_%s_%s", table,
                                              column)
                      : rowtide__arena_format(&it->arena, "ux_%s_%s_%d", table,
                                              column, i);
        if (!*out)
            return ROWTIDE_ENOMEM;
        int rc = rowtide__migration_find(it, 0, *out, &type, &on);
        if (rc != ROWTIDE_OK || (!type && !is_in_model(it->model, *out)))
            return rc;
    }
    return rowtide__fail(ROWTIDE_EEXISTS,
                         "table \"%s\", column \"%s\": no name is left for its "
                         "unique index",
                         table, column);
}
