/* Times tables that take part in merging against plain ones. Prints one line
 * of CSV per measurement, as bench/changeset.c does:
 *
 *     what,operation,key,columns,rows,who,seconds,bytes
 */
#include "workload.h"

#include <rowtide.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *directory;
static char settings[64];

static const char *scratch(const char *name)
{
    static char paths[4][512];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/crdt-%s.db", directory, name);
    return path;
}

static void ok(int rc, const char *what)
{
    if (rc != ROWTIDE_OK && rc != ROWTIDE_DONE)
        fprintf(stderr, "bench: %s\n", rowtide_error_message());
    check(rc == ROWTIDE_OK || rc == ROWTIDE_DONE, what);
}

static void print_line(const char *what, const char *operation,
                       const struct shape *shape, int rows, const char *who,
                       double seconds, int64_t bytes)
{
    printf("%s,%s,%s,%d,%d,%s,%.6f,%lld\n", what, operation,
           key_names[shape->key], shape->columns, rows, who, seconds,
           (long long)bytes);
    fflush(stdout);
}

/* One table of the workload, plain or taking part. */
typedef struct side {
    const char *who;
    sqlite3 *sqlite;
    rowtide_db *db; /* NULL if plain */
    const char *path;
} side;

static void open_side(side *out, const char *name, const struct shape *shape,
                      int takes_part)
{
    out->who = takes_part ? "rowtide" : "plain";
    out->path = scratch(name);
    out->sqlite = open_scratch(out->path, shape, 0);
    exec(out->sqlite, settings);
    out->db = NULL;
    if (takes_part) {
        ok(rowtide_db_adopt(out->sqlite, &out->db), "adopt");
        ok(rowtide_crdt_enable(out->db, "t"), "enable");
    }
}

static void close_side(side *it)
{
    rowtide_db_free(it->db);
    sqlite3_close_v2(it->sqlite);
}

static double in_transaction(side *it, const struct shape *shape,
                             enum operation op)
{
    double start = cpu_seconds();
    exec(it->sqlite, "BEGIN");
    run_plain(it->sqlite, shape, op);
    exec(it->sqlite, "COMMIT");
    return cpu_seconds() - start;
}

static int64_t file_size(side *it)
{
    struct stat info;
    exec(it->sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
    check(stat(it->path, &info) == 0, it->path);
    return (int64_t)info.st_size;
}

/* Of all rows, half of them, or a quarter. */
static void time_writes(side *it, const struct shape *shape, enum operation op,
                        int part)
{
    struct shape some = *shape;
    some.rows /= part;
    print_line("crdt-write", operation_names[op], shape, some.rows, it->who,
               in_transaction(it, &some, op), 0);
}

static void open_sides(side sides[2], const struct shape *shape)
{
    open_side(&sides[0], "plain", shape, 0);
    open_side(&sides[1], "ours", shape, 1);
}

static void close_sides(side sides[2])
{
    close_side(&sides[0]);
    close_side(&sides[1]);
}

/* Both take turns, so that what else the machine does hits both. */
static void bench_writes(const struct shape *shape)
{
    side sides[2];
    open_sides(sides, shape);
    for (int n = 0; n < 2; n++)
        time_writes(&sides[n], shape, OP_INSERT, 1);
    for (int n = 0; n < 2; n++)
        print_line("crdt-size", "insert", shape, shape->rows, sides[n].who,
                   (double)file_size(&sides[n]), 0);
    for (int n = 0; n < 2; n++)
        time_writes(&sides[n], shape, OP_UPDATE, 2);
    for (int n = 0; n < 2; n++)
        time_writes(&sides[n], shape, OP_DELETE, 4);
    close_sides(sides);
}

/* ## One row at a time, each a transaction
 *
 * Some milliseconds each: both sides take turns, and the best of many rounds
 * says more. */

static const enum operation ONE_ROW[] = {OP_INSERT, OP_UPDATE, OP_DELETE};

static void time_one_row(side *it, const struct shape *shape, enum operation op)
{
    double start = cpu_seconds();
    /* Without BEGIN each statement of the workload commits. */
    run_plain(it->sqlite, shape, op);
    print_line("crdt-one-row", operation_names[op], shape, shape->rows, it->who,
               cpu_seconds() - start, 0);
}

static void bench_one_row(const struct shape *shape)
{
    enum { COUNT = 2000, TIMES = 10 };
    struct shape few = *shape;
    few.rows = COUNT;
    for (int i = 0; i < TIMES; i++) {
        side sides[2];
        open_sides(sides, &few);
        for (int op = 0; op < 3; op++)
            for (int n = 0; n < 2; n++)
                time_one_row(&sides[n], &few, ONE_ROW[op]);
        close_sides(sides);
    }
}

static void time_scattered(side *it, const struct shape *shape,
                           enum operation op)
{
    int count = shape->rows / 10;
    double start = cpu_seconds();
    run_scattered(it->sqlite, shape, op, count);
    print_line("crdt-scattered", operation_names[op], shape, shape->rows,
               it->who, cpu_seconds() - start, 0);
}

/* The same with rows that are far apart in a table which is full of others. */
static void bench_scattered(const struct shape *shape)
{
    enum { TIMES = 2 };
    struct shape half = *shape;
    half.rows /= 2;
    for (int i = 0; i < TIMES; i++) {
        side sides[2];
        open_sides(sides, &half);
        for (int n = 0; n < 2; n++) {
            in_transaction(&sides[n], &half, OP_INSERT);
            exec(sides[n].sqlite, "PRAGMA wal_checkpoint(TRUNCATE)");
        }
        for (int op = 0; op < 3; op++)
            for (int n = 0; n < 2; n++)
                time_scattered(&sides[n], &half, ONE_ROW[op]);
        close_sides(sides);
    }
}

/* ## Pull and merge */

/* All columns of all rows are read. */
static int64_t read_all(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt;
    int64_t count = 0;
    check(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, sql);
    int columns = sqlite3_column_count(stmt);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < columns; i++)
            (void)sqlite3_column_type(stmt, i);
        count++;
    }
    check(sqlite3_finalize(stmt) == SQLITE_OK, sql);
    return count;
}

