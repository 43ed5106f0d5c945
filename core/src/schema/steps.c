#include "schema/steps_make.h"
#include "base/error.h"

#include <string.h>

static const char REFUSED_LOSSY[] =
    "it may convert values, which is not allowed";
static const char REFUSED_DESTRUCTIVE[] = "it removes, which is not allowed";

/* ## Which changes */

static int removes_object(const rowtide_schema_change *change)
{
    return change->operation == ROWTIDE_SCHEMA_REMOVE
           && change->object != ROWTIDE_OBJECT_KEY
           && change->object != ROWTIDE_OBJECT_CHECK
           && change->object != ROWTIDE_OBJECT_FOREIGN_KEY;
}

const char *rowtide__change_refusal(const rowtide__abilities *abilities,
                                    const rowtide_schema_change *change)
{
    if (!(abilities->allow & ROWTIDE_ALLOW_DESTRUCTIVE)
        && (change->effect == ROWTIDE_EFFECT_DESTRUCTIVE
            || removes_object(change)))
        return REFUSED_DESTRUCTIVE;
    if (!(abilities->allow & ROWTIDE_ALLOW_LOSSY)
        && change->effect == ROWTIDE_EFFECT_LOSSY)
        return REFUSED_LOSSY;
    return NULL;
}

static const rowtide_schema_change *const *
changes_of(const rowtide__making *making)
{
    return making->difference->changes.changes;
}

int rowtide__object_stays(const rowtide__making *making,
                          rowtide_schema_object object, const char *name)
{
    const rowtide_schema_change *const *changes = changes_of(making);
    for (size_t i = 0; changes[i]; i++) {
        const rowtide_schema_change *change = changes[i];
        const char *old = change->operation == ROWTIDE_SCHEMA_RENAME
                              ? change->from
                              : change->name;
        if (change->object == object && change->operation != ROWTIDE_SCHEMA_ADD
            && rowtide__name_equal(old, name)
            && !rowtide__change_refusal(making->abilities, change))
            return 0;
    }
    return 1;
}

static int is_table_wide(const rowtide_schema_change *change)
{
    switch (change->object) {
    case ROWTIDE_OBJECT_TABLE:
        return change->operation == ROWTIDE_SCHEMA_CHANGE;
    case ROWTIDE_OBJECT_COLUMN:
        return change->operation != ROWTIDE_SCHEMA_RENAME;
    case ROWTIDE_OBJECT_KEY:
    case ROWTIDE_OBJECT_CHECK:
    case ROWTIDE_OBJECT_FOREIGN_KEY:
        return 1;
    default:
        return 0;
    }
}

/* ## Steps */

static rowtide__step *put_step(rowtide__making *making, int phase,
                               rowtide_plan_method method,
                               const rowtide_schema_change *change)
{
    rowtide__list changes = {.arena = making->arena};
    rowtide__step *step = rowtide__arena_alloc(making->arena, sizeof *step);
    if (!step || rowtide__list_add(&changes, change) != ROWTIDE_OK
        || rowtide__list_add(&making->phases[phase], step) != ROWTIDE_OK)
        return NULL;
    memset(step, 0, sizeof *step);
    step->copy_at = SIZE_MAX;
    step->view.method = method;
    step->view.object = change->object;
    step->view.table = change->table;
    step->view.name = change->name;
    step->view.reason = change->note;
    step->view.effect = change->effect;
    step->view.changes = (const rowtide_schema_change *const *)
        rowtide__list_finish(&changes);
    step->view.statements = rowtide__texts_finish(
        &(rowtide__list){.arena = making->arena});
    return step;
}

