#include "schema/preflight.h"
#include "schema/steps_make.h"
#include "base/error.h"

#include <string.h>

/* ## Conversions
 *
 * Comparing with a number applies numeric affinity to the other side, so
 * v = CAST(v AS NUMERIC) is true for just that text which the copy will take
 * for a number. It loses something if it can't be told from the number what
 * the text was. */

#define IS_NUMBER(v)                                                           \
    "(typeof(" v ") = 'text' AND " v " = CAST(" v " AS NUMERIC))"
#define OTHER_TEXT(v)                                                          \
    "CAST(CAST(" v " AS NUMERIC) AS TEXT) <> " v " COLLATE BINARY"

/* First what is quickly told: most text is an integer as it is written. */
static const char TO_NUMBER[] =
    "CAST(CAST(%1$s AS INTEGER) AS TEXT) <> %1$s COLLATE BINARY AND " IS_NUMBER(
        "%1$s") " AND " OTHER_TEXT("%1$s");
static const char TO_REAL[] = "(" IS_NUMBER("%1$s") " AND ((" OTHER_TEXT(
    "%1$s") " AND CAST(CAST(%1$s AS "
            "REAL) AS TEXT) <> %1$s COLLATE BINARY) OR CAST(%1$s AS NUMERIC) "
            "<> "
            "CAST(%1$s AS REAL))) OR (typeof(%1$s) = 'integer' AND CAST(%1$s "
            "AS REAL) "
            "<> %1$s)";
static const char TO_TEXT[] =
    "typeof(%1$s) = 'real' AND CAST(CAST(%1$s AS TEXT) AS REAL) <> %1$s";

/* ## What it becomes */

static const char AS_NUMBER[] = "CASE WHEN " IS_NUMBER(
    "%1$s") " OR typeof(%1$s) = 'real' THEN CAST(%1$s AS NUMERIC) ELSE %1$s "
            "END";
static const char AS_REAL[] = "CASE WHEN " IS_NUMBER(
    "%1$s") " OR typeof(%1$s) = 'integer' THEN CAST(%1$s AS REAL) ELSE %1$s "
            "END";
static const char AS_TEXT[] = "CASE WHEN typeof(%1$s) IN ('integer', 'real') "
                              "THEN CAST(%1$s AS TEXT) ELSE %1$s END";

/* ## What STRICT refuses, and a rowid too */

static const char NOT_INTEGER[] =
    "typeof(%1$s) = 'blob' OR (typeof(%1$s) = 'text' AND (NOT " IS_NUMBER(
        "%1$s") " OR typeof(CAST(%1$s AS NUMERIC)) <> 'integer')) OR "
                "(typeof(%1$s) = 'real' AND CAST(%1$s AS INTEGER) <> %1$s)";
static const char NOT_REAL[] =
    "typeof(%1$s) = 'blob' OR (typeof(%1$s) = 'text' AND NOT " IS_NUMBER(
        "%1$s") ")";
static const char NOT_TEXT[] = "typeof(%1$s) = 'blob'";
static const char NOT_BLOB[] = "typeof(%1$s) NOT IN ('blob', 'null')";

#undef IS_NUMBER
#undef OTHER_TEXT

rowtide__condition *rowtide__suspect_add(rowtide__arena *arena,
                                         rowtide__suspect *suspect,
                                         rowtide_finding_kind kind,
                                         const char *const *columns,
                                         const char *column)
{
    rowtide__list list = {.arena = arena};
    rowtide__condition *condition = rowtide__arena_alloc(arena,
                                                         sizeof *condition);
    if (!condition
        || rowtide__list_add(&suspect->conditions, condition) != ROWTIDE_OK
        || (column && rowtide__list_add(&list, column) != ROWTIDE_OK))
        return NULL;
    memset(condition, 0, sizeof *condition);
    condition->kind = kind;
    condition->columns = columns ? columns : rowtide__texts_finish(&list);
    return condition;
}

