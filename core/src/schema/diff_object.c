#include "schema/diff.h"

#include <string.h>

static void put_object(rowtide__diff *diff, rowtide_schema_object object,
                       const char *table, rowtide_schema_change change)
{
    change.object = object;
    change.table = table;
    rowtide__diff_put(diff, (rowtide__change){.view = change});
}

/* ## Indexes */

typedef enum sameness { SAME, MAYBE_SAME, DIFFERENT } sameness;

static const char *collation_of(const rowtide__table *table,
                                const rowtide_schema_indexed_column *column)
{
    const rowtide_schema_column *own = NULL;
    if (column->name)
        own = rowtide__table_column(&table->view, column->name);
    if (column->collation && own
        && rowtide__name_equal(column->collation,
                               own->collation ? own->collation : "BINARY"))
        return NULL;
    return column->collation;
}

static sameness compare_part(rowtide__diff *diff,
                             const rowtide_schema_indexed_column *old,
                             const rowtide_schema_indexed_column *now)
{
    if (!old->name != !now->name || old->descending != now->descending
        || !rowtide__diff_same_name(collation_of(diff->old_table, old),
                                    collation_of(diff->new_table, now)))
        return DIFFERENT;
    if (!old->name)
        return rowtide__diff_same_expression(diff, old->expression,
                                             now->expression)
                   ? SAME
                   : MAYBE_SAME;
    const char *name = rowtide__renames_new_column(diff->renames,
                                                   diff->old_table, old->name);
    return rowtide__name_equal(name, now->name) ? SAME : DIFFERENT;
}

static sameness worse(sameness a, sameness b)
{
    return a > b ? a : b;
}

static sameness compare_index(rowtide__diff *diff,
                              const rowtide_schema_index *old,
                              const rowtide_schema_index *now)
{
    sameness result = SAME;
    if (old->unique != now->unique || !old->where != !now->where)
        return DIFFERENT;
    for (size_t i = 0; old->columns[i] || now->columns[i]; i++) {
        if (!old->columns[i] || !now->columns[i])
            return DIFFERENT;
        result = worse(result,
                       compare_part(diff, old->columns[i], now->columns[i]));
        if (result == DIFFERENT)
            return DIFFERENT;
    }
    if (!rowtide__diff_same_expression(diff, old->where, now->where))
        result = worse(result, MAYBE_SAME);
    return result;
}

static const rowtide_schema_index *find_index(const rowtide_schema_table *table,
                                              const char *name)
{
    for (size_t i = 0; table && table->indexes[i]; i++)
        if (rowtide__name_equal(table->indexes[i]->name, name))
            return table->indexes[i];
    return NULL;
}

/* One that means the same, and whose name the new table doesn't have. */
static const rowtide_schema_index *
find_other_name(rowtide__diff *diff, const rowtide_schema_index *now)
{
    const rowtide_schema_table *old = &diff->old_table->view;
    for (size_t i = 0; old->indexes[i]; i++)
        if (!find_index(&diff->new_table->view, old->indexes[i]->name)
            && compare_index(diff, old->indexes[i], now) == SAME)
            return old->indexes[i];
    return NULL;
}

static void put_index(rowtide__diff *diff, const char *name,
                      rowtide_schema_change change)
{
    change.name = name;
    put_object(diff, ROWTIDE_OBJECT_INDEX, NULL, change);
}

static void add_index(rowtide__diff *diff, const rowtide_schema_index *now)
{
    int checked = now->unique && diff->old_table;
    rowtide_schema_change change = {
        .operation = ROWTIDE_SCHEMA_ADD,
        .to = now->sql,
        .effect = checked ? ROWTIDE_EFFECT_CHECKED : ROWTIDE_EFFECT_ADDITIVE,
        .note = checked ? "rows that have the same are in the way"
                        : "a new index"};
    put_index(diff, now->name, change);
}

static void change_index(rowtide__diff *diff, const rowtide_schema_index *old,
                         const rowtide_schema_index *now, sameness same)
{
    if (same == SAME)
        return;
    rowtide_schema_change change = {
        .operation = ROWTIDE_SCHEMA_CHANGE,
        .aspect = ROWTIDE_ASPECT_SQL,
        .from = old->sql,
        .to = now->sql,
        .effect = now->unique ? ROWTIDE_EFFECT_CHECKED : ROWTIDE_EFFECT_SAFE,
        .unknown = same == MAYBE_SAME,
        .note = now->unique ? "made anew; rows that have the same are in the "
                              "way"
                            : "made anew"};
    put_index(diff, now->name, change);
}

