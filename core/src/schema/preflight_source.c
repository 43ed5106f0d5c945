#include "schema/preflight.h"
#include "schema/steps_make.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"

#include <string.h>

int rowtide__suspect_old_column(const rowtide_plan *plan,
                                const rowtide__suspect *suspect,
                                const char *name,
                                const rowtide_schema_column **out)
{
    const char *old;
    *out = NULL;
    int rc = rowtide__difference_old_name(
        plan->difference, suspect->target->view.name, name, &old);
    if (rc == ROWTIDE_OK && old)
        *out = rowtide__table_column(&suspect->old->view, old);
    return rc;
}

int rowtide__suspect_asks(const rowtide__suspect *suspect, const char *column,
                          rowtide_schema_aspect aspect)
{
    for (size_t i = 0; i < suspect->changes.count; i++) {
        const rowtide_schema_change *change = suspect->changes.items[i];
        if (change->aspect == aspect
            && (!column
                || (change->object == ROWTIDE_OBJECT_COLUMN
                    && rowtide__name_equal(change->name, column))))
            return 1;
    }
    return 0;
}

/* "rowid = 5", or the columns of the key. */
static const char *locator(rowtide__arena *arena, const rowtide__table *table)
{
    static const char *const names[] = {"rowid", "_rowid_", "oid"};
    const char *sql = NULL;
    for (size_t i = 0; !table->view.without_rowid && i < 3; i++)
        if (!rowtide__table_column(&table->view, names[i]))
            return rowtide__arena_sql(arena, "'%s = ' || %s", names[i],
                                      names[i]);
    for (size_t i = 0; table->view.columns[i]; i++) {
        const rowtide_schema_column *column = table->view.columns[i];
        if (!column->primary_key)
            continue;
        const char *name = rowtide__arena_sql(arena, "\"%w\"", column->name);
        if (!name)
            return NULL;
        const char *head = sql ? " || ' AND ' || " : "";
        sql = rowtide__arena_sql(arena, "%s%s%Q || ' = ' || quote(%s)",
                                 sql ? sql : "", head, name, name);
        if (!sql)
            return NULL;
    }
    return sql ? sql : "NULL";
}

/* A bare or quoted word is a string here, as in DEFAULT. */
static const char *default_expression(rowtide__arena *arena, const char *sql)
{
    rowtide__lexer lexer;
    const char *text;
    if (!sql)
        return "NULL";
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    rowtide__token token = rowtide__lexer_next(&lexer);
    int word = token.kind == ROWTIDE__TOKEN_WORD
               && !rowtide__token_is(&lexer, &token, "NULL")
               && !rowtide__token_is(&lexer, &token, "TRUE")
               && !rowtide__token_is(&lexer, &token, "FALSE")
               && rowtide__default_is_constant(sql);
    if (!word && token.kind != ROWTIDE__TOKEN_QUOTED)
        return rowtide__arena_sql(arena, "(%s)", sql);
    if (rowtide__name_read(&lexer, &token, arena, &text) != ROWTIDE_OK)
        return NULL;
    return rowtide__arena_sql(arena, "%Q", text);
}

static int write_column(const rowtide_plan *plan, rowtide__arena *arena,
                        const rowtide__suspect *suspect,
                        const rowtide_schema_column *column,
                        rowtide__writer *writer)
{
    const rowtide_schema_column *old;
    int rc = rowtide__suspect_old_column(plan, suspect, column->name, &old);
    if (rc != ROWTIDE_OK)
        return rc;
    const char *name = rowtide__arena_sql(arena, "\"%w\"", column->name);
    const char *value = old ? rowtide__arena_sql(arena, "\"%w\"", old->name)
                            : default_expression(arena, column->default_sql);
    if (!name || !value)
        return ROWTIDE_ENOMEM;
    rowtide__write_text(writer, ", ");
    rowtide__write_text(writer, value);
    rowtide__write_text(writer, " AS ");
    rowtide__write_text(writer, name);
    return writer->rc;
}

static int is_computed(const rowtide__suspect *suspect,
                       const rowtide_schema_column *column)
{
    return column->generated_as
           && (!rowtide__table_column(&suspect->old->view, column->name)
               || rowtide__suspect_asks(suspect, column->name,
                                        ROWTIDE_ASPECT_GENERATED));
}

/* Generated columns that are new can be computed from the others only. */
static int write_source(const rowtide_plan *plan, rowtide__arena *arena,
                        rowtide__suspect *suspect, rowtide__writer *writer)
{
    const rowtide_schema_column *const *columns = suspect->target->view.columns;
    const char *where = locator(arena, suspect->old);
    int rc = where ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    rowtide__write_text(writer, "SELECT *");
    for (size_t i = 0; columns[i] && rc == ROWTIDE_OK; i++) {
        if (!is_computed(suspect, columns[i]))
            continue;
        const char *sql = rowtide__arena_sql(arena, ", (%s) AS \"%w\"",
                                             columns[i]->generated_as,
                                             columns[i]->name);
        rowtide__write_text(writer, sql ? sql : "");
        rc = sql ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    }
    rowtide__write_text(writer, " FROM (SELECT ");
    rowtide__write_text(writer, where ? where : "");
    rowtide__write_text(writer, " AS \"rowtide locator\"");
    for (size_t i = 0; columns[i] && rc == ROWTIDE_OK; i++)
        if (!is_computed(suspect, columns[i]))
            rc = write_column(plan, arena, suspect, columns[i], writer);
    const char *table = rowtide__arena_sql(arena, " FROM main.\"%w\")",
                                           suspect->old->view.name);
    rowtide__write_text(writer, table ? table : "");
    return rc == ROWTIDE_OK && !table ? ROWTIDE_ENOMEM : rc;
}

int rowtide__suspect_source(const rowtide_plan *plan, rowtide__arena *arena,
                            rowtide__suspect *suspect)
{
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&buffer, ROWTIDE_OK};
    int rc = write_source(plan, arena, suspect, &writer);
    if (rc == ROWTIDE_OK)
        rc = writer.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__name_copy(arena, buffer.data, buffer.size,
                                &suspect->source);
    rowtide_buffer_dispose(&buffer);
    return rc;
}
