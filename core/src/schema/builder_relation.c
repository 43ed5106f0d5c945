#include "schema/builder.h"

#include <string.h>

typedef rowtide_schema_builder builder;
typedef rowtide__built_table table;
typedef rowtide__built_column column;
typedef rowtide__built_relation relation;

static int ends_with(const char *text, size_t size, const char *end)
{
    size_t length = strlen(end);
    if (size < length)
        return 0;
    for (size_t i = 0; i < length; i++)
        if ((text[size - length + i] | 0x20) != end[i])
            return 0;
    return 1;
}

/* Bytes of the name that stay, and what comes behind them. */
static size_t singular(const char *name, const char **end)
{
    static const char *const es[] = {"sses", "xes", "ches", "shes", "zzes"};
    static const char *const as_is[] = {"ss", "us", "is"};
    size_t size = strlen(name);
    *end = "";
    for (size_t i = 0; i < sizeof as_is / sizeof *as_is; i++)
        if (ends_with(name, size, as_is[i]))
            return size;
    if (size > 4 && ends_with(name, size, "ies")) {
        *end = "y";
        return size - 3;
    }
    for (size_t i = 0; i < sizeof es / sizeof *es; i++)
        if (size > strlen(es[i]) && ends_with(name, size, es[i]))
            return size - 2;
    return size > 1 && ends_with(name, size, "s") ? size - 1 : size;
}

/* "users" gives "user_id". */
static int name_column(builder *b, const char *prefix, const char *other,
                       const char **out)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&text, ROWTIDE_OK};
    const char *end;
    size_t size = singular(other, &end);
    rowtide__write_text(&writer, prefix);
    rowtide__write(&writer, other, size);
    rowtide__write_text(&writer, end);
    rowtide__write_text(&writer, "_id");
    return rowtide__builder_keep(b, &writer, out);
}

/* ## What is referred to */

/* The only column of the key; NULL if there is none or more than one. */
static const column *key_of(const table *t)
{
    const column *key = NULL;
    const char *const *names = t->options.primary_key;
    if (names)
        return names[0] && !names[1] ? rowtide__builder_find_column(t, names[0])
                                     : NULL;
    for (const column *c = t->columns; c; c = c->next) {
        if (!c->options.primary_key)
            continue;
        if (key)
            return NULL;
        key = c;
    }
    return key;
}

static int has_key(const table *t)
{
    if (t->options.primary_key)
        return 1;
    for (const column *c = t->columns; c; c = c->next)
        if (c->options.primary_key)
            return 1;
    return 0;
}

static int fail_target(const relation *r)
{
    if (r->options.table_column)
        return rowtide__fail(ROWTIDE_ESCHEMA, "\"%s\" has no column \"%s\"",
                             r->table, r->options.table_column);
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "the key of \"%s\" is not one column: say which "
                         "column is referred to",
                         r->table);
}

static int find_target(const builder *b, relation *r, const column **out)
{
    const table *other = rowtide__builder_find_table(b, r->table);
    r->target = r->options.table_column;
    *out = NULL;
    if (!other)
        return ROWTIDE_OK;
    *out = r->target ? rowtide__builder_find_column(other, r->target)
                     : key_of(other);
    if (!*out)
        return fail_target(r);
    r->target = (*out)->name;
    return ROWTIDE_OK;
}

/* That of what is referred to, which may be a reference itself. A table that is
 * not declared here is taken to have an integer key. */
static int find_type(const builder *b, relation *r, const char **out)
{
    enum { FURTHEST = 8 };
    const column *target;
    *out = "INTEGER";
    int rc = find_target(b, r, &target);
    for (int i = 0; i < FURTHEST && rc == ROWTIDE_OK && target; i++) {
        if (!target->relation) {
            *out = target->type;
            break;
        }
        rc = find_target(b, target->relation, &target);
    }
    return rc;
}

/* ## belongs to */

static void remove_column(table *t, const column *gone)
{
    column **place = &t->columns;
    while (*place != gone)
        place = &(*place)->next;
    *place = gone->next;
    if (!*place)
        t->columns_end = place;
}

static column *find_place(const table *t, const relation *r)
{
    column *c = t->columns;
    while (c && c->relation != r)
        c = c->next;
    return c;
}

/* The column that was reserved for a relation gets its name, or is not needed
 * because there is one of that name. */
