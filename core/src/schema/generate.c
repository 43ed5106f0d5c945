#include "schema/generate.h"
#include "schema/steps_make.h"
#include "base/buffer.h"
#include "base/error.h"

enum { VERSION_DROP_COLUMN = 3035000 };

int rowtide__generate_steps(const rowtide_schema_difference *difference,
                            const rowtide__list *changes,
                            rowtide__steps *steps_out)
{
    rowtide__abilities abilities = {.version = VERSION_DROP_COLUMN,
                                    .allow = ROWTIDE_ALLOW_LOSSY
                                             | ROWTIDE_ALLOW_DESTRUCTIVE};
    rowtide_schema_difference part = *difference;
    rowtide__list copy = *changes;
    part.changes.changes = (const rowtide_schema_change *const *)
        rowtide__list_finish(&copy);
    return rowtide__steps_make(&part, &abilities, steps_out);
}

/* ## The schema in between */

static int make_between(const rowtide_schema_difference *difference,
                        const rowtide__steps *steps, rowtide_schema **out)
{
    rowtide__arena arena = {NULL, 0};
    rowtide__list statements = {.arena = &arena};
    int rc = ROWTIDE_OK;
    if (!steps->items[0]) {
        *out = rowtide__schema_retain(difference->from);
        return ROWTIDE_OK;
    }
    for (size_t i = 0; steps->items[i]; i++)
        for (size_t k = 0;
             steps->items[i]->view.statements[k] && rc == ROWTIDE_OK; k++)
            rc = rowtide__list_add(&statements,
                                   steps->items[i]->view.statements[k]);
    if (rc == ROWTIDE_OK)
        rc = rowtide__schema_replay(
            difference->from,
            (const char *const *)rowtide__list_finish(&statements), out);
    if (rc != ROWTIDE_OK)
        rc = rowtide__fail_context("generate: what adds cannot be run");
    rowtide__arena_dispose(&arena);
    return rc;
}

/* ## The commented half */

static int is_object(const rowtide_schema_change *change)
{
    return change->object == ROWTIDE_OBJECT_TABLE
           || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE
           || change->object == ROWTIDE_OBJECT_VIEW
           || change->object == ROWTIDE_OBJECT_TRIGGER;
}

static int has_change(const rowtide_schema_difference *difference,
                      rowtide_schema_operation operation,
                      rowtide_schema_object object, const char *name)
{
    const rowtide_schema_change *const *changes = difference->changes.changes;
    for (size_t i = 0; changes[i]; i++)
        if (changes[i]->operation == operation && changes[i]->object == object
            && rowtide__name_equal(changes[i]->name, name))
            return 1;
    return 0;
}

/* The way back must not make what the way there left alone. */
static int is_left_alone(const rowtide_schema_difference *there,
                         const rowtide_schema_difference *back,
                         const rowtide_schema_change *change)
{
    if (change->operation != ROWTIDE_SCHEMA_ADD)
        return 0;
    if (is_object(change))
        return !has_change(there, ROWTIDE_SCHEMA_REMOVE, change->object,
                           change->name)
               && !has_change(there, ROWTIDE_SCHEMA_REMOVE,
                              ROWTIDE_OBJECT_TABLE, change->table)
               && !has_change(there, ROWTIDE_SCHEMA_REMOVE, ROWTIDE_OBJECT_VIEW,
                              change->table);
    return change->object == ROWTIDE_OBJECT_INDEX
           && has_change(back, ROWTIDE_SCHEMA_ADD, ROWTIDE_OBJECT_TABLE,
                         change->table)
           && !has_change(there, ROWTIDE_SCHEMA_REMOVE, ROWTIDE_OBJECT_TABLE,
                          change->table);
}

static int write_difference(const rowtide_schema_difference *difference,
                            const rowtide_schema_difference *there,
                            rowtide__half half, rowtide_buffer *out)
{
    rowtide__arena arena = {NULL, 0};
    rowtide__list list = {.arena = &arena};
    const rowtide_schema_change *const *changes = difference->changes.changes;
    rowtide__steps steps;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++)
        if (!there || !is_left_alone(there, difference, changes[i]))
            rc = rowtide__list_add(&list, changes[i]);
    if (rc == ROWTIDE_OK && list.count > 0) {
        rc = rowtide__generate_steps(difference, &list, &steps);
        if (rc == ROWTIDE_OK) {
            rc = rowtide__generate_write(&steps, half, out);
            rowtide__steps_dispose(&steps);
        }
    }
    rowtide__arena_dispose(&arena);
    return rc;
}

static int diff_between(const rowtide_schema_difference *difference,
                        const rowtide_schema *between,
                        rowtide_schema_difference **out)
{
    rowtide_schema_diff_options options = difference->options;
    options.renames = NULL;
    return rowtide_schema_diff(between, difference->to, &options, out);
}

/* From the new schema back to the one in between. What was left alone as
 * undeclared on the way there is told by the difference of that way. */
static int write_half_down(const rowtide_schema_difference *difference,
                           const rowtide_schema *between, rowtide_buffer *out)
{
    rowtide_schema_difference *there = NULL, *back = NULL;
    rowtide_schema_diff_options options = difference->options;
    options.renames = NULL;
    options.undeclared = ROWTIDE_UNDECLARED_REMOVE;
    int ignored = difference->options.undeclared == ROWTIDE_UNDECLARED_IGNORE;
    int rc = diff_between(difference, between, &there);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_diff(difference->to, between, &options, &back);
    if (rc == ROWTIDE_OK)
        rc = write_difference(back, ignored ? there : NULL,
                              ROWTIDE__HALF_COMMENTED_DOWN, out);
    rowtide_schema_difference_free(there);
    rowtide_schema_difference_free(back);
    return rc;
}

