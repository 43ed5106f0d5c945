#include "schema/steps_make.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* The text becomes what the target says by one edit after the other, each of
 * which is parsed again, until there is nothing left to do. */

enum { MOST_EDITS = 10000 };

typedef struct editor {
    const rowtide__making *making;
    const rowtide__work *work;
    const rowtide__ddl *now, *target;
    rowtide__arena arena; /* of `now`, once there was an edit */
    rowtide_buffer *out;
    int done;     /* an edit was made */
    size_t phase; /* what was done with is not looked at again: */
    size_t at;    /* neither kinds of edits, nor columns within one */
} editor;

static const rowtide__ddl_column *column_at(const rowtide__ddl *ddl, size_t at)
{
    const rowtide__ddl_column *column = ddl->columns;
    while (column && at-- > 0)
        column = column->next;
    return column;
}

/* ## What is asked for */

static int asks(const editor *it, rowtide_schema_object object,
                rowtide_schema_operation operation, const char *name,
                int aspect)
{
    for (size_t i = 0; i < it->work->rest.count; i++) {
        const rowtide_schema_change *change = it->work->rest.items[i];
        if (change->object == object && change->operation == operation
            && (!name || rowtide__name_equal(change->name, name))
            && (aspect < 0 || change->aspect == (rowtide_schema_aspect)aspect))
            return 1;
    }
    return 0;
}

static int asks_any(const editor *it, rowtide_schema_object object)
{
    for (size_t i = 0; i < it->work->rest.count; i++) {
        const rowtide_schema_change *change = it->work->rest.items[i];
        if (change->object == object)
            return 1;
    }
    return 0;
}

static int asks_aspect(const editor *it, rowtide_schema_aspect aspect)
{
    for (size_t i = 0; i < it->work->rest.count; i++) {
        const rowtide_schema_change *change = it->work->rest.items[i];
        if (change->aspect == aspect)
            return 1;
    }
    return 0;
}

static int asks_column(const editor *it, const char *name,
                       rowtide_schema_aspect aspect)
{
    return asks(it, ROWTIDE_OBJECT_COLUMN, ROWTIDE_SCHEMA_CHANGE, name,
                (int)aspect);
}

static int asks_key(const editor *it)
{
    return asks_any(it, ROWTIDE_OBJECT_KEY)
           || asks_aspect(it, ROWTIDE_ASPECT_AUTOINCREMENT)
           || asks_aspect(it, ROWTIDE_ASPECT_ON_CONFLICT);
}

/* `column` is NULL for one of the table. */
static int asks_constraint(const editor *it, const char *column,
                           rowtide__constraint_kind kind)
{
    switch (kind) {
    case ROWTIDE__PRIMARY_KEY:
    case ROWTIDE__UNIQUE:
        return asks_key(it);
    case ROWTIDE__CHECK:
        return asks_any(it, ROWTIDE_OBJECT_CHECK);
    case ROWTIDE__FOREIGN_KEY:
        return asks_any(it, ROWTIDE_OBJECT_FOREIGN_KEY);
    default:
        break;
    }
    if (!column || kind == ROWTIDE__NULL)
        return 0;
    if (asks_column(it, column, ROWTIDE_ASPECT_GENERATED))
        return 1;
    if (kind == ROWTIDE__NOT_NULL)
        return asks_column(it, column, ROWTIDE_ASPECT_NOT_NULL)
               || asks_column(it, column, ROWTIDE_ASPECT_ON_CONFLICT);
    if (kind == ROWTIDE__DEFAULT)
        return asks_column(it, column, ROWTIDE_ASPECT_DEFAULT);
    if (kind == ROWTIDE__COLLATE)
        return asks_column(it, column, ROWTIDE_ASPECT_COLLATION);
    return 0;
}

/* ## What differs */

static int same_span(const rowtide__ddl *a, rowtide__span in_a,
                     const rowtide__ddl *b, rowtide__span in_b)
{
    return rowtide__sql_same(a->text + in_a.at, in_a.size, b->text + in_b.at,
                             in_b.size);
}

/* How many up to `last`, or in the whole list, are the same; or an error. */
static int count_same(const rowtide__ddl *ddl,
                      const rowtide__ddl_constraint *list,
                      const rowtide__ddl_constraint *last,
                      const rowtide__ddl *other,
                      const rowtide__ddl_constraint *wanted)
{
    int count = 0;
    for (; list; list = list == last ? NULL : list->next) {
        int same = list->kind == wanted->kind
                       ? same_span(ddl, list->span, other, wanted->span)
                       : 0;
        if (same < 0)
            return same;
        count += same;
    }
    return count;
}

