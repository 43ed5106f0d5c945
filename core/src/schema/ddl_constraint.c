#include "schema/ddl_parser.h"

typedef rowtide__ddl_parser parser;
typedef rowtide__ddl_constraint constraint;

/* One of these words, the list being NULL-terminated; in upper case. */
static int read_word(parser *p, const char *const *words, const char *wanted,
                     const char **out)
{
    for (; *words; words++) {
        if (rowtide__parser_accept(p, *words)) {
            *out = *words;
            return ROWTIDE_OK;
        }
    }
    return rowtide__parser_fail(p, wanted);
}

static int read_conflict(parser *p, constraint *c)
{
    static const char *const words[] = {"ROLLBACK", "ABORT",   "FAIL",
                                        "IGNORE",   "REPLACE", NULL};
    if (!rowtide__parser_at(p, "on") || !rowtide__parser_after(p, "conflict"))
        return ROWTIDE_OK;
    rowtide__parser_advance(p);
    rowtide__parser_advance(p);
    return read_word(p, words, "what to do on conflict", &c->on_conflict);
}

/* The column itself is the part. */
static int set_own_part(parser *p, constraint *c, const char *column)
{
    rowtide__ddl_part *part = rowtide__parser_alloc(p, sizeof *part);
    if (!part)
        return ROWTIDE_ENOMEM;
    part->name = column;
    c->parts = part;
    c->part_count = 1;
    part->descending = rowtide__parser_accept(p, "desc");
    if (!part->descending)
        rowtide__parser_accept(p, "asc");
    return ROWTIDE_OK;
}

static int read_column_primary_key(parser *p, constraint *c, const char *column)
{
    rowtide__parser_advance(p);
    int rc = rowtide__parser_expect(p, "KEY");
    c->kind = ROWTIDE__PRIMARY_KEY;
    if (rc == ROWTIDE_OK)
        rc = set_own_part(p, c, column);
    if (rc == ROWTIDE_OK)
        rc = read_conflict(p, c);
    c->autoincrement = rc == ROWTIDE_OK
                       && rowtide__parser_accept(p, "autoincrement");
    return rc;
}

static int read_column_unique(parser *p, constraint *c, const char *column)
{
    rowtide__parser_advance(p);
    c->kind = ROWTIDE__UNIQUE;
    rowtide__ddl_part *part = rowtide__parser_alloc(p, sizeof *part);
    if (!part)
        return ROWTIDE_ENOMEM;
    part->name = column;
    c->parts = part;
    c->part_count = 1;
    return read_conflict(p, c);
}

static int read_check(parser *p, constraint *c)
{
    rowtide__parser_advance(p);
    c->kind = ROWTIDE__CHECK;
    int rc = rowtide__parser_parentheses(p, &c->body);
    if (rc == ROWTIDE_OK && c->body.size == 0)
        return rowtide__parser_fail(p, "an expression");
    return rc;
}

static int read_null(parser *p, constraint *c)
{
    c->kind = rowtide__parser_accept(p, "not") ? ROWTIDE__NOT_NULL
                                               : ROWTIDE__NULL;
    rowtide__parser_advance(p);
    return read_conflict(p, c);
}

static int is_value(const parser *p)
{
    switch (p->token.kind) {
    case ROWTIDE__TOKEN_NUMBER:
    case ROWTIDE__TOKEN_BLOB:
        return 1;
    default:
        return rowtide__parser_at(p, "null") || rowtide__parser_is_name(p);
    }
}

static int read_default(parser *p, constraint *c)
{
    rowtide__parser_advance(p);
    size_t start = p->token.at;
    c->kind = ROWTIDE__DEFAULT;
    if (rowtide__parser_at(p, "(")) {
        rowtide__span inside;
        int rc = rowtide__parser_parentheses(p, &inside);
        if (rc == ROWTIDE_OK && inside.size == 0)
            return rowtide__parser_fail(p, "an expression");
        c->body = rowtide__parser_since(p, start);
        return rc;
    }
    if (!rowtide__parser_accept(p, "-"))
        rowtide__parser_accept(p, "+");
    if (!is_value(p))
        return rowtide__parser_fail(p, "a default value");
    rowtide__parser_advance(p);
    c->body = rowtide__parser_since(p, start);
    return ROWTIDE_OK;
}

static int read_collate(parser *p, constraint *c)
{
    rowtide__parser_advance(p);
    c->kind = ROWTIDE__COLLATE;
    return rowtide__parser_name(p, "a collation", &c->collation, NULL);
}

