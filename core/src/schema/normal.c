#include "schema/ddl.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <rowtide/schema.h>

#include <sqlite3.h>
#include <string.h>

/* Four tokens, to see what stands before and behind one. */
typedef struct window {
    rowtide__lexer lexer;
    rowtide__token first, before, now, next;
    const rowtide__ddl *table; /* whose columns are in scope, or NULL */
    int arguments;             /* of a module: kept as they are */
} window;

static void advance(window *w)
{
    w->first = w->before;
    w->before = w->now;
    w->now = w->next;
    w->next = rowtide__lexer_next(&w->lexer);
}

static int is(const window *w, const rowtide__token *token, const char *word)
{
    return token->size > 0 && rowtide__token_is(&w->lexer, token, word);
}

static int is_one_of(const window *w, const rowtide__token *token,
                     const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is(w, token, words[i]))
            return 1;
    return 0;
}

static int lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static void write_lower(rowtide__writer *writer, const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        rowtide__write_byte(writer, lower(text[i]));
}

/* ## Quoted names
 *
 * A name in `...` or [...] is a name. One in "..." is a string where nothing
 * of that name is in scope, so its quotes are only taken off where SQLite takes
 * nothing but a name, or where it is known to be a column. */

static int only_name_fits(const window *w)
{
    static const char *const words[] = {
        "into",    "join",       "table",      "view",    "index",
        "trigger", "update",     "references", "collate", "of",
        "using",   "constraint", "set"};
    if (is(w, &w->before, ".") || is(w, &w->next, ".") || is(w, &w->next, "("))
        return 1;
    if (is(w, &w->before, "from"))
        return !is(w, &w->first, "distinct");
    /* The table of a trigger; in a join, an expression follows. */
    if (is(w, &w->before, "on"))
        return is(w, &w->next, "begin") || is(w, &w->next, "for");
    return is_one_of(w, &w->before, words, sizeof words / sizeof *words);
}

/* The next byte of what is in quotes, -1 at the end. */
static int next_byte(const char *text, size_t size, size_t *at)
{
    char close = text[0] == '[' ? ']' : text[0];
    if (*at >= size)
        return -1;
    int c = (unsigned char)text[*at];
    if (text[*at] != close) {
        ++*at;
        return c;
    }
    if (*at + 1 >= size || text[*at + 1] != close)
        return -1;
    *at += 2;
    return c;
}

static int quoted_equals(const char *text, size_t size, const char *name)
{
    size_t at = 1;
    for (; *name; name++)
        if (lower(next_byte(text, size, &at)) != lower((unsigned char)*name))
            return 0;
    return next_byte(text, size, &at) == -1;
}

static int is_column(const window *w, const char *text, size_t size)
{
    const rowtide__ddl_column *column = w->table ? w->table->columns : NULL;
    for (; column; column = column->next)
        if (quoted_equals(text, size, column->name))
            return 1;
    return 0;
}

static int is_bare_column(const window *w, const char *text, size_t size)
{
    const rowtide__ddl_column *column = w->table ? w->table->columns : NULL;
    for (; column; column = column->next)
        if (strlen(column->name) == size
            && sqlite3_strnicmp(column->name, text, (int)size) == 0)
            return 1;
    return 0;
}

/* Bare, these mean something else than in quotes. */
static int has_meaning(const char *text, size_t size)
{
    return sqlite3_keyword_check(text, (int)size)
           || (size == 4 && sqlite3_strnicmp(text, "true", 4) == 0)
           || (size == 5 && sqlite3_strnicmp(text, "false", 5) == 0);
}

static int may_be_bare(const char *text, size_t size)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, text, size);
    rowtide__token token = rowtide__lexer_next(&lexer);
    return token.kind == ROWTIDE__TOKEN_WORD && token.at == 0
           && token.size == size && size < 128 && !has_meaning(text, size);
}

