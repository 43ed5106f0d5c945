#include "schema/ddl_parser.h"
#include "schema/generate.h"
#include "schema/steps_make.h"
#include "base/error.h"
#include "base/map.h"

#include <string.h>

/* Changes wait for the second half if they remove, convert or need a rebuild,
 * or if they name something that waits. */
typedef struct choice {
    const rowtide_schema_change *const *changes;
    size_t count;
    unsigned char *waits;
    rowtide__arena arena;
} choice;

static int is_table(const rowtide_schema_change *change)
{
    return change->object == ROWTIDE_OBJECT_TABLE
           || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE;
}

static int is_made_by_name(const rowtide_schema_change *change)
{
    return change->object == ROWTIDE_OBJECT_INDEX
           || change->object == ROWTIDE_OBJECT_TRIGGER
           || change->object == ROWTIDE_OBJECT_VIEW;
}

/* NOT NULL without a default: no table that has rows takes it. */
static int fails_with_rows(const rowtide_schema_change *change)
{
    const rowtide_schema_column *column =
        ((const rowtide__change *)change)->new_column;
    return change->object == ROWTIDE_OBJECT_COLUMN && column->not_null
           && !column->generated_as
           && rowtide__default_is_null(column->default_sql);
}

static int may_be_active(const rowtide_schema_change *change)
{
    int adds = is_table(change) || change->object == ROWTIDE_OBJECT_COLUMN;
    switch (change->operation) {
    case ROWTIDE_SCHEMA_ADD:
        return (adds && !fails_with_rows(change)) || is_made_by_name(change);
    case ROWTIDE_SCHEMA_RENAME:
        return adds || is_made_by_name(change);
    case ROWTIDE_SCHEMA_CHANGE:
        return is_made_by_name(change);
    default:
        return 0;
    }
}

/* ## What names something that waits */

/* A name that isn't there until the second half. */
static int brings_name(const rowtide_schema_change *change)
{
    return change->operation == ROWTIDE_SCHEMA_ADD
           && (is_table(change) || change->object == ROWTIDE_OBJECT_COLUMN
               || change->object == ROWTIDE_OBJECT_VIEW);
}

/* A key that isn't there until then, to which a new table may refer. */
static int brings_key(const rowtide_schema_change *change)
{
    return change->object == ROWTIDE_OBJECT_KEY
           && change->operation != ROWTIDE_SCHEMA_REMOVE
           && (change->aspect == ROWTIDE_ASPECT_WHOLE
               || change->aspect == ROWTIDE_ASPECT_SQL);
}

/* Two objects of that kind cannot have one name. */
static int share_names(const rowtide_schema_change *a,
                       const rowtide_schema_change *b)
{
    int a_trigger = a->object == ROWTIDE_OBJECT_TRIGGER;
    int b_trigger = b->object == ROWTIDE_OBJECT_TRIGGER;
    return (is_table(a) || is_made_by_name(a))
           && (is_table(b) || is_made_by_name(b)) && a_trigger == b_trigger;
}

static int note_names(choice *it, rowtide__map *names)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < it->count && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_change *change = it->changes[i];
        if (!it->waits[i])
            continue;
        if (brings_name(change) || change->operation == ROWTIDE_SCHEMA_REMOVE)
            rc = rowtide__map_set(names, change->name, change);
        else if (brings_key(change))
            rc = rowtide__map_set(names, change->table, change);
    }
    return rc;
}

/* Does the name, which stands in the text of `change`, wait? */
static int waits_for(const choice *it, const rowtide_schema_change *change,
                     const char *name)
{
    for (size_t i = 0; i < it->count; i++) {
        const rowtide_schema_change *other = it->changes[i];
        int adds = is_table(change) || change->object == ROWTIDE_OBJECT_COLUMN;
        if (it->waits[i] && brings_key(other) && adds
            && rowtide__name_equal(other->table, name))
            return 1;
        if (!it->waits[i] || !brings_name(other)
            || !rowtide__name_equal(other->name, name))
            continue;
        if (other->object != ROWTIDE_OBJECT_COLUMN
            || change->object == ROWTIDE_OBJECT_VIEW
            || change->object == ROWTIDE_OBJECT_TRIGGER
            || rowtide__name_equal(other->table, change->table))
            return 1;
    }
    return 0;
}

