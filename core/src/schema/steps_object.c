#include "schema/steps_make.h"
#include "base/error.h"

#include <string.h>

/* ## Renames */

/* Is the new name another one's still, or its own in other case? */
static int is_taken(const rowtide__making *making,
                    const rowtide_schema_change *change)
{
    const rowtide__table *table = ((const rowtide__change *)change)->old_table;
    if (change->object == ROWTIDE_OBJECT_COLUMN)
        return table && rowtide__table_column(&table->view, change->to);
    const rowtide__entry *entry = rowtide__schema_entry(
        making->difference->from, change->to);
    return entry && entry->name;
}

static const char *rename_sql(const rowtide__making *making,
                              const rowtide_schema_change *change,
                              const char *from, const char *to)
{
    if (change->object == ROWTIDE_OBJECT_COLUMN)
        return rowtide__arena_sql(
            making->arena, "ALTER TABLE \"%w\" RENAME COLUMN \"%w\" TO \"%w\"",
            change->table, from, to);
    return rowtide__arena_sql(making->arena,
                              "ALTER TABLE \"%w\" RENAME TO \"%w\"", from, to);
}

/* Through another name where the new one is taken: when all have left their
 * names, all are free. */
int rowtide__put_renames(rowtide__making *making, rowtide_schema_object object)
{
    const rowtide_schema_change *const *changes = rowtide__making_changes(
        making);
    int rc = ROWTIDE_OK;
    for (int arriving = 0; arriving < 2; arriving++)
        for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++) {
            const rowtide_schema_change *change = changes[i];
            int table = change->object == ROWTIDE_OBJECT_TABLE
                        || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE;
            if (change->operation != ROWTIDE_SCHEMA_RENAME
                || (object == ROWTIDE_OBJECT_TABLE ? !table
                                                   : change->object != object))
                continue;
            int taken = is_taken(making, change);
            if (!taken && arriving)
                continue;
            const char *other = rowtide__arena_sql(making->arena,
                                                   "rowtide_rename_%d", (int)i);
            const char *sql =
                !taken ? rename_sql(making, change, change->from, change->to)
                : arriving ? rename_sql(making, change, other, change->to)
                           : rename_sql(making, change, change->from, other);
            rc = rowtide__step_run(making, ROWTIDE__PHASE_RENAME,
                                   ROWTIDE_METHOD_RENAME, change, sql);
        }
    return rc;
}

/* ## Whole objects */

static const char *keyword_of(rowtide_schema_object object)
{
    switch (object) {
    case ROWTIDE_OBJECT_INDEX:
        return "INDEX";
    case ROWTIDE_OBJECT_TRIGGER:
        return "TRIGGER";
    case ROWTIDE_OBJECT_VIEW:
        return "VIEW";
    default:
        return "TABLE";
    }
}

static int phase_of(rowtide_schema_object object)
{
    switch (object) {
    case ROWTIDE_OBJECT_INDEX:
        return ROWTIDE__PHASE_INDEX;
    case ROWTIDE_OBJECT_TRIGGER:
        return ROWTIDE__PHASE_TRIGGER;
    case ROWTIDE_OBJECT_VIEW:
        return ROWTIDE__PHASE_VIEW;
    default:
        return ROWTIDE__PHASE_TABLE;
    }
}

static int put_drop(rowtide__making *making, int phase,
                    const rowtide_schema_change *change, const char *name)
{
    return rowtide__step_run(making, phase, ROWTIDE_METHOD_DROP, change,
                             rowtide__arena_sql(making->arena, "DROP %s \"%w\"",
                                                keyword_of(change->object),
                                                name));
}

static int put_create(rowtide__making *making,
                      const rowtide_schema_change *change, const char *sql)
{
    return rowtide__step_run(making, phase_of(change->object),
                             ROWTIDE_METHOD_CREATE, change, sql);
}

static const char *find_trigger_sql(const rowtide_schema_trigger *const *list,
                                    const char *name)
{
    for (size_t i = 0; list[i]; i++)
        if (rowtide__name_equal(list[i]->name, name))
            return list[i]->sql;
    return NULL;
}

/* The statement that makes an object of `to`; NULL if it has none. */
static const char *create_sql(const rowtide__making *making,
                              const rowtide_schema_change *change)
{
    const rowtide_schema *to = making->difference->to;
    const rowtide__table *table = rowtide__schema_table(to, change->table);
    const rowtide__view *view = rowtide__schema_view(to, change->table);
    const char *sql = NULL;
    switch (change->object) {
    case ROWTIDE_OBJECT_VIEW:
        return view ? view->view.sql : NULL;
    case ROWTIDE_OBJECT_TRIGGER:
        if (table)
            sql = find_trigger_sql(table->view.triggers, change->name);
        if (!sql && view)
            sql = find_trigger_sql(view->view.triggers, change->name);
        return sql;
    case ROWTIDE_OBJECT_INDEX:
        for (size_t i = 0; table && table->view.indexes[i]; i++)
            if (rowtide__name_equal(table->view.indexes[i]->name, change->name))
                return table->view.indexes[i]->sql;
        return NULL;
    default:
        return table ? table->view.sql : NULL;
    }
}

