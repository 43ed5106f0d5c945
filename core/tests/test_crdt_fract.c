#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide/crdt.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char TODO[] =
    "CREATE TABLE todo(id INTEGER PRIMARY KEY NOT NULL, list, place TEXT)";

static rowtide_db *open_db(const char *sql)
{
    rowtide_db *db = scratch_db(sql);
    assert_ok(rowtide_crdt_open(db));
    return db;
}

static rowtide_db *open_todo(void)
{
    rowtide_db *db = open_db(TODO);
    scratch_exec(db, "SELECT crsql_fract_as_ordered('todo', 'place', 'list')");
    return db;
}

static void finds_a_key_between(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *key;
    } cases[] = {
        {"NULL", "NULL", "'a ';"},       {"'a '", "NULL", "'a!';"},
        {"NULL", "'a '", "'Z~';"},       {"'a '", "'a!'", "'a P';"},
        {"'a '", "'a P'", "'a 8';"},     {"'a b'", "'a c'", "'a bP';"},
        {"'a b~'", "'a c'", "'a b~P';"}, {"'a b'", "'a b !'", "'a b  P';"},
        {"'Z~'", "'a!'", "'a ';"},       {"'a~'", "NULL", "'b  ';"},
        {"'b~~'", "NULL", "'c   ';"},    {"NULL", "'b  '", "'a~';"},
        {"NULL", "'Z '", "'Y~~';"},      {"NULL", "'a P'", "'a ';"},
    };
    rowtide_db *db = open_db(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT crsql_fract_key_between(%s, %s)",
                 cases[i].a, cases[i].b);
        assert_rows(db, sql, cases[i].key);
    }
    rowtide_db_free(db);
}

static void keys_at_the_ends_of_the_range(void **state)
{
    (void)state;
    rowtide_db *db = open_db(NULL);
    assert_rows(db,
                "SELECT k > x AND length(k) = 28 FROM (SELECT 'z' || "
                "replace(hex(zeroblob(13)), '0', '~') AS x, "
                "crsql_fract_key_between('z' || replace(hex(zeroblob(13)), "
                "'0', '~'), NULL) AS k)",
                "1;");
    assert_rows(db,
                "SELECT k < x AND length(k) = 29 FROM (SELECT 'A' || "
                "replace(hex(zeroblob(13)), '0', ' ') || '!' AS x, "
                "crsql_fract_key_between(NULL, 'A' || "
                "replace(hex(zeroblob(13)), '0', ' ') || '!') AS k)",
                "1;");
    rowtide_db_free(db);
}

static void a_key_is_between_its_bounds(void **state)
{
    (void)state;
    rowtide_db *db = open_db(
        "CREATE TABLE keys(k TEXT PRIMARY KEY); INSERT INTO keys VALUES('a ')");
    for (int i = 0; i < 400; i++) {
        char sql[256];
        snprintf(sql, sizeof sql,
                 "INSERT INTO keys SELECT crsql_fract_key_between(k, (SELECT "
                 "min(n.k) FROM keys n WHERE n.k > o.k)) FROM keys o ORDER BY "
                 "k LIMIT 1 OFFSET %d",
                 (i * 7919) % (i + 1));
        scratch_exec(db, sql);
        snprintf(sql, sizeof sql,
                 "INSERT INTO keys SELECT crsql_fract_key_between(NULL, "
                 "min(k)) FROM keys");
        if (i % 9 == 0)
            scratch_exec(db, sql);
    }
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM keys"), 446);
    rowtide_db_free(db);
}

static void refuses_bad_keys(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b, *message;
    } cases[] = {
        {"'a!'", "'a '", "key_between - a must be before b"},
        {"'a '", "'a '", "key_between - a must be before b"},
        {"''", "NULL", "head is out of range"},
        {"NULL", "'0'", "head is out of range"},
        {"'b!'", "NULL", "integer part of key is too long"},
        {"'a! '", "NULL", "Fractional part should not end with ' ' (space)"},
        {"'a' || char(10)", "NULL", "invalid digit"},
        {"'a' || char(233)", "NULL", "invalid digit"},
    };
    rowtide_db *db = open_db(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[128];
        snprintf(sql, sizeof sql, "SELECT crsql_fract_key_between(%s, %s)",
                 cases[i].a, cases[i].b);
        assert_status(rowtide_db_exec(db, sql), ROWTIDE_ESQL);
        assert_message(cases[i].message);
    }
    rowtide_db_free(db);
}

