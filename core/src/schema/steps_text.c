#include "schema/steps_make.h"
#include "base/error.h"

#include <stdarg.h>
#include <string.h>

const char *rowtide__arena_sql(rowtide__arena *arena, const char *format, ...)
{
    const char *copy = NULL;
    va_list arguments;
    va_start(arguments, format);
    char *sql = sqlite3_vmprintf(format, arguments);
    va_end(arguments);
    if (!sql)
        rowtide__nomem();
    else if (rowtide__name_copy(arena, sql, strlen(sql), &copy) != ROWTIDE_OK)
        copy = NULL;
    sqlite3_free(sql);
    return copy;
}

int rowtide__text_add(rowtide__list *list, const char *text)
{
    return text ? rowtide__list_add(list, text) : ROWTIDE_ENOMEM;
}

const char *const *rowtide__texts_finish(rowtide__list *list)
{
    return (const char *const *)rowtide__list_finish(list);
}

const char *rowtide__span_text(rowtide__arena *arena, const rowtide__ddl *ddl,
                               rowtide__span span)
{
    const char *text;
    if (rowtide__name_copy(arena, ddl->text + span.at, span.size, &text)
        != ROWTIDE_OK)
        return NULL;
    return text;
}

/* A literal in parentheses, which are optional, with a sign that is too. */
static int skip_to_literal(rowtide__lexer *lexer, rowtide__token *token)
{
    int depth = 0;
    *token = rowtide__lexer_next(lexer);
    while (rowtide__token_is(lexer, token, "(")) {
        depth++;
        *token = rowtide__lexer_next(lexer);
    }
    if (rowtide__token_is(lexer, token, "-")
        || rowtide__token_is(lexer, token, "+"))
        *token = rowtide__lexer_next(lexer);
    return depth;
}

static int ends_after(rowtide__lexer *lexer, int depth)
{
    rowtide__token token = rowtide__lexer_next(lexer);
    for (; depth > 0 && rowtide__token_is(lexer, &token, ")"); depth--)
        token = rowtide__lexer_next(lexer);
    return depth == 0 && token.kind == ROWTIDE__TOKEN_END;
}

static int is_constant_word(const rowtide__lexer *lexer,
                            const rowtide__token *token, int depth)
{
    if (rowtide__token_is(lexer, token, "NULL")
        || rowtide__token_is(lexer, token, "TRUE")
        || rowtide__token_is(lexer, token, "FALSE"))
        return 1;
    /* A bare word is a string outside of parentheses only. */
    return depth == 0 && !rowtide__token_is(lexer, token, "CURRENT_TIME")
           && !rowtide__token_is(lexer, token, "CURRENT_DATE")
           && !rowtide__token_is(lexer, token, "CURRENT_TIMESTAMP");
}

int rowtide__default_is_constant(const char *sql)
{
    rowtide__lexer lexer;
    rowtide__token token;
    if (!sql)
        return 1;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    int depth = skip_to_literal(&lexer, &token);
    switch (token.kind) {
    case ROWTIDE__TOKEN_STRING:
    case ROWTIDE__TOKEN_NUMBER:
    case ROWTIDE__TOKEN_BLOB:
        return ends_after(&lexer, depth);
    case ROWTIDE__TOKEN_QUOTED:
        return depth == 0;
    case ROWTIDE__TOKEN_WORD:
        return is_constant_word(&lexer, &token, depth)
               && ends_after(&lexer, depth);
    default:
        return 0;
    }
}

int rowtide__default_is_null(const char *sql)
{
    rowtide__lexer lexer;
    rowtide__token token;
    if (!sql)
        return 1;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    int depth = skip_to_literal(&lexer, &token);
    return rowtide__token_is(&lexer, &token, "NULL")
           && ends_after(&lexer, depth);
}

/* "INTEGER PRIMARY KEY DESC", written at the column, is an ordinary one. */
static int descends_at_column(const rowtide__table *table, const char *name)
{
    const rowtide__ddl_column *column = table->ddl ? rowtide__ddl_find_column(
                                                         table->ddl, name)
                                                   : NULL;
    const rowtide__ddl_constraint *key = column
                                             ? rowtide__ddl_find_constraint(
                                                   column, ROWTIDE__PRIMARY_KEY)
                                             : NULL;
    return key && key->part_count == 1 && key->parts[0].descending;
}

const rowtide_schema_column *
rowtide__table_rowid_column(const rowtide__table *table)
{
    const rowtide_schema_column *found = NULL;
    if (table->view.without_rowid)
        return NULL;
    for (size_t i = 0; table->view.columns[i]; i++) {
        if (table->view.columns[i]->primary_key == 0)
            continue;
        if (found)
            return NULL;
        found = table->view.columns[i];
    }
    if (!found || !rowtide__name_equal(found->type, "INTEGER")
        || descends_at_column(table, found->name))
        return NULL;
    return found;
}

const char *rowtide__table_rowid_name(const rowtide__table *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    const rowtide_schema_column *column = rowtide__table_rowid_column(table);
    if (column)
        return column->name;
    if (table->view.without_rowid)
        return NULL;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!rowtide__table_column(&table->view, names[i]))
            return names[i];
    return NULL;
}