static int64_t pull_all(rowtide_db *db)
{
    rowtide_crdt_change change;
    rowtide_crdt_pull *pull;
    int64_t count = 0;
    ok(rowtide_crdt_pull_open(db, NULL, &pull), "pull_open");
    while (rowtide_crdt_pull_next(pull, &change) == ROWTIDE_OK)
        count++;
    rowtide_crdt_pull_free(pull);
    return count;
}

static int merge_all(rowtide_db *from, rowtide_db *to)
{
    rowtide_crdt_change change;
    rowtide_crdt_pull *pull;
    rowtide_crdt_merge *merge;
    int count = 0;
    ok(rowtide_crdt_pull_open(from, NULL, &pull), "pull_open");
    ok(rowtide_crdt_merge_begin(to, &merge), "merge_begin");
    while (rowtide_crdt_pull_next(pull, &change) == ROWTIDE_OK) {
        ok(rowtide_crdt_merge_add(merge, &change), "merge_add");
        count++;
    }
    ok(rowtide_crdt_merge_end(merge, NULL), "merge_end");
    rowtide_crdt_merge_free(merge);
    rowtide_crdt_pull_free(pull);
    return count;
}

/* What came from elsewhere is in a table. */
static void fill_received(sqlite3 *from, sqlite3 *to)
{
    sqlite3_stmt *read, *write;
    exec(to, "CREATE TEMP TABLE received([table], pk, cid, val, col_version, "
             "db_version, site_id, cl, seq); BEGIN");
    sqlite3_prepare_v2(from, "SELECT * FROM crsql_changes", -1, &read, NULL);
    sqlite3_prepare_v2(to, "INSERT INTO received VALUES(?,?,?,?,?,?,?,?,?)", -1,
                       &write, NULL);
    while (sqlite3_step(read) == SQLITE_ROW) {
        for (int i = 0; i < 9; i++)
            sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
        check(sqlite3_step(write) == SQLITE_DONE, "a row received");
        sqlite3_reset(write);
    }
    sqlite3_finalize(read);
    sqlite3_finalize(write);
    exec(to, "COMMIT");
}

static double merge_select(sqlite3 *to)
{
    double start = cpu_seconds();
    exec(to, "BEGIN; INSERT INTO crsql_changes SELECT * FROM received; COMMIT");
    return cpu_seconds() - start;
}

