#ifndef ROWTIDE_SCHEMA_PLAN_PRIVATE_H
#define ROWTIDE_SCHEMA_PLAN_PRIVATE_H

#include "base/map.h"
#include "db/transaction.h"
#include "db/violations.h"
#include "schema/report.h"
#include "schema/steps.h"

struct rowtide_plan {
    rowtide_schema_difference *difference;
    rowtide__steps steps;
    rowtide_plan_steps view;
    unsigned allow;
    int verbatim;         /* see rowtide__abilities */
    uint64_t fingerprint; /* of the schema that it was made for */
};

/* A plan while it is run, or looked at. */
typedef struct rowtide__run {
    rowtide_db *db;
    sqlite3 *sqlite;
    const rowtide_plan *plan;
    rowtide_plan_run_options options;
    int64_t next_progress;             /* in milliseconds */
    rowtide__transaction *transaction; /* NULL: preflight alone */
} rowtide__run;

/* ## plan.c: inside an entered db. `options` may be NULL. */
int rowtide__plan_make(rowtide_db *db, const rowtide_schema *to,
                       const rowtide_plan_options *options, int verbatim,
                       rowtide_plan **out);

/* ## plan_run.c */
int rowtide__run_open(rowtide_db *db, const rowtide_plan *plan,
                      const rowtide_plan_run_options *options,
                      rowtide__run *out);
/* Between two pieces of work: report if it is time, and see whether the call
 * was cancelled. */
int rowtide__run_progress(rowtide__run *run, const char *phase, int64_t done,
                          int64_t total, const char *label);
/* What sqlite_schema says, as a number. */
int rowtide__fingerprint(rowtide_db *db, uint64_t *out);

/* ## plan_settings.c: what the connection does otherwise while a plan runs */
typedef struct rowtide__settings {
    sqlite3 *sqlite;
    int foreign_keys, legacy_alter, writable_schema, dqs_ddl;
} rowtide__settings;

void rowtide__settings_save(sqlite3 *sqlite, rowtide__settings *out);
void rowtide__settings_restore(const rowtide__settings *settings);
/* An SQLITE_DBCONFIG_... that is a switch; `on` < 0 to ask only. */
int rowtide__setting(sqlite3 *sqlite, int which, int on);

/* ## plan_keys.c: foreign key violations, and rows of referring tables */
int rowtide__violations_collect(const rowtide__run *run,
                                rowtide__violations *out);
/* ROWTIDE_ECONSTRAINT if there are some that were not there `before`. */
int rowtide__violations_compare(const rowtide__run *run,
                                const rowtide__violations *before);

/* Rows of all tables that refer to this one, added up. */
int rowtide__count_referring(const rowtide__run *run, const char *table,
                             int64_t *out);

/* ## plan_working.c: views that can be read, triggers that can be fired */
typedef struct rowtide__working {
    rowtide__arena arena;
    rowtide__map names;
} rowtide__working;

int rowtide__working_collect(const rowtide__run *run, rowtide__working *out);
/* ROWTIDE_ESCHEMA if one that worked does not any more. */
int rowtide__working_compare(const rowtide__run *run,
                             rowtide__working *working);

/* ## plan_rebuild.c */
int rowtide__run_rebuild(rowtide__run *run, const rowtide__step *step,
                         int64_t *rows_out);
/* The text of a table in sqlite_schema. */
int rowtide__run_edit(rowtide__run *run, const rowtide__step *step);

/* ## preflight.c: `allow` is the plan's; ROWTIDE_ECONSTRAINT if something is
 * in the way. */
int rowtide__run_preflight(rowtide__run *run);

#endif
