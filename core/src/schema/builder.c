#include "schema/builder.h"
#include "base/alloc.h"
#include "base/buffer.h"

#include <string.h>

typedef rowtide_schema_builder builder;
typedef rowtide__built_table table;
typedef rowtide__built_column column;

/* ## Memory */

void *rowtide__builder_alloc(builder *b, size_t size)
{
    void *memory = rowtide__arena_alloc(&b->arena, size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

static int copy(builder *b, const char **text)
{
    return *text ? rowtide__name_copy(&b->arena, *text, strlen(*text), text)
                 : ROWTIDE_OK;
}

static int copy_list(builder *b, const char *const **list)
{
    size_t count = 0;
    while ((*list)[count])
        count++;
    const char **texts = rowtide__builder_alloc(b, (count + 1) * sizeof *texts);
    int rc = texts ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++) {
        texts[i] = (*list)[i];
        rc = copy(b, &texts[i]);
    }
    *list = texts;
    return rc;
}

/* Options of a version of the library that had fewer of them, too. */
static int take_options(void *chosen, size_t size, const void *options,
                        const char *function)
{
    if (!options)
        return ROWTIDE_OK;
    size_t given = *(const size_t *)options;
    ROWTIDE__CHECK_ARG(given >= sizeof given && given <= size, function);
    memcpy(chosen, options, given);
    return ROWTIDE_OK;
}

/* ## Errors: the first one stays */

static int begin(const builder *b)
{
    if (b->error.code != ROWTIDE_OK)
        rowtide__error_restore(&b->error);
    return b->error.code;
}

static int end(builder *b, int rc)
{
    if (rc < 0)
        rowtide__error_save(&b->error);
    return rc;
}

static int need_table(const builder *b, const char *what)
{
    return b->current ? ROWTIDE_OK
                      : rowtide__fail(ROWTIDE_EMISUSE,
                                      "%s: there is no table yet that it could "
                                      "belong to",
                                      what);
}

static int need_name(const table *t, const char *name, const char *what)
{
    if (name && *name)
        return ROWTIDE_OK;
    if (!t)
        return rowtide__fail(ROWTIDE_EINVAL, "%s has no name", what);
    return rowtide__fail(ROWTIDE_EINVAL, "table \"%s\": %s has no name",
                         t->name, what);
}

/* ## Looking */

table *rowtide__builder_find_table(const builder *b, const char *name)
{
    for (table *t = b->tables; t; t = t->next)
        if (rowtide__name_equal(t->name, name))
            return t;
    return NULL;
}

column *rowtide__builder_find_column(const table *t, const char *name)
{
    for (column *c = t->columns; c; c = c->next)
        if (rowtide__name_equal(c->name, name))
            return c;
    return NULL;
}

/* ## Tables */

int rowtide__builder_add_table(builder *b, const char *name, table **out)
{
    table *t = rowtide__builder_alloc(b, sizeof *t);
    *out = t;
    if (!t)
        return ROWTIDE_ENOMEM;
    t->name = name;
    t->options = (rowtide_schema_table_options)
        ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    t->columns_end = &t->columns;
    t->indexes_end = &t->indexes;
    t->checks_end = &t->checks;
    t->relations_end = &t->relations;
    int rc = copy(b, &t->name);
    *b->tables_end = t;
    b->tables_end = &t->next;
    return rc;
}

static int declare_table(builder *b, const char *name,
                         const rowtide_schema_table_options *options)
{
    table *t;
    int rc = need_name(NULL, name, "a table");
    if (rc == ROWTIDE_OK && rowtide__builder_find_table(b, name))
        rc = rowtide__fail(ROWTIDE_EEXISTS, "table \"%s\": declared twice",
                           name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__builder_add_table(b, name, &t);
    if (rc != ROWTIDE_OK)
        return rc;
    b->current = t;
    rc = take_options(&t->options, sizeof t->options, options,
                      "schema_builder_table");
    if (rc == ROWTIDE_OK && t->options.primary_key)
        rc = copy_list(b, &t->options.primary_key);
    if (rc == ROWTIDE_OK)
        rc = copy(b, &t->options.soft_delete);
    return rc;
}

/* ## Columns */

int rowtide__builder_add_column(builder *b, table *t, const char *name,
                                const char *type, column **out)
{
    column *c = rowtide__builder_alloc(b, sizeof *c);
    *out = c;
    if (!c)
        return ROWTIDE_ENOMEM;
    c->name = name;
    c->type = type ? type : "";
    c->options = (rowtide_schema_column_options)
        ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    int rc = copy(b, &c->name);
    if (rc == ROWTIDE_OK)
        rc = copy(b, &c->type);
    *t->columns_end = c;
    t->columns_end = &c->next;
    return rc;
}

static int add_index(builder *b, const char *const *columns,
                     const rowtide_schema_index_options *options)
{
    rowtide__built_index *index = rowtide__builder_alloc(b, sizeof *index);
    if (!index)
        return ROWTIDE_ENOMEM;
    index->table = b->current;
    index->columns = columns;
    index->name = options->name;
    index->where = options->where;
    index->unique = options->unique;
    *b->current->indexes_end = index;
    b->current->indexes_end = &index->next;
    int rc = copy_list(b, &index->columns);
    if (rc == ROWTIDE_OK)
        rc = copy(b, &index->name);
    if (rc == ROWTIDE_OK && index->where)
        rc = rowtide__builder_expression(b, index->where, &index->where);
    return rc;
}

static int index_column(builder *b, const column *c, int unique)
{
    const char *columns[] = {c->name, NULL};
    rowtide_schema_index_options options = ROWTIDE_SCHEMA_INDEX_OPTIONS_INIT;
    options.unique = unique;
    return add_index(b, columns, &options);
}

static int take_expressions(builder *b, rowtide_schema_column_options *o)
{
    int rc = ROWTIDE_OK;
    if (o->default_sql)
        rc = rowtide__builder_default(b, o->default_sql, &o->default_sql);
    if (rc == ROWTIDE_OK && o->check)
        rc = rowtide__builder_expression(b, o->check, &o->check);
    if (rc == ROWTIDE_OK && o->generated_as)
        rc = rowtide__builder_expression(b, o->generated_as, &o->generated_as);
    if (rc == ROWTIDE_OK)
        rc = copy(b, &o->collation);
    if (rc == ROWTIDE_OK && o->autoincrement && !o->primary_key)
        rc = rowtide__fail(ROWTIDE_EINVAL, "AUTOINCREMENT is only for the "
                                           "primary key");
    return rc;
}

/* The type goes in as it is, so it may not end the definition. */
static int check_definition(builder *b, const column *c)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&sql, ROWTIDE_OK};
    rowtide__ddl *ddl;
    rowtide__write_text(&writer, "CREATE TABLE t(");
    rowtide__builder_write_column(&writer, c, 1);
    rowtide__write_text(&writer, "\n)");
    int rc = writer.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__ddl_parse(sql.data, sql.size, &b->arena, &ddl);
    if (rc == ROWTIDE_EINVAL)
        rc = rowtide__fail(rc, "%s", rowtide_error_message());
    else if (rc == ROWTIDE_OK
             && (ddl->columns->next || ddl->constraints
                 || ddl->columns->span.size != sql.size - 17))
        rc = rowtide__fail(ROWTIDE_EINVAL, "this is no type: %s", c->type);
    rowtide_buffer_dispose(&sql);
    return rc;
}