static int put_refused(rowtide__making *making, int phase,
                       rowtide_plan_method method,
                       const rowtide_schema_change *change)
{
    rowtide__step *step = put_step(making, phase, method, change);
    if (step)
        step->view.refused = rowtide__change_refusal(making->abilities, change);
    return step ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static int put_run(rowtide__making *making, int phase,
                   rowtide_plan_method method,
                   const rowtide_schema_change *change, const char *sql)
{
    rowtide__list statements = {.arena = making->arena};
    rowtide__step *step = put_step(making, phase, method, change);
    if (!step || rowtide__text_add(&statements, sql) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    step->view.statements = rowtide__texts_finish(&statements);
    step->view.refused = rowtide__change_refusal(making->abilities, change);
    return ROWTIDE_OK;
}

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
static int put_renames_of(rowtide__making *making, rowtide_schema_object object)
{
    const rowtide_schema_change *const *changes = changes_of(making);
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
            rc = put_run(making, ROWTIDE__PHASE_RENAME, ROWTIDE_METHOD_RENAME,
                         change, sql);
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
    return put_run(making, phase, ROWTIDE_METHOD_DROP, change,
                   rowtide__arena_sql(making->arena, "DROP %s \"%w\"",
                                      keyword_of(change->object), name));
}

static int put_create(rowtide__making *making,
                      const rowtide_schema_change *change, const char *sql)
{
    return put_run(making, phase_of(change->object), ROWTIDE_METHOD_CREATE,
                   change, sql);
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
        rc = put_run(making, ROWTIDE__PHASE_TRIGGER, ROWTIDE_METHOD_CREATE,
                     change, sql ? sql : trigger->sql);
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
        return put_refused(making, ROWTIDE__PHASE_DROP, ROWTIDE_METHOD_DROP,
                           change);
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

static int put_objects(rowtide__making *making)
{
    const rowtide_schema_change *const *changes = changes_of(making);
    int rc = ROWTIDE_OK;
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_change *change = changes[i];
        int table = change->object == ROWTIDE_OBJECT_TABLE
                    || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE;
        if (is_table_wide(change) || change->object == ROWTIDE_OBJECT_COLUMN
            || (table && change->operation == ROWTIDE_SCHEMA_RENAME))
            continue;
        if (change->operation != ROWTIDE_SCHEMA_REMOVE)
            rc = put_change_of_object(making, change);
        else if (!table && !goes_with_view(making, change))
            rc = put_drop(making, ROWTIDE__PHASE_DROP, change, change->name);
        else if (table && is_wanted_by_another(making, change->name))
            rc = put_drop(making, ROWTIDE__PHASE_DROP, change, change->name);
    }
    return rc;
}

/* Children before their parents. */
static int put_table_drops(rowtide__making *making)
{
    const rowtide_schema_table *const *order;
    const rowtide_schema_change *const *changes = changes_of(making);
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

/* ## Tables that change */

static int find_work(rowtide__making *making,
                     const rowtide_schema_change *change, rowtide__work **out)
{
    const char *old_name;
    /* It is our own list. */
    *out = (rowtide__work *)rowtide__map_get(&making->work_names,
                                             change->table);
    if (*out)
        return ROWTIDE_OK;
    int rc = rowtide__difference_old_name(making->difference, change->table,
                                          NULL, &old_name);
    rowtide__work *work = rowtide__arena_alloc(making->arena, sizeof *work);
    if (rc != ROWTIDE_OK || !work)
        return rc != ROWTIDE_OK ? rc : ROWTIDE_ENOMEM;
    memset(work, 0, sizeof *work);
    work->changes.arena = work->rest.arena = making->arena;
    work->name = change->table;
    work->target = rowtide__schema_table(making->difference->to, change->table);
    if (old_name)
        work->original = rowtide__schema_table(making->difference->from,
                                               old_name);
    if (!work->target || !work->original)
        return rowtide__fail(ROWTIDE_EINTERNAL,
                             "plan: table \"%s\" is not in both schemas",
                             change->table);
    *out = work;
    rc = rowtide__list_add(&making->works, work);
    if (rc == ROWTIDE_OK)
        rc = rowtide__map_set(&making->work_names, work->name, work);
    return rc;
}

static int collect_works(rowtide__making *making)
{
    const rowtide_schema_change *const *changes = changes_of(making);
    int rc = ROWTIDE_OK;
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_change *change = changes[i];
        rowtide__work *work;
        if (!is_table_wide(change))
            continue;
        rc = find_work(making, change, &work);
        if (rc != ROWTIDE_OK)
            return rc;
        if (!rowtide__change_refusal(making->abilities, change)) {
            rc = rowtide__list_add(&work->changes, change);
            continue;
        }
        work->refused = 1;
        rc = put_refused(making, ROWTIDE__PHASE_CHANGE,
                         change->operation == ROWTIDE_SCHEMA_REMOVE
                             ? ROWTIDE_METHOD_ALTER
                             : ROWTIDE_METHOD_REBUILD,
                         change);
    }
    return rc;
}

static int choose_ways(rowtide__making *making, rowtide__work *work)
{
    int rc = ROWTIDE_OK;
    rowtide__way way;
    work->rebuild = 0;
    work->rest.count = 0;
    for (size_t i = 0; i < work->changes.count && rc == ROWTIDE_OK; i++) {
        rc = rowtide__way_choose(making, work, work->changes.items[i], &way);
        work->rebuild |= way == ROWTIDE__WAY_REBUILD;
    }
    for (size_t i = 0; i < work->changes.count && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_change *change = work->changes.items[i];
        rc = rowtide__way_choose(making, work, change, &way);
        if (rc != ROWTIDE_OK)
            return rc;
        /* A rebuild does the rest along the way. */
        if ((way == ROWTIDE__WAY_ADD
             && !(work->rebuild && rowtide__way_joins_rebuild(work, change)))
            || (!work->rebuild
                && (way == ROWTIDE__WAY_DROP || way == ROWTIDE__WAY_ALTER)))
            rc = put_run(making, ROWTIDE__PHASE_COLUMN,
                         way == ROWTIDE__WAY_ADD ? ROWTIDE_METHOD_ADD_COLUMN
                                                 : ROWTIDE_METHOD_ALTER,
                         change, rowtide__way_statement(making, work, change));
        else
            rc = rowtide__list_add(&work->rest, change);
    }
    return rc;
}

static int choose_all(rowtide__making *making)
{
    int rc = ROWTIDE_OK;
    making->phases[ROWTIDE__PHASE_COLUMN].count = 0;
    for (size_t i = 0; i < making->works.count && rc == ROWTIDE_OK; i++)
        /* It is our own list. */
        rc = choose_ways(making, (rowtide__work *)making->works.items[i]);
    return rc;
}

static int add_statements(rowtide__list *out, const rowtide__list *steps)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < steps->count && rc == ROWTIDE_OK; i++) {
        const rowtide__step *step = steps->items[i];
        for (size_t k = 0; step->view.statements[k] && rc == ROWTIDE_OK; k++)
            if (!step->view.refused)
                rc = rowtide__text_add(out, step->view.statements[k]);
    }
    return rc;
}

