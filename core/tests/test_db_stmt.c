#include "support/oom.h"
#include "support/scratch.h"

#include <sqlite3.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static rowtide_stmt *prepare(rowtide_db *db, const char *sql)
{
    rowtide_stmt *stmt;
    assert_ok(rowtide_stmt_prepare(db, sql, &stmt));
    return stmt;
}

static void values_round_trip(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt = prepare(db, "SELECT ?1");
    const rowtide_value values[] = {
        rowtide_value_integer(INT64_MIN),
        rowtide_value_real(0.1),
        rowtide_value_real(INFINITY),
        rowtide_value_text("na\xc3\xafve"),
        rowtide_value_text(""),
        rowtide_value_blob("\0\1\2", 3),
        rowtide_value_blob(NULL, 0),
        rowtide_value_null(),
        {.type = ROWTIDE_TEXT, .data = "a\0b", .size = 3},
        {.type = ROWTIDE_TEXT, .data = NULL, .size = 0},
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        rowtide_value got;
        assert_ok(rowtide_stmt_bind(stmt, 1, &values[i]));
        assert_ok(rowtide_stmt_step(stmt));
        assert_ok(rowtide_stmt_column(stmt, 0, &got));
        assert_true(rowtide_value_equal(&values[i], &got));
        assert_int_equal(rowtide_stmt_step(stmt), ROWTIDE_DONE);
        assert_ok(rowtide_stmt_reset(stmt));
    }
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static void bound_values_are_copied(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt = prepare(db, "SELECT ?");
    char text[] = "before";
    rowtide_value value = rowtide_value_text(text);
    assert_ok(rowtide_stmt_bind(stmt, 1, &value));
    memcpy(text, "after!", 6);
    assert_ok(rowtide_stmt_step(stmt));
    assert_ok(rowtide_stmt_column(stmt, 0, &value));
    assert_memory_equal(value.data, "before", 6);
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static void names(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt = prepare(db, "SELECT :a AS first, @b, $c, ?7 AS last");
    assert_int_equal(rowtide_stmt_parameter_count(stmt), 7);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, "a"), 1);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, ":a"), 1);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, "@a"), 0);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, "b"), 2);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, "$c"), 3);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, "?7"), 7);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, "nosuch"), 0);
    assert_int_equal(rowtide_stmt_parameter_index(stmt, ""), 0);
    assert_int_equal(rowtide_stmt_column_count(stmt), 4);
    assert_string_equal(rowtide_stmt_column_name(stmt, 0), "first");
    assert_string_equal(rowtide_stmt_column_name(stmt, 3), "last");
    assert_null(rowtide_stmt_column_name(stmt, 4));
    assert_message("column_name: column 4 of a statement that has 4");
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static void one_statement_only(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt;
    assert_status(rowtide_stmt_prepare(db, "SELECT 1; SELECT 2", &stmt),
                  ROWTIDE_EINVAL);
    assert_null(stmt);
    assert_string_equal(
        rowtide_error_message(),
        "prepare: one statement expected, more text at byte 10");
    assert_int_equal(rowtide_error_offset(), 10);
    assert_status(rowtide_stmt_prepare(db, "SELECT 1; gibberish", &stmt),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_prepare(db, "", &stmt), ROWTIDE_EINVAL);
    assert_message("empty");
    assert_status(rowtide_stmt_prepare(db, " -- nothing", &stmt),
                  ROWTIDE_EINVAL);
    assert_ok(
        rowtide_stmt_prepare(db, "SELECT 1; -- done\n;; /* yes */", &stmt));
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static void syntax_error(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt;
    assert_status(rowtide_stmt_prepare(db, "SELECT 1 FORM t", &stmt),
                  ROWTIDE_ESQL);
    assert_string_equal(rowtide_error_message(),
                        "prepare: near \"t\": syntax error");
    assert_int_equal(rowtide_error_offset(), 14);
    rowtide_db_free(db);
}

static void misuse(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt = prepare(db, "SELECT ?");
    rowtide_value value = rowtide_value_integer(1), got;
    assert_status(rowtide_stmt_bind(stmt, 0, &value), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_bind(stmt, 2, &value), ROWTIDE_EINVAL);
    assert_message("parameter 2 of a statement that has 1");
    value = rowtide_value_undefined();
    assert_status(rowtide_stmt_bind(stmt, 1, &value), ROWTIDE_EINVAL);
    value = (rowtide_value){.type = ROWTIDE_BLOB, .size = 3};
    assert_status(rowtide_stmt_bind(stmt, 1, &value), ROWTIDE_EINVAL);
    value = (rowtide_value){.type = (rowtide_type)99};
    assert_status(rowtide_stmt_bind(stmt, 1, &value), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_column(stmt, 0, &got), ROWTIDE_EMISUSE);
    assert_message("not at a row");
    assert_ok(rowtide_stmt_step(stmt));
    assert_status(rowtide_stmt_column(stmt, 1, &got), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_column(stmt, -1, &got), ROWTIDE_EINVAL);
    value = rowtide_value_integer(2);
    assert_status(rowtide_stmt_bind(stmt, 1, &value), ROWTIDE_EMISUSE);
    assert_message("reset the statement");
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static void done_stays_done(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a)");
    rowtide_stmt *stmt = prepare(db, "INSERT INTO t VALUES(1)");
    assert_int_equal(rowtide_stmt_step(stmt), ROWTIDE_DONE);
    assert_int_equal(rowtide_stmt_step(stmt), ROWTIDE_DONE);
    assert_rows(db, "SELECT count(*) FROM t", "1;");
    assert_ok(rowtide_stmt_reset(stmt));
    assert_int_equal(rowtide_stmt_step(stmt), ROWTIDE_DONE);
    assert_rows(db, "SELECT count(*) FROM t", "2;");
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static void step_fails(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a NOT NULL)");
    rowtide_stmt *stmt = prepare(db, "INSERT INTO t VALUES(?)");
    rowtide_value value = rowtide_value_integer(1);
    assert_status(rowtide_stmt_step(stmt), ROWTIDE_ECONSTRAINT);
    assert_message("NOT NULL constraint failed: t.a");
    assert_ok(rowtide_stmt_bind(stmt, 1, &value));
    assert_int_equal(rowtide_stmt_step(stmt), ROWTIDE_DONE);
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

static void closed_with_the_connection(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt = prepare(db, "SELECT 1");
    rowtide_value value = rowtide_value_integer(1);
    assert_ok(rowtide_stmt_step(stmt));
    assert_ok(rowtide_db_close(db));
    assert_status(rowtide_stmt_step(stmt), ROWTIDE_ECLOSED);
    assert_status(rowtide_stmt_reset(stmt), ROWTIDE_ECLOSED);
    assert_status(rowtide_stmt_bind(stmt, 1, &value), ROWTIDE_ECLOSED);
    assert_status(rowtide_stmt_column(stmt, 0, &value), ROWTIDE_ECLOSED);
    assert_status(rowtide_stmt_column_count(stmt), ROWTIDE_ECLOSED);
    assert_status(rowtide_stmt_parameter_count(stmt), ROWTIDE_ECLOSED);
    assert_null(rowtide_stmt_column_name(stmt, 0));
    rowtide_db_free(db);
    rowtide_stmt_free(stmt);
}

static void keeps_the_connection_alive(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt = prepare(db, "SELECT 1");
    rowtide_db_free(db);
    assert_ok(rowtide_stmt_step(stmt));
    rowtide_stmt_free(stmt);
}

static void missing_arguments(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    rowtide_stmt *stmt = prepare(db, "SELECT ?"), *none;
    rowtide_value value = rowtide_value_null();
    assert_status(rowtide_stmt_prepare(NULL, "SELECT 1", &none),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_prepare(db, NULL, &none), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_prepare(db, "SELECT 1", NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_step(NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_reset(NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_bind(NULL, 1, &value), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_bind(stmt, 1, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_column(NULL, 0, &value), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_column(stmt, 0, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_parameter_count(NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_parameter_index(NULL, "a"), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_parameter_index(stmt, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_stmt_column_count(NULL), ROWTIDE_EINVAL);
    assert_null(rowtide_stmt_column_name(NULL, 0));
    rowtide_stmt_free(NULL);
    rowtide_stmt_free(stmt);
    rowtide_db_free(db);
}

typedef struct reentry {
    rowtide_stmt *stmt;
    int frees;
} reentry;

static void come_back(sqlite3_context *context, int count,
                      sqlite3_value **values)
{
    reentry *r = sqlite3_user_data(context);
    rowtide_value value = rowtide_value_integer(1);
    (void)count;
    (void)values;
    if (r->frees) {
        rowtide_stmt_free(r->stmt);
        return;
    }
    assert_status(rowtide_stmt_step(r->stmt), ROWTIDE_EMISUSE);
    assert_message("step: the statement is running");
    assert_status(rowtide_stmt_reset(r->stmt), ROWTIDE_EMISUSE);
    assert_status(rowtide_stmt_bind(r->stmt, 1, &value), ROWTIDE_EMISUSE);
}

static void refuses_to_run_inside_itself(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(NULL);
    for (int frees = 0; frees < 2; frees++) {
        reentry r = {NULL, frees};
        assert_int_equal(sqlite3_create_function(rowtide_db_sqlite(db), "f", 0,
                                                 SQLITE_UTF8, &r, come_back,
                                                 NULL, NULL),
                         SQLITE_OK);
        assert_ok(rowtide_stmt_prepare(db, "SELECT f()", &r.stmt));
        assert_ok(rowtide_stmt_step(r.stmt));
        if (!frees)
            rowtide_stmt_free(r.stmt);
    }
    assert_ok(rowtide_db_close(db));
    rowtide_db_free(db);
}

static int read_rows(rowtide_db *db)
{
    rowtide_stmt *stmt = NULL;
    rowtide_value value = rowtide_value_text("some text that takes memory");
    int rc = rowtide_stmt_prepare(db, "SELECT a || :x AS name FROM t", &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_bind(stmt, 1, &value);
    while (rc == ROWTIDE_OK) {
        rc = rowtide_stmt_step(stmt);
        if (rc == ROWTIDE_OK)
            rc = rowtide_stmt_column(stmt, 0, &value);
        if (rc == ROWTIDE_OK && !rowtide_stmt_column_name(stmt, 0))
            rc = rowtide_error_code();
    }
    if (rc == ROWTIDE_DONE)
        rc = rowtide_stmt_reset(stmt);
    rowtide_stmt_free(stmt);
    return rc;
}

static int everything(void *ctx)
{
    rowtide_db *db = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK && ctx)
        rc = rowtide_db_exec(db, ctx);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "CREATE TABLE t(a);"
                                 "INSERT INTO t VALUES('x'), (12), (x'00ff')");
    if (rc == ROWTIDE_OK)
        rc = read_rows(db);
    rowtide_db_free(db);
    return rc;
}

static void out_of_memory(void **state)
{
    (void)state;
    char utf16[] = "PRAGMA encoding = 'UTF-16le'";
    oom_loop(everything, NULL);
    oom_loop_sqlite(everything, NULL);
    oom_loop_sqlite(everything, utf16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_round_trip),
        cmocka_unit_test(bound_values_are_copied),
        cmocka_unit_test(names),
        cmocka_unit_test(one_statement_only),
        cmocka_unit_test(syntax_error),
        cmocka_unit_test(misuse),
        cmocka_unit_test(done_stays_done),
        cmocka_unit_test(step_fails),
        cmocka_unit_test(closed_with_the_connection),
        cmocka_unit_test(keeps_the_connection_alive),
        cmocka_unit_test(missing_arguments),
        cmocka_unit_test(refuses_to_run_inside_itself),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
