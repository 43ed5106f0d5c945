#include "schema/preflight.h"
#include "schema/steps_make.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/writer.h"
#include "db/sql.h"

#include <string.h>

enum { SAMPLES = 5, CONDITIONS_AT_ONCE = 50 };

static const char SQL_DUPLICATES[] =
    "SELECT \"rowtide locator\" FROM (SELECT \"rowtide locator\","
    " count(*) OVER (PARTITION BY %s) AS \"rowtide count\""
    " FROM (%s) WHERE %s) WHERE \"rowtide count\" > 1";

typedef struct looking {
    rowtide__run *run;
    rowtide_preflight *preflight;
    rowtide__arena *arena;
    int fatal_only;
    rowtide__list suspects;
    rowtide__map names;
} looking;

/* ## Which tables */

static int find_suspect(looking *it, const char *name, rowtide__suspect **out)
{
    const rowtide_schema_difference *difference = it->run->plan->difference;
    const char *old;
    /* It is our own. */
    *out = (rowtide__suspect *)rowtide__map_get(&it->names, name);
    if (*out)
        return ROWTIDE_OK;
    int rc = rowtide__difference_old_name(difference, name, NULL, &old);
    const rowtide__table *target = rowtide__schema_table(difference->to, name);
    if (rc != ROWTIDE_OK || !old || !target)
        return rc;
    const rowtide__table *table = rowtide__schema_table(difference->from, old);
    if (!table || table->view.kind != ROWTIDE_TABLE_ORDINARY)
        return ROWTIDE_OK;
    rowtide__suspect *suspect = rowtide__arena_alloc(it->arena,
                                                     sizeof *suspect);
    if (!suspect)
        return ROWTIDE_ENOMEM;
    memset(suspect, 0, sizeof *suspect);
    suspect->old = table;
    suspect->target = target;
    suspect->changes.arena = suspect->conditions.arena = it->arena;
    *out = suspect;
    rc = rowtide__list_add(&it->suspects, suspect);
    return rc == ROWTIDE_OK ? rowtide__map_set(&it->names, name, suspect) : rc;
}

static int concerns_rows(const rowtide__step *step)
{
    switch (step->view.method) {
    case ROWTIDE_METHOD_ADD_COLUMN:
    case ROWTIDE_METHOD_ALTER:
    case ROWTIDE_METHOD_REBUILD:
        return !step->view.refused;
    case ROWTIDE_METHOD_CREATE:
        return !step->view.refused && step->view.object == ROWTIDE_OBJECT_INDEX;
    default:
        return 0;
    }
}

static int find_suspects(looking *it)
{
    const rowtide__step *const *steps = it->run->plan->steps.items;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; steps[i] && rc == ROWTIDE_OK; i++) {
        rowtide__suspect *suspect = NULL;
        if (!concerns_rows(steps[i]))
            continue;
        rc = find_suspect(it, steps[i]->view.table, &suspect);
        if (rc != ROWTIDE_OK || !suspect)
            continue;
        suspect->edited |= steps[i]->how == ROWTIDE__HOW_EDIT;
        for (size_t k = 0; steps[i]->view.changes[k] && rc == ROWTIDE_OK; k++)
            rc = rowtide__list_add(&suspect->changes,
                                   steps[i]->view.changes[k]);
    }
    return rc;
}

/* ## Findings */

