#include "schema/generate.h"
#include "base/error.h"
#include "base/utf8.h"
#include "base/writer.h"

#include <string.h>

/* Taking "-- " from the front of every line makes what is commented out run:
 * what is there for people only begins with "----", and stays a comment. */

/* White space at the end would put the ";" on a line of its own. It has to be
 * there if the last line may have a comment. */
static size_t sql_size(const char *sql)
{
    static const char *const space = " \t\r\n\f";
    size_t size = strlen(sql), trimmed = size, line;
    while (trimmed > 0 && strchr(space, sql[trimmed - 1]))
        trimmed--;
    for (line = trimmed; line > 0 && sql[line - 1] != '\n'; line--)
        if (sql[line - 1] == '-' && sql[line] == '-')
            return size;
    return trimmed;
}

static void write_sql(rowtide__writer *writer, const char *sql, int commented)
{
    const char *finish = sql + sql_size(sql), *end;
    if (commented)
        rowtide__write_text(writer, "-- ");
    while (commented
           && (end = memchr(sql, '\n', (size_t)(finish - sql))) != NULL) {
        rowtide__write(writer, sql, (size_t)(end + 1 - sql));
        rowtide__write_text(writer, "-- ");
        sql = end + 1;
    }
    rowtide__write(writer, sql, (size_t)(finish - sql));
    rowtide__write_text(writer, ";\n");
}

static const char *word_of(const rowtide_shape *shape, size_t offset, int value)
{
    for (const rowtide_field *field = shape->fields; field->name; field++)
        if (field->offset == offset)
            return field->names[value];
    return "";
}

#define WORD(change, member)                                                   \
    word_of(&rowtide__change_shape, offsetof(rowtide_schema_change, member),   \
            (int)(change)->member)

static int is_constraint(const rowtide_schema_change *change)
{
    return change->object == ROWTIDE_OBJECT_KEY
           || change->object == ROWTIDE_OBJECT_CHECK
           || change->object == ROWTIDE_OBJECT_FOREIGN_KEY;
}

/* What it is about: table "t", column "t"."c", key of "t", UNIQUE ("c"). */
static const char *describe(rowtide__arena *arena,
                            const rowtide_schema_change *change)
{
    static const char *const words[] = {
        "table", "column",  "key",  "check",        "foreign key",
        "index", "trigger", "view", "virtual table"};
    const char *word = words[change->object];
    if (is_constraint(change))
        return rowtide__arena_format(arena, "%s of \"%s\", %s", word,
                                     change->table, change->name);
    if (change->object == ROWTIDE_OBJECT_COLUMN)
        return rowtide__arena_format(arena, "%s \"%s\".\"%s\"", word,
                                     change->table, change->name);
    return rowtide__arena_format(arena, "%s \"%s\"", word, change->name);
}

static const char *describe_values(rowtide__arena *arena,
                                   const rowtide_schema_change *change)
{
    if (change->operation != ROWTIDE_SCHEMA_CHANGE
        || change->aspect == ROWTIDE_ASPECT_SQL || is_constraint(change))
        return "";
    return rowtide__arena_format(arena, ", %s: %s -> %s", WORD(change, aspect),
                                 *change->from ? change->from : "none",
                                 *change->to ? change->to : "none");
}

static int loses_for_good(const rowtide_schema_change *change, int half)
{
    return half == ROWTIDE__HALF_COMMENTED_DOWN
           && change->operation == ROWTIDE_SCHEMA_ADD
           && (change->object == ROWTIDE_OBJECT_TABLE
               || change->object == ROWTIDE_OBJECT_COLUMN
               || change->object == ROWTIDE_OBJECT_VIRTUAL_TABLE);
}

