/*
 * What a connection knows of the tail in memory must be what is stored, however
 * it came to know it.
 */
#include "support/crdt.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAL "PRAGMA journal_mode = WAL;"

/* What is read before it is committed goes to clocks and log. */
#define FOLD                                                                   \
    "BEGIN; INSERT INTO t VALUES(99, 1, 1);"                                   \
    "SELECT count(*) FROM crsql_changes; COMMIT"

static const char CELLS[] =
    "SELECT [table], hex(pk), cid, val, col_version, db_version, cl, seq FROM "
    "crsql_changes";

static rowtide_db *open_file(const char *path, const char *sql)
{
    return crdt_open_file(path, 512, sql);
}

/* One that has just been opened finds what the other one has, and that is what
 * the tables say. */
static void assert_complete(rowtide_db *db, const char *path)
{
    rowtide_db *fresh = open_file(path, "");
    scratch_same(db, fresh, CELLS);
    assert_int_equal(
        scratch_integer(fresh, "SELECT count(*) FROM crsql_changes"),
        scratch_integer(fresh, "SELECT 2 * (SELECT count(*) FROM t) + "
                               "2 * (SELECT count(*) FROM u)"));
    rowtide_db_free(fresh);
}

/* ## The same statement, by another connection, after it failed in this one */

static int64_t steps;

static int stop(void *unused)
{
    (void)unused;
    return steps >= 0 && steps-- == 0;
}

static int interrupt_at(rowtide_db *db, const char *sql, int64_t at)
{
    sqlite3_progress_handler(rowtide_db_sqlite(db), 1, stop, NULL);
    steps = at;
    int rc = rowtide_db_exec(db, sql);
    int ended = steps >= 0;
    sqlite3_progress_handler(rowtide_db_sqlite(db), 0, NULL, NULL);
    return ended ? ROWTIDE_DONE : rc;
}

static void again_elsewhere(rowtide_db *a, rowtide_db *b, const char *path,
                            const char *sql)
{
    rowtide_db_exec(a, "ROLLBACK");
    /* It may have been committed before. */
    if (scratch_integer(b, "SELECT count(*) FROM u") == 2)
        scratch_exec(b, sql);
    assert_complete(a, path);
    scratch_exec(a, "UPDATE u SET v = 2 WHERE k = '2'");
    assert_int_equal(scratch_integer(b, "SELECT col_version FROM crsql_changes "
                                        "WHERE [table] = 'u' AND val = 2"),
                     2);
    scratch_exec(a, FOLD);
    assert_complete(a, path);
}

static void after_an_interrupt(const char *sql)
{
    int rc = ROWTIDE_OK;
    for (int64_t at = 0; rc != ROWTIDE_DONE; at++) {
        const char *path = scratch_new_path();
        rowtide_db *a = open_file(path, WAL TABLES), *b = open_file(path, "");
        scratch_exec(a, "INSERT INTO u VALUES('0', 1, 1)");
        scratch_exec(a, "INSERT INTO u VALUES('1', 1, 1)");
        rc = interrupt_at(a, sql, at);
        if (rc < 0)
            again_elsewhere(a, b, path, sql);
        rowtide_db_free(a);
        rowtide_db_free(b);
    }
}

#define ROW "INSERT INTO u VALUES('2', 1, 1)"
#define ROW_IN_TRANSACTION "BEGIN; " ROW "; COMMIT"

static void interrupted(void **state)
{
    (void)state;
    after_an_interrupt(ROW);
    after_an_interrupt(ROW_IN_TRANSACTION);
}

/* ## Memory */

static int64_t allocations = -1;

static int fails(void)
{
    return allocations >= 0 && allocations-- == 0;
}

static void *allocate(size_t size, void *user)
{
    (void)user;
    return fails() ? NULL : malloc(size);
}

static void *resize(void *memory, size_t size, void *user)
{
    (void)user;
    return fails() ? NULL : realloc(memory, size);
}

static void release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

static int use_allocator(void **state)
{
    rowtide_allocator allocator = {allocate, resize, release, NULL};
    (void)state;
    return rowtide_set_allocator(&allocator);
}

