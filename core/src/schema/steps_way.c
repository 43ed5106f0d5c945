#include "schema/steps_make.h"
#include "base/error.h"

#include <string.h>

enum { VERSION_ALTER_CONSTRAINTS = 3053000 };

/* ## The stored text
 *
 * It may be changed in place only if no byte of any table or index would be
 * another one with the new text. That is so for a declared type of the same
 * affinity, for NOT NULL and CHECK once the rows have been looked at, and for
 * foreign keys. It is not so for what one could think of next: a DEFAULT is
 * also the value of rows that are older than their column, a collation orders
 * indexes, STRICT stores REAL otherwise, and INTEGER PRIMARY KEY is no
 * ordinary column. */

static int same_affinity(const rowtide__work *work, const char *old_name,
                         const char *new_name)
{
    const rowtide_schema_table *a = &work->original->view;
    const rowtide_schema_table *b = &work->target->view;
    const rowtide_schema_column *from = rowtide__table_column(a, old_name);
    const rowtide_schema_column *to = rowtide__table_column(b, new_name);
    return from && to && from->affinity == to->affinity && !a->strict
           && !b->strict && from != rowtide__table_rowid_column(work->original)
           && to != rowtide__table_rowid_column(work->target);
}

static int old_column_name(const rowtide__making *making,
                           const rowtide__work *work, const char *name,
                           const char **out)
{
    int rc = rowtide__difference_old_name(making->difference, work->name, name,
                                          out);
    if (rc == ROWTIDE_OK && !*out)
        *out = name;
    return rc;
}

static int can_edit_column(const rowtide__making *making,
                           const rowtide__work *work,
                           const rowtide_schema_change *change, int *out)
{
    const rowtide_schema_column *column = rowtide__table_column(
        &work->target->view, change->name);
    const char *old_name;
    int rc = old_column_name(making, work, change->name, &old_name);
    if (rc != ROWTIDE_OK || !column)
        return rc;
    if (change->aspect == ROWTIDE_ASPECT_TYPE)
        *out = same_affinity(work, old_name, change->name);
    else
        *out = change->aspect == ROWTIDE_ASPECT_NOT_NULL
               && column->primary_key == 0;
    return ROWTIDE_OK;
}

static int can_edit(const rowtide__making *making, const rowtide__work *work,
                    const rowtide_schema_change *change, int *out)
{
    *out = 0;
    if (!making->abilities->edit_text || !work->original->ddl
        || !work->target->ddl)
        return ROWTIDE_OK;
    switch (change->object) {
    case ROWTIDE_OBJECT_CHECK:
    case ROWTIDE_OBJECT_FOREIGN_KEY:
        *out = 1;
        return ROWTIDE_OK;
    case ROWTIDE_OBJECT_COLUMN:
        return change->operation == ROWTIDE_SCHEMA_CHANGE
                   ? can_edit_column(making, work, change, out)
                   : ROWTIDE_OK;
    default:
        return ROWTIDE_OK;
    }
}

/* ## ALTER TABLE */

static const rowtide__ddl_constraint *
constraint_of(const rowtide__table *table, const char *column,
              rowtide__constraint_kind kind)
{
    const rowtide__ddl_column *found = table->ddl ? rowtide__ddl_find_column(
                                                        table->ddl, column)
                                                  : NULL;
    return found ? rowtide__ddl_find_constraint(found, kind) : NULL;
}

/* SQLite refuses a default that is not constant only if there are rows, and a
 * NOT NULL column without one too; but for that no other way is better. */
static int can_add(const rowtide__making *making, const rowtide__work *work,
                   const char *name, int *out)
{
    const rowtide__table *table = work->target;
    const rowtide_schema_column *column = rowtide__table_column(&table->view,
                                                                name);
    const rowtide_schema_column *older = rowtide__table_column(
        &work->original->view, name);
    *out = 0;
    if (!column || !column->sql || !table->ddl || older
        || work->original->view.strict != table->view.strict
        || (column->generated_as && column->stored)
        || constraint_of(table, name, ROWTIDE__PRIMARY_KEY)
        || constraint_of(table, name, ROWTIDE__UNIQUE))
        return ROWTIDE_OK;
    *out = 1;
    int plain = rowtide__default_is_constant(column->default_sql)
                && (!constraint_of(table, name, ROWTIDE__FOREIGN_KEY)
                    || rowtide__default_is_null(column->default_sql));
    if (plain || column->generated_as)
        return ROWTIDE_OK;
    const rowtide__abilities *abilities = making->abilities;
    int rows = 1;
    if (abilities->has_rows)
        rows = abilities->has_rows(abilities->user, work->original->view.name);
    *out = rows == 0;
    return rows < 0 ? rows : ROWTIDE_OK;
}

