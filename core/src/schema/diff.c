#include "schema/diff.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

/* ## What the files of the comparison share */

void rowtide__diff_put(rowtide__diff *diff, rowtide__change change)
{
    if (diff->rc != ROWTIDE_OK)
        return;
    rowtide__change *copy = rowtide__arena_alloc(diff->arena, sizeof *copy);
    if (!copy || !change.view.note) {
        diff->rc = ROWTIDE_ENOMEM;
        return;
    }
    *copy = change;
    if (!copy->old_table)
        copy->old_table = diff->old_table;
    if (!copy->new_table)
        copy->new_table = diff->new_table;
    const rowtide__table *table = copy->new_table ? copy->new_table
                                                  : copy->old_table;
    if (!copy->view.table)
        copy->view.table = table->view.name;
    diff->rc = rowtide__list_add(&diff->changes, copy);
}

int rowtide__diff_ignores_undeclared(const rowtide__diff *diff)
{
    return diff->difference->options.undeclared == ROWTIDE_UNDECLARED_IGNORE;
}

int rowtide__diff_same_name(const char *a, const char *b)
{
    return a && b ? rowtide__name_equal(a, b) : a == b;
}

static int is_same(rowtide__diff *diff, int same)
{
    if (same < 0)
        diff->rc = same;
    return same == 1;
}

int rowtide__diff_same_text(rowtide__diff *diff, const char *a, const char *b)
{
    if (diff->rc != ROWTIDE_OK || !a || !b)
        return a == b;
    return is_same(diff, rowtide__sql_same(a, strlen(a), b, strlen(b)));
}

int rowtide__diff_same_expression(rowtide__diff *diff, const char *old_sql,
                                  const char *new_sql)
{
    if (diff->rc != ROWTIDE_OK || !old_sql || !new_sql)
        return old_sql == new_sql;
    rowtide_buffer renamed = ROWTIDE_BUFFER_INIT;
    size_t size = strlen(old_sql);
    if (diff->renames->count > 0) {
        diff->rc = rowtide__renames_expression(diff->renames, diff->old_table,
                                               old_sql, size, &renamed);
        old_sql = renamed.data;
        size = renamed.size;
    }
    int same = diff->rc == ROWTIDE_OK
               && is_same(diff,
                          rowtide__sql_same_of(diff->new_table->ddl, old_sql,
                                               size, new_sql, strlen(new_sql)));
    rowtide_buffer_dispose(&renamed);
    return same;
}

/* Most texts differ by nothing or a little, so names are only looked up when
 * that is needed. */
int rowtide__diff_same_body(rowtide__diff *diff, const char *old_sql,
                            const char *new_sql)
{
    if (diff->rc != ROWTIDE_OK || !old_sql || !new_sql)
        return old_sql == new_sql;
    if (diff->renames->count == 0
        && rowtide__diff_same_text(diff, old_sql, new_sql))
        return 1;
    rowtide_buffer old = ROWTIDE_BUFFER_INIT, now = ROWTIDE_BUFFER_INIT;
    int unsure = 0, same = 0;
    if (diff->rc == ROWTIDE_OK)
        diff->rc = rowtide__renames_body(diff->renames, diff->old_table,
                                         old_sql, &old, &unsure);
    if (diff->rc == ROWTIDE_OK)
        diff->rc = rowtide__resolve_body(diff->difference->to, diff->new_table,
                                         new_sql, &now);
    if (diff->rc == ROWTIDE_OK && !unsure)
        same = is_same(
            diff, rowtide__sql_same(old.data, old.size, now.data, now.size));
    rowtide_buffer_dispose(&old);
    rowtide_buffer_dispose(&now);
    return same;
}

/* ## Tables */

static rowtide_schema_object object_of(const rowtide__table *table)
{
    return table->view.kind == ROWTIDE_TABLE_VIRTUAL
               ? ROWTIDE_OBJECT_VIRTUAL_TABLE
               : ROWTIDE_OBJECT_TABLE;
}

static void put_table(rowtide__diff *diff, rowtide_schema_operation operation,
                      const rowtide__table *table, const char *note)
{
    int added = operation == ROWTIDE_SCHEMA_ADD;
    rowtide__change change = {
        .view = {.operation = operation,
                 .object = object_of(table),
                 .name = table->view.name,
                 .from = added ? NULL : table->view.sql,
                 .to = added ? table->view.sql : NULL,
                 .effect = added ? ROWTIDE_EFFECT_ADDITIVE
                                 : ROWTIDE_EFFECT_DESTRUCTIVE,
                 .note = note}};
    rowtide__diff_put(diff, change);
}