static void write_name(rowtide__writer *writer, const char *text, size_t size)
{
    if (may_be_bare(text + 1, size - 2)) {
        write_lower(writer, text + 1, size - 2);
        return;
    }
    size_t at = 1;
    int c;
    rowtide__write_byte(writer, '`');
    while ((c = next_byte(text, size, &at)) >= 0) {
        if (c == '`')
            rowtide__write_byte(writer, c);
        rowtide__write_byte(writer, lower(c));
    }
    rowtide__write_byte(writer, '`');
}

static void write_quoted(const window *w, rowtide__writer *writer)
{
    const char *text = w->lexer.text + w->now.at;
    size_t size = w->now.size;
    if (!w->now.unfinished
        && (text[0] != '"' || only_name_fits(w) || is_column(w, text, size)))
        write_name(writer, text, size);
    else
        rowtide__write(writer, text, size);
}

/* ## Tokens */

/* A bare word is a name, in which case does not count, but for a DEFAULT: there
 * it is a string, unless it is one of these. A text that is a single word may
 * be a default. */
static int may_be_string(const window *w)
{
    static const char *const words[] = {"null",         "true",
                                        "false",        "current_date",
                                        "current_time", "current_timestamp"};
    int alone = w->before.size == 0 && w->next.kind == ROWTIDE__TOKEN_END;
    const char *text = w->lexer.text + w->now.at;
    if (!alone && !is(w, &w->before, "default"))
        return 0;
    if (w->now.kind == ROWTIDE__TOKEN_QUOTED)
        return !is_column(w, text, w->now.size);
    return w->now.kind == ROWTIDE__TOKEN_WORD
           && !is_one_of(w, &w->now, words, sizeof words / sizeof *words)
           && !is_bare_column(w, text, w->now.size);
}

static void write_token(const window *w, rowtide__writer *writer)
{
    const char *text = w->lexer.text + w->now.at;
    size_t size = w->now.size;
    if (w->arguments || may_be_string(w)) {
        rowtide__write(writer, text, size);
        return;
    }
    switch (w->now.kind) {
    case ROWTIDE__TOKEN_QUOTED:
        write_quoted(w, writer);
        break;
    case ROWTIDE__TOKEN_WORD:
    case ROWTIDE__TOKEN_NUMBER:
    case ROWTIDE__TOKEN_BLOB:
        write_lower(writer, text, size);
        break;
    default:
        if (is(w, &w->now, "=="))
            rowtide__write_text(writer, "=");
        else if (is(w, &w->now, "!="))
            rowtide__write_text(writer, "<>");
        else
            rowtide__write(writer, text, size);
    }
}

static void window_open(window *w, const rowtide__ddl *table, const char *text,
                        size_t size)
{
    memset(w, 0, sizeof *w);
    rowtide__lexer_open(&w->lexer, text, size);
    w->table = table;
    w->next = rowtide__lexer_next(&w->lexer);
    advance(w);
}

static int begins_virtual_table(window w)
{
    int create = is(&w, &w.now, "create");
    advance(&w);
    return create && is(&w, &w.now, "virtual");
}

/* Without ";" and comments at the end. */
static size_t trim(const char *text, size_t size)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, text, size);
    size_t end = 0;
    for (;;) {
        rowtide__token token = rowtide__lexer_next(&lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            return end;
        if (!rowtide__token_is(&lexer, &token, ";"))
            end = token.at + token.size;
    }
}

/* ## Outer parentheses */

/* Is the parenthesis here closed by the last token? Not if what is between the
 * two is a list, or no expression. */
static int is_wrapped(const char *text, size_t size)
{
    window w;
    size_t depth = 0, tokens = 0;
    window_open(&w, NULL, text, size);
    if (!is(&w, &w.now, "("))
        return 0;
    for (;; advance(&w), tokens++) {
        if (w.now.kind == ROWTIDE__TOKEN_END || w.now.unfinished)
            return 0;
        if (is(&w, &w.now, ";") || (depth == 1 && is(&w, &w.now, ",")))
            return 0;
        depth += (size_t)is(&w, &w.now, "(");
        depth -= (size_t)is(&w, &w.now, ")");
        if (depth == 0)
            return tokens > 1 && w.next.kind == ROWTIDE__TOKEN_END;
    }
}

