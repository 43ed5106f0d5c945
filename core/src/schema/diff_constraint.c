#include "schema/diff.h"

#include <string.h>

typedef rowtide__diff_constraint constraint;

typedef struct sides {
    rowtide__diff *diff;
    constraint *old, *now;
    size_t old_count, new_count;
} sides;

static rowtide_schema_object object_of(const constraint *c)
{
    switch (c->kind) {
    case ROWTIDE__CHECK:
        return ROWTIDE_OBJECT_CHECK;
    case ROWTIDE__FOREIGN_KEY:
        return ROWTIDE_OBJECT_FOREIGN_KEY;
    default:
        return ROWTIDE_OBJECT_KEY;
    }
}

static const rowtide_schema_column *column_of(const rowtide__table *table,
                                              const constraint *c)
{
    return c && c->column ? rowtide__table_column(&table->view, c->column->name)
                          : NULL;
}

/* Either side may be NULL. */
static void put(rowtide__diff *diff, const constraint *old,
                const constraint *now, rowtide_schema_change change)
{
    const constraint *known = now ? now : old;
    const rowtide__table *table = now ? diff->new_table : diff->old_table;
    change.object = object_of(known);
    change.name = known->name
                      ? known->name
                      : rowtide__diff_constraint_sql(diff, table, known, 0);
    if (old && !change.from)
        change.from = rowtide__diff_constraint_sql(diff, diff->old_table, old,
                                                   1);
    if (now && !change.to)
        change.to = rowtide__diff_constraint_sql(diff, diff->new_table, now, 1);
    rowtide__change full = {.view = change,
                            .old_constraint = old ? old->ddl : NULL,
                            .new_constraint = now ? now->ddl : NULL};
    if (old)
        full.old_column = column_of(diff->old_table, old);
    if (now)
        full.new_column = column_of(diff->new_table, now);
    rowtide__diff_put(diff, full);
}

/* ## What differs in two that belong together */

static int same_meaning(const constraint *a, const constraint *b)
{
    if (a->kind != b->kind || strcmp(a->meaning, b->meaning) != 0)
        return 0;
    return !*a->parent || !*b->parent || strcmp(a->parent, b->parent) == 0;
}

static void compare_key(rowtide__diff *diff, const constraint *old,
                        const constraint *now)
{
    if (old->ddl->autoincrement != now->ddl->autoincrement) {
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_CHANGE,
            .aspect = ROWTIDE_ASPECT_AUTOINCREMENT,
            .effect = ROWTIDE_EFFECT_SAFE,
            .note = now->ddl->autoincrement
                        ? "keys of deleted rows are not used again"
                        : "keys of deleted rows may be used again"};
        put(diff, old, now, change);
    }
    if (!rowtide__diff_same_name(old->ddl->on_conflict,
                                 now->ddl->on_conflict)) {
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_CHANGE,
            .aspect = ROWTIDE_ASPECT_ON_CONFLICT,
            .effect = ROWTIDE_EFFECT_SAFE,
            .note = "what happens when a key is written that is there"};
        put(diff, old, now, change);
    }
}

static void compare_meaning(rowtide__diff *diff, const constraint *old,
                            const constraint *now)
{
    rowtide_schema_change change = {.operation = ROWTIDE_SCHEMA_CHANGE,
                                    .aspect = ROWTIDE_ASPECT_SQL,
                                    .effect = ROWTIDE_EFFECT_CHECKED};
    if (same_meaning(old, now)) {
        if (strcmp(old->details, now->details) == 0)
            return;
        change.effect = ROWTIDE_EFFECT_SAFE;
        change.note = "what happens when the row referred to is changed, or "
                      "when it is looked for";
    } else if (now->kind == ROWTIDE__CHECK) {
        change.unknown = 1;
        change.note = "another expression; rows for which it is false are in "
                      "the way";
    } else if (now->kind == ROWTIDE__FOREIGN_KEY) {
        change.note = "it refers to something else, which has to be there";
    } else {
        change.note = "another key; rows that have the same are in the way";
    }
    put(diff, old, now, change);
}

static void compare_pair(rowtide__diff *diff, constraint *old, constraint *now)
{
    old->matched = now->matched = 1;
    if (!old->ddl || !now->ddl)
        return; /* a relation is there, or not, as one likes */
    if (!rowtide__diff_same_name(old->name, now->name)) {
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_RENAME,
            .effect = ROWTIDE_EFFECT_SAFE,
            .note = "only the name of the constraint differs"};
        put(diff, old, now, change);
    }
    compare_meaning(diff, old, now);
    if (now->kind == ROWTIDE__PRIMARY_KEY || now->kind == ROWTIDE__UNIQUE)
        compare_key(diff, old, now);
}