/* The next constraint of the first list that the second one lacks. The same
 * one may be there twice. */
static int find_odd(const editor *it, const char *column,
                    const rowtide__ddl *ddl, const rowtide__ddl_constraint *a,
                    const rowtide__ddl *other, const rowtide__ddl_constraint *b,
                    const rowtide__ddl_constraint **out)
{
    const rowtide__ddl_constraint *all = a;
    *out = NULL;
    for (; a; a = a->next) {
        if (!asks_constraint(it, column, a->kind))
            continue;
        int here = count_same(ddl, all, a, ddl, a);
        int there = here < 0 ? here : count_same(other, b, NULL, ddl, a);
        if (there < 0)
            return there;
        if (here <= there)
            continue;
        *out = a;
        return ROWTIDE_OK;
    }
    return ROWTIDE_OK;
}

static int is_single(rowtide__constraint_kind kind)
{
    return kind != ROWTIDE__CHECK && kind != ROWTIDE__FOREIGN_KEY
           && kind != ROWTIDE__UNIQUE;
}

/* ## Edits: each makes one, if there is one to make */

static int edit_constraints(editor *it, int remove)
{
    const rowtide__ddl *now = it->now, *target = it->target;
    const rowtide__ddl_constraint *odd;
    int rc = remove ? find_odd(it, NULL, now, now->constraints, target,
                               target->constraints, &odd)
                    : find_odd(it, NULL, target, target->constraints, now,
                               now->constraints, &odd);
    if (rc != ROWTIDE_OK || !odd)
        return rc;
    it->done = 1;
    if (remove)
        return rowtide__edit_set_table_constraint(now, odd, NULL, it->out);
    const char *sql = rowtide__span_text(it->making->arena, target, odd->span);
    return sql ? rowtide__edit_set_table_constraint(now, NULL, sql, it->out)
               : ROWTIDE_ENOMEM;
}

static int remove_constraints(editor *it)
{
    return edit_constraints(it, 1);
}

static int add_constraints(editor *it)
{
    return edit_constraints(it, 0);
}

static int edit_type(editor *it, const rowtide__ddl_column *column,
                     const rowtide__ddl_column *wanted)
{
    if (!asks_column(it, wanted->name, ROWTIDE_ASPECT_TYPE)
        || strcmp(column->type, wanted->type) == 0)
        return ROWTIDE_OK;
    const char *type = rowtide__span_text(it->making->arena, it->target,
                                          wanted->type_span);
    it->done = 1;
    return type ? rowtide__edit_set_type(it->now, column, type, it->out)
                : ROWTIDE_ENOMEM;
}

static int edit_column_constraints(editor *it,
                                   const rowtide__ddl_column *column,
                                   const rowtide__ddl_column *wanted)
{
    const rowtide__ddl_constraint *odd, *replaced = NULL;
    int rc = find_odd(it, wanted->name, it->target, wanted->constraints,
                      it->now, column->constraints, &odd);
    if (rc == ROWTIDE_OK && odd) {
        const char *sql = rowtide__span_text(it->making->arena, it->target,
                                             odd->span);
        if (is_single(odd->kind))
            replaced = rowtide__ddl_find_constraint(column, odd->kind);
        it->done = 1;
        return sql ? rowtide__edit_set_column_constraint(it->now, column,
                                                         replaced, sql, it->out)
                   : ROWTIDE_ENOMEM;
    }
    if (rc == ROWTIDE_OK)
        rc = find_odd(it, wanted->name, it->now, column->constraints,
                      it->target, wanted->constraints, &odd);
    if (rc != ROWTIDE_OK || !odd)
        return rc;
    it->done = 1;
    return rowtide__edit_set_column_constraint(it->now, column, odd, NULL,
                                               it->out);
}

static int edit_columns(editor *it)
{
    int rc = ROWTIDE_OK;
    const rowtide__ddl_column *wanted = column_at(it->target, it->at);
    for (; wanted; wanted = wanted->next, it->at++) {
        const rowtide__ddl_column *column = rowtide__ddl_find_column(
            it->now, wanted->name);
        if (!column)
            continue;
        rc = edit_type(it, column, wanted);
        if (rc == ROWTIDE_OK && !it->done)
            rc = edit_column_constraints(it, column, wanted);
        if (rc != ROWTIDE_OK || it->done)
            break;
    }
    return rc;
}

