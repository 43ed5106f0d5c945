#include "schema/diff.h"
#include "schema/steps_make.h"

#include <string.h>

/* One column in both tables. */
typedef struct pair {
    const rowtide_schema_column *old, *now;
    const rowtide__ddl_column *old_ddl, *new_ddl;
} pair;

static void put_column(rowtide__diff *diff, const pair *pair,
                       rowtide_schema_change change)
{
    rowtide__change full = {
        .view = change, .old_column = pair->old, .new_column = pair->now};
    full.view.object = ROWTIDE_OBJECT_COLUMN;
    full.view.name = pair->now ? pair->now->name : pair->old->name;
    rowtide__diff_put(diff, full);
}

static void put_aspect(rowtide__diff *diff, const pair *pair,
                       rowtide_schema_change change)
{
    change.operation = ROWTIDE_SCHEMA_CHANGE;
    put_column(diff, pair, change);
}

static const rowtide__ddl_constraint *
find_clause(const rowtide__ddl_column *column, rowtide__constraint_kind kind)
{
    return column ? rowtide__ddl_find_constraint(column, kind) : NULL;
}

/* ## Type */

static int is_any(const rowtide_schema_table *table,
                  const rowtide_schema_column *column)
{
    return table->strict && rowtide__name_equal(column->type, "ANY");
}

static int is_rowid(const rowtide__table *table,
                    const rowtide_schema_column *column)
{
    return rowtide__table_rowid_column(table) == column;
}

static int is_number(rowtide_schema_affinity affinity)
{
    return affinity == ROWTIDE_AFFINITY_INTEGER
           || affinity == ROWTIDE_AFFINITY_NUMERIC;
}

static rowtide_schema_effect type_effect(const rowtide__diff *diff,
                                         const pair *pair, const char **note)
{
    const rowtide__table *old = diff->old_table, *now = diff->new_table;
    rowtide_schema_affinity from = pair->old->affinity;
    rowtide_schema_affinity to = pair->now->affinity;
    if (pair->old->generated_as && pair->now->generated_as) {
        *note = "its values are computed anew";
        return now->view.strict ? ROWTIDE_EFFECT_CHECKED : ROWTIDE_EFFECT_SAFE;
    }
    *note = "the same affinity: no value changes";
    if (is_rowid(now, pair->now) && !is_rowid(old, pair->old)) {
        *note = "it becomes the rowid: every value has to be an integer";
        return ROWTIDE_EFFECT_CHECKED;
    }
    if (is_any(&old->view, pair->old) && !is_any(&now->view, pair->now)) {
        *note = "it takes values of one type only";
        return ROWTIDE_EFFECT_LOSSY;
    }
    if (to == ROWTIDE_AFFINITY_BLOB || is_any(&now->view, pair->now)) {
        *note = "values stay as they are, and are not converted any more";
        return now->view.strict && !is_any(&now->view, pair->now)
                   ? ROWTIDE_EFFECT_CHECKED
                   : ROWTIDE_EFFECT_SAFE;
    }
    if (from == to || (is_number(from) && is_number(to)))
        return ROWTIDE_EFFECT_SAFE;
    *note = "another affinity: values may be converted";
    return ROWTIDE_EFFECT_LOSSY;
}

static void compare_type(rowtide__diff *diff, const pair *pair)
{
    int same = rowtide__diff_same_text(diff, pair->old->type, pair->now->type)
               || rowtide__name_equal(pair->old->type, pair->now->type);
    if (same
        && is_any(&diff->old_table->view, pair->old)
               == is_any(&diff->new_table->view, pair->now))
        return;
    rowtide_schema_change change = {.aspect = ROWTIDE_ASPECT_TYPE,
                                    .from = pair->old->type,
                                    .to = pair->now->type};
    change.effect = type_effect(diff, pair, &change.note);
    put_aspect(diff, pair, change);
}

/* ## NOT NULL */

/* A key may see to it: that is a change of its own. */
static int is_implied(const rowtide__table *table,
                      const rowtide_schema_column *column)
{
    return (table->view.without_rowid && column->primary_key)
           || is_rowid(table, column);
}