/* Ask SQLite what the schema is after ALTER TABLE, and whether it can be done
 * at all: a view that is broken, whatever it is about, stops most forms. */
static int replay(rowtide__making *making)
{
    rowtide__list statements = {.arena = making->arena};
    int rc = ROWTIDE_OK;
    for (int phase = 0; phase <= ROWTIDE__PHASE_COLUMN; phase++)
        if (rc == ROWTIDE_OK)
            rc = add_statements(&statements, &making->phases[phase]);
    rowtide_schema_free(making->from);
    making->from = NULL;
    if (rc == ROWTIDE_OK)
        rc = rowtide__schema_replay(making->difference->from,
                                    rowtide__texts_finish(&statements),
                                    &making->from);
    return rc;
}

static int needs_replay(const rowtide__making *making)
{
    if (making->phases[ROWTIDE__PHASE_RENAME].count > 0)
        return 1;
    for (size_t i = 0; i < making->phases[ROWTIDE__PHASE_COLUMN].count; i++) {
        const rowtide__step *step =
            making->phases[ROWTIDE__PHASE_COLUMN].items[i];
        const rowtide__work *work = rowtide__map_get(&making->work_names,
                                                     step->view.table);
        if (step->view.method == ROWTIDE_METHOD_ALTER
            || (work && work->rest.count > 0))
            return 1;
    }
    return 0;
}

static int advance(rowtide__making *making)
{
    int rc = choose_all(making);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!needs_replay(making)) {
        making->from = rowtide__schema_retain(making->difference->from);
        return ROWTIDE_OK;
    }
    rc = replay(making);
    if (rc == ROWTIDE_OK || rc == ROWTIDE_ENOMEM)
        return rc;
    making->keep_columns = 1;
    rc = choose_all(making);
    if (rc == ROWTIDE_OK)
        rc = replay(making);
    return rc == ROWTIDE_OK || rc == ROWTIDE_ENOMEM
               ? rc
               : rowtide__fail_context("plan: ALTER TABLE");
}

/* ## Edits and rebuilds */

static rowtide_schema_effect worst_effect(const rowtide__work *work)
{
    rowtide_schema_effect worst = ROWTIDE_EFFECT_ADDITIVE;
    for (size_t i = 0; i < work->rest.count; i++) {
        const rowtide_schema_change *change = work->rest.items[i];
        if (change->effect > worst)
            worst = change->effect;
    }
    return worst;
}

static const char *reason_of(const rowtide__making *making,
                             const rowtide__work *work)
{
    const rowtide_schema_change *first = work->rest.items[0];
    if (work->rest.count == 1)
        return first->note;
    return rowtide__arena_sql(making->arena, "%s, and %d more",
                              first->note ? first->note : "changes",
                              (int)work->rest.count - 1);
}

