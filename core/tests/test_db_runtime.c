#include "support/scratch.h"

#include <sqlite3.h>

#include <stdlib.h>
#include <string.h>

/* Programs' own functions come before the shared library's, so these answer
 * for the SQLite of another machine. */
static int version = SQLITE_VERSION_NUMBER;
static const char *missing_option = "";
static int threadsafe = 1;

int sqlite3_libversion_number(void)
{
    return version;
}

int sqlite3_compileoption_used(const char *name)
{
    return strcmp(name, missing_option) != 0;
}

int sqlite3_threadsafe(void)
{
    return threadsafe;
}

static int as_it_is(void **state)
{
    (void)state;
    version = SQLITE_VERSION_NUMBER;
    missing_option = "";
    threadsafe = 1;
    return 0;
}

/* Every way to a connection says so, and nothing is opened. */
static void expect_refused(const char *reason)
{
    rowtide_db *db = NULL;
    sqlite3 *sqlite = NULL;
    const char *path = scratch_new_path();
    assert_status(rowtide_check_runtime(), ROWTIDE_EUNSUPPORTED);
    assert_message(reason);
    assert_message(sqlite3_libversion());
    assert_status(rowtide_db_open(path, NULL, &db), ROWTIDE_EUNSUPPORTED);
    assert_message(reason);
    assert_null(db);
    assert_false(scratch_exists(path));
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_status(rowtide_db_adopt(sqlite, &db), ROWTIDE_EUNSUPPORTED);
    assert_message(reason);
    assert_null(db);
    sqlite3_close(sqlite);
}

static void this_machine(void **state)
{
    (void)state;
    assert_ok(rowtide_check_runtime());
    version++;
    assert_ok(rowtide_check_runtime());
}

static void too_old(void **state)
{
    (void)state;
    version--;
    expect_refused("this library was built for " SQLITE_VERSION " or later");
}

static void without_sessions(void **state)
{
    (void)state;
    missing_option = "ENABLE_SESSION";
    expect_refused("built without SESSION and PREUPDATE_HOOK");
    missing_option = "ENABLE_PREUPDATE_HOOK";
    expect_refused("built without SESSION and PREUPDATE_HOOK");
}

static void without_threads(void **state)
{
    (void)state;
    threadsafe = 0;
    expect_refused("built without support for threads");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(this_machine, as_it_is),
        cmocka_unit_test_teardown(too_old, as_it_is),
        cmocka_unit_test_teardown(without_sessions, as_it_is),
        cmocka_unit_test_teardown(without_threads, as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