static int merge_rows(sqlite3 *from, sqlite3 *to)
{
    sqlite3_stmt *read, *write;
    int count = 0;
    sqlite3_prepare_v2(from, "SELECT * FROM crsql_changes", -1, &read, NULL);
    check(sqlite3_prepare_v2(to,
                             "INSERT INTO crsql_changes "
                             "VALUES(?,?,?,?,?,?,?,?,?)",
                             -1, &write, NULL)
              == SQLITE_OK,
          "insert into crsql_changes");
    exec(to, "BEGIN");
    while (sqlite3_step(read) == SQLITE_ROW) {
        for (int i = 0; i < 9; i++)
            sqlite3_bind_value(write, i + 1, sqlite3_column_value(read, i));
        check(sqlite3_step(write) == SQLITE_DONE, "merge of a row");
        sqlite3_reset(write);
        count++;
    }
    exec(to, "COMMIT");
    sqlite3_finalize(read);
    sqlite3_finalize(write);
    return count;
}

typedef struct pulled {
    double api, select; /* seconds */
    int64_t changes;
} pulled;

static pulled bench_pull(side *it, side *plain, const struct shape *shape)
{
    pulled out;
    double start = cpu_seconds();
    int rows = (int)read_all(plain->sqlite, "SELECT * FROM t");
    double scan = cpu_seconds() - start;
    start = cpu_seconds();
    out.changes = pull_all(it->db);
    out.api = cpu_seconds() - start;
    start = cpu_seconds();
    check(read_all(it->sqlite, "SELECT * FROM crsql_changes") == out.changes,
          "as many changes in SQL");
    out.select = cpu_seconds() - start;
    print_line("crdt-pull", "api", shape, rows, "plain", scan, 0);
    print_line("crdt-pull", "api", shape, rows, "rowtide", out.api,
               out.changes);
    print_line("crdt-pull", "select", shape, rows, "plain", scan, 0);
    print_line("crdt-pull", "select", shape, rows, "rowtide", out.select,
               out.changes);
    return out;
}

static void bench_exchange(side *it, side *plain, const struct shape *shape)
{
    side peer;
    pulled pull = bench_pull(it, plain, shape);
    int64_t changes = pull.changes;
    double start;

    open_side(&peer, "peer", shape, 1);
    start = cpu_seconds();
    merge_all(it->db, peer.db);
    print_line("crdt-merge", "api", shape, shape->rows, "rowtide",
               cpu_seconds() - start - pull.api, changes);
    close_side(&peer);

    open_side(&peer, "peer", shape, 1);
    start = cpu_seconds();
    merge_rows(it->sqlite, peer.sqlite);
    print_line("crdt-merge", "rows", shape, shape->rows, "rowtide",
               cpu_seconds() - start - pull.select, changes);
    close_side(&peer);

    open_side(&peer, "peer", shape, 1);
    fill_received(it->sqlite, peer.sqlite);
    print_line("crdt-merge", "select", shape, shape->rows, "rowtide",
               merge_select(peer.sqlite), changes);
    close_side(&peer);
}

static void bench_shape(const struct shape *shape)
{
    side plain, ours;
    open_side(&plain, "plain", shape, 0);
    open_side(&ours, "ours", shape, 1);
    double start = in_transaction(&plain, shape, OP_INSERT);
    print_line("crdt-merge", "api", shape, shape->rows, "plain", start, 0);
    print_line("crdt-merge", "rows", shape, shape->rows, "plain", start, 0);
    print_line("crdt-merge", "select", shape, shape->rows, "plain", start, 0);
    in_transaction(&ours, shape, OP_INSERT);
    bench_exchange(&ours, &plain, shape);
    close_side(&plain);
    close_side(&ours);

    for (int i = 0; i < 2; i++)
        bench_writes(shape);
    bench_one_row(shape);
    bench_scattered(shape);
}

/* ## Look-ups that must not grow with the log or the number of tables */