static void rename_index(rowtide__diff *diff, const rowtide_schema_index *old,
                         const rowtide_schema_index *now)
{
    rowtide_schema_change change = {
        .operation = ROWTIDE_SCHEMA_RENAME,
        .from = old->name,
        .to = now->name,
        .effect = ROWTIDE_EFFECT_SAFE,
        .note = "the same index under another name"};
    put_index(diff, now->name, change);
}

static int is_listed(const rowtide__list *list, const void *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == item)
            return 1;
    return 0;
}

void rowtide__diff_indexes(rowtide__diff *diff)
{
    const rowtide_schema_table *old = diff->old_table ? &diff->old_table->view
                                                      : NULL;
    const rowtide_schema_table *now = &diff->new_table->view;
    rowtide__list renamed = {.arena = diff->arena};
    for (size_t i = 0; now->indexes[i] && diff->rc == ROWTIDE_OK; i++) {
        const rowtide_schema_index *index = now->indexes[i];
        const rowtide_schema_index *was = find_index(old, index->name);
        if (was) {
            change_index(diff, was, index, compare_index(diff, was, index));
            continue;
        }
        if (old)
            was = find_other_name(diff, index);
        if (was && !is_listed(&renamed, was)) {
            rename_index(diff, was, index);
            diff->rc = rowtide__list_add(&renamed, was);
        } else {
            add_index(diff, index);
        }
    }
    for (size_t i = 0; old && old->indexes[i] && diff->rc == ROWTIDE_OK; i++) {
        const rowtide_schema_index *index = old->indexes[i];
        if (find_index(now, index->name) || is_listed(&renamed, index))
            continue;
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_REMOVE,
            .from = index->sql,
            .effect = ROWTIDE_EFFECT_DESTRUCTIVE,
            .note = "the index goes; the rows stay"};
        put_index(diff, index->name, change);
    }
}

/* ## Triggers */

static void put_trigger(rowtide__diff *diff,
                        const rowtide_schema_trigger *trigger,
                        rowtide_schema_change change)
{
    change.name = trigger->name;
    put_object(diff, ROWTIDE_OBJECT_TRIGGER,
               diff->new_table ? diff->new_table->view.name : trigger->table,
               change);
}

static const rowtide_schema_trigger *
find_trigger(const rowtide_schema_trigger *const *triggers, const char *name)
{
    for (size_t i = 0; triggers[i]; i++)
        if (rowtide__name_equal(triggers[i]->name, name))
            return triggers[i];
    return NULL;
}

static void compare_trigger(rowtide__diff *diff,
                            const rowtide_schema_trigger *old,
                            const rowtide_schema_trigger *now)
{
    if (rowtide__diff_same_body(diff, old->sql, now->sql))
        return;
    rowtide_schema_change change = {
        .operation = ROWTIDE_SCHEMA_CHANGE,
        .aspect = ROWTIDE_ASPECT_SQL,
        .from = old->sql,
        .to = now->sql,
        .effect = ROWTIDE_EFFECT_SAFE,
        .unknown = rowtide__name_equal(old->timing, now->timing)
                   && rowtide__name_equal(old->event, now->event),
        .note = "made anew; no row is touched"};
    put_trigger(diff, now, change);
}

void rowtide__diff_triggers(rowtide__diff *diff,
                            const rowtide_schema_trigger *const *old_triggers,
                            const rowtide_schema_trigger *const *new_triggers)
{
    for (size_t i = 0; new_triggers[i] && diff->rc == ROWTIDE_OK; i++) {
        const rowtide_schema_trigger *now = new_triggers[i];
        const rowtide_schema_trigger *old = find_trigger(old_triggers,
                                                         now->name);
        rowtide_schema_change change = {.operation = ROWTIDE_SCHEMA_ADD,
                                        .to = now->sql,
                                        .effect = ROWTIDE_EFFECT_ADDITIVE,
                                        .note = "a new trigger"};
        if (old)
            compare_trigger(diff, old, now);
        else
            put_trigger(diff, now, change);
    }
    for (size_t i = 0; old_triggers[i] && diff->rc == ROWTIDE_OK; i++) {
        const rowtide_schema_trigger *old = old_triggers[i];
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_REMOVE,
            .from = old->sql,
            .effect = ROWTIDE_EFFECT_DESTRUCTIVE,
            .note = "the trigger goes; the rows stay"};
        int declared = rowtide__map_get(&diff->new_triggers, old->name) != NULL;
        if (!find_trigger(new_triggers, old->name)
            && (declared || !rowtide__diff_ignores_undeclared(diff)))
            put_trigger(diff, old, change);
    }
}

