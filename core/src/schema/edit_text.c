#include "schema/edit.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

void rowtide__edit_open(rowtide__edit *edit, const rowtide__ddl *ddl)
{
    memset(edit, 0, sizeof *edit);
    edit->ddl = ddl;
    if (ddl->kind != ROWTIDE__DDL_TABLE || ddl->body.size == 0)
        edit->rc = rowtide__fail(ROWTIDE_EINVAL,
                                 "table \"%s\": its statement has no columns "
                                 "that could be edited",
                                 ddl->name);
}

void rowtide__edit_at(rowtide__edit *edit, size_t at, size_t size)
{
    if (edit->count == ROWTIDE__SPLICES) {
        edit->rc = rowtide__fail(ROWTIDE_EINTERNAL, "too many edits at once");
        return;
    }
    edit->splices[edit->count++] = (rowtide__splice){at, size, edit->added.size,
                                                     0};
}

void rowtide__edit_write(rowtide__edit *edit, const char *text, size_t size)
{
    if (edit->rc == ROWTIDE_OK)
        edit->rc = rowtide__buffer_append(&edit->added, text, size);
    if (edit->rc == ROWTIDE_OK)
        edit->splices[edit->count - 1].added += size;
}

void rowtide__edit_text(rowtide__edit *edit, const char *text)
{
    rowtide__edit_write(edit, text, strlen(text));
}

void rowtide__edit_name(rowtide__edit *edit, const char *name)
{
    size_t before = edit->added.size;
    if (edit->rc == ROWTIDE_OK)
        edit->rc = rowtide__name_write(name, &edit->added);
    if (edit->rc == ROWTIDE_OK)
        edit->splices[edit->count - 1].added += edit->added.size - before;
}

void rowtide__edit_sql(rowtide__edit *edit, const char *sql)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    rowtide__token token = rowtide__lexer_next(&lexer);
    size_t start = token.at, end = start;
    for (; token.kind != ROWTIDE__TOKEN_END;
         token = rowtide__lexer_next(&lexer))
        end = token.at + token.size;
    rowtide__edit_write(edit, sql + start, end - start);
}

static int write_result(const rowtide__edit *edit, rowtide_buffer *out)
{
    const char *text = edit->ddl->text;
    size_t at = 0;
    int rc = ROWTIDE_OK;
    for (int i = 0; i < edit->count && rc == ROWTIDE_OK; i++) {
        const rowtide__splice *splice = &edit->splices[i];
        rc = rowtide__buffer_append(out, text + at, splice->at - at);
        if (rc == ROWTIDE_OK && splice->added > 0)
            rc = rowtide__buffer_append(out, edit->added.data + splice->from,
                                        splice->added);
        at = splice->at + splice->size;
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(out, text + at, edit->ddl->size - at);
    return rc;
}

static int count_columns(const rowtide__ddl *ddl)
{
    int count = 0;
    for (const rowtide__ddl_column *c = ddl->columns; c; c = c->next)
        count++;
    return count;
}

/* What was given may end the definition that it is part of. */
static int check_result(const rowtide__edit *edit, const rowtide_buffer *out)
{
    rowtide__arena arena = {0};
    rowtide__ddl *ddl;
    int rc = rowtide__ddl_parse(out->data, out->size, &arena, &ddl);
    if (rc == ROWTIDE_EINVAL)
        rc = rowtide__fail_context("table \"%s\"", edit->ddl->name);
    if (rc == ROWTIDE_OK
        && count_columns(ddl) != count_columns(edit->ddl) + edit->columns)
        rc = rowtide__fail(ROWTIDE_EINVAL,
                           "table \"%s\": this is more or less than one "
                           "definition: %.200s",
                           edit->ddl->name,
                           edit->added.data ? edit->added.data : "");
    rowtide__arena_dispose(&arena);
    return rc;
}

int rowtide__edit_finish(rowtide__edit *edit, rowtide_buffer *out)
{
    int rc = edit->rc;
    rowtide__buffer_clear(out);
    if (rc == ROWTIDE_OK)
        rc = write_result(edit, out);
    if (rc == ROWTIDE_OK)
        rc = check_result(edit, out);
    if (rc != ROWTIDE_OK)
        rowtide__buffer_clear(out);
    rowtide_buffer_dispose(&edit->added);
    return rc;
}