static int drop_column(editor *it)
{
    const rowtide__ddl_column *column = column_at(it->now, it->at);
    for (; column; column = column->next, it->at++) {
        if (rowtide__ddl_find_column(it->target, column->name)
            || !asks(it, ROWTIDE_OBJECT_COLUMN, ROWTIDE_SCHEMA_REMOVE,
                     column->name, -1))
            continue;
        it->done = 1;
        return rowtide__edit_drop_column(it->now, column, it->out);
    }
    return ROWTIDE_OK;
}

static int add_column(editor *it)
{
    const rowtide__ddl_column *wanted = column_at(it->target, it->at);
    for (; wanted; wanted = wanted->next, it->at++) {
        if (rowtide__ddl_find_column(it->now, wanted->name)
            || !asks(it, ROWTIDE_OBJECT_COLUMN, ROWTIDE_SCHEMA_ADD,
                     wanted->name, -1))
            continue;
        const char *sql = rowtide__span_text(it->making->arena, it->target,
                                             wanted->span);
        it->done = 1;
        return sql ? rowtide__edit_add_column(it->now, sql, it->out)
                   : ROWTIDE_ENOMEM;
    }
    return ROWTIDE_OK;
}

static int edit_options(editor *it)
{
    int strict = asks_aspect(it, ROWTIDE_ASPECT_STRICT) ? it->target->strict
                                                        : it->now->strict;
    int without_rowid = asks_aspect(it, ROWTIDE_ASPECT_WITHOUT_ROWID)
                            ? it->target->without_rowid
                            : it->now->without_rowid;
    if (!strict == !it->now->strict
        && !without_rowid == !it->now->without_rowid)
        return ROWTIDE_OK;
    it->done = 1;
    return rowtide__edit_set_options(it->now, strict, without_rowid, it->out);
}

/* New columns come first, so that a table is never without any. */
static int make_edit(editor *it)
{
    static int (*const phases[])(editor *) = {remove_constraints, add_column,
                                              drop_column,        edit_columns,
                                              add_constraints,    edit_options};
    int rc = ROWTIDE_OK;
    while (it->phase < sizeof phases / sizeof *phases) {
        rc = phases[it->phase](it);
        if (rc != ROWTIDE_OK || it->done)
            break;
        it->phase++;
        it->at = 0;
    }
    return rc;
}

/* The buffer holds the new text; it goes to an arena, where the tree that is
 * made of it points into it. */
static int read_again(editor *it)
{
    const char *text;
    rowtide__ddl *ddl = NULL;
    rowtide__arena arena = {NULL, 0};
    int rc = rowtide__name_copy(&arena, it->out->data, it->out->size, &text);
    if (rc == ROWTIDE_OK)
        rc = rowtide__ddl_parse(text, it->out->size, &arena, &ddl);
    rowtide__arena_dispose(&it->arena);
    it->arena = arena;
    it->now = ddl;
    return rc;
}

static int edit_all(editor *it)
{
    int rc = ROWTIDE_OK;
    for (int edits = 0; edits < MOST_EDITS; edits++) {
        it->done = 0;
        rc = make_edit(it);
        if (rc != ROWTIDE_OK || !it->done)
            return rc;
        rc = read_again(it);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    return ROWTIDE_EINVAL;
}

/* *out NULL: the text could not be edited. */
static int edit_text(editor *it, const char **out)
{
    int rc = edit_all(it);
    *out = NULL;
    if (rc == ROWTIDE_OK)
        rc = rowtide__name_copy(it->making->arena, it->now->text, it->now->size,
                                out);
    rowtide__arena_dispose(&it->arena);
    return rc == ROWTIDE_ENOMEM ? rc : ROWTIDE_OK;
}

int rowtide__work_edit(const rowtide__making *making, const rowtide__work *work,
                       const char **out)
{
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    editor it = {.making = making,
                 .work = work,
                 .now = work->current->ddl,
                 .target = work->target->ddl,
                 .out = &buffer};
    int rc = ROWTIDE_OK;
    *out = NULL;
    int verbatim = making->abilities->verbatim && work->rebuild;
    if (it.now && it.target && !asks_aspect(&it, ROWTIDE_ASPECT_ORDER)
        && !(verbatim && !work->refused))
        rc = edit_text(&it, out);
    rowtide_buffer_dispose(&buffer);
    /* What the target says, as it says it, is right too. */
    if (rc == ROWTIDE_OK && !*out && !work->refused)
        *out = work->target->view.sql;
    return rc;
}
