#include "schema/diff.h"
#include "base/writer.h"

#include <string.h>

/* Renaming inside SQL goes by tokens. That is exact for expressions of one
 * table. In a body an unqualified name may be of any table in it; where two
 * have such a column, the result is marked as unsure. */
typedef struct scan {
    const rowtide__renames *renames;
    const rowtide__table *table; /* that the text belongs to, or NULL */
    int body;
    rowtide__lexer lexer;
    rowtide__arena arena;
    rowtide__list mentioned; /* tables of the old schema */
    const char *qualifier;   /* in front of "." and the token, or NULL */
    int unsure;
} scan;

static int is_name(const rowtide__token *token)
{
    return token->kind == ROWTIDE__TOKEN_WORD
           || token->kind == ROWTIDE__TOKEN_QUOTED;
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
        if (!is_name(&token))
            continue;
        rc = rowtide__name_read(&lexer, &token, &scan->arena, &name);
        const rowtide__table *table = NULL;
        if (rc == ROWTIDE_OK)
            table = rowtide__schema_table(scan->renames->from, name);
        if (table)
            rc = rowtide__list_add(&scan->mentioned, table);
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
        if (rowtide__schema_table(scan->renames->from, qualifier))
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
    for (size_t i = 0; i < scan->renames->count; i++) {
        const rowtide__rename *rename = &scan->renames->items[i];
        if (rename->old_column) {
            if (!call && !qualifies
                && rowtide__name_equal(rename->old_column, name)
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

static int write_renamed(scan *scan, rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    const char *text = scan->lexer.text, *last_name = NULL;
    rowtide__token before = {ROWTIDE__TOKEN_END, 0, 0, 0};
    size_t written = 0;
    while (writer.rc == ROWTIDE_OK) {
        rowtide__token token = rowtide__lexer_next(&scan->lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            break;
        if (is_name(&token)) {
            rowtide__token next = rowtide__lexer_peek(&scan->lexer);
            const char *name, *new_name = NULL;
            writer.rc = rowtide__name_read(&scan->lexer, &token, &scan->arena,
                                           &name);
            if (writer.rc != ROWTIDE_OK)
                break;
            int dotted = rowtide__token_is(&scan->lexer, &before, ".");
            scan->qualifier = dotted ? last_name : NULL;
            last_name = name;
            if (names_something(scan, &before))
                new_name = find_new_name(scan, name, &next);
            if (new_name) {
                rowtide__write(&writer, text + written, token.at - written);
                if (writer.rc == ROWTIDE_OK)
                    writer.rc = rowtide__name_write(new_name, out);
                written = token.at + token.size;
            }
        }
        before = token;
    }
    rowtide__write(&writer, text + written, scan->lexer.size - written);
    return writer.rc;
}

int rowtide__renames_text(const rowtide__renames *renames,
                          const rowtide__table *table, int body,
                          const char *sql, size_t size, rowtide_buffer *out,
                          int *unsure)
{
    scan scan = {.renames = renames, .table = table, .body = body};
    scan.mentioned.arena = &scan.arena;
    rowtide__lexer_open(&scan.lexer, sql, size);
    int rc = body ? list_mentioned(&scan) : ROWTIDE_OK;
    if (rc == ROWTIDE_OK)
        rc = write_renamed(&scan, out);
    if (scan.unsure)
        *unsure = 1;
    rowtide__arena_dispose(&scan.arena);
    return rc;
}