static double time_query(sqlite3 *db, const char *sql)
{
    enum { TIMES = 200 };
    sqlite3_stmt *stmt;
    check(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, sql);
    double start = cpu_seconds();
    for (int i = 0; i < TIMES; i++) {
        int rc;
        while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
            (void)sqlite3_column_type(stmt, 3);
        check(rc == SQLITE_DONE, sql);
        sqlite3_reset(stmt);
    }
    double seconds = (cpu_seconds() - start) / TIMES;
    sqlite3_finalize(stmt);
    return seconds;
}

static void bench_lookups(const struct shape *shape)
{
    side ours;
    open_side(&ours, "ours", shape, 1);
    in_transaction(&ours, shape, OP_INSERT);
    exec(ours.sqlite, "UPDATE t SET c1 = 'last' WHERE k IN (SELECT k FROM t "
                      "LIMIT 10)");
    print_line("crdt-lookup", "last 10", shape, shape->rows, "rowtide",
               time_query(ours.sqlite, "SELECT * FROM crsql_changes WHERE "
                                       "db_version > (SELECT crsql_db_version()"
                                       " - 1)"),
               0);
    print_line("crdt-lookup", "first 10", shape, shape->rows, "rowtide",
               time_query(ours.sqlite, "SELECT * FROM crsql_changes WHERE "
                                       "db_version > 0 LIMIT 10"),
               0);
    print_line("crdt-lookup", "one row", shape, shape->rows, "rowtide",
               time_query(ours.sqlite,
                          "SELECT * FROM crsql_changes WHERE [table] = 't' AND "
                          "pk = (SELECT crsql_pack_columns(k) FROM t "
                          "WHERE rowid = 777)"),
               0);
    close_side(&ours);
}

static void bench_tables(const struct shape *shape, int tables)
{
    side ours;
    char sql[200];
    open_side(&ours, "ours", shape, 1);
    for (int i = 1; i < tables; i++) {
        snprintf(sql, sizeof sql,
                 "CREATE TABLE t%d(k INTEGER PRIMARY KEY NOT NULL, c1, c2);"
                 "SELECT crsql_as_crr('t%d'); INSERT INTO t%d VALUES(1, 2, 3)",
                 i, i, i);
        exec(ours.sqlite, sql);
    }
    in_transaction(&ours, shape, OP_INSERT);
    exec(ours.sqlite, "UPDATE t SET c1 = 'last' WHERE k IN (SELECT k FROM t "
                      "LIMIT 10)");
    print_line("crdt-tables", "last 10", shape, tables, "rowtide",
               time_query(ours.sqlite, "SELECT * FROM crsql_changes WHERE "
                                       "db_version > (SELECT crsql_db_version()"
                                       " - 1)"),
               0);
    close_side(&ours);
}

/* What an insert costs by the number of columns. */
static void bench_columns(const struct shape *shape)
{
    for (int takes_part = 0; takes_part <= 1; takes_part++) {
        side it;
        open_side(&it, "columns", shape, takes_part);
        print_line("crdt-columns", "insert", shape, shape->rows, it.who,
                   in_transaction(&it, shape, OP_INSERT), 0);
        close_side(&it);
    }
}

int main(int argc, char **argv)
{
    check(argc == 5, "usage: crdt DIRECTORY ROWS ROUNDS CACHE_MIB");
    directory = argv[1];
    int rows = atoi(argv[2]), rounds = atoi(argv[3]), cache = atoi(argv[4]);
    snprintf(settings, sizeof settings,
             "PRAGMA synchronous=NORMAL; PRAGMA cache_size=-%d", cache * 1024);
    for (int round = 0; round < rounds; round++) {
        bench_shape(&(struct shape){KEY_INTEGER, 3, rows});
        bench_shape(&(struct shape){KEY_INTEGER, 10, rows});
        bench_shape(&(struct shape){KEY_TEXT, 3, rows});
    }
    if (cache < 64)
        return 0;
    for (int size = rows / 20; size <= rows * 5; size *= 10)
        bench_lookups(&(struct shape){KEY_INTEGER, 3, size});
    for (int columns = 3; columns <= 48; columns *= 2)
        bench_columns(&(struct shape){KEY_INTEGER, columns, rows / 4});
    for (int tables = 1; tables <= 100; tables *= 10)
        bench_tables(&(struct shape){KEY_INTEGER, 3, 1000}, tables);
    return 0;
}