static int is_plain_not_null(const rowtide__work *work, const char *column)
{
    const rowtide__ddl_constraint *constraint = constraint_of(
        work->target, column, ROWTIDE__NOT_NULL);
    return !constraint || (!constraint->name && !constraint->on_conflict);
}

static int is_of_table(const rowtide__table *table,
                       const rowtide__ddl_constraint *wanted)
{
    const rowtide__ddl_constraint *found = table->ddl ? table->ddl->constraints
                                                      : NULL;
    while (found && found != wanted)
        found = found->next;
    return wanted && found;
}

static int can_alter(const rowtide__making *making, const rowtide__work *work,
                     const rowtide_schema_change *change)
{
    const rowtide__change *detail = (const rowtide__change *)change;
    if (making->abilities->version < VERSION_ALTER_CONSTRAINTS)
        return 0;
    if (change->object == ROWTIDE_OBJECT_COLUMN)
        return change->operation == ROWTIDE_SCHEMA_CHANGE
               && change->aspect == ROWTIDE_ASPECT_NOT_NULL
               && is_plain_not_null(work, change->name);
    if (change->object != ROWTIDE_OBJECT_CHECK)
        return 0;
    if (change->operation == ROWTIDE_SCHEMA_ADD)
        return is_of_table(work->target, detail->new_constraint);
    return change->operation == ROWTIDE_SCHEMA_REMOVE && detail->old_constraint
           && detail->old_constraint->name;
}

int rowtide__way_choose(const rowtide__making *making,
                        const rowtide__work *work,
                        const rowtide_schema_change *change, rowtide__way *out)
{
    int can = 0;
    int rc = ROWTIDE_OK;
    *out = ROWTIDE__WAY_REBUILD;
    if (change->object == ROWTIDE_OBJECT_COLUMN
        && change->operation == ROWTIDE_SCHEMA_ADD) {
        rc = can_add(making, work, change->name, &can);
        if (can)
            *out = ROWTIDE__WAY_ADD;
        return rc;
    }
    if (change->object == ROWTIDE_OBJECT_COLUMN
        && change->operation == ROWTIDE_SCHEMA_REMOVE) {
        if (!making->keep_columns)
            *out = ROWTIDE__WAY_DROP;
        return ROWTIDE_OK;
    }
    if (can_alter(making, work, change) && !making->keep_columns) {
        *out = ROWTIDE__WAY_ALTER;
        return ROWTIDE_OK;
    }
    rc = can_edit(making, work, change, &can);
    if (can)
        *out = ROWTIDE__WAY_EDIT;
    return rc;
}

int rowtide__way_joins_rebuild(const rowtide__work *work,
                               const rowtide_schema_change *change)
{
    const rowtide_schema_column *column = rowtide__table_column(
        &work->target->view, change->name);
    return column
           && (column->generated_as
               || constraint_of(work->target, column->name, ROWTIDE__CHECK));
}

static const char *alter_statement(const rowtide__making *making,
                                   const rowtide__work *work,
                                   const rowtide_schema_change *change)
{
    const rowtide__change *detail = (const rowtide__change *)change;
    const rowtide_schema_column *column;
    if (change->object == ROWTIDE_OBJECT_COLUMN) {
        column = rowtide__table_column(&work->target->view, change->name);
        return rowtide__arena_sql(
            making->arena, "ALTER TABLE \"%w\" ALTER COLUMN \"%w\" %s NOT NULL",
            work->name, change->name,
            column && column->not_null ? "SET" : "DROP");
    }
    if (change->operation == ROWTIDE_SCHEMA_ADD)
        return rowtide__arena_sql(making->arena, "ALTER TABLE \"%w\" ADD %s",
                                  work->name, change->to);
    return rowtide__arena_sql(making->arena,
                              "ALTER TABLE \"%w\" DROP CONSTRAINT \"%w\"",
                              work->name, detail->old_constraint->name);
}

const char *rowtide__way_statement(const rowtide__making *making,
                                   const rowtide__work *work,
                                   const rowtide_schema_change *change)
{
    const rowtide_schema_column *column;
    if (change->object != ROWTIDE_OBJECT_COLUMN
        || change->operation == ROWTIDE_SCHEMA_CHANGE)
        return alter_statement(making, work, change);
    if (change->operation == ROWTIDE_SCHEMA_REMOVE)
        return rowtide__arena_sql(making->arena,
                                  "ALTER TABLE \"%w\" DROP COLUMN \"%w\"",
                                  work->name, change->name);
    column = rowtide__table_column(&work->target->view, change->name);
    return rowtide__arena_sql(making->arena, "ALTER TABLE \"%w\" ADD COLUMN %s",
                              work->name, column->sql);
}