/* A view takes its triggers with it. */
static int recreate_triggers(rowtide__making *making,
                             const rowtide_schema_change *change)
{
    const rowtide__view *view = rowtide__schema_view(making->difference->from,
                                                     change->name);
    const rowtide__view *now = rowtide__schema_view(making->difference->to,
                                                    change->name);
    int rc = ROWTIDE_OK;
    for (size_t i = 0;
         view && now && view->view.triggers[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_trigger *trigger = view->view.triggers[i];
        if (!rowtide__object_stays(making, ROWTIDE_OBJECT_TRIGGER,
                                   trigger->name))
            continue;
        const char *sql = find_trigger_sql(now->view.triggers, trigger->name);
        rc = rowtide__step_run(making, ROWTIDE__PHASE_TRIGGER,
                               ROWTIDE_METHOD_CREATE, change,
                               sql ? sql : trigger->sql);
    }
    return rc;
}

static int put_change_of_object(rowtide__making *making,
                                const rowtide_schema_change *change)
{
    const char *sql = create_sql(making, change);
    if (!sql)
        return rowtide__fail(ROWTIDE_EINTERNAL,
                             "plan: \"%s\" is not in the schema", change->name);
    if (change->operation == ROWTIDE_SCHEMA_ADD)
        return put_create(making, change, sql);
    if (rowtide__change_refusal(making->abilities, change))
        return rowtide__step_refuse(making, ROWTIDE__PHASE_DROP,
                                    ROWTIDE_METHOD_DROP, change);
    const char *old = change->operation == ROWTIDE_SCHEMA_RENAME ? change->from
                                                                 : change->name;
    int rc = put_drop(making,
                      change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE
                          ? ROWTIDE__PHASE_TABLE
                          : ROWTIDE__PHASE_DROP,
                      change, old);
    if (rc == ROWTIDE_OK)
        rc = put_create(making, change, sql);
    if (rc == ROWTIDE_OK && change->object == ROWTIDE_OBJECT_VIEW)
        rc = recreate_triggers(making, change);
    return rc;
}

static int is_wanted_by_another(const rowtide__making *making, const char *name)
{
    const rowtide__entry *entry = rowtide__schema_entry(making->difference->to,
                                                        name);
    return entry && entry->name;
}

/* Of a view that goes too, the triggers go with it. */
static int goes_with_view(const rowtide__making *making,
                          const rowtide_schema_change *trigger)
{
    const rowtide__view *view = rowtide__schema_view(making->difference->from,
                                                     trigger->table);
    return trigger->object == ROWTIDE_OBJECT_TRIGGER && view
           && !rowtide__object_stays(making, ROWTIDE_OBJECT_VIEW,
                                     trigger->table);
}

int rowtide__put_objects(rowtide__making *making)
{
    const rowtide_schema_change *const *changes = rowtide__making_changes(
        making);
    int rc = ROWTIDE_OK;
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_change *change = changes[i];
        int table = change->object == ROWTIDE_OBJECT_TABLE
                    || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE;
        if (rowtide__change_is_of_table(change)
            || change->object == ROWTIDE_OBJECT_COLUMN
            || (table && change->operation == ROWTIDE_SCHEMA_RENAME))
            continue;
        if (change->operation != ROWTIDE_SCHEMA_REMOVE)
            rc = put_change_of_object(making, change);
        else if (table ? is_wanted_by_another(making, change->name)
                       : !goes_with_view(making, change))
            rc = put_drop(making, ROWTIDE__PHASE_DROP, change, change->name);
    }
    return rc;
}

/* Children before their parents. */
int rowtide__put_table_drops(rowtide__making *making)
{
    const rowtide_schema_table *const *order;
    const rowtide_schema_change *const *changes = rowtide__making_changes(
        making);
    const rowtide_schema *from = making->difference->from;
    int rc = rowtide__schema_order(from->contents.tables, making->arena,
                                   &order);
    size_t count = 0;
    while (rc == ROWTIDE_OK && order[count])
        count++;
    for (; rc == ROWTIDE_OK && count > 0; count--)
        for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++) {
            const rowtide_schema_change *change = changes[i];
            const char *name = order[count - 1]->name;
            if (change->operation == ROWTIDE_SCHEMA_REMOVE
                && (change->object == ROWTIDE_OBJECT_TABLE
                    || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE)
                && rowtide__name_equal(change->name, name)
                && !is_wanted_by_another(making, name))
                rc = put_drop(making, ROWTIDE__PHASE_DROP_TABLE, change, name);
        }
    return rc;
}