static void puts_rows_where_they_are_asked_to_be(void **state)
{
    (void)state;
    static const char order[] =
        "SELECT id FROM todo WHERE list = 'a' ORDER BY place";
    rowtide_db *db = open_todo();
    scratch_exec(db, "INSERT INTO todo VALUES(1, 'a', 1), (2, 'a', 1), "
                     "(3, 'a', -1), (4, 'b', 1)");
    assert_rows(db, order, "3;1;2;");
    scratch_exec(db, "INSERT INTO todo_fractindex(id, list, after_id) "
                     "VALUES(5, 'a', 1), (6, 'a', NULL)");
    assert_rows(db, order, "6;3;1;5;2;");
    scratch_exec(db, "UPDATE todo SET place = 1 WHERE id = 3");
    scratch_exec(db, "UPDATE todo SET place = -1 WHERE id = 2");
    scratch_exec(db, "UPDATE todo_fractindex SET after_id = 3 WHERE id = 6");
    assert_rows(db, order, "2;1;5;3;6;");
    rowtide_db_free(db);
}

static void makes_room_between_equal_places(void **state)
{
    (void)state;
    rowtide_db *db = open_todo();
    scratch_exec(db, "INSERT INTO todo VALUES(1, 'a', 'a '), (2, 'a', 'a!'), "
                     "(3, 'a', 'a!')");
    scratch_exec(db, "INSERT INTO todo_fractindex(id, list, after_id) "
                     "VALUES(4, 'a', 3)");
    assert_rows(db, "SELECT id FROM todo ORDER BY place", "1;3;4;2;");
    rowtide_db_free(db);
}

static void a_list_may_have_no_name(void **state)
{
    (void)state;
    rowtide_db *db = open_todo();
    scratch_exec(db, "INSERT INTO todo VALUES(1, NULL, 1), (2, NULL, 1)");
    scratch_exec(db, "INSERT INTO todo_fractindex(id, after_id) VALUES(3, 1)");
    assert_rows(db, "SELECT id FROM todo ORDER BY place", "1;3;2;");
    rowtide_db_free(db);
}

static void failing_leaves_the_callers_transaction(void **state)
{
    (void)state;
    rowtide_db *db = open_todo();
    char *before = scratch_rows(db, "SELECT name, sql FROM sqlite_schema");
    scratch_exec(db, "BEGIN; INSERT INTO todo VALUES(1, 'a', 1)");
    assert_status(rowtide_db_exec(db, "SELECT crsql_fract_as_ordered('todo', "
                                      "'place', 'nope')"),
                  ROWTIDE_ESQL);
    scratch_exec(db, "CREATE TABLE nokey(a); COMMIT");
    assert_status(
        rowtide_db_exec(db, "SELECT crsql_fract_as_ordered('nokey', 'a')"),
        ROWTIDE_ESQL);
    scratch_exec(db, "DROP TABLE nokey");
    assert_rows(db, "SELECT name, sql FROM sqlite_schema", before);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM todo"), 1);
    free(before);
    rowtide_db_free(db);
}

static int order_a_table(void *ctx)
{
    (void)ctx;
    rowtide_db *db = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_open(db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, TODO);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(
            db, "SELECT crsql_fract_as_ordered('todo', 'place', 'list');"
                "INSERT INTO todo VALUES(1, 'a', 'a '), (2, 'a', 'a ');"
                "INSERT INTO todo_fractindex(id, list, after_id) "
                "VALUES(3, 'a', 1)");
    rowtide_db_free(db);
    return rc;
}

static void runs_out_of_memory(void **state)
{
    (void)state;
    oom_loop(order_a_table, NULL);
}

static void sqlite_runs_out_of_memory(void **state)
{
    (void)state;
    oom_loop_sqlite(order_a_table, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_runs_out_of_memory),
        cmocka_unit_test(finds_a_key_between),
        cmocka_unit_test(keys_at_the_ends_of_the_range),
        cmocka_unit_test(a_key_is_between_its_bounds),
        cmocka_unit_test(refuses_bad_keys),
        cmocka_unit_test(puts_rows_where_they_are_asked_to_be),
        cmocka_unit_test(makes_room_between_equal_places),
        cmocka_unit_test(a_list_may_have_no_name),
        cmocka_unit_test(failing_leaves_the_callers_transaction),
        cmocka_unit_test(runs_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
