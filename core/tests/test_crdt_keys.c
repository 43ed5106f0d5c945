#include "support/crdt.h"
#include "support/oom.h"

#include <stdlib.h>

static const char TABLE[] =
    "CREATE TABLE t(k TEXT NOT NULL, n NOT NULL, v, w, PRIMARY KEY(k, n)) "
    "WITHOUT ROWID";

/* More than a transaction leaves in the tail of the log. */
static const char FILL[] =
    "WITH RECURSIVE i(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM i WHERE i < "
    "150) INSERT INTO t SELECT printf('key %03d', i), -i, i, i FROM i";

static int count_changes(rowtide_db *db, int64_t *out)
{
    rowtide_crdt_change change;
    rowtide_crdt_pull *pull = NULL;
    *out = 0;
    int rc = rowtide_crdt_pull_open(db, NULL, &pull);
    while (rc == ROWTIDE_OK
           && (rc = rowtide_crdt_pull_next(pull, &change)) == ROWTIDE_OK)
        ++*out;
    rowtide_crdt_pull_free(pull);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static int write_and_read(rowtide_db *db)
{
    static const char *const steps[] = {"BEGIN",
                                        "INSERT INTO t VALUES('new', 1, 1, 1)",
                                        "SAVEPOINT s",
                                        FILL,
                                        "ROLLBACK TO s",
                                        "UPDATE t SET v = 2",
                                        "COMMIT",
                                        FILL,
                                        "UPDATE t SET k = 'moved' WHERE n = -7",
                                        "DELETE FROM t WHERE n < -20"};
    int64_t changes;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; i < sizeof steps / sizeof *steps && rc == ROWTIDE_OK;
         i++)
        rc = rowtide_db_exec(db, steps[i]);
    if (rc == ROWTIDE_OK)
        rc = count_changes(db, &changes);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_collect(db, 1000, &changes);
    return rc;
}

static int scenario(void *context)
{
    rowtide_db *db = NULL;
    (void)context;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, TABLE);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_enable(db, "t");
    if (rc == ROWTIDE_OK)
        rc = write_and_read(db);
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    oom_loop(scenario, NULL);
}

/* What is written in order shares a clock, whatever the keys are. */
static void bulk_is_one_run(void **state)
{
    (void)state;
    rowtide_db *db = crdt_db_with(TABLE);
    scratch_exec(db, FILL);
    assert_int_equal(
        scratch_integer(db, "SELECT count(*) FROM rowtide_crdt_rows_1"), 1);
    assert_rows(db, CHANGES " WHERE val = 70",
                "'020B076B65792030373041FFFFFFFFFFFFFFBA'|'v'|70|1|1|1|138;"
                "'020B076B65792030373041FFFFFFFFFFFFFFBA'|'w'|70|1|1|1|139;");
    scratch_exec(db, "DELETE FROM t");
    assert_int_equal(
        scratch_integer(db, "SELECT count(*) FROM rowtide_crdt_rows_1"), 1);
    rowtide_db_free(db);
}

static void collected_keys_leave_nothing(void **state)
{
    (void)state;
    int64_t collected;
    rowtide_db *db = crdt_db_with(TABLE);
    scratch_exec(db, FILL);
    scratch_exec(db, "DELETE FROM t");
    assert_ok(rowtide_crdt_collect(db, 100, &collected));
    assert_int_equal(collected, 150);
    assert_int_equal(scratch_integer(db, "SELECT max(length(pairs)) FROM "
                                         "rowtide_crdt_find_1"),
                     1);
    assert_int_equal(
        scratch_integer(db, "SELECT sum(length(keys)) = sum(count) FROM "
                            "rowtide_crdt_keys_1"),
        1);
    scratch_exec(db, FILL);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM crsql_changes"),
                     450);
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bulk_is_one_run),
        cmocka_unit_test(collected_keys_leave_nothing),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
