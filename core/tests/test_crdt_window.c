#include "support/crdt.h"
#include "support/oom.h"

#include <sqlite3.h>
#include <stdlib.h>

/* Tables without rowids, whose rows are read by windows of many. */

static const char TABLE[] =
    "CREATE TABLE t(k TEXT PRIMARY KEY NOT NULL, v, w) WITHOUT ROWID";

#define FILL(count, key, value)                                                \
    "WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i "  \
    "< " #count ") INSERT INTO t SELECT i * 7919 % 9973 || " key ", " value    \
    ", i FROM i"

/* Of `w` they are the numbers from 1 on: the sum of these. */
static int sum_values(rowtide_db *db, int64_t *out)
{
    rowtide_crdt_change change;
    rowtide_crdt_pull *pull = NULL;
    *out = 0;
    int rc = rowtide_crdt_pull_open(db, NULL, &pull);
    while (rc == ROWTIDE_OK
           && (rc = rowtide_crdt_pull_next(pull, &change)) == ROWTIDE_OK)
        if (change.column[0] == 'w')
            *out += change.value.integer;
    rowtide_crdt_pull_free(pull);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int64_t pages_read(rowtide_db *db)
{
    int now, highest;
    assert_int_equal(sqlite3_db_status(rowtide_db_sqlite(db),
                                       SQLITE_DBSTATUS_CACHE_MISS, &now,
                                       &highest, 1),
                     SQLITE_OK);
    return now;
}

/* A page that is read has many of the rows that are wanted. */
static void few_pages_are_read(void **state)
{
    (void)state;
    int64_t sum;
    rowtide_db *db = scratch_db_file(scratch_new_path(), TABLE);
    assert_ok(rowtide_crdt_enable(db, "t"));
    scratch_exec(db, FILL(5000, "''", "zeroblob(100)"));
    scratch_exec(db, "PRAGMA cache_size = 20");
    pages_read(db);
    assert_ok(sum_values(db, &sum));
    assert_int_equal(sum, 5000 * 5001 / 2);
    assert_in_range(pages_read(db), 1, 5000 / 3);
    rowtide_db_free(db);
}

/* ## Memory */

static void *watched_allocate(size_t size, void *user)
{
    size_t *biggest = user;
    *biggest = size > *biggest ? size : *biggest;
    return malloc(size);
}

static void *watched_resize(void *memory, size_t size, void *user)
{
    size_t *biggest = user;
    *biggest = size > *biggest ? size : *biggest;
    return realloc(memory, size);
}

static void watched_release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

/* In memory of this size at once. */
static void expect_bounded(const char *fill, int rows, size_t most)
{
    size_t biggest = 0;
    int64_t sum;
    const rowtide_allocator watched = {watched_allocate, watched_resize,
                                       watched_release, &biggest};
    assert_ok(rowtide_set_allocator(&watched));
    rowtide_db *db = crdt_db_with(TABLE);
    scratch_exec(db, fill);
    biggest = 0;
    assert_ok(sum_values(db, &sum));
    rowtide_db_free(db);
    assert_ok(rowtide_set_allocator(NULL));
    assert_int_equal(sum, (int64_t)rows * (rows + 1) / 2);
    assert_in_range(biggest, 1, most);
}

static void memory_is_bounded(void **state)
{
    (void)state;
    expect_bounded(FILL(300, "''", "zeroblob(150000)"), 300, 8 << 20);
    expect_bounded(FILL(12, "''", "zeroblob(5000000)"), 12, 8 << 20);
    expect_bounded(FILL(100, "printf('%.*c', 50000, 'x')", "0"), 100, 3 << 20);
}

static int scenario(void *context)
{
    static const char *const fills[] = {
        FILL(70, "''", "zeroblob(i)"),
        FILL(40, "printf('%.*c', 60000, 'x')", "zeroblob(200000)")};
    const int *which = context;
    rowtide_db *db = NULL;
    int64_t sum;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, TABLE);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_enable(db, "t");
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, fills[*which]);
    if (rc == ROWTIDE_OK)
        rc = sum_values(db, &sum);
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    for (int which = 0; which < 2; which++)
        oom_loop(scenario, &which);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_pages_are_read),
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
