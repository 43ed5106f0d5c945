#include "schema/edit.h"

#include <string.h>

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The first token at or behind a place outside of any token. */
static rowtide__token token_at(const rowtide__ddl *ddl, size_t at)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, ddl->text, ddl->size);
    lexer.at = at;
    return rowtide__lexer_next(&lexer);
}

static int is_at(const rowtide__ddl *ddl, size_t at, const char *symbol)
{
    rowtide__lexer lexer = {ddl->text, ddl->size, 0, 0, 0, 0, 0};
    rowtide__token token = token_at(ddl, at);
    return rowtide__token_is(&lexer, &token, symbol);
}

static size_t skip_blanks(const rowtide__ddl *ddl, size_t at)
{
    while (at < ddl->size && is_blank(ddl->text[at]))
        at++;
    return at;
}

/* Where the white space before a place begins, on its line. */
static size_t line_indent(const rowtide__ddl *ddl, size_t at)
{
    while (at > 0 && is_blank(ddl->text[at - 1]))
        at--;
    return at;
}

static int begins_line(const rowtide__ddl *ddl, size_t at)
{
    at = line_indent(ddl, at);
    return at > 0 && ddl->text[at - 1] == '\n';
}

static int ends_line(const rowtide__ddl *ddl, size_t at)
{
    if (at < ddl->size && ddl->text[at] == '\r')
        at++;
    return at == ddl->size || ddl->text[at] == '\n';
}

/* Past comments from here to the end of the line; the same place if the line
 * goes on with something else. */
static size_t skip_remarks(const rowtide__ddl *ddl, size_t at)
{
    size_t start = at;
    for (;;) {
        at = skip_blanks(ddl, at);
        const char *text = ddl->text + at;
        size_t left = ddl->size - at;
        const char *end;
        if (ends_line(ddl, at))
            return at;
        if (left > 2 && memcmp(text, "--", 2) == 0) {
            end = memchr(text, '\n', left);
            at = end ? (size_t)(end - ddl->text) : ddl->size;
            return at > start && ddl->text[at - 1] == '\r' ? at - 1 : at;
        }
        if (left < 4 || memcmp(text, "/*", 2) != 0)
            return start;
        for (end = text + 2; end + 1 < ddl->text + ddl->size; end++)
            if (end[0] == '*' && end[1] == '/')
                break;
        if (end + 1 >= ddl->text + ddl->size
            || memchr(text, '\n', (size_t)(end - text)))
            return start;
        at = (size_t)(end - ddl->text) + 2;
    }
}

/* On a line of its own if the one before is, indented like that. */
static void write_item(rowtide__edit *edit, rowtide__span last, const char *sql)
{
    const rowtide__ddl *ddl = edit->ddl;
    if (begins_line(ddl, last.at)) {
        size_t indent = line_indent(ddl, last.at);
        const char *end = indent > 1 && ddl->text[indent - 2] == '\r' ? "\r\n"
                                                                      : "\n";
        rowtide__edit_text(edit, end);
        rowtide__edit_write(edit, ddl->text + indent, last.at - indent);
    } else {
        rowtide__edit_text(edit, " ");
    }
    rowtide__edit_sql(edit, sql);
}

void rowtide__edit_add_item(rowtide__edit *edit, rowtide__span last,
                            const char *sql)
{
    const rowtide__ddl *ddl = edit->ddl;
    size_t end = last.at + last.size;
    int comma = is_at(ddl, end, ",");
    size_t place = comma ? token_at(ddl, end).at + 1 : end;
    int own_line = begins_line(ddl, last.at);
    if (!comma) {
        rowtide__edit_at(edit, end, 0);
        rowtide__edit_text(edit, ",");
    }
    if (own_line)
        place = skip_remarks(ddl, place);
    rowtide__edit_at(edit, place, 0);
    write_item(edit, last, sql);
    if (comma)
        rowtide__edit_text(edit, ",");
}

/* The end of the token before a place, which is behind the "(" of the table;
 * and whether it is a comma. */
static size_t token_before(const rowtide__ddl *ddl, size_t at, int *comma)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, ddl->text, ddl->size);
    lexer.at = ddl->body.at;
    rowtide__token token, last = {ROWTIDE__TOKEN_END, ddl->body.at, 0, 0};
    while ((token = rowtide__lexer_next(&lexer)).at < at
           && token.kind != ROWTIDE__TOKEN_END)
        last = token;
    *comma = rowtide__token_is(&lexer, &last, ",");
    return last.at + last.size;
}

/* The whole line if nothing else is on it. */
static void cut(rowtide__edit *edit, size_t start, size_t end)
{
    const rowtide__ddl *ddl = edit->ddl;
    size_t rest = skip_remarks(ddl, end);
    if (begins_line(ddl, start) && ends_line(ddl, rest) && rest < ddl->size) {
        start = line_indent(ddl, start);
        end = rest + (ddl->text[rest] == '\r') + 1;
    } else if (ends_line(ddl, rest)) {
        end = rest;
    } else {
        end = skip_blanks(ddl, end);
    }
    rowtide__edit_at(edit, start, end - start);
}

void rowtide__edit_drop_item(rowtide__edit *edit, rowtide__span item)
{
    const rowtide__ddl *ddl = edit->ddl;
    int comma;
    size_t end = item.at + item.size;
    size_t before = token_before(ddl, item.at, &comma);
    size_t start = item.at;
    if (is_at(ddl, end, ",")) {
        end = token_at(ddl, end).at + 1;
    } else {
        if (comma && is_at(ddl, end, ")"))
            rowtide__edit_at(edit, before - 1, 1);
        start = line_indent(ddl, start);
    }
    cut(edit, start, end);
}