static int takes_name_of(const choice *it, const rowtide_schema_change *change)
{
    for (size_t i = 0; i < it->count; i++)
        if (it->waits[i] && it->changes[i]->operation == ROWTIDE_SCHEMA_REMOVE
            && share_names(it->changes[i], change)
            && rowtide__name_equal(it->changes[i]->name, change->name))
            return 1;
    return 0;
}

static int names_waiting(choice *it, const rowtide__map *names,
                         const rowtide_schema_change *change, int *out)
{
    rowtide__lexer lexer;
    *out = 0;
    if (change->operation == ROWTIDE_SCHEMA_RENAME && is_table(change))
        return ROWTIDE_OK;
    if (rowtide__map_get(names, change->name) && takes_name_of(it, change)) {
        *out = 1;
        return ROWTIDE_OK;
    }
    if (!change->to || change->operation == ROWTIDE_SCHEMA_RENAME)
        return ROWTIDE_OK;
    rowtide__lexer_open(&lexer, change->to, strlen(change->to));
    while (!*out) {
        const char *name;
        rowtide__token token = rowtide__lexer_next(&lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            break;
        if (token.kind != ROWTIDE__TOKEN_QUOTED
            && (token.kind != ROWTIDE__TOKEN_WORD
                || rowtide__word_reserved(&lexer, &token)))
            continue;
        if (rowtide__name_read(&lexer, &token, &it->arena, &name) != ROWTIDE_OK)
            return ROWTIDE_ENOMEM;
        *out = rowtide__map_get(names, name) && waits_for(it, change, name);
    }
    return ROWTIDE_OK;
}

/* Until nothing more has to wait for something else. */
static int spread(choice *it)
{
    int more = 1, rc = ROWTIDE_OK;
    while (more && rc == ROWTIDE_OK) {
        rowtide__map names = {.arena = &it->arena};
        more = 0;
        rc = note_names(it, &names);
        if (names.count == 0)
            break;
        for (size_t i = 0; i < it->count && rc == ROWTIDE_OK; i++) {
            int waits;
            if (it->waits[i])
                continue;
            rc = names_waiting(it, &names, it->changes[i], &waits);
            it->waits[i] = rc == ROWTIDE_OK && waits;
            more |= it->waits[i];
        }
    }
    return rc;
}

/* ## Steps */

static void wait_with(choice *it, const rowtide_schema_change *change)
{
    for (size_t i = 0; i < it->count; i++)
        if (it->changes[i] == change)
            it->waits[i] = 1;
}

/* 1 if something has to wait that was thought not to. */
static int wait_for_rebuilds(choice *it, const rowtide__steps *steps)
{
    int found = 0;
    for (size_t i = 0; steps->items[i]; i++) {
        const rowtide__step *step = steps->items[i];
        if (step->how == ROWTIDE__HOW_RUN)
            continue;
        found = 1;
        for (size_t k = 0; step->view.changes[k]; k++)
            wait_with(it, step->view.changes[k]);
    }
    return found;
}

static int make_steps(choice *it, const rowtide_schema_difference *difference,
                      rowtide__steps *out)
{
    rowtide__list active = {.arena = &it->arena};
    int rc = spread(it);
    for (size_t i = 0; i < it->count && rc == ROWTIDE_OK; i++)
        if (!it->waits[i])
            rc = rowtide__list_add(&active, it->changes[i]);
    return rc == ROWTIDE_OK ? rowtide__generate_steps(difference, &active, out)
                            : rc;
}

int rowtide__generate_active(const rowtide_schema_difference *difference,
                             rowtide__steps *steps_out)
{
    choice it = {.changes = difference->changes.changes};
    while (it.changes[it.count])
        it.count++;
    it.waits = rowtide__arena_alloc(&it.arena, it.count + 1);
    int rc = it.waits ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    for (size_t i = 0; i < it.count && rc == ROWTIDE_OK; i++)
        it.waits[i] = !may_be_active(it.changes[i]);
    while (rc == ROWTIDE_OK) {
        rc = make_steps(&it, difference, steps_out);
        if (rc != ROWTIDE_OK || !wait_for_rebuilds(&it, steps_out))
            break;
        rowtide__steps_dispose(steps_out);
    }
    rowtide__arena_dispose(&it.arena);
    return rc;
}