/* ## The active half */

static int is_rename(const rowtide_schema_change *change)
{
    return change->operation == ROWTIDE_SCHEMA_RENAME
           && (change->object == ROWTIDE_OBJECT_COLUMN
               || change->object == ROWTIDE_OBJECT_TABLE
               || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE);
}

/* Hints for the way back. */
static int reverse_renames(const rowtide_schema_difference *difference,
                           rowtide__arena *arena, const char *const **out)
{
    rowtide__list list = {.arena = arena};
    const rowtide_schema_change *const *changes = difference->changes.changes;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_change *change = changes[i];
        const rowtide__table *old =
            ((const rowtide__change *)change)->old_table;
        const char *hint;
        if (!is_rename(change))
            continue;
        if (change->object == ROWTIDE_OBJECT_COLUMN)
            hint = rowtide__arena_sql(arena, "\"%w\".\"%w\"=\"%w\"",
                                      old->view.name, change->to, change->from);
        else
            hint = rowtide__arena_sql(arena, "\"%w\"=\"%w\"", change->to,
                                      change->from);
        rc = rowtide__text_add(&list, hint);
    }
    *out = rowtide__texts_finish(&list);
    return rc;
}

/* The old schema with the new names in it, and nothing else. */
static int make_renamed(const rowtide_schema_difference *difference,
                        rowtide_schema **out)
{
    rowtide__arena arena = {NULL, 0};
    rowtide__list list = {.arena = &arena};
    const rowtide_schema_change *const *changes = difference->changes.changes;
    rowtide__steps steps;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK; i++)
        if (is_rename(changes[i]))
            rc = rowtide__list_add(&list, changes[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide__generate_steps(difference, &list, &steps);
    if (rc == ROWTIDE_OK) {
        rc = make_between(difference, &steps, out);
        rowtide__steps_dispose(&steps);
    }
    rowtide__arena_dispose(&arena);
    return rc;
}

static int write_renames_down(const rowtide_schema_difference *difference,
                              const rowtide_schema *renamed,
                              rowtide_buffer *out)
{
    rowtide__arena arena = {NULL, 0};
    rowtide_schema_difference *back = NULL;
    rowtide_schema_diff_options options = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    int rc = reverse_renames(difference, &arena, &options.renames);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_diff(renamed, difference->from, &options, &back);
    if (rc == ROWTIDE_OK)
        rc = write_difference(back, NULL, ROWTIDE__HALF_ACTIVE, out);
    rowtide_schema_difference_free(back);
    rowtide__arena_dispose(&arena);
    return rc;
}

/* What was added goes first: it may have the name that something else had. */
static int write_active_down(const rowtide_schema_difference *difference,
                             const rowtide_schema *between, rowtide_buffer *out)
{
    rowtide_schema *renamed = NULL;
    rowtide_schema_difference *back = NULL;
    int rc = make_renamed(difference, &renamed);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_diff(between, renamed, NULL, &back);
    if (rc == ROWTIDE_OK)
        rc = write_difference(back, NULL, ROWTIDE__HALF_ACTIVE, out);
    if (rc == ROWTIDE_OK && renamed != difference->from)
        rc = write_renames_down(difference, renamed, out);
    rowtide_schema_difference_free(back);
    rowtide_schema_free(renamed);
    return rc;
}

static int write_up(const rowtide_schema_difference *difference,
                    const rowtide__steps *active, const rowtide_schema *between,
                    rowtide_buffer *out)
{
    rowtide_schema_difference *rest = NULL;
    int rc = rowtide__generate_write(active, ROWTIDE__HALF_ACTIVE, out);
    if (rc == ROWTIDE_OK)
        rc = diff_between(difference, between, &rest);
    if (rc == ROWTIDE_OK)
        rc = write_difference(rest, NULL, ROWTIDE__HALF_COMMENTED, out);
    rowtide_schema_difference_free(rest);
    return rc;
}

static int write_down(const rowtide_schema_difference *difference,
                      const rowtide_schema *between, rowtide_buffer *out)
{
    int rc = write_half_down(difference, between, out);
    return rc == ROWTIDE_OK ? write_active_down(difference, between, out) : rc;
}

int rowtide_schema_generate(const rowtide_schema_difference *difference,
                            rowtide_schema_direction direction,
                            rowtide_buffer *buf_out)
{
    ROWTIDE__CHECK_ARG(buf_out, "schema_generate");
    ROWTIDE__CHECK_ARG(difference, "schema_generate");
    ROWTIDE__CHECK_ARG(direction == ROWTIDE_SCHEMA_UP
                           || direction == ROWTIDE_SCHEMA_DOWN,
                       "schema_generate");
    rowtide__steps active;
    rowtide_schema *between = NULL;
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__generate_active(difference, &active);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = make_between(difference, &active, &between);
    if (rc == ROWTIDE_OK)
        rc = direction == ROWTIDE_SCHEMA_UP
                 ? write_up(difference, &active, between, &text)
                 : write_down(difference, between, &text);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(buf_out, text.data, text.size);
    rowtide_buffer_dispose(&text);
    rowtide_schema_free(between);
    rowtide__steps_dispose(&active);
    return rc;
}
