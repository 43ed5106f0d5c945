#include "schema/preflight.h"
#include "schema/steps_make.h"
#include "base/error.h"

#include <string.h>

/* ## Unique keys */

typedef struct unique {
    const rowtide_schema_indexed_column *const *columns;
    const char *where, *note;
} unique;

static int is_affected(const rowtide__suspect *suspect, const char *column)
{
    return !column
           || rowtide__suspect_asks(suspect, column, ROWTIDE_ASPECT_TYPE)
           || rowtide__suspect_asks(suspect, column, ROWTIDE_ASPECT_COLLATION)
           || rowtide__suspect_asks(suspect, column, ROWTIDE_ASPECT_GENERATED);
}

static int same_collation(const char *a, const char *b)
{
    return a && b ? rowtide__name_equal(a, b) : a == b;
}

/* Was it unique on these columns before, so that it is now? */
static int covers(const rowtide_plan *plan, const rowtide__suspect *suspect,
                  const rowtide_schema_indexed_column *const *old,
                  const unique *key)
{
    size_t i = 0;
    for (; old[i] && key->columns[i]; i++) {
        const rowtide_schema_indexed_column *a = old[i], *b = key->columns[i];
        const rowtide_schema_column *column = NULL;
        if (!a->name || !b->name || !same_collation(a->collation, b->collation)
            || is_affected(suspect, b->name)
            || rowtide__suspect_old_column(plan, suspect, b->name, &column)
                   != ROWTIDE_OK
            || !column || !rowtide__name_equal(column->name, a->name))
            return 0;
    }
    return !old[i] && !key->columns[i];
}

static int was_unique(const rowtide_plan *plan, const rowtide__suspect *suspect,
                      const unique *key)
{
    const rowtide_schema_table *old = &suspect->old->view;
    for (size_t i = 0; old->keys[i]; i++)
        if (covers(plan, suspect, old->keys[i]->columns, key))
            return 1;
    for (size_t i = 0; old->indexes[i]; i++) {
        const rowtide_schema_index *index = old->indexes[i];
        int same = index->unique && covers(plan, suspect, index->columns, key);
        if (same && index->where && key->where)
            same = rowtide__sql_same(index->where, strlen(index->where),
                                     key->where, strlen(key->where))
                   == 1;
        else if (index->where)
            same = 0;
        if (same)
            return 1;
    }
    return 0;
}

static const char *collation_of(const rowtide__suspect *suspect,
                                const rowtide_schema_indexed_column *part)
{
    const rowtide_schema_column *column =
        part->name ? rowtide__table_column(&suspect->target->view, part->name)
                   : NULL;
    if (part->collation)
        return part->collation;
    return column && column->collation ? column->collation : "BINARY";
}

/* A column is compared as it will be converted. An expression has to be the
 * same both as it is and converted, as a CHECK has to fail both ways. */
