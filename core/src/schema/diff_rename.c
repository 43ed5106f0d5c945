#include "schema/diff.h"
#include "base/error.h"

#include <string.h>

/* A hint in its parts, "table.old=new"; no table in that of a table. */
typedef struct hint {
    const char *text;
    const char *table, *old, *new;
} hint;

/* A name up to one of `ends`, which is passed over; "" if it isn't there. */
static int read_name(rowtide__arena *arena, const char **at, const char *ends,
                     const char **out)
{
    const char *text = *at;
    size_t size = strcspn(text, ends);
    if (*text == '"') {
        for (size = 1;
             text[size] && (text[size] != '"' || text[size + 1] == '"');
             size += text[size] == '"' ? 2 : 1)
            ;
        size += text[size] == '"';
        rowtide__lexer lexer;
        rowtide__lexer_open(&lexer, text, size);
        rowtide__token token = rowtide__lexer_next(&lexer);
        int rc = rowtide__name_read(&lexer, &token, arena, out);
        if (rc != ROWTIDE_OK)
            return rc;
    } else if (rowtide__name_copy(arena, text, size, out) != ROWTIDE_OK) {
        return ROWTIDE_ENOMEM;
    }
    *at = text + size;
    return ROWTIDE_OK;
}

static int read_hint(rowtide__arena *arena, const char *text, hint *out)
{
    const char *at = text;
    *out = (hint){.text = text};
    int rc = read_name(arena, &at, ".=", &out->old);
    if (rc == ROWTIDE_OK && *at == '.') {
        at++;
        out->table = out->old;
        rc = read_name(arena, &at, "=", &out->old);
    }
    int right = rc == ROWTIDE_OK && *at == '=';
    if (right) {
        at++;
        rc = read_name(arena, &at, "", &out->new);
        right = rc == ROWTIDE_OK && !*at && *out->new && *out->old
                && (!out->table || *out->table);
    }
    if (rc == ROWTIDE_OK && !right)
        rc = rowtide__fail(ROWTIDE_EINVAL,
                           "rename \"%s\": has to be \"old=new\" or "
                           "\"table.old=new\"",
                           text);
    return rc;
}

static const rowtide__table *find_table(const rowtide_schema *schema,
                                        const char *name)
{
    const rowtide__table *table = rowtide__schema_table(schema, name);
    return table && table->view.kind != ROWTIDE_TABLE_SHADOW ? table : NULL;
}

static int missing(const hint *hint, const char *side, const char *what,
                   const char *name)
{
    return rowtide__fail(ROWTIDE_ENOTFOUND,
                         "rename \"%s\": the %s schema has no %s \"%s\"",
                         hint->text, side, what, name);
}

/* Nothing of a virtual table but its name can be changed. */
static int misfit(const hint *hint, const rowtide__table *table)
{
    return rowtide__fail(ROWTIDE_EINVAL, "rename \"%s\": \"%s\" is virtual",
                         hint->text, table->view.name);
}

static int resolve_table(const rowtide__renames *renames, const hint *hint,
                         rowtide__rename *out)
{
    out->old_table = find_table(renames->from, hint->old);
    out->new_table = find_table(renames->to, hint->new);
    if (!out->old_table)
        return missing(hint, "old", "table", hint->old);
    if (!out->new_table)
        return missing(hint, "new", "table", hint->new);
    if (out->old_table->view.kind != out->new_table->view.kind)
        return misfit(hint, out->old_table->view.module ? out->old_table
                                                        : out->new_table);
    return ROWTIDE_OK;
}

static int resolve_column(const rowtide__renames *renames, const hint *hint,
                          rowtide__rename *out)
{
    out->new_table = find_table(renames->to, hint->table);
    out->old_table = rowtide__renames_old_table(renames, hint->table);
    out->old_column = hint->old;
    out->new_column = hint->new;
    if (!out->new_table)
        return missing(hint, "new", "table", hint->table);
    if (!out->old_table)
        return missing(hint, "old", "table", hint->table);
    if (out->old_table->view.kind != ROWTIDE_TABLE_ORDINARY)
        return misfit(hint, out->old_table);
    if (!rowtide__table_column(&out->old_table->view, hint->old))
        return missing(hint, "old", "column", hint->old);
    if (!rowtide__table_column(&out->new_table->view, hint->new))
        return missing(hint, "new", "column", hint->new);
    return ROWTIDE_OK;
}

static int same_column(const char *a, const char *b)
{
    return a && b ? rowtide__name_equal(a, b) : a == b;
}

static int check_once(const rowtide__renames *renames, const hint *hint,
                      const rowtide__rename *one)
{
    for (size_t i = 0; i < renames->count; i++) {
        const rowtide__rename *other = &renames->items[i];
        if ((one->old_table == other->old_table
             && same_column(one->old_column, other->old_column))
            || (one->new_table == other->new_table
                && same_column(one->new_column, other->new_column)))
            return rowtide__fail(ROWTIDE_EINVAL,
                                 "rename \"%s\": there is another hint for it",
                                 hint->text);
    }
    return ROWTIDE_OK;
}

static size_t count_texts(const char *const *texts)
{
    size_t count = 0;
    while (texts && texts[count])
        count++;
    return count;
}

