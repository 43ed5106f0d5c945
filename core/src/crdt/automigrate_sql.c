#include "crdt/automigrate.h"

#include <string.h>

static int is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static int is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
           || (c >= '0' && c <= '9') || c == '_' || c == '$' || (c & 0x80);
}

static const char *skip_blanks(const char *at)
{
    for (;;) {
        if (is_blank(*at)) {
            at++;
        } else if (at[0] == '-' && at[1] == '-') {
            at += strcspn(at, "\n");
        } else if (at[0] == '/' && at[1] == '*') {
            const char *end = strstr(at + 2, "*/");
            at = end ? end + 2 : at + strlen(at);
        } else {
            return at;
        }
    }
}

static const char *skip_quoted(const char *at)
{
    char close = *at == '[' ? ']' : *at;
    for (at++; *at; at++) {
        if (*at != close)
            continue;
        if (close == ']' || at[1] != close)
            return at + 1;
        at++;
    }
    return at;
}

rowtide__sql_slice rowtide__sql_token(const char **at)
{
    const char *start = skip_blanks(*at), *end = start;
    if (*start && strchr("'\"`[", *start))
        end = skip_quoted(start);
    else if (is_word(*start))
        while (is_word(*end))
            end++;
    else if (*start)
        end++;
    *at = end;
    return (rowtide__sql_slice){start, (size_t)(end - start)};
}

int rowtide__sql_is_name(rowtide__sql_slice token, const char *name)
{
    size_t at = 0, end = token.size;
    char quote = 0;
    if (end >= 2 && strchr("'\"`[", token.data[0])) {
        quote = token.data[0];
        at++;
        end--;
    }
    for (; at < end; at++, name++) {
        if (quote && quote != '[' && token.data[at] == quote)
            at++;
        if (at >= end || sqlite3_strnicmp(token.data + at, name, 1) != 0)
            return 0;
    }
    return *name == 0;
}

void rowtide__sql_normalize(const char *sql, rowtide__writer *out)
{
    for (;;) {
        rowtide__sql_slice token = rowtide__sql_token(&sql);
        if (token.size == 0)
            return;
        int quoted = strchr("'\"`[", token.data[0]) != NULL;
        for (size_t i = 0; i < token.size; i++) {
            char c = token.data[i];
            if (!quoted && c >= 'A' && c <= 'Z')
                c = (char)(c - 'A' + 'a');
            rowtide__write_byte(out, c);
        }
        rowtide__write_byte(out, ' ');
    }
}

static int is(rowtide__sql_slice token, char c)
{
    return token.size == 1 && token.data[0] == c;
}

/* Read one definition, up to the comma or parenthesis that ends it. */
static rowtide__sql_slice read_definition(const char **at,
                                          rowtide__sql_slice *name, int *last)
{
    rowtide__sql_slice out = {NULL, 0};
    int depth = 0;
    *name = out;
    for (;;) {
        rowtide__sql_slice token = rowtide__sql_token(at);
        *last = token.size == 0 || (depth == 0 && is(token, ')'));
        if (*last || (depth == 0 && is(token, ',')))
            return out;
        depth += is(token, '(') - is(token, ')');
        if (!out.data)
            *name = out = token;
        out.size = (size_t)(token.data + token.size - out.data);
    }
}

rowtide__sql_slice rowtide__sql_find_column(const char *sql, const char *name)
{
    rowtide__sql_slice out, first;
    int last = 0;
    do {
        out = rowtide__sql_token(&sql);
    } while (out.size > 0 && !is(out, '('));
    while (!last) {
        out = read_definition(&sql, &first, &last);
        if (out.size > 0 && rowtide__sql_is_name(first, name))
            return out;
    }
    return (rowtide__sql_slice){NULL, 0};
}