static int write_edit(const rowtide__making *making, const rowtide__work *work,
                      rowtide__step *step)
{
    rowtide__list statements = {.arena = making->arena};
    step->how = ROWTIDE__HOW_EDIT;
    step->view.method = ROWTIDE_METHOD_ALTER;
    int rc = rowtide__text_add(&statements, "PRAGMA writable_schema=ON");
    if (rc == ROWTIDE_OK)
        rc = rowtide__text_add(
            &statements,
            rowtide__arena_sql(making->arena,
                               "UPDATE sqlite_schema SET sql = %Q\n"
                               "WHERE type = 'table' AND name = %Q",
                               step->table_sql, work->current->view.name));
    if (rc == ROWTIDE_OK)
        rc = rowtide__text_add(&statements, "PRAGMA writable_schema=RESET");
    step->view.statements = rowtide__texts_finish(&statements);
    return rc;
}

static int put_rest(rowtide__making *making, rowtide__work *work)
{
    work->current = rowtide__schema_table(making->from, work->name);
    if (!work->current)
        return rowtide__fail(ROWTIDE_EINTERNAL,
                             "plan: there is no table \"%s\" any more",
                             work->name);
    rowtide__step *step = put_step(making, ROWTIDE__PHASE_CHANGE,
                                   ROWTIDE_METHOD_REBUILD, work->rest.items[0]);
    if (!step)
        return ROWTIDE_ENOMEM;
    step->how = ROWTIDE__HOW_REBUILD;
    step->old_table = work->current;
    step->new_table = work->target;
    step->view.object = ROWTIDE_OBJECT_TABLE;
    step->view.table = step->view.name = work->name;
    step->view.effect = worst_effect(work);
    step->view.reason = reason_of(making, work);
    step->view.changes = (const rowtide_schema_change *const *)
        rowtide__list_finish(&work->rest);
    int rc = rowtide__work_edit(making, work, &step->table_sql);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!step->table_sql) {
        step->view.refused = "its text could not be edited without changes "
                             "that are not allowed";
        return ROWTIDE_OK;
    }
    return work->rebuild ? rowtide__rebuild_write(making, work, step)
                         : write_edit(making, work, step);
}

static int put_works(rowtide__making *making)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < making->works.count && rc == ROWTIDE_OK; i++) {
        /* It is our own list. */
        rowtide__work *work = (rowtide__work *)making->works.items[i];
        if (work->rest.count > 0)
            rc = put_rest(making, work);
    }
    return rc;
}

static int make_steps(rowtide__making *making)
{
    int rc = put_renames_of(making, ROWTIDE_OBJECT_TABLE);
    if (rc == ROWTIDE_OK)
        rc = put_renames_of(making, ROWTIDE_OBJECT_COLUMN);
    if (rc == ROWTIDE_OK)
        rc = put_objects(making);
    if (rc == ROWTIDE_OK)
        rc = put_table_drops(making);
    if (rc == ROWTIDE_OK)
        rc = collect_works(making);
    if (rc == ROWTIDE_OK)
        rc = advance(making);
    if (rc == ROWTIDE_OK)
        rc = put_works(making);
    return rc;
}

static int join_phases(const rowtide__making *making, rowtide__steps *out)
{
    rowtide__list all = {.arena = making->arena};
    for (int phase = 0; phase < ROWTIDE__PHASE_COUNT; phase++)
        for (size_t i = 0; i < making->phases[phase].count; i++)
            if (rowtide__list_add(&all, making->phases[phase].items[i])
                != ROWTIDE_OK)
                return ROWTIDE_ENOMEM;
    out->items = (const rowtide__step *const *)rowtide__list_finish(&all);
    return ROWTIDE_OK;
}

int rowtide__steps_make(const rowtide_schema_difference *difference,
                        const rowtide__abilities *abilities,
                        rowtide__steps *out)
{
    memset(out, 0, sizeof *out);
    rowtide__making making = {.difference = difference,
                              .abilities = abilities,
                              .arena = &out->arena,
                              .works = {.arena = &out->arena},
                              .work_names = {.arena = &out->arena}};
    for (int phase = 0; phase < ROWTIDE__PHASE_COUNT; phase++)
        making.phases[phase].arena = &out->arena;
    int rc = make_steps(&making);
    out->from = making.from;
    if (rc == ROWTIDE_OK)
        rc = join_phases(&making, out);
    if (rc != ROWTIDE_OK)
        rowtide__steps_dispose(out);
    return rc;
}

void rowtide__steps_dispose(rowtide__steps *steps)
{
    rowtide_schema_free(steps->from);
    rowtide__arena_dispose(&steps->arena);
    memset(steps, 0, sizeof *steps);
}