/* Names as they are now, also where the plan changes them. */
static int name_columns(looking *it, const rowtide__suspect *suspect,
                        const rowtide__condition *condition,
                        const char *const **out)
{
    rowtide__list list = {.arena = &it->preflight->arena};
    int rc = ROWTIDE_OK;
    for (size_t i = 0; condition->columns[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_schema_column *old = NULL;
        rc = rowtide__suspect_old_column(it->run->plan, suspect,
                                         condition->columns[i], &old);
        if (rc == ROWTIDE_OK)
            rc = rowtide__text_add(
                &list,
                rowtide__arena_sql(list.arena, "%s",
                                   old ? old->name : condition->columns[i]));
    }
    *out = rowtide__texts_finish(&list);
    return rc;
}

static const char *describe(rowtide__arena *arena,
                            const rowtide_finding *finding, const char *note)
{
    const char *where = "";
    for (size_t i = 0; finding->columns[i] && where; i++)
        where = rowtide__arena_sql(arena, "%s%s\"%w\"", where, i ? ", " : "",
                                   finding->columns[i]);
    if (!where)
        return NULL;
    return rowtide__arena_sql(arena, "table \"%w\"%s%s: %lld %s: %s",
                              finding->table, where[0] ? ", column " : "",
                              where, (long long)finding->count,
                              finding->count == 1 ? "row" : "rows", note);
}

static int read_samples(looking *it, const char *sql, const char *const **out)
{
    sqlite3_stmt *stmt;
    rowtide__list samples = {.arena = &it->preflight->arena};
    int rc = rowtide__sql_prepare(it->run->db, &stmt, "%s LIMIT %d", sql,
                                  SAMPLES);
    if (rc != ROWTIDE_OK)
        return rc;
    while ((rc = rowtide__sql_step(it->run->db, stmt)) == ROWTIDE_OK) {
        const char *text = (const char *)sqlite3_column_text(stmt, 0);
        const char *copy;
        if (!text)
            continue;
        rc = rowtide__name_copy(samples.arena, text, strlen(text), &copy);
        if (rc == ROWTIDE_OK)
            rc = rowtide__text_add(&samples, copy);
        if (rc != ROWTIDE_OK)
            break;
    }
    sqlite3_finalize(stmt);
    *out = rowtide__texts_finish(&samples);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* `sql` gives the locators of all rows in question. */
static int put_finding(looking *it, const rowtide__suspect *suspect,
                       const rowtide__condition *condition, const char *sql)
{
    rowtide__arena *arena = &it->preflight->arena;
    rowtide_finding *finding = rowtide__arena_alloc(arena, sizeof *finding);
    if (!finding)
        return ROWTIDE_ENOMEM;
    finding->kind = condition->kind;
    finding->count = condition->count;
    finding->fatal = condition->kind != ROWTIDE_FINDING_LOSSY;
    finding->table = rowtide__arena_sql(arena, "%s", suspect->old->view.name);
    int rc = finding->table
                 ? name_columns(it, suspect, condition, &finding->columns)
                 : ROWTIDE_ENOMEM;
    if (rc == ROWTIDE_OK) {
        finding->note = describe(arena, finding, condition->note);
        rc = finding->note ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    }
    if (rc == ROWTIDE_OK)
        rc = read_samples(it, sql, &finding->samples);
    if (rc == ROWTIDE_OK)
        rc = rowtide__list_add(&it->preflight->list, finding);
    return rc;
}

/* ## Looking */

static int can_prepare(looking *it, const char *sql)
{
    sqlite3_stmt *stmt;
    int rc = rowtide__sql_prepare(it->run->db, &stmt, "%s", sql);
    sqlite3_finalize(stmt);
    return rc;
}

static const char *rows_sql(looking *it, const rowtide__suspect *suspect,
                            const rowtide__condition *condition)
{
    if (!condition->sql)
        return rowtide__arena_sql(it->arena, SQL_DUPLICATES, condition->keys,
                                  suspect->source, condition->present);
    return rowtide__arena_sql(it->arena,
                              "SELECT \"rowtide locator\" FROM (%s) AS "
                              "rowtide_source WHERE %s",
                              suspect->source, condition->sql);
}

/* What cannot be asked in this form is left to the copy, which asks in its
 * own; but nothing else looks at the rows of a table edited in place. */
static int keep_possible(looking *it, rowtide__suspect *suspect)
{
    rowtide__error_state error;
    size_t kept = 0;
    rowtide__error_save(&error);
    for (size_t i = 0; i < suspect->conditions.count; i++) {
        const rowtide__condition *condition = suspect->conditions.items[i];
        const char *sql = rows_sql(it, suspect, condition);
        if (it->fatal_only && condition->kind == ROWTIDE_FINDING_LOSSY)
            continue;
        if (!sql)
            return ROWTIDE_ENOMEM;
        int rc = can_prepare(it, sql);
        if (rc == ROWTIDE_OK)
            suspect->conditions.items[kept++] = suspect->conditions.items[i];
        else if (suspect->edited || rc == ROWTIDE_ENOMEM)
            return rowtide__fail_context("preflight: table \"%s\"",
                                         suspect->old->view.name);
        else
            rowtide__error_restore(&error);
    }
    suspect->conditions.count = kept;
    return ROWTIDE_OK;
}

static int write_counts(looking *it, const rowtide__suspect *suspect,
                        size_t from, size_t to, const char **out)
{
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide__writer writer = {&buffer, ROWTIDE_OK};
    rowtide__write_text(&writer, "SELECT 0");
    for (size_t i = from; i < to; i++) {
        const rowtide__condition *condition = suspect->conditions.items[i];
        rowtide__write_text(&writer, ", count(CASE WHEN ");
        rowtide__write_text(&writer, condition->sql ? condition->sql : "0");
        rowtide__write_text(&writer, " THEN 1 END)");
    }
    rowtide__write_text(&writer, " FROM (");
    rowtide__write_text(&writer, suspect->source);
    rowtide__write_text(&writer, ") AS rowtide_source");
    int rc = writer.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__name_copy(it->arena, buffer.data, buffer.size, out);
    rowtide_buffer_dispose(&buffer);
    return rc;
}

/* All in one pass over the table. */
static int count_some(looking *it, rowtide__suspect *suspect, size_t from,
                      size_t to)
{
    sqlite3_stmt *stmt;
    const char *sql;
    int rc = write_counts(it, suspect, from, to, &sql);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_prepare(it->run->db, &stmt, "%s", sql);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__sql_step(it->run->db, stmt);
    for (size_t i = from; i < to && rc == ROWTIDE_OK; i++) {
        /* Our own list. */
        rowtide__condition *condition = (rowtide__condition *)
                                            suspect->conditions.items[i];
        condition->count = sqlite3_column_int64(stmt, (int)(i - from) + 1);
    }
    sqlite3_finalize(stmt);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int has_values(const rowtide__suspect *suspect)
{
    for (size_t i = 0; i < suspect->conditions.count; i++) {
        const rowtide__condition *condition = suspect->conditions.items[i];
        if (condition->sql)
            return 1;
    }
    return 0;
}

static int count_values(looking *it, rowtide__suspect *suspect)
{
    size_t count = suspect->conditions.count;
    int rc = ROWTIDE_OK;
    if (!has_values(suspect))
        return rc;
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i += CONDITIONS_AT_ONCE)
        rc = count_some(it, suspect, i,
                        i + CONDITIONS_AT_ONCE < count ? i + CONDITIONS_AT_ONCE
                                                       : count);
    return rc;
}

static int look_at(looking *it, rowtide__suspect *suspect)
{
    int rc = rowtide__suspect_source(it->run->plan, it->arena, suspect);
    if (rc == ROWTIDE_OK)
        rc = rowtide__suspect_values(it->run->plan, it->arena, suspect);
    if (rc == ROWTIDE_OK)
        rc = rowtide__suspect_keys(it->run->plan, it->arena, suspect);
    if (rc == ROWTIDE_OK)
        rc = keep_possible(it, suspect);
    if (rc == ROWTIDE_OK)
        rc = count_values(it, suspect);
    for (size_t i = 0; i < suspect->conditions.count && rc == ROWTIDE_OK; i++) {
        /* Our own list. */
        rowtide__condition *condition = (rowtide__condition *)
                                            suspect->conditions.items[i];
        const char *sql = rows_sql(it, suspect, condition);
        if (!sql)
            return ROWTIDE_ENOMEM;
        if (!condition->sql)
            rc = rowtide__sql_integer(it->run->db, &condition->count, 0,
                                      "SELECT count(*) FROM (%s)", sql);
        if (rc == ROWTIDE_OK && condition->count > 0)
            rc = put_finding(it, suspect, condition, sql);
    }
    return rc;
}

static int look(looking *it)
{
    int rc = find_suspects(it);
    for (size_t i = 0; i < it->suspects.count && rc == ROWTIDE_OK; i++) {
        /* Our own list. */
        rowtide__suspect *suspect = (rowtide__suspect *)it->suspects.items[i];
        rc = rowtide__run_progress(it->run, "preflight", (int64_t)i,
                                   (int64_t)it->suspects.count,
                                   suspect->old->view.name);
        if (rc == ROWTIDE_OK)
            rc = look_at(it, suspect);
    }
    return rc;
}

static int look_all(rowtide__run *run, int fatal_only, rowtide_preflight **out)
{
    rowtide__arena arena = {0};
    rowtide_preflight *preflight = rowtide__alloc_zero(sizeof *preflight);
    if (!preflight)
        return ROWTIDE_ENOMEM;
    looking it = {.run = run,
                  .preflight = preflight,
                  .arena = &arena,
                  .fatal_only = fatal_only,
                  .suspects = {.arena = &arena},
                  .names = {.arena = &arena}};
    preflight->list.arena = &preflight->arena;
    int rc = look(&it);
    rowtide__arena_dispose(&arena);
    preflight->view.findings = (const rowtide_finding *const *)
        rowtide__list_finish(&preflight->list);
    if (rc == ROWTIDE_OK)
        *out = preflight;
    else
        rowtide_preflight_free(preflight);
    return rc;
}

int rowtide__run_preflight(rowtide__run *run)
{
    rowtide_preflight *preflight;
    int rc = look_all(run, (run->plan->allow & ROWTIDE_ALLOW_LOSSY) != 0,
                      &preflight);
    if (rc != ROWTIDE_OK)
        return rc;
    for (size_t i = 0; preflight->view.findings[i] && rc == ROWTIDE_OK; i++) {
        const rowtide_finding *finding = preflight->view.findings[i];
        if (finding->fatal || !(run->plan->allow & ROWTIDE_ALLOW_LOSSY))
            rc = rowtide__fail(ROWTIDE_ECONSTRAINT, "apply: %s%s%s",
                               finding->note,
                               finding->samples[0] ? ", such as " : "",
                               finding->samples[0] ? finding->samples[0] : "");
    }
    rowtide_preflight_free(preflight);
    return rc;
}

int rowtide_plan_preflight(rowtide_db *db, const rowtide_plan *plan,
                           const rowtide_plan_run_options *options,
                           rowtide_preflight **out)
{
    rowtide__run run;
    ROWTIDE__CHECK_ARG(out, "plan_preflight");
    *out = NULL;
    ROWTIDE__CHECK_ARG(plan, "plan_preflight");
    int rc = rowtide__db_enter(db, "plan_preflight");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__run_open(db, plan, options, &run);
    if (rc == ROWTIDE_OK)
        rc = look_all(&run, 0, out);
    rowtide__db_leave(db);
    return rc;
}

void rowtide_preflight_free(rowtide_preflight *preflight)
{
    if (!preflight)
        return;
    rowtide__arena_dispose(&preflight->arena);
    rowtide__free(preflight);
}

const rowtide_findings *
rowtide_preflight_findings(const rowtide_preflight *preflight)
{
    return preflight ? &preflight->view : NULL;
}