static void add_table(rowtide__diff *diff, const rowtide__table *table)
{
    static const rowtide_schema_trigger *const no_triggers[] = {NULL};
    diff->old_table = NULL;
    diff->new_table = table;
    put_table(diff, ROWTIDE_SCHEMA_ADD, table, "a new table");
    rowtide__diff_indexes(diff);
    rowtide__diff_triggers(diff, no_triggers, table->view.triggers);
}

static void remove_table(rowtide__diff *diff, const rowtide__table *table)
{
    diff->old_table = table;
    diff->new_table = NULL;
    put_table(diff, ROWTIDE_SCHEMA_REMOVE, table,
              "the table goes, with its rows, indexes and triggers");
}

static void put_flag(rowtide__diff *diff, rowtide_schema_aspect aspect,
                     const char *word, int now)
{
    static const char *const notes[][2] = {
        {"any column takes values of any type now",
         "values that are not of their column's type are refused"},
        {"rows get rowids, in no particular order",
         "rowids go; the columns of the key may not be NULL"}};
    rowtide__change change = {
        .view = {.operation = ROWTIDE_SCHEMA_CHANGE,
                 .object = ROWTIDE_OBJECT_TABLE,
                 .name = diff->new_table->view.name,
                 .aspect = aspect,
                 .from = now ? "" : word,
                 .to = now ? word : "",
                 .effect = now ? ROWTIDE_EFFECT_CHECKED : ROWTIDE_EFFECT_SAFE,
                 .note = notes[aspect != ROWTIDE_ASPECT_STRICT][now]}};
    rowtide__diff_put(diff, change);
}

static void compare_options(rowtide__diff *diff)
{
    const rowtide_schema_table *old = &diff->old_table->view;
    const rowtide_schema_table *now = &diff->new_table->view;
    if (old->strict != now->strict)
        put_flag(diff, ROWTIDE_ASPECT_STRICT, "STRICT", now->strict);
    if (old->without_rowid != now->without_rowid)
        put_flag(diff, ROWTIDE_ASPECT_WITHOUT_ROWID, "WITHOUT ROWID",
                 now->without_rowid);
}

/* Our parser could not read one of the texts, so all that can be said is
 * whether they differ. */
static void compare_unread(rowtide__diff *diff)
{
    const rowtide_schema_table *old = &diff->old_table->view;
    const rowtide_schema_table *now = &diff->new_table->view;
    if (rowtide__diff_same_body(diff, old->sql, now->sql))
        return;
    rowtide__change change = {
        .view = {.operation = ROWTIDE_SCHEMA_CHANGE,
                 .object = ROWTIDE_OBJECT_TABLE,
                 .name = now->name,
                 .aspect = ROWTIDE_ASPECT_SQL,
                 .from = old->sql,
                 .to = now->sql,
                 .effect = ROWTIDE_EFFECT_CHECKED,
                 .unknown = 1,
                 .note = "the CREATE statement differs, in a way that cannot "
                         "be read"}};
    rowtide__diff_put(diff, change);
}

static void compare_ordinary(rowtide__diff *diff)
{
    const rowtide__table *old = diff->old_table, *now = diff->new_table;
    int same = diff->renames->count == 0 && old->view.sql && now->view.sql
               && strcmp(old->view.sql, now->view.sql) == 0;
    if (!same && old->ddl && now->ddl) {
        rowtide__diff_columns(diff);
        rowtide__diff_constraints(diff);
        compare_options(diff);
    } else if (!same) {
        compare_unread(diff);
    }
    rowtide__diff_indexes(diff);
    rowtide__diff_triggers(diff, old->view.triggers, now->view.triggers);
}

static void compare_table(rowtide__diff *diff, const rowtide__table *old,
                          const rowtide__table *now)
{
    if (old->view.kind != now->view.kind) {
        remove_table(diff, old);
        add_table(diff, now);
        return;
    }
    diff->old_table = old;
    diff->new_table = now;
    if (!rowtide__name_equal(old->view.name, now->view.name)) {
        rowtide__change change = {
            .view = {.operation = ROWTIDE_SCHEMA_RENAME,
                     .object = object_of(now),
                     .name = now->view.name,
                     .from = old->view.name,
                     .to = now->view.name,
                     .effect = ROWTIDE_EFFECT_SAFE,
                     .note = "the table gets another name, as hinted"}};
        rowtide__diff_put(diff, change);
    }
    if (now->view.kind == ROWTIDE_TABLE_VIRTUAL)
        rowtide__diff_virtual_table(diff);
    else
        compare_ordinary(diff);
}