static int declare_column(builder *b, const char *name, const char *type,
                          const rowtide_schema_column_options *options)
{
    column *c = NULL;
    table *t = b->current;
    int rc = need_table(b, "a column");
    if (rc == ROWTIDE_OK)
        rc = need_name(t, name, "a column");
    if (rc == ROWTIDE_OK && rowtide__builder_find_column(t, name))
        return rowtide__fail(ROWTIDE_EEXISTS,
                             "table \"%s\": column \"%s\" is declared twice",
                             t->name, name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__builder_add_column(b, t, name, type, &c);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = take_options(&c->options, sizeof c->options, options,
                      "schema_builder_column");
    if (rc == ROWTIDE_OK)
        rc = take_expressions(b, &c->options);
    if (rc == ROWTIDE_OK)
        rc = check_definition(b, c);
    if (rc == ROWTIDE_OK && c->options.unique)
        rc = index_column(b, c, 1);
    if (rc == ROWTIDE_OK && c->options.indexed)
        rc = index_column(b, c, 0);
    return rc < 0 ? rowtide__fail_context("table \"%s\", column \"%s\"",
                                          t->name, name)
                  : rc;
}

/* ## Indexes, checks, relations, statements */

static int declare_index(builder *b, const char *const *columns,
                         const rowtide_schema_index_options *options)
{
    rowtide_schema_index_options chosen = ROWTIDE_SCHEMA_INDEX_OPTIONS_INIT;
    int rc = need_table(b, "an index");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = take_options(&chosen, sizeof chosen, options, "schema_builder_index");
    if (rc == ROWTIDE_OK && (!columns || !columns[0]))
        rc = rowtide__fail(ROWTIDE_EINVAL, "it has no columns");
    if (rc == ROWTIDE_OK)
        rc = add_index(b, columns, &chosen);
    return rc < 0
               ? rowtide__fail_context("table \"%s\", index on \"%s\"",
                                       b->current->name,
                                       columns && columns[0] ? columns[0] : "")
               : rc;
}

static int declare_check(builder *b, const char *name, const char *expression)
{
    int rc = need_table(b, "a check");
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__built_check *check = rowtide__builder_alloc(b, sizeof *check);
    if (!check)
        return ROWTIDE_ENOMEM;
    check->name = name;
    rc = copy(b, &check->name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__builder_expression(b, expression ? expression : "",
                                         &check->expression);
    *b->current->checks_end = check;
    b->current->checks_end = &check->next;
    return rc < 0 ? rowtide__fail_context("table \"%s\", check \"%s\"",
                                          b->current->name,
                                          name ? name : "without a name")
                  : rc;
}

static int take_relation_options(builder *b, rowtide_schema_relation_options *o)
{
    int rc = copy(b, &o->column);
    if (rc == ROWTIDE_OK)
        rc = copy(b, &o->table_column);
    if (rc == ROWTIDE_OK && o->on_delete)
        rc = rowtide__builder_action(o->on_delete, &o->on_delete);
    if (rc == ROWTIDE_OK && o->on_update)
        rc = rowtide__builder_action(o->on_update, &o->on_update);
    return rc;
}

/* The column that is to be made stands where the relation was declared. */
static int reserve_column(builder *b, rowtide__built_relation *relation)
{
    column *place;
    if (relation->many)
        return ROWTIDE_OK;
    int rc = rowtide__builder_add_column(b, b->current, "", "", &place);
    if (rc == ROWTIDE_OK)
        place->relation = relation;
    return rc;
}

static int declare_relation(builder *b, const char *other, int many,
                            const rowtide_schema_relation_options *options)
{
    int rc = need_table(b, "a relation");
    if (rc == ROWTIDE_OK)
        rc = need_name(b->current, other, "the other table of a relation");
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__built_relation *relation = rowtide__builder_alloc(
        b, sizeof *relation);
    if (!relation)
        return ROWTIDE_ENOMEM;
    relation->table = other;
    relation->many = many;
    relation->options = (rowtide_schema_relation_options)
        ROWTIDE_SCHEMA_RELATION_OPTIONS_INIT;
    rc = take_options(&relation->options, sizeof relation->options, options,
                      "schema_builder_relation");
    if (rc == ROWTIDE_OK)
        rc = copy(b, &relation->table);
    if (rc == ROWTIDE_OK)
        rc = take_relation_options(b, &relation->options);
    if (rc == ROWTIDE_OK)
        rc = reserve_column(b, relation);
    *b->current->relations_end = relation;
    b->current->relations_end = &relation->next;
    return rc < 0 ? rowtide__fail_context("table \"%s\", relation to \"%s\"",
                                          b->current->name, other)
                  : rc;
}

static int declare_sql(builder *b, const char *sql)
{
    ROWTIDE__CHECK_ARG(sql, "schema_builder_sql");
    rowtide__built_sql *statement = rowtide__builder_alloc(b,
                                                           sizeof *statement);
    if (!statement)
        return ROWTIDE_ENOMEM;
    statement->sql = sql;
    int rc = rowtide__builder_statements(sql);
    if (rc == ROWTIDE_OK)
        rc = copy(b, &statement->sql);
    *b->statements_end = statement;
    b->statements_end = &statement->next;
    return rc;
}

/* ## The public face */

int rowtide_schema_builder_new(builder **out)
{
    ROWTIDE__CHECK_ARG(out, "schema_builder_new");
    builder *b = *out = rowtide__alloc_zero(sizeof **out);
    if (!b)
        return ROWTIDE_ENOMEM;
    b->tables_end = &b->tables;
    b->statements_end = &b->statements;
    return ROWTIDE_OK;
}

void rowtide_schema_builder_free(builder *b)
{
    if (!b)
        return;
    rowtide__arena_dispose(&b->arena);
    rowtide__free(b);
}

int rowtide_schema_builder_table(builder *b, const char *name,
                                 const rowtide_schema_table_options *options)
{
    ROWTIDE__CHECK_ARG(b, "schema_builder_table");
    int rc = begin(b);
    return rc < 0 ? rc : end(b, declare_table(b, name, options));
}

int rowtide_schema_builder_column(builder *b, const char *name,
                                  const char *type,
                                  const rowtide_schema_column_options *options)
{
    ROWTIDE__CHECK_ARG(b, "schema_builder_column");
    int rc = begin(b);
    return rc < 0 ? rc : end(b, declare_column(b, name, type, options));
}

int rowtide_schema_builder_index(builder *b, const char *const *columns,
                                 const rowtide_schema_index_options *options)
{
    ROWTIDE__CHECK_ARG(b, "schema_builder_index");
    int rc = begin(b);
    return rc < 0 ? rc : end(b, declare_index(b, columns, options));
}

int rowtide_schema_builder_check(builder *b, const char *name,
                                 const char *expression)
{
    ROWTIDE__CHECK_ARG(b, "schema_builder_check");
    int rc = begin(b);
    return rc < 0 ? rc : end(b, declare_check(b, name, expression));
}

int rowtide_schema_builder_belongs_to(
    builder *b, const char *other,
    const rowtide_schema_relation_options *options)
{
    ROWTIDE__CHECK_ARG(b, "schema_builder_belongs_to");
    int rc = begin(b);
    return rc < 0 ? rc : end(b, declare_relation(b, other, 0, options));
}

int rowtide_schema_builder_many_to_many(
    builder *b, const char *other,
    const rowtide_schema_relation_options *options)
{
    ROWTIDE__CHECK_ARG(b, "schema_builder_many_to_many");
    int rc = begin(b);
    return rc < 0 ? rc : end(b, declare_relation(b, other, 1, options));
}

int rowtide_schema_builder_sql(builder *b, const char *sql)
{
    ROWTIDE__CHECK_ARG(b, "schema_builder_sql");
    int rc = begin(b);
    return rc < 0 ? rc : end(b, declare_sql(b, sql));
}