static int restore_allocator(void **state)
{
    (void)state;
    return rowtide_set_allocator(NULL);
}

static int fail_at(rowtide_db *db, const char *sql, int64_t at)
{
    allocations = at;
    int rc = rowtide_db_exec(db, sql);
    allocations = -1;
    return rc;
}

/* Memory grows now and then, so it takes some rows until one fails. */
static void fail_while_noting(const char *form, int64_t at)
{
    const char *path = scratch_new_path();
    char sql[100];
    rowtide_db *a = open_file(path, WAL TABLES), *b = open_file(path, "");
    int rc = ROWTIDE_OK;
    for (int i = 0; i < 60 && rc == ROWTIDE_OK; i++) {
        snprintf(sql, sizeof sql, form, i);
        rc = fail_at(a, sql, i < 40 ? -1 : at);
    }
    if (rc != ROWTIDE_OK) {
        rowtide_db_exec(a, "ROLLBACK");
        scratch_exec(b, sql);
    }
    assert_complete(a, path);
    scratch_exec(a, FOLD);
    assert_complete(a, path);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void out_of_memory_while_writing(void **state)
{
    (void)state;
    for (int64_t at = 0; at < 40; at++) {
        fail_while_noting("INSERT INTO u VALUES('%d', 1, 1)", at);
        fail_while_noting("BEGIN; INSERT INTO u VALUES('%d', 1, 1); COMMIT",
                          at);
    }
}

/* A row that was changed in part is completed when it is read first. */
static int read_without_memory(int64_t at)
{
    const char *path = scratch_new_path();
    char sql[100];
    rowtide_db *db = open_file(path, WAL TABLES);
    scratch_exec(db, "BEGIN; WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                     "FROM n WHERE i < 60) INSERT INTO t SELECT i, 0, 0 FROM n;"
                     "SELECT count(*) FROM crsql_changes; COMMIT");
    for (int i = 1; i <= 60; i++) {
        snprintf(sql, sizeof sql, "UPDATE t SET b = 1 WHERE a = %d", i);
        scratch_exec(db, sql);
    }
    rowtide_db_free(db);
    db = open_file(path, "SELECT crsql_db_version()");
    int rc = fail_at(db, "SELECT count(*) FROM crsql_changes", at);
    assert_int_equal(
        scratch_integer(db, "SELECT sum(col_version) FROM crsql_changes"), 180);
    scratch_exec(db, FOLD);
    assert_complete(db, path);
    rowtide_db_free(db);
    return rc;
}

static void out_of_memory_while_reading(void **state)
{
    (void)state;
    for (int64_t at = 0; read_without_memory(at) != ROWTIDE_OK; at++)
        assert_in_range(at, 0, 500);
}

/* ## Files that are others than they were */