/* Names and SQL may have line feeds in them. */
static int write_reason(rowtide__writer *writer, rowtide__arena *arena,
                        const rowtide_schema_change *change, int half)
{
    const char *what = describe(arena, change);
    const char *values = describe_values(arena, change);
    char *line = NULL;
    if (what && values)
        line = rowtide__arena_format(
            arena, "---- %s: %s %s%s: %s%s%s", WORD(change, effect),
            WORD(change, operation), what, values, change->note,
            change->unknown ? "; the texts differ, what they mean may not" : "",
            loses_for_good(change, half) ? "; what was in it does not come back"
                                         : "");
    if (!line)
        return ROWTIDE_ENOMEM;
    rowtide__utf8_clean(line);
    rowtide__write_text(writer, line);
    rowtide__write_text(writer, "\n");
    return writer->rc;
}

/* What is active and harmless speaks for itself. */
static int needs_reason(const rowtide_schema_change *change, rowtide__half half)
{
    return half != ROWTIDE__HALF_ACTIVE || change->unknown
           || change->effect > ROWTIDE_EFFECT_SAFE;
}

/* While some tables are rebuilt and others are not, a reference may fit no key.
 * So this comes once, behind all of them. */
static const char CHECK[] = "PRAGMA foreign_key_check";

/* With foreign keys on it would delete rows of other tables. Tables that are
 * taken back by the active part were made by it, and nothing old refers to
 * them. */
static int drops_table(const rowtide__step *step)
{
    return step->view.method == ROWTIDE_METHOD_DROP
           && step->view.object == ROWTIDE_OBJECT_TABLE;
}

static int write_step(rowtide__writer *writer, const rowtide__step *step,
                      const rowtide__step *before, rowtide__half half)
{
    int commented = half != ROWTIDE__HALF_ACTIVE;
    rowtide__arena arena = {NULL, 0};
    const rowtide_schema_change *const *changes = step->view.changes;
    int rc = writer->rc;
    int goes_on = before && before->view.changes[0] == changes[0];
    if (before && commented && !goes_on)
        rowtide__write_text(writer, "\n");
    for (size_t i = 0; changes[i] && rc == ROWTIDE_OK && !goes_on; i++)
        if (needs_reason(changes[i], half))
            rc = write_reason(writer, &arena, changes[i], half);
    int drops = commented && drops_table(step);
    if (step->view.refused)
        rowtide__write_format(writer, "---- Not written out: %s.\n",
                              step->view.refused);
    if (step->how == ROWTIDE__HOW_REBUILD)
        rowtide__write_text(
            writer, "---- Not inside a transaction: it makes one itself, and "
                    "has to turn foreign keys off first.\n"
                    "---- If something fails, the end rolls it back, also in a "
                    "tool that goes on.\n"
                    "---- What ANALYZE found out about the table goes.\n");
    if (drops)
        write_sql(writer, "PRAGMA foreign_keys=OFF", commented);
    for (size_t i = 0; step->view.statements[i]; i++)
        if (strcmp(step->view.statements[i], CHECK) != 0)
            write_sql(writer, step->view.statements[i], commented);
    if (drops)
        write_sql(writer, "PRAGMA foreign_keys=ON", commented);
    rowtide__arena_dispose(&arena);
    return rc == ROWTIDE_OK ? writer->rc : rc;
}

int rowtide__generate_write(const rowtide__steps *steps, rowtide__half half,
                            rowtide_buffer *out)
{
    rowtide__writer writer = {out, ROWTIDE_OK};
    int rebuilt = 0;
    if (out->size > 0 && steps->items[0])
        rowtide__write_text(&writer, "\n");
    for (size_t i = 0; steps->items[i] && writer.rc == ROWTIDE_OK; i++) {
        int rc = write_step(&writer, steps->items[i],
                            i ? steps->items[i - 1] : NULL, half);
        if (rc != ROWTIDE_OK)
            return rc;
        rebuilt |= steps->items[i]->how == ROWTIDE__HOW_REBUILD;
    }
    if (rebuilt) {
        rowtide__write_text(&writer,
                            "\n---- What refers to nothing, if anything:\n");
        write_sql(&writer, CHECK, half != ROWTIDE__HALF_ACTIVE);
    }
    return writer.rc;
}