/* Hints of tables first, because those of columns name new tables. */
static int add_hints(rowtide_schema_difference *difference, int of_columns)
{
    rowtide__renames *renames = difference->renames;
    const char *const *texts = difference->options.renames;
    rowtide__rename *items = (rowtide__rename *)renames->items;
    for (size_t i = 0; texts && texts[i]; i++) {
        hint hint;
        rowtide__rename one = {NULL, NULL, NULL, NULL};
        int rc = read_hint(&difference->arena, texts[i], &hint);
        if (rc == ROWTIDE_OK && (hint.table != NULL) != of_columns)
            continue;
        if (rc == ROWTIDE_OK)
            rc = of_columns ? resolve_column(renames, &hint, &one)
                            : resolve_table(renames, &hint, &one);
        if (rc == ROWTIDE_OK)
            rc = check_once(renames, &hint, &one);
        if (rc != ROWTIDE_OK)
            return rc;
        items[renames->count++] = one;
    }
    return ROWTIDE_OK;
}

static int leaves(const rowtide__renames *renames, const rowtide__rename *one,
                  const rowtide__table *table)
{
    for (size_t i = 0; i < renames->count; i++) {
        const rowtide__rename *other = &renames->items[i];
        if (one->old_column
                ? other->old_column && other->old_table == table
                      && rowtide__name_equal(other->old_column, one->new_column)
                : !other->old_column && other->old_table == table)
            return 1;
    }
    return 0;
}

/* A new name is free, or that of one that gets another name as well. */
static int check_free(const rowtide__renames *renames)
{
    for (size_t i = 0; i < renames->count; i++) {
        const rowtide__rename *one = &renames->items[i];
        const rowtide__table *table = one->old_table;
        const char *name = one->new_column;
        int there;
        if (name) {
            there = rowtide__table_column(&table->view, name) != NULL;
        } else {
            name = one->new_table->view.name;
            table = rowtide__schema_table(renames->from, name);
            there = table != NULL;
        }
        if (there && !leaves(renames, one, table))
            return rowtide__fail(ROWTIDE_EINVAL,
                                 "rename to \"%s\": the old schema has that "
                                 "one as well",
                                 name);
    }
    return ROWTIDE_OK;
}

int rowtide__renames_read(rowtide_schema_difference *difference)
{
    size_t count = count_texts(difference->options.renames);
    rowtide__renames *renames = rowtide__arena_alloc(&difference->arena,
                                                     sizeof *renames);
    rowtide__rename *items = rowtide__arena_alloc(&difference->arena,
                                                  (count + 1) * sizeof *items);
    if (!renames || !items)
        return ROWTIDE_ENOMEM;
    *renames = (rowtide__renames){difference->from, difference->to, items, 0};
    difference->renames = renames;
    int rc = add_hints(difference, 0);
    if (rc == ROWTIDE_OK)
        rc = add_hints(difference, 1);
    return rc == ROWTIDE_OK ? check_free(renames) : rc;
}

const rowtide__table *
rowtide__renames_old_table(const rowtide__renames *renames, const char *name)
{
    const rowtide__table *same = find_table(renames->from, name);
    for (size_t i = 0; i < renames->count; i++) {
        const rowtide__rename *rename = &renames->items[i];
        if (rename->old_column)
            continue;
        if (rowtide__name_equal(rename->new_table->view.name, name))
            return rename->old_table;
        if (rename->old_table == same)
            same = NULL;
    }
    return same;
}

const rowtide__table *
rowtide__renames_new_table(const rowtide__renames *renames, const char *name)
{
    for (size_t i = 0; i < renames->count; i++) {
        const rowtide__rename *rename = &renames->items[i];
        if (!rename->old_column
            && rowtide__name_equal(rename->old_table->view.name, name))
            return rename->new_table;
    }
    return find_table(renames->to, name);
}

const char *rowtide__renames_new_column(const rowtide__renames *renames,
                                        const rowtide__table *old_table,
                                        const char *old_column)
{
    for (size_t i = 0; i < renames->count; i++) {
        const rowtide__rename *rename = &renames->items[i];
        if (rename->old_column && rename->old_table == old_table
            && rowtide__name_equal(rename->old_column, old_column))
            return rename->new_column;
    }
    return old_column;
}

const char *rowtide__renames_old_column(const rowtide__renames *renames,
                                        const rowtide__table *new_table,
                                        const char *new_column)
{
    const char *same = new_column;
    for (size_t i = 0; i < renames->count; i++) {
        const rowtide__rename *rename = &renames->items[i];
        if (!rename->old_column || rename->new_table != new_table)
            continue;
        if (rowtide__name_equal(rename->new_column, new_column))
            return rename->old_column;
        if (rowtide__name_equal(rename->old_column, new_column))
            same = NULL;
    }
    return same;
}

int rowtide__difference_old_name(const rowtide_schema_difference *difference,
                                 const char *new_table, const char *new_column,
                                 const char **out)
{
    const rowtide__renames *renames = difference->renames;
    const rowtide__table *now = rowtide__schema_table(difference->to,
                                                      new_table);
    const rowtide__table *before = rowtide__renames_old_table(renames,
                                                              new_table);
    const rowtide_schema_column *column = NULL;
    *out = NULL;
    if (!now || !before)
        return ROWTIDE_OK;
    if (!new_column) {
        *out = before->view.name;
        return ROWTIDE_OK;
    }
    const char *name = rowtide__renames_old_column(renames, now, new_column);
    if (name)
        column = rowtide__table_column(&before->view, name);
    if (column)
        *out = column->name;
    return ROWTIDE_OK;
}
