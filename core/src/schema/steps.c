#include "schema/steps_make.h"
#include "base/error.h"

#include <string.h>

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
    const rowtide_schema_change *const *changes = rowtide__making_changes(
        making);
    int rc = ROWTIDE_OK;
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_change *change = changes[i];
        rowtide__work *work;
        if (!rowtide__change_is_of_table(change))
            continue;
        rc = find_work(making, change, &work);
        if (rc != ROWTIDE_OK)
            return rc;
        if (!rowtide__change_refusal(making->abilities, change)) {
            rc = rowtide__list_add(&work->changes, change);
            continue;
        }
        work->refused = 1;
        rc = rowtide__step_refuse(making, ROWTIDE__PHASE_CHANGE,
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
            rc = rowtide__step_run(
                making, ROWTIDE__PHASE_COLUMN,
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
    rowtide__step *step = rowtide__step_put(making, ROWTIDE__PHASE_CHANGE,
                                            ROWTIDE_METHOD_REBUILD,
                                            work->rest.items[0]);
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
    int rc = rowtide__put_renames(making, ROWTIDE_OBJECT_TABLE);
    if (rc == ROWTIDE_OK)
        rc = rowtide__put_renames(making, ROWTIDE_OBJECT_COLUMN);
    if (rc == ROWTIDE_OK)
        rc = rowtide__put_objects(making);
    if (rc == ROWTIDE_OK)
        rc = rowtide__put_table_drops(making);
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