static void compare_not_null(rowtide__diff *diff, const pair *pair)
{
    const rowtide__ddl_constraint *old = find_clause(pair->old_ddl,
                                                     ROWTIDE__NOT_NULL);
    const rowtide__ddl_constraint *now = find_clause(pair->new_ddl,
                                                     ROWTIDE__NOT_NULL);
    int was = is_implied(diff->old_table, pair->old);
    int is = is_implied(diff->new_table, pair->now);
    if (!old != !now && !(was && is)) {
        int checked = now && !was;
        rowtide_schema_change change = {
            .aspect = ROWTIDE_ASPECT_NOT_NULL,
            .from = old ? "NOT NULL" : "",
            .to = now ? "NOT NULL" : "",
            .effect = checked ? ROWTIDE_EFFECT_CHECKED : ROWTIDE_EFFECT_SAFE,
            .note = checked ? "rows with NULL are in the way"
                    : now   ? "no row has NULL there"
                            : "it may be NULL now"};
        put_aspect(diff, pair, change);
    } else if (old && now
               && !rowtide__diff_same_name(old->on_conflict,
                                           now->on_conflict)) {
        rowtide_schema_change change = {
            .aspect = ROWTIDE_ASPECT_ON_CONFLICT,
            .from = old->on_conflict ? old->on_conflict : "",
            .to = now->on_conflict ? now->on_conflict : "",
            .effect = ROWTIDE_EFFECT_SAFE,
            .note = "what happens when NULL is written"};
        put_aspect(diff, pair, change);
    }
}

/* ## DEFAULT */

/* A default that is one token, or a number with a sign. A bare name and one in
 * double quotes are strings there. */
typedef struct literal {
    int is, string;
    const char *text;
} literal;

static literal read_literal(rowtide__diff *diff, const char *sql)
{
    rowtide__lexer lexer;
    literal literal = {0, 0, sql};
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    rowtide__token token = rowtide__lexer_next(&lexer);
    int sign = rowtide__token_is(&lexer, &token, "-")
               || rowtide__token_is(&lexer, &token, "+");
    if (sign)
        token = rowtide__lexer_next(&lexer);
    literal.is = token.kind != ROWTIDE__TOKEN_SYMBOL
                 && rowtide__lexer_peek(&lexer).kind == ROWTIDE__TOKEN_END;
    literal.string = literal.is && !sign
                     && (token.kind == ROWTIDE__TOKEN_STRING
                         || token.kind == ROWTIDE__TOKEN_QUOTED);
    if (literal.string && diff->rc == ROWTIDE_OK)
        diff->rc = rowtide__name_read(&lexer, &token, diff->arena,
                                      &literal.text);
    return literal;
}

static const char *default_of(const rowtide_schema_column *column)
{
    const char *sql = column->default_sql;
    return sql && rowtide__name_equal(sql, "NULL") ? NULL : sql;
}

static void compare_default(rowtide__diff *diff, const pair *pair)
{
    const char *old = default_of(pair->old), *now = default_of(pair->now);
    if (rowtide__diff_same_expression(diff, old, now) || diff->rc != ROWTIDE_OK)
        return;
    rowtide_schema_change change = {
        .aspect = ROWTIDE_ASPECT_DEFAULT,
        .from = old ? old : "",
        .to = now ? now : "",
        .effect = ROWTIDE_EFFECT_SAFE,
        .note = "for rows that come; those that are there keep their values"};
    if (old && now) {
        literal a = read_literal(diff, old), b = read_literal(diff, now);
        if (a.string && b.string && strcmp(a.text, b.text) == 0)
            return;
        change.unknown = !a.is && !b.is;
    }
    put_aspect(diff, pair, change);
}

/* ## Collation and generated columns */

static void compare_collation(rowtide__diff *diff, const pair *pair)
{
    const char *old = pair->old->collation ? pair->old->collation : "BINARY";
    const char *now = pair->now->collation ? pair->now->collation : "BINARY";
    if (rowtide__name_equal(old, now))
        return;
    int unique = rowtide__table_unique_on(&diff->new_table->view,
                                          pair->now->name);
    rowtide_schema_change change = {
        .aspect = ROWTIDE_ASPECT_COLLATION,
        .from = old,
        .to = now,
        .effect = unique ? ROWTIDE_EFFECT_CHECKED : ROWTIDE_EFFECT_SAFE,
        .note = unique ? "values that were different may now be the same"
                       : "values compare and sort by other rules"};
    put_aspect(diff, pair, change);
}

static const char *generated_sql(rowtide__diff *diff,
                                 const rowtide_schema_column *column)
{
    if (!column->generated_as)
        return "";
    return rowtide__arena_format(diff->arena, "AS (%s)%s", column->generated_as,
                                 column->stored ? " STORED" : "");
}