static int write_part(const rowtide_plan *plan, rowtide__arena *arena,
                      const rowtide__suspect *suspect,
                      const rowtide_schema_indexed_column *part,
                      rowtide__condition *out, int *converts)
{
    const rowtide_schema_column *column =
        part->name ? rowtide__table_column(&suspect->target->view, part->name)
                   : NULL;
    const char *value = NULL, *converted = NULL;
    const char *collation = collation_of(suspect, part);
    int rc = ROWTIDE_OK;
    if (column)
        rc = rowtide__suspect_converted(plan, arena, suspect, column, &value);
    else if (part->expression)
        rc = rowtide__suspect_convert(plan, arena, suspect, part->expression,
                                      &converted);
    if (rc != ROWTIDE_OK)
        return rc;
    *converts |= value || converted;
    if (!value)
        value = part->name
                    ? rowtide__arena_sql(arena, "\"%w\"", part->name)
                    : rowtide__arena_sql(arena, "(%s)", part->expression);
    if (!value)
        return ROWTIDE_ENOMEM;
    const char *separator = *out->keys ? ", " : "";
    out->keys = converted
                    ? rowtide__arena_sql(arena,
                                         "%s%s%s COLLATE \"%w\", %s COLLATE "
                                         "\"%w\"",
                                         out->keys, separator, value, collation,
                                         converted, collation)
                    : rowtide__arena_sql(arena, "%s%s%s COLLATE \"%w\"",
                                         out->keys, separator, value,
                                         collation);
    out->present = rowtide__arena_sql(arena, "%s AND %s IS NOT NULL",
                                      out->present, value);
    return out->keys && out->present ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static int write_key(const rowtide_plan *plan, rowtide__arena *arena,
                     const rowtide__suspect *suspect, const unique *key,
                     rowtide__condition *out)
{
    const char *converted = NULL;
    int rc = ROWTIDE_OK, converts = 0;
    out->keys = "";
    out->present = "1";
    for (size_t i = 0; key->columns[i] && rc == ROWTIDE_OK; i++)
        rc = write_part(plan, arena, suspect, key->columns[i], out, &converts);
    out->note = converts ? rowtide__arena_sql(arena,
                                              "%s, and what is there would be "
                                              "converted",
                                              key->note)
                         : key->note;
    if (rc == ROWTIDE_OK && !out->note)
        rc = ROWTIDE_ENOMEM;
    if (rc != ROWTIDE_OK || !key->where)
        return rc;
    rc = rowtide__suspect_convert(plan, arena, suspect, key->where, &converted);
    if (rc == ROWTIDE_OK)
        out->present = rowtide__arena_sql(arena, "%s AND (%s) AND %s",
                                          out->present, key->where,
                                          converted ? converted : "1");
    return rc == ROWTIDE_OK && !out->present ? ROWTIDE_ENOMEM : rc;
}

static int add_unique(const rowtide_plan *plan, rowtide__arena *arena,
                      rowtide__suspect *suspect, const unique *key)
{
    rowtide__list names = {.arena = arena};
    int rc = ROWTIDE_OK;
    if (was_unique(plan, suspect, key))
        return rc;
    for (size_t i = 0; key->columns[i] && rc == ROWTIDE_OK; i++)
        rc = rowtide__text_add(&names, key->columns[i]->name
                                           ? key->columns[i]->name
                                           : key->columns[i]->expression);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__condition *condition = rowtide__suspect_add(
        arena, suspect, ROWTIDE_FINDING_DUPLICATE,
        rowtide__texts_finish(&names), NULL);
    if (!condition)
        return ROWTIDE_ENOMEM;
    return write_key(plan, arena, suspect, key, condition);
}

/* ## Foreign keys */

static int same_names(const char *const *a, const char *const *b)
{
    size_t i = 0;
    while (a[i] && b[i] && rowtide__name_equal(a[i], b[i]))
        i++;
    return !a[i] && !b[i];
}

static int had_foreign_key(const rowtide__suspect *suspect,
                           const rowtide_schema_foreign_key *key)
{
    const rowtide_schema_foreign_key *const *old =
        suspect->old->view.foreign_keys;
    for (size_t i = 0; old[i]; i++)
        if (!old[i]->relation && rowtide__name_equal(old[i]->table, key->table)
            && same_names(old[i]->columns, key->columns)
            && same_names(old[i]->table_columns, key->table_columns))
            return 1;
    return 0;
}

/* The columns that it refers to, in the order of its own. */
static int parent_columns(rowtide__arena *arena,
                          const rowtide_schema_table *parent,
                          const rowtide_schema_foreign_key *key,
                          const char *const **out)
{
    rowtide__list names = {.arena = arena};
    int rc = ROWTIDE_OK;
    *out = key->table_columns;
    if (key->table_columns[0])
        return rc;
    for (int64_t place = 1; rc == ROWTIDE_OK; place++) {
        size_t i = 0;
        while (parent->columns[i] && parent->columns[i]->primary_key != place)
            i++;
        if (!parent->columns[i])
            break;
        rc = rowtide__text_add(&names, parent->columns[i]->name);
    }
    *out = rowtide__texts_finish(&names);
    return rc;
}

static int is_indexed(const rowtide_schema_table *table, const char *column)
{
    for (size_t i = 0; table->keys[i]; i++)
        if (table->keys[i]->columns[0] && table->keys[i]->columns[0]->name
            && rowtide__name_equal(table->keys[i]->columns[0]->name, column))
            return 1;
    for (size_t i = 0; table->indexes[i]; i++)
        if (table->indexes[i]->columns[0] && table->indexes[i]->columns[0]->name
            && !table->indexes[i]->where
            && rowtide__name_equal(table->indexes[i]->columns[0]->name, column))
            return 1;
    return 0;
}

static const char *match_parent(const rowtide_plan *plan, rowtide__arena *arena,
                                const rowtide_schema_foreign_key *key,
                                const char *const *columns)
{
    const char *sql = "1";
    for (size_t i = 0; key->columns[i] && columns[i] && sql; i++) {
        const char *old = NULL;
        if (rowtide__difference_old_name(plan->difference, key->table,
                                         columns[i], &old)
            != ROWTIDE_OK)
            return NULL;
        sql = rowtide__arena_sql(
            arena, "%s AND rowtide_parent.\"%w\" = rowtide_source.\"%w\"", sql,
            old ? old : columns[i], key->columns[i]);
    }
    return sql;
}

static const char *all_there(rowtide__arena *arena, const char *const *columns)
{
    const char *sql = "1";
    for (size_t i = 0; columns[i] && sql; i++)
        sql = rowtide__arena_sql(arena, "%s AND \"%w\" IS NOT NULL", sql,
                                 columns[i]);
    return sql;
}

/* Without an index to look it up it would take for ever; what comes after the
 * rebuild finds it then. */
static int add_foreign_key(const rowtide_plan *plan, rowtide__arena *arena,
                           rowtide__suspect *suspect,
                           const rowtide_schema_foreign_key *key)
{
    const rowtide_schema *from = plan->difference->from;
    const char *old_name = NULL;
    const rowtide__table *parent = rowtide__schema_table(plan->difference->to,
                                                         key->table);
    int rc = rowtide__difference_old_name(plan->difference, key->table, NULL,
                                          &old_name);
    if (rc != ROWTIDE_OK)
        return rc;
    const rowtide__table *old = old_name ? rowtide__schema_table(from, old_name)
                                         : NULL;
    const char *sql = all_there(arena, key->columns);
    if (parent && old) {
        const char *const *columns;
        rc = parent_columns(arena, &parent->view, key, &columns);
        if (rc != ROWTIDE_OK || !columns[0]
            || !is_indexed(&old->view, columns[0]))
            return rc;
        const char *match = match_parent(plan, arena, key, columns);
        if (!match || !sql)
            return ROWTIDE_ENOMEM;
        sql = rowtide__arena_sql(arena,
                                 "%s AND NOT EXISTS (SELECT 1 FROM main.\"%w\" "
                                 "AS rowtide_parent WHERE %s)",
                                 sql, old->view.name, match);
    }
    rowtide__condition *condition = rowtide__suspect_add(
        arena, suspect, ROWTIDE_FINDING_FOREIGN_KEY, key->columns, NULL);
    if (!sql || !condition)
        return ROWTIDE_ENOMEM;
    condition->sql = sql;
    condition->note = rowtide__arena_sql(
        arena, "\"%w\" has no row that it refers to", key->table);
    return condition->note ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

int rowtide__suspect_keys(const rowtide_plan *plan, rowtide__arena *arena,
                          rowtide__suspect *suspect)
{
    const rowtide_schema_table *target = &suspect->target->view;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; target->keys[i] && rc == ROWTIDE_OK; i++) {
        unique key = {target->keys[i]->columns, NULL,
                      target->keys[i]->primary ? "it becomes the primary key"
                                               : "it becomes unique"};
        rc = add_unique(plan, arena, suspect, &key);
    }
    for (size_t i = 0; target->indexes[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_index *index = target->indexes[i];
        const char *note = rowtide__arena_sql(arena, "unique index \"%w\"",
                                              index->name);
        unique key = {index->columns, index->where, note};
        if (!note)
            return ROWTIDE_ENOMEM;
        if (index->unique)
            rc = add_unique(plan, arena, suspect, &key);
    }
    for (size_t i = 0; target->foreign_keys[i] && rc == ROWTIDE_OK; i++)
        if (!target->foreign_keys[i]->relation
            && !had_foreign_key(suspect, target->foreign_keys[i]))
            rc = add_foreign_key(plan, arena, suspect, target->foreign_keys[i]);
    return rc;
}