static void compare_tables(rowtide__diff *diff)
{
    const rowtide_schema_table *const *tables =
        diff->difference->to->contents.tables;
    for (size_t i = 0; tables[i] && diff->rc == ROWTIDE_OK; i++) {
        const rowtide__table *now = (const rowtide__table *)tables[i];
        if (tables[i]->kind == ROWTIDE_TABLE_SHADOW)
            continue;
        const rowtide__table *old = rowtide__renames_old_table(diff->renames,
                                                               tables[i]->name);
        if (old)
            compare_table(diff, old, now);
        else
            add_table(diff, now);
    }
}

static void remove_tables(rowtide__diff *diff)
{
    const rowtide_schema_table *const *tables =
        diff->difference->from->contents.tables;
    size_t count = 0;
    while (tables[count])
        count++;
    /* What was made last can refer to what was made first. */
    while (count-- > 0 && diff->rc == ROWTIDE_OK) {
        const rowtide__table *old = (const rowtide__table *)tables[count];
        const rowtide__table *now = NULL;
        if (tables[count]->kind == ROWTIDE_TABLE_SHADOW)
            continue;
        now = rowtide__renames_new_table(diff->renames, tables[count]->name);
        if (!now
            || rowtide__renames_old_table(diff->renames, now->view.name) != old)
            remove_table(diff, old);
    }
}

static void note_triggers(rowtide__diff *diff,
                          const rowtide_schema_trigger *const *triggers)
{
    for (size_t i = 0; triggers[i] && diff->rc == ROWTIDE_OK; i++)
        diff->rc = rowtide__map_set(&diff->new_triggers, triggers[i]->name,
                                    triggers[i]);
}

static int compare(rowtide_schema_difference *difference)
{
    rowtide__diff diff = {.difference = difference,
                          .arena = &difference->arena,
                          .renames = difference->renames,
                          .changes = {.arena = &difference->arena},
                          .new_triggers = {.arena = &difference->arena}};
    const rowtide_schema_contents *to = &difference->to->contents;
    for (size_t i = 0; to->tables[i]; i++)
        note_triggers(&diff, to->tables[i]->triggers);
    for (size_t i = 0; to->views[i]; i++)
        note_triggers(&diff, to->views[i]->triggers);
    compare_tables(&diff);
    if (!rowtide__diff_ignores_undeclared(&diff))
        remove_tables(&diff);
    rowtide__diff_views(&diff);
    difference->changes.changes = (const rowtide_schema_change *const *)
        rowtide__list_finish(&diff.changes);
    return diff.rc;
}

/* ## The handle */

static int copy_options(rowtide_schema_difference *difference,
                        const rowtide_schema_diff_options *options)
{
    rowtide_schema_diff_options *copy = &difference->options;
    *copy = (rowtide_schema_diff_options)ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    if (options)
        memcpy(copy, options,
               options->size < sizeof *copy ? options->size : sizeof *copy);
    rowtide__list list = {.arena = &difference->arena};
    for (size_t i = 0; copy->renames && copy->renames[i]; i++) {
        const char *text;
        int rc = rowtide__name_copy(list.arena, copy->renames[i],
                                    strlen(copy->renames[i]), &text);
        if (rc == ROWTIDE_OK)
            rc = rowtide__list_add(&list, text);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    copy->renames = (const char *const *)rowtide__list_finish(&list);
    return ROWTIDE_OK;
}

int rowtide_schema_diff(const rowtide_schema *from, const rowtide_schema *to,
                        const rowtide_schema_diff_options *options,
                        rowtide_schema_difference **out)
{
    ROWTIDE__CHECK_ARG(out, "schema_diff");
    *out = NULL;
    ROWTIDE__CHECK_ARG(from, "schema_diff");
    ROWTIDE__CHECK_ARG(to, "schema_diff");
    if (options)
        ROWTIDE__CHECK_ARG(options->size >= sizeof options->size,
                           "schema_diff");
    rowtide_schema_difference *difference = rowtide__alloc_zero(
        sizeof *difference);
    if (!difference)
        return ROWTIDE_ENOMEM;
    difference->from = rowtide__schema_retain(from);
    difference->to = rowtide__schema_retain(to);
    int rc = copy_options(difference, options);
    if (rc == ROWTIDE_OK)
        rc = rowtide__renames_read(difference);
    if (rc == ROWTIDE_OK)
        rc = compare(difference);
    if (rc == ROWTIDE_OK)
        *out = difference;
    else
        rowtide_schema_difference_free(difference);
    return rc;
}

void rowtide_schema_difference_free(rowtide_schema_difference *difference)
{
    if (!difference)
        return;
    rowtide_schema_free(difference->from);
    rowtide_schema_free(difference->to);
    rowtide__arena_dispose(&difference->arena);
    rowtide__free(difference);
}

const rowtide_schema_changes *
rowtide_schema_difference_changes(const rowtide_schema_difference *difference)
{
    return difference ? &difference->changes : NULL;
}