static void compare_generated(rowtide__diff *diff, const pair *pair)
{
    const char *old = pair->old->generated_as, *now = pair->now->generated_as;
    int same = rowtide__diff_same_expression(diff, old, now);
    if (same && pair->old->stored == pair->now->stored)
        return;
    rowtide_schema_change change = {.aspect = ROWTIDE_ASPECT_GENERATED,
                                    .from = generated_sql(diff, pair->old),
                                    .to = generated_sql(diff, pair->now),
                                    .effect = ROWTIDE_EFFECT_SAFE,
                                    .unknown = !same && old && now,
                                    .note = "where its values are kept"};
    if (!old) {
        change.effect = ROWTIDE_EFFECT_DESTRUCTIVE;
        change.note = "its values go, and are computed from now on";
    } else if (!now) {
        change.note = "it keeps the values that it has now";
    } else if (!same) {
        change.effect = ROWTIDE_EFFECT_CHECKED;
        change.note = "its values are computed anew";
    }
    put_aspect(diff, pair, change);
}

/* ## Columns of one side only */

static int default_is_null(const rowtide_schema_column *column)
{
    return !default_of(column);
}

static void judge_added(const rowtide_schema_column *column,
                        const rowtide__ddl_column *ddl,
                        rowtide_schema_change *change)
{
    change->effect = ROWTIDE_EFFECT_CHECKED;
    if (find_clause(ddl, ROWTIDE__PRIMARY_KEY)
        || find_clause(ddl, ROWTIDE__UNIQUE)) {
        change->note = "a new column that is unique: so are the rows' values?";
    } else if (column->generated_as) {
        change->effect = column->not_null ? ROWTIDE_EFFECT_CHECKED
                                          : ROWTIDE_EFFECT_ADDITIVE;
        change->note = "a new column, computed from others";
    } else if (column->not_null && default_is_null(column)) {
        change->note = "rows that are there would have no value for it: NOT "
                       "NULL without a default";
    } else if (find_clause(ddl, ROWTIDE__CHECK)) {
        change->note = "a new column; its CHECK has to hold in all rows";
    } else if (find_clause(ddl, ROWTIDE__FOREIGN_KEY)
               && !default_is_null(column)) {
        change->note = "a new column; its default has to refer to a row";
    } else {
        change->effect = ROWTIDE_EFFECT_ADDITIVE;
        change->note = default_is_null(column)
                           ? "a new column, NULL in the rows that are there"
                           : "a new column, with its default in the rows that "
                             "are there";
    }
}

static void add_column(rowtide__diff *diff, const rowtide_schema_column *column)
{
    pair pair = {.now = column};
    rowtide_schema_change change = {.operation = ROWTIDE_SCHEMA_ADD,
                                    .to = column->sql};
    judge_added(column,
                rowtide__ddl_find_column(diff->new_table->ddl, column->name),
                &change);
    put_column(diff, &pair, change);
}

static void remove_column(rowtide__diff *diff,
                          const rowtide_schema_column *column)
{
    pair pair = {.old = column};
    rowtide_schema_change change = {
        .operation = ROWTIDE_SCHEMA_REMOVE,
        .from = column->sql,
        .effect = ROWTIDE_EFFECT_DESTRUCTIVE,
        .note = column->generated_as
                    ? "the column goes; its values were computed"
                    : "the column goes, with its values"};
    put_column(diff, &pair, change);
}

/* ## All of a table */

static void compare_column(rowtide__diff *diff, const pair *pair)
{
    if (!rowtide__name_equal(pair->old->name, pair->now->name)) {
        rowtide_schema_change change = {
            .operation = ROWTIDE_SCHEMA_RENAME,
            .from = pair->old->name,
            .to = pair->now->name,
            .effect = ROWTIDE_EFFECT_SAFE,
            .note = "the column gets another name, as hinted"};
        put_column(diff, pair, change);
    }
    compare_type(diff, pair);
    compare_not_null(diff, pair);
    compare_default(diff, pair);
    compare_collation(diff, pair);
    compare_generated(diff, pair);
}

static int map_columns(rowtide__map *map, const rowtide__table *table)
{
    const rowtide_schema_column *const *columns = table->view.columns;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; columns[i] && rc == ROWTIDE_OK; i++)
        rc = rowtide__map_set(map, columns[i]->name, columns[i]);
    return rc;
}

static const rowtide_schema_column *find_old(const rowtide__diff *diff,
                                             const rowtide__map *old_columns,
                                             const char *name)
{
    const char *old = rowtide__renames_old_column(diff->renames,
                                                  diff->new_table, name);
    return old ? rowtide__map_get(old_columns, old) : NULL;
}

static const char *list_names(rowtide__diff *diff, const rowtide__list *names)
{
    const char *text = "";
    for (size_t i = 0; i < names->count && text; i++)
        text = rowtide__arena_format(diff->arena, "%s%s%s", text, i ? ", " : "",
                                     (const char *)names->items[i]);
    return text;
}