static int read_generated(parser *p, constraint *c)
{
    c->kind = ROWTIDE__GENERATED;
    if (rowtide__parser_accept(p, "generated"))
        rowtide__parser_advance(p);
    int rc = rowtide__parser_expect(p, "AS");
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_parentheses(p, &c->body);
    if (rc == ROWTIDE_OK && c->body.size == 0)
        rc = rowtide__parser_fail(p, "an expression");
    c->stored = rc == ROWTIDE_OK && rowtide__parser_accept(p, "stored");
    if (rc == ROWTIDE_OK && !c->stored)
        rowtide__parser_accept(p, "virtual");
    return rc;
}

/* ## Foreign keys */

static int read_action(parser *p, const char **out)
{
    static const char *const words[] = {"CASCADE", "RESTRICT", NULL};
    if (rowtide__parser_accept(p, "set")) {
        *out = rowtide__parser_at(p, "null") ? "SET NULL" : "SET DEFAULT";
        if (rowtide__parser_accept(p, "null")
            || rowtide__parser_accept(p, "default"))
            return ROWTIDE_OK;
        return rowtide__parser_fail(p, "NULL or DEFAULT");
    }
    if (rowtide__parser_accept(p, "no")) {
        *out = "NO ACTION";
        return rowtide__parser_expect(p, "ACTION");
    }
    return read_word(p, words, "an action", out);
}

static int read_event(parser *p, constraint *c)
{
    const char *ignored; /* ON INSERT, which SQLite accepts */
    if (rowtide__parser_accept(p, "delete"))
        return read_action(p, &c->on_delete);
    if (rowtide__parser_accept(p, "update"))
        return read_action(p, &c->on_update);
    if (rowtide__parser_accept(p, "insert"))
        return read_action(p, &ignored);
    return rowtide__parser_fail(p, "DELETE or UPDATE");
}

static int at_deferral(const parser *p)
{
    return rowtide__parser_at(p, "deferrable")
           || (rowtide__parser_at(p, "not")
               && rowtide__parser_after(p, "deferrable"));
}

static int read_deferral(parser *p, const char **out)
{
    static const char *const words[2][3] = {
        {"DEFERRABLE", "DEFERRABLE INITIALLY DEFERRED",
         "DEFERRABLE INITIALLY IMMEDIATE"},
        {"NOT DEFERRABLE", "NOT DEFERRABLE INITIALLY DEFERRED",
         "NOT DEFERRABLE INITIALLY IMMEDIATE"}};
    int not= rowtide__parser_accept(p, "not"), when = 0;
    rowtide__parser_advance(p);
    if (rowtide__parser_accept(p, "initially")) {
        when = rowtide__parser_at(p, "deferred") ? 1 : 2;
        if (!rowtide__parser_accept(p, "deferred")
            && !rowtide__parser_accept(p, "immediate"))
            return rowtide__parser_fail(p, "DEFERRED or IMMEDIATE");
    }
    *out = words[not][when];
    return ROWTIDE_OK;
}

static int read_references(parser *p, constraint *c)
{
    static const char *const none[] = {NULL};
    c->kind = ROWTIDE__FOREIGN_KEY;
    c->table_columns = none;
    int rc = rowtide__parser_expect(p, "REFERENCES");
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_name(p, "the name of a table", &c->table,
                                  &c->table_span);
    if (rc == ROWTIDE_OK && rowtide__parser_at(p, "("))
        rc = rowtide__parser_names(p, "the name of a column",
                                   &c->table_columns);
    while (rc == ROWTIDE_OK) {
        if (rowtide__parser_accept(p, "match"))
            rc = rowtide__parser_name(p, "a name", &c->match, NULL);
        else if (rowtide__parser_accept(p, "on"))
            rc = read_event(p, c);
        else
            break;
    }
    if (rc == ROWTIDE_OK && at_deferral(p))
        rc = read_deferral(p, &c->deferral);
    return rc;
}

static int read_column_references(parser *p, constraint *c, const char *column)
{
    const char **columns = rowtide__parser_alloc(p, 2 * sizeof *columns);
    if (!columns)
        return ROWTIDE_ENOMEM;
    columns[0] = column;
    c->columns = columns;
    return read_references(p, c);
}

/* ## Finding out which it is */

static constraint *new_constraint(parser *p)
{
    return rowtide__parser_alloc(p, sizeof(constraint));
}

static void append(constraint **list, constraint *c)
{
    while (*list)
        list = &(*list)->next;
    *list = c;
}

/* The last of several names in a row counts. */
static int read_constraint_names(parser *p, const char **name)
{
    int rc = ROWTIDE_OK;
    *name = NULL;
    while (rc == ROWTIDE_OK && rowtide__parser_accept(p, "constraint"))
        rc = rowtide__parser_name(p, "the name of a constraint", name, NULL);
    return rc;
}

static int at_generated(const parser *p)
{
    if (rowtide__parser_at(p, "as"))
        return 1;
    parser ahead = *p;
    return rowtide__parser_accept(&ahead, "generated")
           && rowtide__parser_accept(&ahead, "always")
           && rowtide__parser_at(&ahead, "as");
}

