#include "schema/ddl_parser.h"
#include "schema/diff.h"
#include "base/writer.h"

#include <string.h>

/* Names inside SQL are found by tokens. That is exact for expressions of one
 * table. In a body an unqualified name may be of any table in it; where two
 * have such a column, a new name is marked as unsure. What is in double quotes
 * may be a string: in a body it is taken for a name if there is such a one. */
typedef struct scan {
    const rowtide_schema *schema;
    const rowtide__renames *renames; /* or NULL */
    const rowtide__table *table;     /* that the text belongs to, or NULL */
    int body;
    rowtide__lexer lexer;
    rowtide__arena arena;
    rowtide__list mentioned; /* tables */
    rowtide__list views;
    const char *qualifier; /* in front of "." and the token, or NULL */
    int unsure;
} scan;

static int is_name(const rowtide__lexer *lexer, const rowtide__token *token)
{
    return token->kind == ROWTIDE__TOKEN_QUOTED
           || (token->kind == ROWTIDE__TOKEN_WORD
               && !rowtide__word_reserved(lexer, token));
}

static int list_mentioned(scan *scan)
{
    rowtide__lexer lexer = scan->lexer;
    int rc = ROWTIDE_OK;
    if (scan->table)
        rc = rowtide__list_add(&scan->mentioned, scan->table);
    for (;;) {
        rowtide__token token = rowtide__lexer_next(&lexer);
        if (rc != ROWTIDE_OK || token.kind == ROWTIDE__TOKEN_END)
            return rc;
        const char *name;
        if (!is_name(&lexer, &token))
            continue;
        rc = rowtide__name_read(&lexer, &token, &scan->arena, &name);
        const rowtide__table *table = NULL;
        const rowtide__view *view = NULL;
        if (rc == ROWTIDE_OK)
            table = rowtide__schema_table(scan->schema, name);
        if (rc == ROWTIDE_OK && !table)
            view = rowtide__schema_view(scan->schema, name);
        if (table)
            rc = rowtide__list_add(&scan->mentioned, table);
        if (view)
            rc = rowtide__list_add(&scan->views, view);
    }
}

static int mentions(const scan *scan, const rowtide__table *table)
{
    for (size_t i = 0; i < scan->mentioned.count; i++)
        if (scan->mentioned.items[i] == table)
            return 1;
    return 0;
}

static int others_have(const scan *scan, const rowtide__table *table,
                       const char *column)
{
    for (size_t i = 0; i < scan->mentioned.count; i++) {
        const rowtide__table *other = scan->mentioned.items[i];
        if (other != table && rowtide__table_column(&other->view, column))
            return 1;
    }
    return 0;
}

/* Can the token, which has the column's name, be that column? */
static int belongs(scan *scan, const rowtide__rename *rename)
{
    const rowtide__table *table = rename->old_table;
    if (!scan->body)
        return table == scan->table;
    if (!mentions(scan, table))
        return 0;
    const char *qualifier = scan->qualifier;
    if (qualifier) {
        if (rowtide__name_equal(qualifier, table->view.name))
            return 1;
        if (rowtide__name_equal(qualifier, "new")
            || rowtide__name_equal(qualifier, "old"))
            return table == scan->table;
        if (rowtide__schema_table(scan->schema, qualifier))
            return 0;
    }
    if (others_have(scan, table, rename->old_column))
        scan->unsure = 1;
    return 1;
}

/* The new name of what the token names, or NULL. */
static const char *find_new_name(scan *scan, const char *name,
                                 const rowtide__token *next)
{
    int call = rowtide__token_is(&scan->lexer, next, "(");
    int qualifies = rowtide__token_is(&scan->lexer, next, ".");
    for (size_t i = 0; scan->renames && i < scan->renames->count; i++) {
        const rowtide__rename *rename = &scan->renames->items[i];
        if (rename->old_column) {
            if (!call && !qualifies
                && rowtide__name_equal(rename->old_column, name)
                && !rowtide__name_equal(rename->new_column, name)
                && belongs(scan, rename))
                return rename->new_column;
        } else if ((scan->body || qualifies)
                   && rowtide__name_equal(rename->old_table->view.name, name)) {
            return rename->new_table->view.name;
        }
    }
    return NULL;
}