static void unwrap(const char **text, size_t *size)
{
    while (is_wrapped(*text, *size)) {
        rowtide__lexer lexer;
        rowtide__lexer_open(&lexer, *text, *size);
        size_t start = rowtide__lexer_next(&lexer).at + 1, end = start;
        for (rowtide__token token = rowtide__lexer_next(&lexer);
             token.kind != ROWTIDE__TOKEN_END;
             token = rowtide__lexer_next(&lexer))
            end = token.at;
        *text += start;
        *size = end - start;
    }
}

int rowtide__sql_normal_of(const rowtide__ddl *table, const char *text,
                           size_t size, rowtide_buffer *out)
{
    window w;
    rowtide__writer writer = {out, ROWTIDE_OK};
    rowtide__buffer_clear(out);
    size = trim(text, size);
    unwrap(&text, &size);
    window_open(&w, table, text, size);
    int virtual = begins_virtual_table(w);
    for (; writer.rc == ROWTIDE_OK && w.now.kind != ROWTIDE__TOKEN_END;
         advance(&w)) {
        if (out->size > 0)
            rowtide__write_byte(&writer, ' ');
        write_token(&w, &writer);
        w.arguments = w.arguments || (virtual && is(&w, &w.now, "("));
    }
    if (writer.rc == ROWTIDE_OK)
        writer.rc = rowtide__buffer_reserve(out, 0);
    return writer.rc;
}

int rowtide__sql_normal(const char *text, size_t size, rowtide_buffer *out)
{
    return rowtide__sql_normal_of(NULL, text, size, out);
}

static int compare(const rowtide__ddl *table, const char *a, size_t a_size,
                   const char *b, size_t b_size)
{
    rowtide_buffer left = ROWTIDE_BUFFER_INIT, right = ROWTIDE_BUFFER_INIT;
    int rc = rowtide__sql_normal_of(table, a, a_size, &left);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_normal_of(table, b, b_size, &right);
    if (rc == ROWTIDE_OK)
        rc = left.size == right.size
             && memcmp(left.data, right.data, left.size) == 0;
    rowtide_buffer_dispose(&left);
    rowtide_buffer_dispose(&right);
    return rc;
}

int rowtide__sql_same_of(const rowtide__ddl *table, const char *a,
                         size_t a_size, const char *b, size_t b_size)
{
    if (!a || !b)
        return a == b;
    if (a_size == b_size && memcmp(a, b, a_size) == 0)
        return 1;
    return compare(table, a, a_size, b, b_size);
}

int rowtide__sql_same(const char *a, size_t a_size, const char *b,
                      size_t b_size)
{
    return rowtide__sql_same_of(NULL, a, a_size, b, b_size);
}

/* ## Affinity */

static int has(const char *type, const char *word)
{
    int size = (int)strlen(word);
    for (; *type; type++)
        if (sqlite3_strnicmp(type, word, size) == 0)
            return 1;
    return 0;
}

int rowtide__type_affinity(const char *type)
{
    if (!*type)
        return ROWTIDE_AFFINITY_BLOB;
    if (has(type, "int"))
        return ROWTIDE_AFFINITY_INTEGER;
    if (has(type, "char") || has(type, "clob") || has(type, "text"))
        return ROWTIDE_AFFINITY_TEXT;
    if (has(type, "blob"))
        return ROWTIDE_AFFINITY_BLOB;
    if (has(type, "real") || has(type, "floa") || has(type, "doub"))
        return ROWTIDE_AFFINITY_REAL;
    return ROWTIDE_AFFINITY_NUMERIC;
}
