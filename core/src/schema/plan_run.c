#include "schema/plan.h"
#include "base/crc64.h"
#include "base/error.h"
#include "db/sql.h"

#include <stddef.h>
#include <string.h>
#include <time.h>

enum { MS_PER_PROGRESS = 100 };

static const char SQL_SCHEMA[] =
    "SELECT type, name, tbl_name, sql FROM main.sqlite_schema"
    " WHERE name NOT LIKE 'sqlite!_%%' ESCAPE '!'"
    " ORDER BY type, name";

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int rowtide__run_open(rowtide_db *db, const rowtide_plan *plan,
                      const rowtide_plan_run_options *options,
                      rowtide__run *out)
{
    static const rowtide_plan_run_options defaults =
        ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    if (options
        && options->size < offsetof(rowtide_plan_run_options, progress_user)
                               + sizeof options->progress_user)
        return rowtide__fail(ROWTIDE_EINVAL, "plan: options of size %zu",
                             options->size);
    memset(out, 0, sizeof *out);
    out->db = db;
    out->sqlite = rowtide_db_sqlite(db);
    out->plan = plan;
    out->options = options ? *options : defaults;
    return ROWTIDE_OK;
}

static int call_progress(const rowtide__run *run,
                         const rowtide_progress *progress)
{
    rowtide_error_clear();
    int rc = run->options.progress(progress, run->options.progress_user);
    if (rc < 0)
        return rowtide__fail_callback(rc, "progress");
    if (rc > 0)
        return rowtide__fail(ROWTIDE_ECANCELLED,
                             "%s: cancelled by its progress callback",
                             progress->phase);
    return rowtide__db_check_open(run->db, "plan");
}

static int check_version(const rowtide__run *run, int64_t before)
{
    int64_t now;
    int rc = rowtide__sql_integer(run->db, &now, 0,
                                  "PRAGMA main.schema_version");
    return rc == ROWTIDE_OK && now != before
               ? rowtide__fail(ROWTIDE_EMISUSE,
                               "the progress callback changed the schema")
               : rc;
}

/* Rows that are copied already would not be looked at again. */
static int check_writes(const rowtide__run *run, int64_t before)
{
    return sqlite3_total_changes64(run->sqlite) != before
               ? rowtide__fail(ROWTIDE_EMISUSE,
                               "the progress callback wrote to the database")
               : ROWTIDE_OK;
}

/* The callback may do what it likes, but not end our transaction, nor write,
 * nor change the schema under our hands. */
static int call_guarded(const rowtide__run *run,
                        const rowtide_progress *progress)
{
    rowtide__error_state error;
    int64_t version, changes = sqlite3_total_changes64(run->sqlite);
    if (!run->transaction)
        return call_progress(run, progress);
    int rc = rowtide__sql_integer(run->db, &version, 0,
                                  "PRAGMA main.schema_version");
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_guard(run->transaction);
    if (rc == ROWTIDE_OK)
        rc = call_progress(run, progress);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_check(run->transaction);
    if (rc == ROWTIDE_OK)
        rc = check_version(run, version);
    if (rc == ROWTIDE_OK)
        return check_writes(run, changes);
    rowtide__error_save(&error);
    if (rc != ROWTIDE_ECLOSED)
        rowtide__transaction_check(run->transaction);
    rowtide__error_restore(&error);
    return rc;
}

int rowtide__run_progress(rowtide__run *run, const char *phase, int64_t done,
                          int64_t total, const char *label)
{
    if (rowtide__db_interrupted(run->db))
        return rowtide__fail(ROWTIDE_ECANCELLED, "%s: interrupted", phase);
    if (!run->options.progress || clock_ms() < run->next_progress)
        return ROWTIDE_OK;
    run->next_progress = clock_ms() + MS_PER_PROGRESS;
    rowtide_progress progress = {phase, done, total, label};
    return call_guarded(run, &progress);
}

int rowtide__fingerprint(rowtide_db *db, uint64_t *out)
{
    sqlite3_stmt *stmt;
    *out = 0;
    int rc = rowtide__sql_prepare(db, &stmt, SQL_SCHEMA);
    if (rc != ROWTIDE_OK)
        return rc;
    while ((rc = rowtide__sql_step(db, stmt)) == ROWTIDE_OK)
        for (int i = 0; i < 4; i++) {
            const char *text = (const char *)sqlite3_column_text(stmt, i);
            size_t size = (size_t)sqlite3_column_bytes(stmt, i);
            *out = rowtide__crc64(*out, text ? text : "", text ? size + 1 : 1);
        }
    sqlite3_finalize(stmt);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}