/* ## What belongs together */

typedef int belong(const sides *s, const constraint *old,
                   const constraint *now);

static int have_one_name(const sides *s, const constraint *old,
                         const constraint *now)
{
    (void)s;
    return old->name && now->name && rowtide__name_equal(old->name, now->name);
}

static int mean_the_same(const sides *s, const constraint *old,
                         const constraint *now)
{
    (void)s;
    return same_meaning(old, now) && strcmp(old->details, now->details) == 0;
}

static int mean_nearly_the_same(const sides *s, const constraint *old,
                                const constraint *now)
{
    (void)s;
    return same_meaning(old, now);
}

static int stays(const sides *s, const rowtide__ddl_column *old)
{
    const char *name = rowtide__renames_new_column(
        s->diff->renames, s->diff->old_table, old->name);
    return rowtide__ddl_find_column(s->diff->new_table->ddl, name) != NULL;
}

static int is_new(const sides *s, const rowtide__ddl_column *now)
{
    const char *name = rowtide__renames_old_column(
        s->diff->renames, s->diff->new_table, now->name);
    return !name || !rowtide__ddl_find_column(s->diff->old_table->ddl, name);
}

/* There is one PRIMARY KEY. CHECKs without names at one column, or at the
 * table, are taken to be the same ones, changed. */
static int are_counterparts(const sides *s, const constraint *old,
                            const constraint *now)
{
    if (now->kind == ROWTIDE__PRIMARY_KEY)
        return 1;
    if (now->kind != ROWTIDE__CHECK || old->name || now->name
        || !old->column != !now->column)
        return 0;
    if (!now->column)
        return 1;
    return rowtide__name_equal(rowtide__renames_new_column(s->diff->renames,
                                                           s->diff->old_table,
                                                           old->column->name),
                               now->column->name);
}

static void match(sides *s, belong *belong)
{
    for (size_t i = 0; i < s->new_count; i++) {
        constraint *now = &s->now[i];
        for (size_t j = 0; j < s->old_count && !now->matched; j++) {
            constraint *old = &s->old[j];
            if (!old->matched && old->kind == now->kind && belong(s, old, now))
                compare_pair(s->diff, old, now);
        }
    }
}

/* A constraint at a column comes and goes with it. */
static void put_rest(sides *s)
{
    static const char *const added[] = {
        "rows that have the same are in the way",
        "rows for which it is false are in the way",
        "rows that refer to nothing are in the way"};
    for (size_t i = 0; i < s->old_count; i++) {
        const constraint *old = &s->old[i];
        if (old->matched || !old->ddl
            || (old->column && !stays(s, old->column)))
            continue;
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_REMOVE,
            .effect = ROWTIDE_EFFECT_SAFE,
            .note = "the rows stay; it is not looked after any more"};
        put(s->diff, old, NULL, change);
    }
    for (size_t i = 0; i < s->new_count; i++) {
        const constraint *now = &s->now[i];
        if (now->matched || !now->ddl
            || (now->column && is_new(s, now->column)))
            continue;
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_ADD,
            .effect = ROWTIDE_EFFECT_CHECKED,
            .note = added[object_of(now) - ROWTIDE_OBJECT_KEY]};
        put(s->diff, NULL, now, change);
    }
}

void rowtide__diff_constraints(rowtide__diff *diff)
{
    sides s = {.diff = diff};
    if (diff->rc != ROWTIDE_OK)
        return;
    diff->rc = rowtide__diff_collect_constraints(diff, 1, &s.old, &s.old_count);
    if (diff->rc == ROWTIDE_OK)
        diff->rc = rowtide__diff_collect_constraints(diff, 0, &s.now,
                                                     &s.new_count);
    if (diff->rc != ROWTIDE_OK)
        return;
    match(&s, have_one_name);
    match(&s, mean_the_same);
    match(&s, mean_nearly_the_same);
    match(&s, are_counterparts);
    put_rest(&s);
}

static int has_column(const rowtide_schema_indexed_column *const *columns,
                      const char *name)
{
    for (size_t i = 0; columns[i]; i++)
        if (!columns[i]->name || rowtide__name_equal(columns[i]->name, name))
            return 1;
    return 0;
}

int rowtide__table_unique_on(const rowtide_schema_table *table,
                             const char *column)
{
    for (size_t i = 0; table->keys[i]; i++)
        if (has_column(table->keys[i]->columns, column))
            return 1;
    for (size_t i = 0; table->indexes[i]; i++)
        if (table->indexes[i]->unique
            && has_column(table->indexes[i]->columns, column))
            return 1;
    return 0;
}
