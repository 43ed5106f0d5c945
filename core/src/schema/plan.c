#include "schema/plan.h"
#include "base/alloc.h"
#include "base/error.h"
#include "db/sql.h"
#include "schema/merging.h"

#include <stddef.h>
#include <string.h>

static const char SQL_HAS_TABLE[] =
    "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = %Q";
static const char SQL_HAS_NAME[] =
    "SELECT 1 FROM main.sqlite_schema WHERE name = %Q COLLATE NOCASE"
    " UNION SELECT 1 FROM sqlite_temp_schema WHERE name = %Q COLLATE NOCASE";
static const char SQL_PAGES[] = "SELECT sum(pgsize) FROM dbstat WHERE name IN"
                                " (SELECT name FROM main.sqlite_schema"
                                " WHERE tbl_name = %Q COLLATE NOCASE)";

/* ## What the database can do, and has */

typedef struct looking {
    rowtide_db *db;
    int rc;
} looking;

static int has_rows(void *user, const char *table)
{
    looking *it = user;
    int64_t found = 1;
    if (it->rc == ROWTIDE_OK)
        it->rc = rowtide__sql_integer(
            it->db, &found, 0, "SELECT 1 FROM main.\"%w\" LIMIT 1", table);
    return it->rc == ROWTIDE_OK ? found != 0 : it->rc;
}

static int has_name(void *user, const char *name)
{
    const looking *it = user;
    int64_t found;
    int rc = rowtide__sql_integer(it->db, &found, 0, SQL_HAS_NAME, name, name);
    return rc == ROWTIDE_OK ? found != 0 : rc;
}

static int has_table(rowtide_db *db, const char *name, int *out)
{
    int64_t found;
    int rc = rowtide__sql_integer(db, &found, 0, SQL_HAS_TABLE, name);
    *out = found != 0;
    return rc;
}

static int read_abilities(looking *it, const rowtide_plan *plan,
                          rowtide__abilities *out)
{
    sqlite3 *sqlite = rowtide_db_sqlite(it->db);
    memset(out, 0, sizeof *out);
    out->version = sqlite3_libversion_number();
    out->allow = plan->allow;
    out->verbatim = plan->verbatim;
    out->edit_text = !rowtide__setting(sqlite, SQLITE_DBCONFIG_DEFENSIVE, -1);
    out->has_rows = has_rows;
    out->has_name = has_name;
    out->user = it;
    int rc = has_table(it->db, "sqlite_stat1", &out->stat1);
    if (rc == ROWTIDE_OK)
        rc = has_table(it->db, "sqlite_stat4", &out->stat4);
    return rc;
}

/* ## What a step takes */

static int is_about_table(const rowtide_plan_step *step)
{
    return step->object != ROWTIDE_OBJECT_INDEX
           && step->object != ROWTIDE_OBJECT_TRIGGER
           && step->object != ROWTIDE_OBJECT_VIEW
           && step->method != ROWTIDE_METHOD_CREATE;
}

static int old_name(const rowtide_plan *plan, const rowtide_plan_step *step,
                    const char **out)
{
    int rc = rowtide__difference_old_name(plan->difference, step->table, NULL,
                                          out);
    if (rc == ROWTIDE_OK && !*out)
        *out = step->table;
    return rc;
}

static int estimate_bytes(rowtide_db *db, const char *table, int64_t *out)
{
    int64_t pages = 0, size = 0;
    rowtide__error_state error;
    rowtide__error_save(&error);
    if (rowtide__sql_integer(db, out, 0, SQL_PAGES, table) == ROWTIDE_OK)
        return ROWTIDE_OK;
    /* Without DBSTAT_VTAB: no more than the whole file. */
    rowtide__error_restore(&error);
    int rc = rowtide__sql_integer(db, &pages, 0, "PRAGMA main.page_count");
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_integer(db, &size, 0, "PRAGMA main.page_size");
    *out = pages * size;
    return rc;
}

static int reads_rows(const rowtide_plan_step *step)
{
    return step->method == ROWTIDE_METHOD_REBUILD
           || (step->method == ROWTIDE_METHOD_ALTER
               && (step->effect == ROWTIDE_EFFECT_CHECKED
                   || step->object == ROWTIDE_OBJECT_COLUMN));
}

/* A rebuild needs room for the new table and its indexes, and as much again
 * for the journal. */
