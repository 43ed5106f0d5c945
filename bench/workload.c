#include "workload.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const char *const key_names[3] = {"integer", "text", "snowflake"};
const char *const operation_names[3] = {"insert", "update", "delete"};

void check(int ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "bench: %s failed\n", what);
    exit(1);
}

double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void exec(sqlite3 *db, const char *sql)
{
    check(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

/* The same keys every time, in an order that looks random for text. */
static uint64_t scramble(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static void bind_key(sqlite3_stmt *stmt, int at, enum key_type key, int row)
{
    char text[33];
    switch (key) {
    case KEY_INTEGER:
        sqlite3_bind_int64(stmt, at, row + 1);
        break;
    case KEY_SNOWFLAKE:
        sqlite3_bind_int64(stmt, at, (INT64_C(1700000000000) + row) << 22);
        break;
    case KEY_TEXT:
        snprintf(text, sizeof text, "%016llx",
                 (unsigned long long)scramble((uint64_t)row));
        sqlite3_bind_text(stmt, at, text, 16, SQLITE_TRANSIENT);
        break;
    }
}

/* Integers, reals and text in turn, as in most tables. */
static void bind_other(sqlite3_stmt *stmt, int at, int column, int row,
                       int version)
{
    char text[40];
    int length;
    switch (column % 3) {
    case 1:
        length = snprintf(text, sizeof text, "name-%d-%d", row, version);
        sqlite3_bind_text(stmt, at, text, length, SQLITE_TRANSIENT);
        break;
    case 2:
        sqlite3_bind_int64(stmt, at, (int64_t)row * 7 + version);
        break;
    default:
        sqlite3_bind_double(stmt, at, row * 0.5 + version);
        break;
    }
}

static void create_table(sqlite3 *db, const struct shape *shape)
{
    char sql[1024];
    int n = snprintf(sql, sizeof sql,
                     "CREATE TABLE t(k %s PRIMARY KEY NOT NULL",
                     shape->key == KEY_TEXT ? "TEXT" : "INTEGER");
    for (int i = 1; i < shape->columns; i++)
        n += snprintf(sql + n, sizeof sql - (size_t)n, ", c%d", i);
    snprintf(sql + n, sizeof sql - (size_t)n, ")%s",
             shape->key == KEY_TEXT ? " WITHOUT ROWID" : "");
    exec(db, sql);
}

sqlite3 *open_scratch(const char *path, const struct shape *shape, int filled)
{
    char side[512];
    sqlite3 *db;
    unlink(path);
    snprintf(side, sizeof side, "%s-wal", path);
    unlink(side);
    snprintf(side, sizeof side, "%s-shm", path);
    unlink(side);
    check(sqlite3_open(path, &db) == SQLITE_OK, path);
    exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;"
             "PRAGMA cache_size=-65536");
    create_table(db, shape);
    if (filled) {
        exec(db, "BEGIN");
        run_plain(db, shape, OP_INSERT);
        exec(db, "COMMIT");
    }
    return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const struct shape *shape,
                             enum operation op)
{
    char sql[1024];
    int n;
    if (op == OP_DELETE) {
        snprintf(sql, sizeof sql, "DELETE FROM t WHERE k = ?");
    } else if (op == OP_UPDATE) {
        snprintf(sql, sizeof sql, "UPDATE t SET c1 = ?2, c2 = ?3 WHERE k = ?1");
    } else {
        n = snprintf(sql, sizeof sql, "INSERT INTO t VALUES(?");
        for (int i = 1; i < shape->columns; i++)
            n += snprintf(sql + n, sizeof sql - (size_t)n, ",?");
        snprintf(sql + n, sizeof sql - (size_t)n, ")");
    }
    sqlite3_stmt *stmt;
    check(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, sql);
    return stmt;
}

static void run_row(sqlite3_stmt *stmt, const struct shape *shape,
                    enum operation op, int row)
{
    int others = op == OP_INSERT ? shape->columns - 1 : op == OP_UPDATE ? 2 : 0;
    bind_key(stmt, 1, shape->key, row);
    for (int i = 1; i <= others; i++)
        bind_other(stmt, i + 1, i, row, op == OP_UPDATE);
    check(sqlite3_step(stmt) == SQLITE_DONE, "a row of the workload");
    sqlite3_reset(stmt);
}

void run_plain(sqlite3 *db, const struct shape *shape, enum operation op)
{
    sqlite3_stmt *stmt = prepare(db, shape, op);
    for (int row = 0; row < shape->rows; row++)
        run_row(stmt, shape, op, row);
    sqlite3_finalize(stmt);
}

void run_scattered(sqlite3 *db, const struct shape *shape, enum operation op,
                   int count)
{
    enum { STRIDE = 7919 }; /* a prime: no row comes twice */
    sqlite3_stmt *stmt = prepare(db, shape, op);
    int first = op == OP_INSERT ? shape->rows : 0;
    for (int64_t i = 0; i < count; i++)
        run_row(stmt, shape, op, first + (int)(i * STRIDE % shape->rows));
    sqlite3_finalize(stmt);
}