/* What follows AS is a type or another name, what follows COLLATE none of
 * ours. */
static int names_something(const scan *scan, const rowtide__token *before)
{
    return !rowtide__token_is(&scan->lexer, before, "AS")
           && !rowtide__token_is(&scan->lexer, before, "COLLATE");
}

static int is_known(const scan *scan, const char *name)
{
    if (rowtide__schema_table(scan->schema, name)
        || rowtide__schema_view(scan->schema, name)
        || others_have(scan, NULL, name))
        return 1;
    for (size_t i = 0; i < scan->views.count; i++) {
        const rowtide__view *view = scan->views.items[i];
        for (size_t j = 0; view->view.columns[j]; j++)
            if (rowtide__name_equal(view->view.columns[j]->name, name))
                return 1;
    }
    return 0;
}

/* In quotes that make it a name whatever it is. */
static void write_name(rowtide__writer *writer, const char *name)
{
    rowtide__write_byte(writer, '`');
    for (; *name; name++) {
        if (*name == '`')
            rowtide__write_byte(writer, '`');
        rowtide__write_byte(writer, *name);
    }
    rowtide__write_byte(writer, '`');
}

/* What to write instead of the token, or NULL. */
static const char *find_replacement(scan *scan, const rowtide__token *before,
                                    const rowtide__token *token,
                                    const char *name)
{
    rowtide__token next = rowtide__lexer_peek(&scan->lexer);
    const char *new_name = NULL;
    if (names_something(scan, before))
        new_name = find_new_name(scan, name, &next);
    if (!new_name && scan->body && scan->lexer.text[token->at] == '"'
        && is_known(scan, name))
        new_name = name;
    return new_name;
}

static int write_resolved(scan *scan, rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    const char *text = scan->lexer.text, *last_name = NULL, *name;
    rowtide__token before = {ROWTIDE__TOKEN_END, 0, 0, 0};
    size_t written = 0;
    while (writer.rc == ROWTIDE_OK) {
        rowtide__token token = rowtide__lexer_next(&scan->lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            break;
        const char *replacement = NULL;
        if (is_name(&scan->lexer, &token)) {
            writer.rc = rowtide__name_read(&scan->lexer, &token, &scan->arena,
                                           &name);
            if (writer.rc != ROWTIDE_OK)
                break;
            int dotted = rowtide__token_is(&scan->lexer, &before, ".");
            scan->qualifier = dotted ? last_name : NULL;
            last_name = name;
            replacement = find_replacement(scan, &before, &token, name);
        }
        if (replacement) {
            rowtide__write(&writer, text + written, token.at - written);
            write_name(&writer, replacement);
            written = token.at + token.size;
        }
        before = token;
    }
    rowtide__write(&writer, text + written, scan->lexer.size - written);
    return writer.rc;
}

static int resolve(scan *scan, const char *sql, size_t size,
                   rowtide_buffer *out)
{
    scan->mentioned.arena = scan->views.arena = &scan->arena;
    rowtide__lexer_open(&scan->lexer, sql, size);
    int rc = scan->body ? list_mentioned(scan) : ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = write_resolved(scan, out);
    rowtide__arena_dispose(&scan->arena);
    return rc;
}

int rowtide__renames_expression(const rowtide__renames *renames,
                                const rowtide__table *table, const char *sql,
                                size_t size, rowtide_buffer *out)
{
    scan scan = {.schema = renames->from, .renames = renames, .table = table};
    return resolve(&scan, sql, size, out);
}

int rowtide__renames_body(const rowtide__renames *renames,
                          const rowtide__table *table, const char *sql,
                          rowtide_buffer *out, int *unsure)
{
    scan scan = {
        .schema = renames->from, .renames = renames, .table = table, .body = 1};
    int rc = resolve(&scan, sql, strlen(sql), out);
    *unsure = scan.unsure;
    return rc;
}

int rowtide__resolve_body(const rowtide_schema *schema,
                          const rowtide__table *table, const char *sql,
                          rowtide_buffer *out)
{
    scan scan = {.schema = schema, .table = table, .body = 1};
    return resolve(&scan, sql, strlen(sql), out);
}
