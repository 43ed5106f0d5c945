#include "schema/edit.h"
#include "base/error.h"

#include <string.h>

int rowtide__edit_rename_table(const rowtide__ddl *ddl, const char *name,
                               rowtide_buffer *out)
{
    rowtide__edit edit;
    rowtide__edit_open(&edit, ddl);
    rowtide__edit_at(&edit, ddl->name_span.at, ddl->name_span.size);
    rowtide__edit_name(&edit, name);
    return rowtide__edit_finish(&edit, out);
}

static rowtide__span last_column(const rowtide__ddl *ddl)
{
    rowtide__span span = {0, 0};
    for (const rowtide__ddl_column *c = ddl->columns; c; c = c->next)
        span = c->span;
    return span;
}

int rowtide__edit_add_column(const rowtide__ddl *ddl, const char *definition,
                             rowtide_buffer *out)
{
    rowtide__edit edit;
    rowtide__edit_open(&edit, ddl);
    edit.columns = 1;
    rowtide__edit_add_item(&edit, last_column(ddl), definition);
    return rowtide__edit_finish(&edit, out);
}

int rowtide__edit_drop_column(const rowtide__ddl *ddl,
                              const rowtide__ddl_column *column,
                              rowtide_buffer *out)
{
    rowtide__edit edit;
    rowtide__edit_open(&edit, ddl);
    edit.columns = -1;
    if (column == ddl->columns && !column->next)
        edit.rc = rowtide__fail(ROWTIDE_EINVAL,
                                "table \"%s\": \"%s\" is its only column",
                                ddl->name, column->name);
    rowtide__edit_drop_item(&edit, column->span);
    return rowtide__edit_finish(&edit, out);
}

int rowtide__edit_set_column(const rowtide__ddl *ddl,
                             const rowtide__ddl_column *column,
                             const char *definition, rowtide_buffer *out)
{
    rowtide__edit edit;
    rowtide__edit_open(&edit, ddl);
    rowtide__edit_at(&edit, column->span.at, column->span.size);
    rowtide__edit_sql(&edit, definition);
    return rowtide__edit_finish(&edit, out);
}

/* Take out a clause and the blanks before it; what stands at both sides stays
 * apart. */
static void cut_clause(rowtide__edit *edit, rowtide__span span)
{
    const rowtide__ddl *ddl = edit->ddl;
    size_t start = span.at, end = span.at + span.size;
    while (start > 0
           && (ddl->text[start - 1] == ' ' || ddl->text[start - 1] == '\t'))
        start--;
    rowtide__edit_at(edit, start, end - start);
    if (end < ddl->size && !strchr(" \t\r\n,;)", ddl->text[end]))
        rowtide__edit_text(edit, " ");
}

int rowtide__edit_set_type(const rowtide__ddl *ddl,
                           const rowtide__ddl_column *column, const char *type,
                           rowtide_buffer *out)
{
    rowtide__edit edit;
    rowtide__edit_open(&edit, ddl);
    rowtide__span old = column->type_span;
    if (old.size > 0 && !*type) {
        cut_clause(&edit, old);
    } else if (old.size > 0) {
        rowtide__edit_at(&edit, old.at, old.size);
        rowtide__edit_sql(&edit, type);
    } else if (*type) {
        rowtide__edit_at(&edit, column->name_span.at + column->name_span.size,
                         0);
        rowtide__edit_text(&edit, " ");
        rowtide__edit_sql(&edit, type);
    }
    return rowtide__edit_finish(&edit, out);
}

static void replace(rowtide__edit *edit, rowtide__span span, const char *sql)
{
    size_t end = span.at + span.size;
    const rowtide__ddl *ddl = edit->ddl;
    rowtide__edit_at(edit, span.at, span.size);
    rowtide__edit_sql(edit, sql);
    if (end < ddl->size && !strchr(" \t\r\n,;)", ddl->text[end]))
        rowtide__edit_text(edit, " ");
}

int rowtide__edit_set_column_constraint(const rowtide__ddl *ddl,
                                        const rowtide__ddl_column *column,
                                        const rowtide__ddl_constraint *old,
                                        const char *sql, rowtide_buffer *out)
{
    rowtide__edit edit;
    rowtide__edit_open(&edit, ddl);
    if (old && sql) {
        replace(&edit, old->span, sql);
    } else if (old) {
        cut_clause(&edit, old->span);
    } else if (sql) {
        rowtide__edit_at(&edit, column->span.at + column->span.size, 0);
        rowtide__edit_text(&edit, " ");
        rowtide__edit_sql(&edit, sql);
    }
    return rowtide__edit_finish(&edit, out);
}

static rowtide__span last_item(const rowtide__ddl *ddl)
{
    rowtide__span span = last_column(ddl);
    for (const rowtide__ddl_constraint *c = ddl->constraints; c; c = c->next)
        span = c->span;
    /* A name without a constraint may follow. */
    span.size = ddl->body.at + ddl->body.size - span.at;
    return span;
}

int rowtide__edit_set_table_constraint(const rowtide__ddl *ddl,
                                       const rowtide__ddl_constraint *old,
                                       const char *sql, rowtide_buffer *out)
{
    rowtide__edit edit;
    rowtide__edit_open(&edit, ddl);
    if (old && sql)
        replace(&edit, old->span, sql);
    else if (old)
        rowtide__edit_drop_item(&edit, old->span);
    else if (sql)
        rowtide__edit_add_item(&edit, last_item(ddl), sql);
    return rowtide__edit_finish(&edit, out);
}

static const char *options_text(int strict, int without_rowid)
{
    if (strict)
        return without_rowid ? "STRICT, WITHOUT ROWID" : "STRICT";
    return without_rowid ? "WITHOUT ROWID" : "";
}

static size_t behind_parenthesis(const rowtide__ddl *ddl)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, ddl->text, ddl->size);
    lexer.at = ddl->body.at + ddl->body.size;
    return rowtide__lexer_next(&lexer).at + 1;
}

int rowtide__edit_set_options(const rowtide__ddl *ddl, int strict,
                              int without_rowid, rowtide_buffer *out)
{
    rowtide__edit edit;
    const char *options = options_text(strict, without_rowid);
    rowtide__edit_open(&edit, ddl);
    if (ddl->options.size > 0 && !*options) {
        cut_clause(&edit, ddl->options);
    } else if (ddl->options.size > 0) {
        rowtide__edit_at(&edit, ddl->options.at, ddl->options.size);
        rowtide__edit_text(&edit, options);
    } else if (*options) {
        rowtide__edit_at(&edit, behind_parenthesis(ddl), 0);
        rowtide__edit_text(&edit, " ");
        rowtide__edit_text(&edit, options);
    }
    return rowtide__edit_finish(&edit, out);
}