/* New columns come last by themselves. */
static void compare_order(rowtide__diff *diff, const rowtide__map *old_columns,
                          const rowtide__map *new_columns)
{
    const rowtide_schema_column *const *columns = diff->old_table->view.columns;
    rowtide__list is = {.arena = diff->arena}, shall = {.arena = diff->arena};
    int differs = 0;
    for (size_t i = 0; columns[i] && diff->rc == ROWTIDE_OK; i++) {
        const rowtide_schema_column *now = rowtide__map_get(
            new_columns, rowtide__renames_new_column(
                             diff->renames, diff->old_table, columns[i]->name));
        if (now && find_old(diff, old_columns, now->name) == columns[i])
            diff->rc = rowtide__list_add(&is, now->name);
    }
    columns = diff->new_table->view.columns;
    for (size_t i = 0; columns[i] && diff->rc == ROWTIDE_OK; i++) {
        diff->rc = rowtide__list_add(&shall, columns[i]->name);
        if (diff->rc == ROWTIDE_OK
            && !find_old(diff, old_columns, columns[i]->name))
            diff->rc = rowtide__list_add(&is, columns[i]->name);
    }
    for (size_t i = 0; i < shall.count && diff->rc == ROWTIDE_OK; i++)
        differs |= !rowtide__name_equal(is.items[i], shall.items[i]);
    if (!differs)
        return;
    rowtide__change change = {
        .view = {.operation = ROWTIDE_SCHEMA_CHANGE,
                 .object = ROWTIDE_OBJECT_TABLE,
                 .name = diff->new_table->view.name,
                 .aspect = ROWTIDE_ASPECT_ORDER,
                 .from = list_names(diff, &is),
                 .to = list_names(diff, &shall),
                 .effect = ROWTIDE_EFFECT_SAFE,
                 .note = "the columns stand in another order"}};
    rowtide__diff_put(diff, change);
}

static void compare_common(rowtide__diff *diff, const rowtide__map *old_columns)
{
    const rowtide_schema_column *const *columns = diff->new_table->view.columns;
    for (size_t i = 0; columns[i] && diff->rc == ROWTIDE_OK; i++) {
        pair pair = {.old = find_old(diff, old_columns, columns[i]->name),
                     .now = columns[i]};
        if (!pair.old)
            continue;
        pair.old_ddl = rowtide__ddl_find_column(diff->old_table->ddl,
                                                pair.old->name);
        pair.new_ddl = rowtide__ddl_find_column(diff->new_table->ddl,
                                                pair.now->name);
        compare_column(diff, &pair);
    }
}

/* Computed columns last: they may be computed from other new ones. */
static void add_columns(rowtide__diff *diff, const rowtide__map *old_columns)
{
    const rowtide_schema_column *const *columns = diff->new_table->view.columns;
    for (int generated = 0; generated < 2; generated++)
        for (size_t i = 0; columns[i] && diff->rc == ROWTIDE_OK; i++)
            if (!columns[i]->generated_as == !generated
                && !find_old(diff, old_columns, columns[i]->name))
                add_column(diff, columns[i]);
}

/* The reverse of adding them. */
static void remove_columns(rowtide__diff *diff, const rowtide__map *old_columns,
                           const rowtide__map *new_columns)
{
    const rowtide_schema_column *const *columns = diff->old_table->view.columns;
    for (int generated = 1; generated >= 0; generated--)
        for (size_t i = old_columns->count;
             i-- > 0 && diff->rc == ROWTIDE_OK;) {
            const rowtide_schema_column *now = rowtide__map_get(
                new_columns,
                rowtide__renames_new_column(diff->renames, diff->old_table,
                                            columns[i]->name));
            int stays = now
                        && find_old(diff, old_columns, now->name) == columns[i];
            if (!stays && !columns[i]->generated_as == !generated)
                remove_column(diff, columns[i]);
        }
}

void rowtide__diff_columns(rowtide__diff *diff)
{
    rowtide__map old_columns = {.arena = diff->arena};
    rowtide__map new_columns = {.arena = diff->arena};
    diff->rc = map_columns(&old_columns, diff->old_table);
    if (diff->rc == ROWTIDE_OK)
        diff->rc = map_columns(&new_columns, diff->new_table);
    compare_common(diff, &old_columns);
    add_columns(diff, &old_columns);
    remove_columns(diff, &old_columns, &new_columns);
    if (diff->difference->options.column_order)
        compare_order(diff, &old_columns, &new_columns);
}