/* Every "%1$s" of the pattern becomes the column. */
static const char *with_column(rowtide__arena *arena, const char *pattern,
                               const char *column)
{
    const char *name = rowtide__arena_sql(arena, "\"%w\"", column);
    const char *done = "";
    while (name && done) {
        const char *hole = strstr(pattern, "%1$s");
        if (!hole)
            return rowtide__arena_sql(arena, "%s%s", done, pattern);
        done = rowtide__arena_sql(arena, "%s%.*s%s", done,
                                  (int)(hole - pattern), pattern, name);
        pattern = hole + 4;
    }
    return NULL;
}

static int add_value(rowtide__arena *arena, rowtide__suspect *suspect,
                     rowtide_finding_kind kind, const char *column,
                     const char *pattern, const char *note)
{
    rowtide__condition *condition = rowtide__suspect_add(arena, suspect, kind,
                                                         NULL, column);
    if (!condition)
        return ROWTIDE_ENOMEM;
    condition->sql = with_column(arena, pattern, column);
    condition->note = note;
    return condition->sql ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* ## NOT NULL */

static int is_key_of_rows(const rowtide__table *table,
                          const rowtide_schema_column *column)
{
    return table->view.without_rowid && column->primary_key > 0;
}

static int add_null(rowtide__arena *arena, rowtide__suspect *suspect,
                    const rowtide_schema_column *column,
                    const rowtide_schema_column *old)
{
    const rowtide__table *target = suspect->target;
    int rowid = column == rowtide__table_rowid_column(target);
    int is = (column->not_null && !rowid) || is_key_of_rows(target, column);
    int was = old && (old->not_null || is_key_of_rows(suspect->old, old));
    int wanted = !old
                 || rowtide__suspect_asks(suspect, column->name,
                                          ROWTIDE_ASPECT_NOT_NULL)
                 || rowtide__suspect_asks(suspect, column->name,
                                          ROWTIDE_ASPECT_GENERATED)
                 || is_key_of_rows(target, column);
    if (rowid)
        return old && old != rowtide__table_rowid_column(suspect->old)
                   ? add_value(arena, suspect, ROWTIDE_FINDING_NULL,
                               column->name, "%1$s IS NULL",
                               "it becomes the rowid, and SQLite would make "
                               "one up")
                   : ROWTIDE_OK;
    if (!is || was || !wanted)
        return ROWTIDE_OK;
    return add_value(arena, suspect, ROWTIDE_FINDING_NULL, column->name,
                     "%1$s IS NULL",
                     old ? "it becomes NOT NULL; a default does not replace "
                           "what is there"
                         : "it is added as NOT NULL and has no value for rows "
                           "that are there");
}

/* ## Types */

static const char *lossy_pattern(rowtide_schema_affinity affinity)
{
    switch (affinity) {
    case ROWTIDE_AFFINITY_TEXT:
        return TO_TEXT;
    case ROWTIDE_AFFINITY_NUMERIC:
    case ROWTIDE_AFFINITY_INTEGER:
        return TO_NUMBER;
    case ROWTIDE_AFFINITY_REAL:
        return TO_REAL;
    default:
        return NULL;
    }
}

static const char *strict_pattern(const char *type)
{
    if (rowtide__name_equal(type, "INT")
        || rowtide__name_equal(type, "INTEGER"))
        return NOT_INTEGER;
    if (rowtide__name_equal(type, "REAL"))
        return NOT_REAL;
    if (rowtide__name_equal(type, "TEXT"))
        return NOT_TEXT;
    return rowtide__name_equal(type, "BLOB") ? NOT_BLOB : NULL;
}

static int is_strict_any(const rowtide__table *table,
                         const rowtide_schema_column *column)
{
    return table->view.strict && rowtide__name_equal(column->type, "ANY");
}

static int add_type(rowtide__arena *arena, rowtide__suspect *suspect,
                    const rowtide_schema_column *column,
                    const rowtide_schema_column *old)
{
    const rowtide__table *target = suspect->target;
    int typed = rowtide__suspect_asks(suspect, column->name,
                                      ROWTIDE_ASPECT_TYPE);
    int stricter = target->view.strict
                   && rowtide__suspect_asks(suspect, NULL,
                                            ROWTIDE_ASPECT_STRICT);
    int becomes_rowid = column == rowtide__table_rowid_column(target)
                        && old != rowtide__table_rowid_column(suspect->old);
    const char *lossy = lossy_pattern(column->affinity);
    const char *strict = target->view.strict ? strict_pattern(column->type)
                                             : NULL;
    int rc = ROWTIDE_OK;
    if (column->generated_as || (!typed && !stricter && !becomes_rowid))
        return rc;
    if (lossy && !is_strict_any(target, column)
        && (old->affinity != column->affinity
            || is_strict_any(suspect->old, old)))
        rc = add_value(arena, suspect, ROWTIDE_FINDING_LOSSY, column->name,
                       lossy, "what is there would be converted");
    if (rc == ROWTIDE_OK && becomes_rowid)
        return add_value(arena, suspect, ROWTIDE_FINDING_TYPE, column->name,
                         NOT_INTEGER, "it is no integer, as a rowid has to be");
    if (rc == ROWTIDE_OK && strict)
        rc = add_value(arena, suspect, ROWTIDE_FINDING_TYPE, column->name,
                       strict, "a STRICT table does not take it");
    return rc;
}

/* ALTER TABLE ADD COLUMN takes a default that the table does not. */
static int add_default(rowtide__arena *arena, rowtide__suspect *suspect,
                       const rowtide_schema_column *column)
{
    const char *strict = suspect->target->view.strict
                             ? strict_pattern(column->type)
                             : NULL;
    return strict && column->default_sql
               ? add_value(arena, suspect, ROWTIDE_FINDING_TYPE, column->name,
                           strict, "a STRICT table does not take the default")
               : ROWTIDE_OK;
}

static int add_column(const rowtide_plan *plan, rowtide__arena *arena,
                      rowtide__suspect *suspect,
                      const rowtide_schema_column *column)
{
    const rowtide_schema_column *old;
    int rc = rowtide__suspect_old_column(plan, suspect, column->name, &old);
    if (rc == ROWTIDE_OK)
        rc = add_null(arena, suspect, column, old);
    if (rc != ROWTIDE_OK)
        return rc;
    return old ? add_type(arena, suspect, column, old)
               : add_default(arena, suspect, column);
}

/* ## CHECK */

static int mentions(const char *sql, const char *name, rowtide__arena *arena)
{
    rowtide__lexer lexer;
    rowtide__lexer_open(&lexer, sql, strlen(sql));
    for (;;) {
        const char *text;
        rowtide__token token = rowtide__lexer_next(&lexer);
        if (token.kind == ROWTIDE__TOKEN_END)
            return 0;
        if ((token.kind == ROWTIDE__TOKEN_WORD
             || token.kind == ROWTIDE__TOKEN_QUOTED)
            && rowtide__name_read(&lexer, &token, arena, &text) == ROWTIDE_OK
            && rowtide__name_equal(text, name))
            return 1;
    }
}

/* 1 if it may not hold though the table has always had it. */
static int is_affected(rowtide__arena *arena, const rowtide__suspect *suspect,
                       const char *expression)
{
    for (size_t i = 0; i < suspect->changes.count; i++) {
        const rowtide_schema_change *change = suspect->changes.items[i];
        if (change->object == ROWTIDE_OBJECT_COLUMN
            && (change->aspect == ROWTIDE_ASPECT_TYPE
                || change->aspect == ROWTIDE_ASPECT_COLLATION
                || change->aspect == ROWTIDE_ASPECT_GENERATED)
            && mentions(expression, change->name, arena))
            return 1;
    }
    return 0;
}

static int had_check(const rowtide__suspect *suspect, const char *expression)
{
    const rowtide_schema_check *const *checks = suspect->old->view.checks;
    int same = 0;
    for (size_t i = 0; checks[i] && same == 0; i++)
        same = rowtide__sql_same(checks[i]->expression,
                                 strlen(checks[i]->expression), expression,
                                 strlen(expression));
    return same;
}

static const char *converting_pattern(rowtide_schema_affinity affinity)
{
    switch (affinity) {
    case ROWTIDE_AFFINITY_TEXT:
        return AS_TEXT;
    case ROWTIDE_AFFINITY_NUMERIC:
    case ROWTIDE_AFFINITY_INTEGER:
        return AS_NUMBER;
    case ROWTIDE_AFFINITY_REAL:
        return AS_REAL;
    default:
        return NULL;
    }
}

int rowtide__suspect_converted(const rowtide_plan *plan, rowtide__arena *arena,
                               const rowtide__suspect *suspect,
                               const rowtide_schema_column *column,
                               const char **out)
{
    const rowtide_schema_column *old = NULL;
    const char *pattern = is_strict_any(suspect->target, column)
                              ? NULL
                              : converting_pattern(column->affinity);
    *out = NULL;
    int rc = column->generated_as ? ROWTIDE_OK
                                  : rowtide__suspect_old_column(
                                        plan, suspect, column->name, &old);
    if (rc != ROWTIDE_OK || !old || !pattern
        || (old->affinity == column->affinity
            && !is_strict_any(suspect->old, old)))
        return rc;
    *out = with_column(arena, pattern, column->name);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* The columns of an expression that are converted, or "" if none is. */
static int write_converted(const rowtide_plan *plan, rowtide__arena *arena,
                           const rowtide__suspect *suspect,
                           const char *expression, const char **out)
{
    const rowtide_schema_column *const *columns = suspect->target->view.columns;
    rowtide__arena names = {NULL, 0};
    int rc = ROWTIDE_OK;
    *out = "";
    for (size_t i = 0; columns[i] && rc == ROWTIDE_OK; i++) {
        const char *name = columns[i]->name;
        const char *value = NULL;
        if (mentions(expression, name, &names))
            rc = rowtide__suspect_converted(plan, arena, suspect, columns[i],
                                            &value);
        if (!value)
            continue;
        *out = rowtide__arena_sql(arena, "%s%s%s AS \"%w\"", *out,
                                  **out ? ", " : "", value, name);
        rc = *out ? rc : ROWTIDE_ENOMEM;
        if (rc != ROWTIDE_OK)
            break;
    }
    rowtide__arena_dispose(&names);
    return rc;
}

int rowtide__suspect_convert(const rowtide_plan *plan, rowtide__arena *arena,
                             const rowtide__suspect *suspect,
                             const char *expression, const char **out)
{
    const char *converted;
    *out = NULL;
    int rc = write_converted(plan, arena, suspect, expression, &converted);
    if (rc != ROWTIDE_OK || !*converted)
        return rc;
    *out = rowtide__arena_sql(arena, "(SELECT (%s) FROM (SELECT %s))",
                              expression, converted);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* A row is in the way if it is so both as it is and converted. Neither alone
 * has the affinity of the new column, and a row that is none would block it
 * all, while one that is missed fails when it is copied. */
static int write_check(const rowtide_plan *plan, rowtide__arena *arena,
                       const rowtide__suspect *suspect, const char *check,
                       const char **out)
{
    const char *converted;
    int rc = rowtide__suspect_convert(plan, arena, suspect, check, &converted);
    if (rc != ROWTIDE_OK)
        return rc;
    *out = converted ? rowtide__arena_sql(arena, "NOT (%s) AND NOT %s", check,
                                          converted)
                     : rowtide__arena_sql(arena, "NOT (%s)", check);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static int add_check(const rowtide_plan *plan, rowtide__arena *arena,
                     rowtide__suspect *suspect,
                     const rowtide_schema_check *check)
{
    int had = had_check(suspect, check->expression);
    if (had < 0 || (had && !is_affected(arena, suspect, check->expression)))
        return had < 0 ? had : ROWTIDE_OK;
    rowtide__condition *condition = rowtide__suspect_add(
        arena, suspect, ROWTIDE_FINDING_CHECK, NULL, check->column);
    if (!condition)
        return ROWTIDE_ENOMEM;
    condition->note = rowtide__arena_sql(arena, "CHECK (%s) does not hold",
                                         check->expression);
    return condition->note ? write_check(plan, arena, suspect,
                                         check->expression, &condition->sql)
                           : ROWTIDE_ENOMEM;
}

int rowtide__suspect_values(const rowtide_plan *plan, rowtide__arena *arena,
                            rowtide__suspect *suspect)
{
    const rowtide_schema_table *target = &suspect->target->view;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; target->columns[i] && rc == ROWTIDE_OK; i++)
        rc = add_column(plan, arena, suspect, target->columns[i]);
    for (size_t i = 0; target->checks[i] && rc == ROWTIDE_OK; i++)
        rc = add_check(plan, arena, suspect, target->checks[i]);
    return rc;
}