static int settle(builder *b, table *t, relation *r)
{
    column *place = find_place(t, r);
    int rc = ROWTIDE_OK;
    r->column = r->options.column;
    if (!r->column)
        rc = name_column(b, "", r->table, &r->column);
    if (rc != ROWTIDE_OK || !place)
        return rc;
    if (rowtide__builder_find_column(t, r->column)) {
        remove_column(t, place);
        return ROWTIDE_OK;
    }
    place->name = r->column;
    place->options.not_null = r->options.not_null;
    return ROWTIDE_OK;
}

static int set_type(builder *b, table *t, relation *r)
{
    const char *type;
    int rc = find_type(b, r, &type);
    column *place = find_place(t, r);
    if (place)
        place->type = type;
    return rc;
}

/* ## many to many */

static int name_junction(builder *b, const table *t, const relation *r,
                         const char **out)
{
    rowtide_buffer text = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&text, ROWTIDE_OK};
    rowtide__write_text(&writer, t->name);
    rowtide__write_byte(&writer, '_');
    rowtide__write_text(&writer, r->table);
    return rowtide__builder_keep(b, &writer, out);
}

/* One side of a junction table. */
static int add_side(builder *b, table *junction, const relation *r,
                    const char *other, const char *name)
{
    relation *side = rowtide__builder_alloc(b, sizeof *side);
    if (!side)
        return ROWTIDE_ENOMEM;
    side->table = other;
    side->options = r->options;
    side->options.column = NULL;
    side->options.table_column = other == r->table ? r->options.table_column
                                                   : NULL;
    side->column = name;
    const char *type;
    int rc = find_type(b, side, &type);
    column *c = rowtide__builder_find_column(junction, name);
    if (rc == ROWTIDE_OK && !c) {
        rc = rowtide__builder_add_column(b, junction, name, type, &c);
        if (rc == ROWTIDE_OK)
            c->options.not_null = c->options.primary_key = 1;
    }
    *junction->relations_end = side;
    junction->relations_end = &side->next;
    return rc;
}

/* Declared by both tables under one name, or by hand, it is made once. */
static int make_junction(builder *b, table *t, relation *r)
{
    const char *name = r->options.column, *own, *others;
    table *junction;
    int rc = name ? ROWTIDE_OK : name_junction(b, t, r, &name);
    if (rc != ROWTIDE_OK || rowtide__builder_find_table(b, name))
        return rc;
    int self = rowtide__name_equal(t->name, r->table);
    rc = name_column(b, "", t->name, &own);
    if (rc == ROWTIDE_OK)
        rc = name_column(b, self ? "other_" : "", r->table, &others);
    if (rc == ROWTIDE_OK && rowtide__name_equal(own, others))
        rc = name_column(b, "other_", r->table, &others);
    if (rc == ROWTIDE_OK && !has_key(t))
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "\"%s\" has no primary key",
                           t->name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__builder_add_table(b, name, &junction);
    if (rc == ROWTIDE_OK)
        rc = add_side(b, junction, r, t->name, own);
    if (rc == ROWTIDE_OK)
        rc = add_side(b, junction, r, r->table, others);
    return rc;
}

typedef int (*step)(builder *b, table *t, relation *r);

static int relate_table(builder *b, table *t, int many, step step)
{
    for (relation *r = t->relations; r; r = r->next) {
        int rc = r->many == many ? step(b, t, r) : ROWTIDE_OK;
        if (rc != ROWTIDE_OK)
            return rowtide__fail_context("table \"%s\", relation to \"%s\"",
                                         t->name, r->table);
    }
    return ROWTIDE_OK;
}

static int relate(builder *b, int many, step step)
{
    /* Tables that are made meanwhile come behind, and are complete. */
    rowtide__built_table **end = b->tables_end;
    int rc = ROWTIDE_OK;
    for (table **t = &b->tables; t != end && rc == ROWTIDE_OK; t = &(*t)->next)
        rc = relate_table(b, *t, many, step);
    return rc;
}

int rowtide__builder_relate(builder *b)
{
    int rc = relate(b, 0, settle);
    if (rc == ROWTIDE_OK)
        rc = relate(b, 0, set_type);
    if (rc == ROWTIDE_OK)
        rc = relate(b, 1, make_junction);
    return rc;
}