/* ## Views */

static void put_view(rowtide__diff *diff, const rowtide_schema_view *view,
                     rowtide_schema_change change)
{
    change.name = view->name;
    put_object(diff, ROWTIDE_OBJECT_VIEW, view->name, change);
}

static void compare_view(rowtide__diff *diff, const rowtide_schema_view *old,
                         const rowtide_schema_view *now)
{
    if (!rowtide__diff_same_body(diff, old->sql, now->sql)) {
        rowtide_schema_change change = {.operation = ROWTIDE_SCHEMA_CHANGE,
                                        .aspect = ROWTIDE_ASPECT_SQL,
                                        .from = old->sql,
                                        .to = now->sql,
                                        .effect = ROWTIDE_EFFECT_SAFE,
                                        .unknown = 1,
                                        .note = "made anew; no row is touched"};
        put_view(diff, now, change);
    }
    rowtide__diff_triggers(diff, old->triggers, now->triggers);
}

static void add_view(rowtide__diff *diff, const rowtide_schema_view *now)
{
    static const rowtide_schema_trigger *const no_triggers[] = {NULL};
    rowtide_schema_change change = {.operation = ROWTIDE_SCHEMA_ADD,
                                    .to = now->sql,
                                    .effect = ROWTIDE_EFFECT_ADDITIVE,
                                    .note = "a new view"};
    put_view(diff, now, change);
    rowtide__diff_triggers(diff, no_triggers, now->triggers);
}

static void remove_view(rowtide__diff *diff, const rowtide_schema_view *old)
{
    rowtide_schema_change change = {
        .operation = ROWTIDE_SCHEMA_REMOVE,
        .from = old->sql,
        .effect = ROWTIDE_EFFECT_DESTRUCTIVE,
        .note = "the view goes, with its triggers; the rows stay"};
    put_view(diff, old, change);
}

void rowtide__diff_views(rowtide__diff *diff)
{
    const rowtide_schema *from = diff->difference->from;
    const rowtide_schema *to = diff->difference->to;
    const rowtide_schema_view *const *views = to->contents.views;
    diff->old_table = diff->new_table = NULL;
    for (size_t i = 0; views[i] && diff->rc == ROWTIDE_OK; i++) {
        const rowtide__view *old = rowtide__schema_view(from, views[i]->name);
        if (old)
            compare_view(diff, &old->view, views[i]);
        else
            add_view(diff, views[i]);
    }
    views = from->contents.views;
    for (size_t i = 0; views[i] && diff->rc == ROWTIDE_OK; i++) {
        /* A table of that name needs the name. */
        int needed = rowtide__schema_table(to, views[i]->name) != NULL;
        if (!rowtide__schema_view(to, views[i]->name)
            && (needed || !rowtide__diff_ignores_undeclared(diff)))
            remove_view(diff, views[i]);
    }
}

/* ## Virtual tables */

static int same_module(rowtide__diff *diff)
{
    const rowtide__ddl *old = diff->old_table->ddl, *now = diff->new_table->ddl;
    if (!old || !now || !old->module || !now->module)
        return rowtide__diff_same_text(diff, diff->old_table->view.sql,
                                       diff->new_table->view.sql);
    if (!rowtide__name_equal(old->module, now->module))
        return 0;
    int same = rowtide__sql_same(
        old->text + old->arguments.at, old->arguments.size,
        now->text + now->arguments.at, now->arguments.size);
    if (same < 0 && diff->rc == ROWTIDE_OK)
        diff->rc = same;
    return same == 1;
}

void rowtide__diff_virtual_table(rowtide__diff *diff)
{
    if (diff->rc != ROWTIDE_OK || same_module(diff))
        return;
    rowtide_schema_change change = {
        .operation = ROWTIDE_SCHEMA_CHANGE,
        .name = diff->new_table->view.name,
        .aspect = ROWTIDE_ASPECT_SQL,
        .from = diff->old_table->view.sql,
        .to = diff->new_table->view.sql,
        .effect = ROWTIDE_EFFECT_DESTRUCTIVE,
        .unknown = 1,
        .note = "made anew: what it stores itself goes"};
    put_object(diff, ROWTIDE_OBJECT_VIRTUAL_TABLE, NULL, change);
}
