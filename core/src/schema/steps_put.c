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

const rowtide_schema_change *const *
rowtide__making_changes(const rowtide__making *making)
{
    return making->difference->changes.changes;
}

int rowtide__object_stays(const rowtide__making *making,
                          rowtide_schema_object object, const char *name)
{
    const rowtide_schema_change *const *changes = rowtide__making_changes(
        making);
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

int rowtide__change_is_of_table(const rowtide_schema_change *change)
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

rowtide__step *rowtide__step_put(rowtide__making *making, int phase,
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

int rowtide__step_refuse(rowtide__making *making, int phase,
                         rowtide_plan_method method,
                         const rowtide_schema_change *change)
{
    rowtide__step *step = rowtide__step_put(making, phase, method, change);
    if (step)
        step->view.refused = rowtide__change_refusal(making->abilities, change);
    return step ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

int rowtide__step_run(rowtide__making *making, int phase,
                      rowtide_plan_method method,
                      const rowtide_schema_change *change, const char *sql)
{
    rowtide__list statements = {.arena = making->arena};
    rowtide__step *step = rowtide__step_put(making, phase, method, change);
    if (!step || rowtide__text_add(&statements, sql) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    step->view.statements = rowtide__texts_finish(&statements);
    step->view.refused = rowtide__change_refusal(making->abilities, change);
    return ROWTIDE_OK;
}