static int measure(rowtide_db *db, const rowtide_plan *plan,
                   rowtide_plan_step *step)
{
    const char *table;
    int64_t found;
    int rc = ROWTIDE_OK;
    table = step->table;
    if (step->method != ROWTIDE_METHOD_DROP)
        rc = old_name(plan, step, &table);
    if (rc != ROWTIDE_OK || !is_about_table(step))
        return rc;
    rc = rowtide__merging_blocks(db, table, &found);
    if (rc == ROWTIDE_OK && found && !step->refused)
        step->refused = rowtide__merging_reason;
    if (rc != ROWTIDE_OK || step->refused || !reads_rows(step))
        return rc;
    rc = rowtide__sql_integer(db, &step->rows, 0,
                              "SELECT count(*) FROM main.\"%w\"", table);
    if (rc == ROWTIDE_OK)
        rc = estimate_bytes(db, table, &step->bytes);
    if (step->method == ROWTIDE_METHOD_REBUILD)
        step->bytes *= 2;
    return rc;
}

static int measure_all(rowtide_db *db, const rowtide_plan *plan)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; plan->steps.items[i] && rc == ROWTIDE_OK; i++)
        /* Our own, and nobody has seen it yet. */
        rc = measure(db, plan, &((rowtide__step *)plan->steps.items[i])->view);
    return rc;
}

/* ## Making one */

static int make_difference(rowtide_db *db, const rowtide_schema *to,
                           const rowtide_plan_options *options,
                           rowtide_plan *plan)
{
    rowtide_schema_diff_options diff = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    rowtide_schema *from = NULL;
    diff.renames = options->renames;
    diff.undeclared = options->undeclared;
    int rc = rowtide__schema_read_sqlite(rowtide_db_sqlite(db), NULL, &from);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_diff(from, to, &diff, &plan->difference);
    rowtide_schema_free(from);
    return rc;
}

static int fill_plan(rowtide_db *db, const rowtide_schema *to,
                     const rowtide_plan_options *options, rowtide_plan *plan)
{
    looking it = {db, ROWTIDE_OK};
    rowtide__abilities abilities;
    plan->allow = options->allow;
    int rc = rowtide__fingerprint(db, &plan->fingerprint);
    if (rc == ROWTIDE_OK)
        rc = make_difference(db, to, options, plan);
    if (rc == ROWTIDE_OK)
        rc = read_abilities(&it, plan, &abilities);
    if (rc == ROWTIDE_OK)
        rc = rowtide__steps_make(plan->difference, &abilities, &plan->steps);
    if (rc != ROWTIDE_OK)
        return rc;
    /* A step begins with what the public sees of it. */
    plan->view.steps = (const rowtide_plan_step *const *)plan->steps.items;
    return measure_all(db, plan);
}

static int read_options(const rowtide_plan_options *given,
                        rowtide_plan_options *out)
{
    *out = (rowtide_plan_options)ROWTIDE_PLAN_OPTIONS_INIT;
    if (!given)
        return ROWTIDE_OK;
    if (given->size
        < offsetof(rowtide_plan_options, undeclared) + sizeof given->undeclared)
        return rowtide__fail(ROWTIDE_EINVAL, "plan: options of size %zu",
                             given->size);
    *out = *given;
    if (given->allow & ~(ROWTIDE_ALLOW_LOSSY | ROWTIDE_ALLOW_DESTRUCTIVE))
        return rowtide__fail(ROWTIDE_EINVAL,
                             "plan: unknown flags in allow: %#x", given->allow);
    return ROWTIDE_OK;
}

int rowtide__plan_make(rowtide_db *db, const rowtide_schema *to,
                       const rowtide_plan_options *options, int verbatim,
                       rowtide_plan **out)
{
    rowtide_plan_options all;
    *out = NULL;
    int rc = read_options(options, &all);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_plan *plan = rowtide__alloc_zero(sizeof *plan);
    if (!plan)
        return ROWTIDE_ENOMEM;
    plan->verbatim = verbatim;
    rc = fill_plan(db, to, &all, plan);
    if (rc == ROWTIDE_OK)
        *out = plan;
    else
        rowtide_plan_free(plan);
    return rc;
}

int rowtide_schema_plan(rowtide_db *db, const rowtide_schema *to,
                        const rowtide_plan_options *options, rowtide_plan **out)
{
    ROWTIDE__CHECK_ARG(out, "schema_plan");
    *out = NULL;
    ROWTIDE__CHECK_ARG(to, "schema_plan");
    int rc = rowtide__db_enter(db, "schema_plan");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__plan_make(db, to, options, 0, out);
    rowtide__db_leave(db);
    return rc;
}

void rowtide_plan_free(rowtide_plan *plan)
{
    if (!plan)
        return;
    rowtide__steps_dispose(&plan->steps);
    rowtide_schema_difference_free(plan->difference);
    rowtide__free(plan);
}

const rowtide_plan_steps *rowtide_plan_steps_of(const rowtide_plan *plan)
{
    return plan ? &plan->view : NULL;
}
