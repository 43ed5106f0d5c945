#include "schema/ddl_parser.h"

typedef rowtide__ddl_parser parser;

/* [IF NOT EXISTS] [schema.]name */
static int read_object_name(parser *p, const char *what, rowtide__ddl *ddl)
{
    if (rowtide__parser_at(p, "if") && rowtide__parser_after(p, "not")) {
        rowtide__parser_advance(p);
        rowtide__parser_advance(p);
        int rc = rowtide__parser_expect(p, "EXISTS");
        if (rc != ROWTIDE_OK)
            return rc;
    }
    int rc = rowtide__parser_name(p, what, &ddl->name, &ddl->name_span);
    if (rc == ROWTIDE_OK && rowtide__parser_accept(p, "."))
        rc = rowtide__parser_name(p, what, &ddl->name, &ddl->name_span);
    return rc;
}

static int read_table(parser *p, rowtide__ddl *ddl)
{
    ddl->kind = ROWTIDE__DDL_TABLE;
    int rc = read_object_name(p, "the name of a table", ddl);
    return rc == ROWTIDE_OK ? rowtide__parser_table(p, ddl) : rc;
}

/* Arguments of a module may be anything with balanced parentheses. */
static int read_arguments(parser *p, rowtide__ddl *ddl)
{
    size_t depth = 1;
    rowtide__parser_advance(p);
    size_t start = p->token.at;
    for (;; rowtide__parser_advance(p)) {
        if (p->token.kind == ROWTIDE__TOKEN_END || p->token.unfinished)
            return rowtide__parser_fail(p, ")");
        depth += (size_t)rowtide__parser_at(p, "(");
        depth -= (size_t)rowtide__parser_at(p, ")");
        if (depth == 0)
            break;
    }
    ddl->arguments = rowtide__parser_since(p, start);
    rowtide__parser_advance(p);
    return ROWTIDE_OK;
}

static int read_virtual_table(parser *p, rowtide__ddl *ddl)
{
    ddl->kind = ROWTIDE__DDL_VIRTUAL_TABLE;
    int rc = rowtide__parser_expect(p, "TABLE");
    if (rc == ROWTIDE_OK)
        rc = read_object_name(p, "the name of a table", ddl);
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_expect(p, "USING");
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_name(p, "the name of a module", &ddl->module,
                                  NULL);
    if (rc == ROWTIDE_OK && rowtide__parser_at(p, "("))
        rc = read_arguments(p, ddl);
    return rc;
}

static int read_index(parser *p, rowtide__ddl *ddl)
{
    ddl->kind = ROWTIDE__DDL_INDEX;
    int rc = read_object_name(p, "the name of an index", ddl);
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_expect(p, "ON");
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_name(p, "the name of a table", &ddl->table,
                                  &ddl->table_span);
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_parts(p, NULL, &ddl->parts, &ddl->part_count);
    if (rc == ROWTIDE_OK && rowtide__parser_accept(p, "where"))
        rc = rowtide__parser_expression(p, &ddl->where);
    return rc;
}

/* ## Triggers and views */

static int read_timing(parser *p, rowtide__ddl *ddl)
{
    ddl->timing = "BEFORE";
    if (rowtide__parser_accept(p, "instead")) {
        ddl->timing = "INSTEAD OF";
        return rowtide__parser_expect(p, "OF");
    }
    if (rowtide__parser_accept(p, "after"))
        ddl->timing = "AFTER";
    else
        rowtide__parser_accept(p, "before");
    return ROWTIDE_OK;
}

static int read_update_columns(parser *p, rowtide__ddl *ddl)
{
    size_t count = 0;
    parser counting = *p;
    do {
        count++;
        rowtide__parser_advance(&counting);
    } while (rowtide__parser_accept(&counting, ","));
    const char **columns = rowtide__parser_alloc(p,
                                                 (count + 1) * sizeof *columns);
    if (!columns)
        return ROWTIDE_ENOMEM;
    ddl->update_columns = columns;
    int rc;
    do {
        rc = rowtide__parser_name(p, "the name of a column", columns++, NULL);
    } while (rc == ROWTIDE_OK && rowtide__parser_accept(p, ","));
    return rc;
}

static int read_trigger_event(parser *p, rowtide__ddl *ddl)
{
    if (rowtide__parser_accept(p, "insert")) {
        ddl->event = "INSERT";
    } else if (rowtide__parser_accept(p, "delete")) {
        ddl->event = "DELETE";
    } else if (rowtide__parser_accept(p, "update")) {
        ddl->event = "UPDATE";
        if (rowtide__parser_accept(p, "of"))
            return read_update_columns(p, ddl);
    } else {
        return rowtide__parser_fail(p, "INSERT, UPDATE or DELETE");
    }
    return ROWTIDE_OK;
}