/* The commit that failed hides that of the other one. */
static void a_table_that_another_one_enables(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    sqlite3_stmt *stmt;
    rowtide_db *a = open_file(path, TABLES), *b = open_file(path, "");
    scratch_exec(a, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_exec(a, "INSERT INTO t VALUES(2, 1, 1)");
    sqlite3_prepare_v2(rowtide_db_sqlite(b), "SELECT * FROM t", -1, &stmt,
                       NULL);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_status(rowtide_db_exec(a, "INSERT INTO t VALUES(3, 1, 1)"),
                  ROWTIDE_EBUSY);
    sqlite3_finalize(stmt);
    scratch_exec(b, "CREATE TABLE w(k TEXT PRIMARY KEY NOT NULL, v);"
                    "SELECT crsql_as_crr('w'); INSERT INTO w VALUES('k', 1)");
    scratch_exec(a, "BEGIN; INSERT INTO w VALUES('j', 5);"
                    "UPDATE w SET v = 2 WHERE k = 'k'; COMMIT");
    scratch_same(a, b, CELLS);
    assert_rows(a, "SELECT * FROM w__crsql_pks", "1|'k';2|'j';");
    assert_rows(b,
                "SELECT val, col_version FROM crsql_changes WHERE "
                "[table] = 'w'",
                "5|1;2|2;");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void restore(rowtide_db *to, rowtide_db *from)
{
    sqlite3_backup *backup = sqlite3_backup_init(
        rowtide_db_sqlite(to), "main", rowtide_db_sqlite(from), "main");
    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
}

/* The tails are alike to the byte; the hashes of the keys are not. */
static void a_backup_with_another_seed(void **state)
{
    (void)state;
    rowtide_db *a = open_file(scratch_new_path(), WAL TABLES);
    rowtide_db *b = open_file(scratch_new_path(), WAL TABLES);
    scratch_exec(a, "INSERT INTO u VALUES('k', 1, 1)");
    scratch_exec(b, "INSERT INTO u VALUES('k', 1, 1)");
    restore(a, b);
    scratch_exec(a, "UPDATE u SET v = 2");
    scratch_exec(b, "UPDATE u SET v = 2");
    scratch_same(a, b, CELLS);
    assert_rows(a, "SELECT * FROM u__crsql_pks", "1|'k';");
    rowtide_db_free(a);
    rowtide_db_free(b);
}

/* And so are these, but not the clocks that they come on top of. */
static void a_backup_with_other_clocks(void **state)
{
    (void)state;
    rowtide_db *a = open_file(scratch_new_path(), WAL TABLES);
    rowtide_db *b = open_file(scratch_new_path(), WAL TABLES);
    scratch_exec(a, "BEGIN; INSERT INTO t VALUES(1, 1, 1);"
                    "SELECT count(*) FROM crsql_changes; COMMIT");
    scratch_exec(b, "BEGIN; INSERT INTO t VALUES(1, 1, 1);"
                    "UPDATE t SET c = 2; UPDATE t SET c = 3;"
                    "SELECT count(*) FROM crsql_changes; COMMIT");
    scratch_exec(a, "UPDATE t SET b = 7");
    scratch_exec(b, "UPDATE t SET b = 7");
    free(scratch_rows(a, CELLS));
    restore(a, b);
    scratch_same(a, b, CELLS);
    rowtide_db_free(a);
    rowtide_db_free(b);
}

static void a_backup_that_another_one_restores(void **state)
{
    (void)state;
    static const char SITE[] = "SELECT crsql_site_id()";
    const char *path = scratch_new_path();
    rowtide_db *a = open_file(path, WAL TABLES), *b = open_file(path, "");
    rowtide_db *c = open_file(scratch_new_path(), WAL TABLES);
    scratch_exec(a, "INSERT INTO t VALUES(1, 1, 1)");
    scratch_same(a, b, SITE);
    restore(b, c);
    scratch_same(b, c, SITE);
    scratch_same(a, c, SITE);
    rowtide_db_free(a);
    rowtide_db_free(b);
    rowtide_db_free(c);
}

/* ## Anything, failing anywhere
 *
 * Two connections in turn; what fails in one is tried by the other. A third
 * that has just been opened, and a database in which nothing fails, say what
 * has to be there. */

typedef struct storm {
    const char *path;
    rowtide_db *both[2], *plain;
    unsigned seed;
    int refused;
} storm;

static int choose(storm *it, int below)
{
    it->seed = it->seed * 1103515245u + 12345u;
    return (int)(it->seed >> 8) % below;
}

static void make_statement(storm *it, char *out, size_t size)
{
    static const char *const FORMS[] = {
        "INSERT OR IGNORE INTO t VALUES(%d, %d, 1);",
        "INSERT OR IGNORE INTO t VALUES(%d, %d, 1);",
        "INSERT OR IGNORE INTO u VALUES('k%d', %d, 1);",
        "INSERT OR IGNORE INTO u VALUES('k%d', %d, 1);",
        "UPDATE t SET b = %2$d WHERE a BETWEEN %1$d AND %1$d + 2;",
        "UPDATE u SET v = %2$d WHERE k = 'k%1$d';",
        "DELETE FROM u WHERE k = 'k%d' AND %d;",
        "DELETE FROM t WHERE a = %d AND %d;",
        "INSERT OR REPLACE INTO u VALUES('k%1$d', %2$d, 2), ('l%1$d', 1, 3);",
    };
    snprintf(out, size, FORMS[choose(it, 9)], choose(it, 60),
             1 + choose(it, 1000));
}

static void make_script(storm *it, char *out, size_t size)
{
    char one[200];
    int count = choose(it, 3) ? 0 : 1 + choose(it, 3);
    if (count == 0) {
        make_statement(it, out, size);
        return;
    }
    snprintf(out, size, "BEGIN;");
    for (int i = 0; i < count; i++) {
        make_statement(it, one, sizeof one);
        strcat(out, one);
        if (choose(it, 6) == 0)
            strcat(out, "SELECT count(*) FROM crsql_changes;");
    }
    strcat(out, "COMMIT");
}

static int run_badly(storm *it, rowtide_db *db, const char *sql)
{
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    int how = choose(it, 8);
    steps = how == 0 ? choose(it, 300) : -1;
    allocations = how == 1 ? choose(it, 30) : -1;
    it->refused = how == 2;
    sqlite3_progress_handler(sqlite, 1, stop, NULL);
    int rc = rowtide_db_exec(db, sql);
    sqlite3_progress_handler(sqlite, 0, NULL, NULL);
    steps = allocations = -1;
    it->refused = 0;
    if (!sqlite3_get_autocommit(sqlite))
        rowtide_db_exec(db, "ROLLBACK");
    return rc;
}

static int64_t version_of(const storm *it)
{
    rowtide_db *fresh = open_file(it->path, "");
    int64_t version = scratch_integer(fresh, "SELECT crsql_db_version()");
    rowtide_db_free(fresh);
    return version;
}

static void step(storm *it)
{
    char sql[1000];
    int who = choose(it, 2);
    make_script(it, sql, sizeof sql);
    int64_t before = version_of(it);
    if (run_badly(it, it->both[who], sql) == ROWTIDE_OK) {
        scratch_exec(it->plain, sql);
        return;
    }
    /* An interrupt can come when it is committed. */
    int done = version_of(it) > before;
    if (!done && choose(it, 3)) {
        scratch_exec(it->both[!who], sql);
        done = 1;
    }
    if (done)
        scratch_exec(it->plain, sql);
}

static void compare_all(const storm *it)
{
    static const char WHAT[] =
        "SELECT [table], hex(pk), cid, val, col_version, db_version, cl FROM "
        "crsql_changes ORDER BY 1, 2, 3";
    rowtide_db *fresh = open_file(it->path, "");
    scratch_same(fresh, it->plain, WHAT);
    scratch_same(it->both[0], it->plain, WHAT);
    scratch_same(it->both[1], it->plain, WHAT);
    rowtide_db_free(fresh);
}

static void anything_that_fails(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 12; seed++) {
        storm it = {scratch_new_path(), {NULL, NULL}, NULL, seed * 7919u, 0};
        it.plain = open_file(":memory:", TABLES);
        it.both[0] = open_file(it.path, seed % 2 ? WAL TABLES : TABLES);
        it.both[1] = open_file(it.path, "");
        for (int i = 0; i < 2; i++)
            sqlite3_commit_hook(rowtide_db_sqlite(it.both[i]), crdt_refuse,
                                &it.refused);
        for (int i = 0; i < 120; i++) {
            step(&it);
            if (i % 10 == 9)
                compare_all(&it);
        }
        rowtide_db_free(it.both[0]);
        rowtide_db_free(it.both[1]);
        rowtide_db_free(it.plain);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(interrupted),
        cmocka_unit_test_setup_teardown(out_of_memory_while_writing,
                                        use_allocator, restore_allocator),
        cmocka_unit_test_setup_teardown(out_of_memory_while_reading,
                                        use_allocator, restore_allocator),
        cmocka_unit_test_setup_teardown(anything_that_fails, use_allocator,
                                        restore_allocator),
        cmocka_unit_test(a_table_that_another_one_enables),
        cmocka_unit_test(a_backup_with_another_seed),
        cmocka_unit_test(a_backup_with_other_clocks),
        cmocka_unit_test(a_backup_that_another_one_restores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
