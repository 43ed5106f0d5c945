/* Rebuilds a table to change the type of a column, and prints how long that
 * took as a table: by statements in the best order that we know, written by
 * hand, and by a plan, with all that it looks at before and after. */
#include "workload.h"

#include <rowtide.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define COLUMNS(type)                                                          \
    "id INTEGER PRIMARY KEY, code TEXT NOT NULL, amount " type                 \
    ", note TEXT, at INTEGER NOT NULL, done INTEGER NOT NULL DEFAULT 0"
#define INDEXES                                                                \
    "CREATE INDEX t_code ON t (code);"                                         \
    "CREATE INDEX t_amount ON t (amount, at);"                                 \
    "CREATE INDEX t_at ON t (at) WHERE done = 0;"

static const char SCHEMA[] = "CREATE TABLE t (" COLUMNS("TEXT") ");" INDEXES;
static const char TARGET[] = "CREATE TABLE t (" COLUMNS("INTEGER") ");" INDEXES;
static const char ROWS[] =
    "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
    "%d) INSERT INTO t SELECT i, printf('%%08x', i * 2654435761 %% 4294967296),"
    " CAST(i %% 10007 AS TEXT), printf('%%060d', i), i * 7 %% 1000003, i %% 3 "
    "FROM n";
static const char BY_HAND[] =
    "PRAGMA foreign_keys=OFF; BEGIN IMMEDIATE;"
    "CREATE TABLE new_t (" COLUMNS(
        "INTEGER") ");"
                   "INSERT INTO new_t SELECT * FROM t;"
                   "DROP TABLE t;"
                   "ALTER TABLE new_t RENAME TO t;" INDEXES
                   "PRAGMA foreign_key_check; COMMIT; PRAGMA foreign_keys=ON;";

typedef struct seconds {
    double cpu, wall;
} seconds;

static seconds now(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_MONOTONIC, &wall);
    return (seconds){cpu_seconds(),
                     (double)wall.tv_sec + (double)wall.tv_nsec / 1e9};
}

static void keep_least(seconds *least, seconds start)
{
    seconds end = now();
    if (least->cpu == 0 || end.cpu - start.cpu < least->cpu)
        least->cpu = end.cpu - start.cpu;
    if (least->wall == 0 || end.wall - start.wall < least->wall)
        least->wall = end.wall - start.wall;
}

static void ok(int rc, const char *what)
{
    if (rc != ROWTIDE_OK)
        fprintf(stderr, "bench: %s\n", rowtide_error_message());
    check(rc == ROWTIDE_OK, what);
}

static void fill(const char *path, int rows)
{
    char sql[sizeof ROWS + 20];
    sqlite3 *db;
    unlink(path);
    check(sqlite3_open(path, &db) == SQLITE_OK, "open");
    exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL");
    snprintf(sql, sizeof sql, ROWS, rows);
    exec(db, "BEGIN");
    exec(db, SCHEMA);
    exec(db, sql);
    exec(db, "COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
    check(sqlite3_close(db) == SQLITE_OK, "close");
}

/* A copy that is in the cache of the system, as the last one is. */
static void copy(const char *from, const char *to)
{
    char buffer[1 << 16];
    char wal[1000];
    size_t size;
    snprintf(wal, sizeof wal, "%s-wal", to);
    unlink(wal);
    FILE *in = fopen(from, "rb"), *out = fopen(to, "wb");
    check(in && out, "copy");
    while ((size = fread(buffer, 1, sizeof buffer, in)) > 0)
        check(fwrite(buffer, 1, size, out) == size, "copy");
    check(fclose(out) == 0, "copy");
    fclose(in);
}

static rowtide_db *open_copy(const char *from, const char *to)
{
    rowtide_db *db;
    copy(from, to);
    ok(rowtide_db_open(to, NULL, &db), "open");
    ok(rowtide_db_exec(db, "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;"
                           "PRAGMA cache_size=-65536"),
       "settings");
    return db;
}

static int go_on(const rowtide_progress *progress, void *user)
{
    (void)progress, (void)user;
    return 0;
}

static void by_plan(rowtide_db *db, int with_progress)
{
    rowtide_schema *to;
    rowtide_plan *plan;
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    rowtide_plan_run_options run = ROWTIDE_PLAN_RUN_OPTIONS_INIT;
    options.allow = ROWTIDE_ALLOW_LOSSY;
    run.progress = with_progress ? go_on : NULL;
    ok(rowtide_schema_parse(TARGET, &to), "parse");
    ok(rowtide_schema_plan(db, to, &options, &plan), "plan");
    ok(rowtide_plan_apply(db, plan, &run, NULL), "apply");
    rowtide_plan_free(plan);
    rowtide_schema_free(to);
}

static void measure(const char *from, const char *to, int who, seconds *least)
{
    rowtide_db *db = open_copy(from, to);
    seconds start = now();
    if (who == 0)
        exec(rowtide_db_sqlite(db), BY_HAND);
    else
        by_plan(db, who == 2);
    keep_least(least, start);
    rowtide_db_free(db);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"by hand", "plan",
                                        "plan, with progress"};
    seconds least[3] = {{0, 0}, {0, 0}, {0, 0}};
    char full[1000], work[1000];
    check(argc == 4, "usage: schema_rebuild DIRECTORY ROWS ROUNDS");
    int rows = atoi(argv[2]);
    snprintf(full, sizeof full, "%s/full.db", argv[1]);
    snprintf(work, sizeof work, "%s/work.db", argv[1]);
    fill(full, rows);
    for (int round = 0; round < atoi(argv[3]); round++)
        for (int who = 0; who < 3; who++)
            measure(full, work, who, &least[who]);
    printf("\n### Rebuild a table of %d rows with three indexes\n\n"
           "| | CPU s | wall s | CPU / by hand | wall / by hand |\n"
           "| --- | --- | --- | --- | --- |\n",
           rows);
    for (int who = 0; who < 3; who++)
        printf("| %s | %.2f | %.2f | %.2f | %.2f |\n", names[who],
               least[who].cpu, least[who].wall, least[who].cpu / least[0].cpu,
               least[who].wall / least[0].wall);
    return 0;
}