/* What SQLite does not look at before it is run. */
static int skip_statement(parser *p)
{
    while (p->token.kind != ROWTIDE__TOKEN_END) {
        if (p->token.kind == ROWTIDE__TOKEN_BAD || p->token.unfinished)
            return rowtide__parser_fail(p, "SQL");
        rowtide__parser_advance(p);
    }
    return ROWTIDE_OK;
}

static int find_body(parser *p)
{
    while (p->token.kind != ROWTIDE__TOKEN_END && !rowtide__parser_at(p, ";")) {
        if (rowtide__parser_accept(p, "begin"))
            return skip_statement(p);
        rowtide__parser_advance(p);
    }
    return rowtide__parser_fail(p, "BEGIN");
}

static int read_trigger(parser *p, rowtide__ddl *ddl)
{
    ddl->kind = ROWTIDE__DDL_TRIGGER;
    int rc = read_object_name(p, "the name of a trigger", ddl);
    if (rc == ROWTIDE_OK)
        rc = read_timing(p, ddl);
    if (rc == ROWTIDE_OK)
        rc = read_trigger_event(p, ddl);
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_expect(p, "ON");
    for (int i = 0; rc == ROWTIDE_OK && i < 2; i++) {
        rc = rowtide__parser_name(p, "the name of a table", &ddl->table,
                                  &ddl->table_span);
        if (!rowtide__parser_accept(p, "."))
            break;
    }
    return rc == ROWTIDE_OK ? find_body(p) : rc;
}

static int read_view(parser *p, rowtide__ddl *ddl)
{
    const char *const *columns;
    ddl->kind = ROWTIDE__DDL_VIEW;
    int rc = read_object_name(p, "the name of a view", ddl);
    if (rc == ROWTIDE_OK && rowtide__parser_at(p, "("))
        rc = rowtide__parser_names(p, "the name of a column", &columns);
    if (rc == ROWTIDE_OK)
        rc = rowtide__parser_expect(p, "AS");
    if (rc == ROWTIDE_OK && p->token.kind == ROWTIDE__TOKEN_END)
        rc = rowtide__parser_fail(p, "SELECT");
    return rc == ROWTIDE_OK ? skip_statement(p) : rc;
}

static int read_object(parser *p, rowtide__ddl *ddl)
{
    if (rowtide__parser_accept(p, "table"))
        return read_table(p, ddl);
    if (rowtide__parser_accept(p, "virtual"))
        return read_virtual_table(p, ddl);
    if (rowtide__parser_accept(p, "trigger"))
        return read_trigger(p, ddl);
    if (rowtide__parser_accept(p, "view"))
        return read_view(p, ddl);
    ddl->unique = rowtide__parser_accept(p, "unique");
    if (rowtide__parser_accept(p, "index"))
        return read_index(p, ddl);
    return rowtide__parser_fail(p, ddl->unique ? "INDEX"
                                               : "TABLE, INDEX, TRIGGER or "
                                                 "VIEW");
}

static int read_end(parser *p)
{
    while (rowtide__parser_accept(p, ";"))
        ;
    return p->token.kind == ROWTIDE__TOKEN_END
               ? ROWTIDE_OK
               : rowtide__parser_fail(p, "the end of the statement");
}

int rowtide__ddl_parse(const char *text, size_t size, rowtide__arena *arena,
                       rowtide__ddl **out)
{
    parser p;
    *out = NULL;
    rowtide__parser_open(&p, text, size, arena);
    rowtide__ddl *ddl = rowtide__parser_alloc(&p, sizeof *ddl);
    if (!ddl)
        return ROWTIDE_ENOMEM;
    ddl->text = text;
    ddl->size = size;
    int rc = rowtide__parser_expect(&p, "CREATE");
    if (rc == ROWTIDE_OK && !rowtide__parser_accept(&p, "temp"))
        rowtide__parser_accept(&p, "temporary");
    if (rc == ROWTIDE_OK)
        rc = read_object(&p, ddl);
    if (rc == ROWTIDE_OK)
        rc = read_end(&p);
    if (rc == ROWTIDE_OK)
        *out = ddl;
    return rc;
}

rowtide__ddl_column *rowtide__ddl_find_column(const rowtide__ddl *ddl,
                                              const char *name)
{
    for (rowtide__ddl_column *column = ddl->columns; column;
         column = column->next)
        if (rowtide__name_equal(column->name, name))
            return column;
    return NULL;
}

const rowtide__ddl_constraint *
rowtide__ddl_find_constraint(const rowtide__ddl_column *column,
                             rowtide__constraint_kind kind)
{
    for (const rowtide__ddl_constraint *c = column->constraints; c; c = c->next)
        if (c->kind == kind)
            return c;
    return NULL;
}
