#include "schema/ddl.h"
#include "schema/ddl_parser.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

int rowtide__name_equal(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++, b++)
        ;
    return lower(*a) == lower(*b);
}

int rowtide__name_copy(rowtide__arena *arena, const char *text, size_t size,
                       const char **out)
{
    char *copy = rowtide__arena_alloc(arena, size + 1);
    *out = copy;
    if (!copy)
        return ROWTIDE_ENOMEM;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return ROWTIDE_OK;
}

/* What is between the quotes, with doubled ones made single. */
static int read_quoted(const char *text, size_t size, rowtide__arena *arena,
                       const char **out)
{
    char close = text[0] == '[' ? ']' : text[0];
    char *name = rowtide__arena_alloc(arena, size + 1);
    *out = name;
    if (!name)
        return ROWTIDE_ENOMEM;
    for (size_t i = 1; i < size; i++) {
        if (text[i] == close && (i + 1 == size || text[i + 1] != close))
            break;
        i += text[i] == close;
        *name++ = text[i];
    }
    *name = '\0';
    return ROWTIDE_OK;
}

int rowtide__name_read(const rowtide__lexer *lexer, const rowtide__token *token,
                       rowtide__arena *arena, const char **out)
{
    const char *text = lexer->text + token->at;
    if (token->kind == ROWTIDE__TOKEN_WORD)
        return rowtide__name_copy(arena, text, token->size, out);
    return read_quoted(text, token->size, arena, out);
}

int rowtide__name_write(const char *name, rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    rowtide__write_byte(&writer, '"');
    for (; *name; name++) {
        if (*name == '"')
            rowtide__write_byte(&writer, '"');
        rowtide__write_byte(&writer, *name);
    }
    rowtide__write_byte(&writer, '"');
    return writer.rc;
}

int rowtide__word_reserved(const rowtide__lexer *lexer,
                           const rowtide__token *token)
{
    /* Keywords that SQLite never takes for a name. */
    static const char *const words[] = {
        "add",     "all",          "alter",      "and",         "as",
        "between", "case",         "check",      "collate",     "commit",
        "create",  "default",      "deferrable", "delete",      "distinct",
        "drop",    "else",         "escape",     "except",      "exists",
        "foreign", "from",         "group",      "having",      "in",
        "index",   "insert",       "intersect",  "into",        "is",
        "isnull",  "join",         "limit",      "not",         "nothing",
        "notnull", "null",         "on",         "or",          "order",
        "primary", "references",   "returning",  "select",      "set",
        "table",   "then",         "to",         "transaction", "union",
        "unique",  "update",       "using",      "values",      "when",
        "where",   "autoincrement"};
    if (token->kind != ROWTIDE__TOKEN_WORD)
        return 0;
    int first = lower(lexer->text[token->at]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (words[i][0] == first && rowtide__token_is(lexer, token, words[i]))
            return 1;
    return 0;
}