int rowtide__parser_at_column_constraint(const parser *p)
{
    static const char *const words[] = {
        "constraint", "primary", "unique",  "check",      "not",
        "null",       "default", "collate", "references", "deferrable"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (rowtide__parser_at(p, words[i]))
            return 1;
    return at_generated(p);
}

int rowtide__parser_at_table_constraint(const parser *p)
{
    return rowtide__parser_at(p, "constraint")
           || rowtide__parser_at(p, "primary")
           || rowtide__parser_at(p, "unique") || rowtide__parser_at(p, "check")
           || rowtide__parser_at(p, "foreign");
}

/* DEFERRABLE on its own belongs to the foreign key before it. */
static int read_late_deferral(parser *p, rowtide__ddl_column *column)
{
    constraint *key = NULL;
    const char *deferral;
    for (constraint *c = column->constraints; c; c = c->next)
        if (c->kind == ROWTIDE__FOREIGN_KEY)
            key = c;
    int rc = read_deferral(p, &deferral);
    if (rc == ROWTIDE_OK && key)
        key->deferral = deferral;
    return rc;
}

static int read_column_kind(parser *p, constraint *c, const char *column)
{
    if (rowtide__parser_at(p, "primary"))
        return read_column_primary_key(p, c, column);
    if (rowtide__parser_at(p, "unique"))
        return read_column_unique(p, c, column);
    if (rowtide__parser_at(p, "check"))
        return read_check(p, c);
    if (rowtide__parser_at(p, "null")
        || (rowtide__parser_at(p, "not") && rowtide__parser_after(p, "null")))
        return read_null(p, c);
    if (rowtide__parser_at(p, "default"))
        return read_default(p, c);
    if (rowtide__parser_at(p, "collate"))
        return read_collate(p, c);
    if (rowtide__parser_at(p, "references"))
        return read_column_references(p, c, column);
    if (at_generated(p))
        return read_generated(p, c);
    return rowtide__parser_fail(p, "a constraint of a column");
}

int rowtide__parser_column_constraint(parser *p, rowtide__ddl_column *column)
{
    size_t start = p->token.at;
    const char *name;
    int rc = read_constraint_names(p, &name);
    if (rc != ROWTIDE_OK)
        return rc;
    if (rowtide__parser_at(p, ",") || rowtide__parser_at(p, ")"))
        return ROWTIDE_OK;
    if (at_deferral(p))
        return read_late_deferral(p, column);
    constraint *c = new_constraint(p);
    if (!c)
        return ROWTIDE_ENOMEM;
    rc = read_column_kind(p, c, column->name);
    c->name = name;
    c->span = rowtide__parser_since(p, start);
    append(&column->constraints, c);
    return rc;
}

static int read_table_foreign_key(parser *p, constraint *c)
{
    rowtide__parser_advance(p);
    int rc = rowtide__parser_expect(p, "KEY");
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_names(p, "the name of a column", &c->columns);
    return rc == ROWTIDE_OK ? read_references(p, c) : rc;
}

static int read_table_key(parser *p, constraint *c)
{
    int primary = rowtide__parser_accept(p, "primary");
    c->kind = primary ? ROWTIDE__PRIMARY_KEY : ROWTIDE__UNIQUE;
    int rc = rowtide__parser_expect(p, primary ? "KEY" : "UNIQUE");
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_parts(p, primary ? &c->autoincrement : NULL,
                                   &c->parts, &c->part_count);
    return rc == ROWTIDE_OK ? read_conflict(p, c) : rc;
}

static int read_table_kind(parser *p, constraint *c)
{
    if (rowtide__parser_at(p, "foreign"))
        return read_table_foreign_key(p, c);
    if (!rowtide__parser_at(p, "check"))
        return read_table_key(p, c);
    int rc = read_check(p, c);
    return rc == ROWTIDE_OK ? read_conflict(p, c) : rc;
}

int rowtide__parser_table_constraint(parser *p, rowtide__ddl *ddl)
{
    size_t start = p->token.at;
    const char *name;
    int rc = read_constraint_names(p, &name);
    if (rc != ROWTIDE_OK)
        return rc;
    if (rowtide__parser_at(p, ",") || rowtide__parser_at(p, ")"))
        return ROWTIDE_OK;
    if (!rowtide__parser_at_table_constraint(p))
        return rowtide__parser_fail(p, "a constraint of the table");
    constraint *c = new_constraint(p);
    if (!c)
        return ROWTIDE_ENOMEM;
    rc = read_table_kind(p, c);
    c->name = name;
    c->span = rowtide__parser_since(p, start);
    append(&ddl->constraints, c);
    return rc;
}
