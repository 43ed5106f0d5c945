#include "support/peers.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rows[] = "SELECT * FROM notes ORDER BY id";

static int64_t collect(rowtide_db *db, int64_t until)
{
    int64_t count = -1;
    assert_ok(rowtide_crdt_collect(db, until, &count));
    return count;
}

/* A payload of what `to` has not seen, as a user would make and merge it. */
static void send_payload(rowtide_db *from, rowtide_db *to)
{
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    peers_pull(from, peers_cursor(to, from), to, &payload);
    assert_ok(peers_merge(to, payload.data, payload.size, NULL));
    rowtide_buffer_dispose(&payload);
}

static void free_three(rowtide_db *a, rowtide_db *b, rowtide_db *c)
{
    rowtide_db_free(a);
    rowtide_db_free(b);
    rowtide_db_free(c);
}

/* ## Fetch and sync */

static void sync_in_two_lines(void **state)
{
    (void)state;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0)");
    rowtide_db *b = peers_db("INSERT INTO notes VALUES(2, 'bread', 0)");
    assert_ok(rowtide_crdt_sync(a, b));
    peers_same(a, b);
    assert_rows(a, rows, "1|'milk'|0;2|'bread'|0;");
    scratch_exec(a, "UPDATE notes SET done = 1 WHERE id = 2");
    scratch_exec(b, "UPDATE notes SET title = 'rye' WHERE id = 2; "
                    "DELETE FROM notes WHERE id = 1");
    assert_ok(rowtide_crdt_sync(a, b));
    peers_same(a, b);
    assert_rows(b, rows, "2|'rye'|1;");
    free_three(a, b, NULL);
}

static void fetch_goes_on_where_it_was(void **state)
{
    (void)state;
    rowtide_crdt_report *report = NULL;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0)");
    rowtide_db *b = peers_db(NULL);
    assert_ok(rowtide_crdt_fetch(b, a, &report));
    assert_int_equal(rowtide_crdt_report_count(report), 2);
    rowtide_crdt_report_free(report);
    assert_int_equal(peers_cursor(b, a), 1);
    assert_int_equal(peers_cursor(a, b), 0);
    assert_ok(rowtide_crdt_fetch(b, a, &report));
    assert_int_equal(rowtide_crdt_report_count(report), 0);
    assert_int_equal(rowtide_crdt_report_version(report), 1);
    rowtide_crdt_report_free(report);
    scratch_exec(a, "UPDATE notes SET done = 1");
    assert_ok(rowtide_crdt_fetch(b, a, &report));
    assert_int_equal(rowtide_crdt_report_count(report), 1);
    rowtide_crdt_report_free(report);
    peers_same(a, b);
    free_three(a, b, NULL);
}

/* What a third one made reaches those who never met it. */
static void changes_go_round(void **state)
{
    (void)state;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0)");
    rowtide_db *b = peers_db("INSERT INTO notes VALUES(1, 'bread', 5)");
    rowtide_db *c = peers_db("INSERT INTO notes VALUES(3, 'eggs', 0)");
    assert_ok(rowtide_crdt_sync(a, b));
    assert_ok(rowtide_crdt_sync(b, c));
    assert_ok(rowtide_crdt_sync(a, b));
    peers_same(a, b);
    peers_same(b, c);
    free_three(a, b, c);
}

static void what_is_not_committed_stays(void **state)
{
    (void)state;
    rowtide_db *b = peers_db(NULL);
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "BEGIN; INSERT INTO notes VALUES(2, 'maybe', 0)");
    assert_ok(rowtide_crdt_fetch(b, a, NULL));
    assert_rows(b, rows, "1|'milk'|0;");
    scratch_exec(a, "ROLLBACK; INSERT INTO notes VALUES(3, 'yes', 0)");
    assert_ok(rowtide_crdt_fetch(b, a, NULL));
    assert_rows(b, rows, "1|'milk'|0;3|'yes'|0;");
    free_three(a, b, NULL);
}

static void a_fetch_that_fails_keeps_the_cursor(void **state)
{
    (void)state;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 13)");
    rowtide_db *b = scratch_db(
        "CREATE TABLE notes(id INTEGER PRIMARY KEY NOT NULL, title TEXT, "
        "done INTEGER CHECK (done IS NOT 13)); BEGIN");
    assert_ok(rowtide_crdt_enable(b, "notes"));
    assert_status(rowtide_crdt_fetch(b, a, NULL), ROWTIDE_ECONSTRAINT);
    assert_int_equal(peers_cursor(b, a), 0);
    assert_int_equal(rowtide_db_in_transaction(b), 1);
    assert_rows(b, rows, "");
    scratch_exec(a, "UPDATE notes SET done = 14 WHERE id = 2");
    assert_ok(rowtide_crdt_fetch(b, a, NULL));
    scratch_exec(b, "ROLLBACK");
    free_three(a, b, NULL);
}

static void copies_and_oneself_are_refused(void **state)
{
    (void)state;
    const char *path = scratch_path("original"), *copy = scratch_path("copy");
    char sql[512];
    rowtide_db *a = scratch_db_file(path, "CREATE TABLE notes(id INTEGER "
                                          "PRIMARY KEY NOT NULL, title, done)");
    assert_ok(rowtide_crdt_enable(a, "notes"));
    snprintf(sql, sizeof sql, "VACUUM INTO '%s'", copy);
    scratch_exec(a, sql);
    rowtide_db *b = scratch_db_file(copy, NULL);
    assert_status(rowtide_crdt_sync(a, b), ROWTIDE_EINVAL);
    assert_message("copy");
    assert_status(rowtide_crdt_sync(a, a), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_fetch(a, NULL, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_fetch(NULL, a, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_sync(NULL, NULL), ROWTIDE_EINVAL);
    free_three(a, b, NULL);
}

static void from_a_database_that_is_only_read(void **state)
{
    (void)state;
    const char *path = scratch_path("read-only");
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *a = scratch_db_file(path, "CREATE TABLE notes(id INTEGER "
                                          "PRIMARY KEY NOT NULL, title, done)");
    rowtide_db *b = peers_db(NULL), *reader = NULL;
    assert_ok(rowtide_crdt_enable(a, "notes"));
    scratch_exec(a, "INSERT INTO notes VALUES(1, 'milk', 0)");
    options.read_only = 1;
    assert_ok(rowtide_db_open(path, &options, &reader));
    assert_ok(rowtide_crdt_fetch(b, reader, NULL));
    scratch_exec(a, "UPDATE notes SET done = 1");
    assert_ok(rowtide_crdt_fetch(b, reader, NULL));
    assert_rows(b, rows, "1|'milk'|1;");
    scratch_exec(b, "UPDATE notes SET done = 2");
    assert_status(rowtide_crdt_fetch(reader, b, NULL), ROWTIDE_EREADONLY);
    free_three(a, b, reader);
}

/* ## Cursors */

static void cursors_never_go_back(void **state)
{
    (void)state;
    int64_t version = -1;
    rowtide_db *db = peers_db(NULL);
    assert_ok(rowtide_crdt_peer_version(db, "peer", 4, &version));
    assert_int_equal(version, 0);
    assert_ok(rowtide_crdt_peer_set_version(db, "peer", 4, 9));
    assert_ok(rowtide_crdt_peer_set_version(db, "peer", 4, 5));
    assert_ok(rowtide_crdt_peer_version(db, "peer", 4, &version));
    assert_int_equal(version, 9);
    assert_ok(rowtide_crdt_peer_version(db, "pee", 3, &version));
    assert_int_equal(version, 0);
    assert_rows(db, "SELECT * FROM crsql_tracked_peers",
                "x'70656572'|9|0|0|0;");
    assert_status(rowtide_crdt_peer_set_version(db, "peer", 4, -1),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_peer_set_version(db, NULL, 4, 1),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_peer_set_version(db, "", 0, 1), ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_peer_set_version(db, "12345678901234567", 17, 1),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_crdt_peer_version(db, "peer", 4, NULL),
                  ROWTIDE_EINVAL);
    rowtide_db_free(db);
}

/* Those of a program that was written for cr-sqlite. */
static void cursors_of_other_programs(void **state)
{
    (void)state;
    int64_t version = -1;
    rowtide_db *db = peers_db(NULL);
    scratch_exec(db, "INSERT INTO crsql_tracked_peers VALUES"
                     "(x'70', 7, 3, 0, 0), (x'71', 8, NULL, 0, 0), "
                     "(x'71', 99, 0, 0, 1), (x'71', 99, 0, 5, 0)");
    assert_ok(rowtide_crdt_peer_version(db, "p", 1, &version));
    assert_int_equal(version, 6);
    assert_ok(rowtide_crdt_peer_version(db, "q", 1, &version));
    assert_int_equal(version, 8);
    rowtide_db_free(db);
}

static void payloads_keep_cursors(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "INSERT INTO notes VALUES(2, 'bread', 0)");
    rowtide_db *b = peers_db("INSERT INTO notes VALUES(3, 'eggs', 0)");
    rowtide_db *c = peers_db(NULL);
    send_payload(a, b);
    assert_int_equal(peers_cursor(b, a), 2);
    /* A gap before it, and something left out of it: both keep it. */
    peers_pull(a, 1, NULL, &payload);
    assert_ok(peers_merge(c, payload.data, payload.size, NULL));
    assert_int_equal(peers_cursor(c, a), 0);
    rowtide_buffer_dispose(&payload);
    peers_pull(a, 0, b, &payload);
    assert_ok(peers_merge(c, payload.data, payload.size, NULL));
    assert_int_equal(peers_cursor(c, a), 0);
    rowtide_buffer_dispose(&payload);
    /* Its own, come back. */
    peers_pull(a, 0, NULL, &payload);
    assert_ok(peers_merge(a, payload.data, payload.size, NULL));
    assert_int_equal(peers_cursor(a, a), 0);
    rowtide_buffer_dispose(&payload);
    free_three(a, b, c);
}

/* The sender may roll back what it has not committed. */
static void an_uncommitted_payload_does_not_count(void **state)
{
    (void)state;
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    rowtide_db *b = peers_db(NULL);
    rowtide_db *a = peers_db("INSERT INTO notes VALUES(1, 'milk', 0);"
                             "BEGIN; INSERT INTO notes VALUES(2, 'maybe', 0)");
    peers_pull(a, 0, NULL, &payload);
    assert_ok(peers_merge(b, payload.data, payload.size, NULL));
    assert_int_equal(peers_cursor(b, a), 1);
    rowtide_buffer_dispose(&payload);
    free_three(a, b, NULL);
}

/* ## Collecting */

static const char with_deletions[] =
    "INSERT INTO notes VALUES(1, 'milk', 0), (2, 'bread', 0), (3, 'eggs', 0);"
    "DELETE FROM notes WHERE id < 3";

static void deletions_are_forgotten_once_all_have_them(void **state)
{
    (void)state;
    rowtide_db *a = peers_db(with_deletions);
    rowtide_db *b = peers_db(NULL), *c = peers_db(NULL);
    assert_int_equal(collect(a, 0), 0);
    assert_ok(rowtide_crdt_sync(a, b));
    scratch_exec(a, "DELETE FROM notes");
    assert_int_equal(collect(a, 0), 2);
    assert_int_equal(collect(a, 0), 0);
    assert_rows(a, "SELECT pk, cl FROM crsql_changes", "x'010903'|2;");
    /* A peer of which nothing is known yet holds everything back. */
    assert_ok(rowtide_crdt_fetch(a, c, NULL));
    scratch_exec(c, "INSERT INTO notes VALUES(9, 'new', 0)");
    assert_ok(rowtide_crdt_fetch(a, c, NULL));
    assert_ok(rowtide_crdt_sync(a, b));
    assert_int_equal(collect(a, 0), 0);
    assert_ok(rowtide_crdt_sync(a, c));
    assert_int_equal(collect(a, 0), 1);
    assert_rows(a, rows, "9|'new'|0;");
    free_three(a, b, c);
}

/* One that had nothing to tell, and nothing to hear, when they met. */
static void a_peer_is_known_from_the_first_meeting_on(void **state)
{
    (void)state;
    rowtide_db *a = peers_db(NULL), *b = peers_db(NULL), *c = peers_db(NULL);
    assert_ok(rowtide_crdt_sync(a, c));
    scratch_exec(a, with_deletions);
    assert_ok(rowtide_crdt_sync(a, b));
    assert_int_equal(collect(a, 0), 0);
    assert_ok(rowtide_crdt_sync(c, a));
    assert_int_equal(collect(a, 0), 2);
    free_three(a, b, c);
}

static void acknowledged_through_payloads(void **state)
{
    (void)state;
    rowtide_db *a = peers_db(with_deletions), *b = peers_db(NULL);
    send_payload(a, b);
    assert_int_equal(collect(a, 0), 0);
    send_payload(b, a);
    assert_int_equal(collect(a, 0), 2);
    free_three(a, b, NULL);
}

static void collecting_up_to_a_version(void **state)
{
    (void)state;
    rowtide_db *db = peers_db(with_deletions);
    scratch_exec(db, "DELETE FROM notes");
    int64_t version = peers_version(db);
    assert_int_equal(collect(db, version - 2), 0);
    assert_int_equal(collect(db, version - 1), 2);
    assert_int_equal(collect(db, version), 1);
    assert_rows(db, "SELECT * FROM crsql_changes", "");
    assert_int_equal(peers_version(db), version);
    assert_status(rowtide_crdt_collect(db, -1, NULL), ROWTIDE_EINVAL);
    rowtide_db_free(db);
}

/* A key that is used again must win where its deletion is remembered. */
static void a_key_that_is_used_again(void **state)
{
    (void)state;
    rowtide_db *a = peers_db(with_deletions), *b = peers_db(NULL);
    assert_ok(rowtide_crdt_sync(a, b));
    assert_int_equal(collect(a, 0), 2);
    scratch_exec(a, "INSERT INTO notes VALUES(1, 'again', 1);"
                    "UPDATE notes SET id = 2 WHERE id = 3");
    assert_ok(rowtide_crdt_sync(a, b));
    scratch_same(a, b, rows);
    assert_rows(b, rows, "1|'again'|1;2|'eggs'|0;");
    free_three(a, b, NULL);
}

/* Another connection that was open all the time. */
static void what_was_collected_elsewhere(void **state)
{
    (void)state;
    const char *path = scratch_path("two connections");
    rowtide_db *a = scratch_db_file(path, "CREATE TABLE notes(id INTEGER "
                                          "PRIMARY KEY NOT NULL, title, done)");
    assert_ok(rowtide_crdt_enable(a, "notes"));
    rowtide_db *other = scratch_db_file(path, NULL), *b = peers_db(NULL);
    scratch_exec(a, with_deletions);
    assert_ok(rowtide_crdt_open(other));
    scratch_exec(other, "UPDATE notes SET done = 2; DELETE FROM notes");
    assert_ok(rowtide_crdt_sync(a, b));
    assert_int_equal(collect(a, 0), 3);
    scratch_exec(other, "INSERT INTO notes VALUES(3, 'again', 1)");
    assert_ok(rowtide_crdt_fetch(b, a, NULL));
    assert_rows(b, rows, "3|'again'|1;");
    free_three(a, b, other);
}

static void collecting_is_undone_with_its_transaction(void **state)
{
    (void)state;
    rowtide_db *db = peers_db(with_deletions);
    scratch_exec(db, "BEGIN; DELETE FROM notes");
    assert_int_equal(collect(db, 1000), 3);
    assert_rows(db, "SELECT * FROM crsql_changes", "");
    scratch_exec(db, "ROLLBACK");
    assert_rows(db, "SELECT count(*) FROM crsql_changes", "4;");
    rowtide_db_free(db);
}

static void packed_keys_are_collected_too(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(x TEXT NOT NULL, y NOT NULL, z, PRIMARY KEY(x, y))");
    assert_ok(rowtide_crdt_enable(db, "t"));
    scratch_exec(db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                     "FROM n WHERE i < 2000) INSERT INTO t SELECT 'k' || i, i, "
                     "i FROM n; DELETE FROM t WHERE y % 2");
    assert_int_equal(collect(db, peers_version(db)), 1000);
    assert_rows(db, "SELECT count(*), min(cl), max(cl) FROM crsql_changes",
                "1000|1|1;");
    scratch_exec(db, "INSERT INTO t VALUES('k1', 1, 'again')");
    assert_rows(db,
                "SELECT cid, cl FROM crsql_changes WHERE pk = "
                "crsql_pack_columns('k1', 1)",
                "'-1'|3;'z'|3;");
    rowtide_db_free(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sync_in_two_lines),
        cmocka_unit_test(fetch_goes_on_where_it_was),
        cmocka_unit_test(changes_go_round),
        cmocka_unit_test(what_is_not_committed_stays),
        cmocka_unit_test(a_fetch_that_fails_keeps_the_cursor),
        cmocka_unit_test(copies_and_oneself_are_refused),
        cmocka_unit_test(from_a_database_that_is_only_read),
        cmocka_unit_test(cursors_never_go_back),
        cmocka_unit_test(cursors_of_other_programs),
        cmocka_unit_test(payloads_keep_cursors),
        cmocka_unit_test(an_uncommitted_payload_does_not_count),
        cmocka_unit_test(deletions_are_forgotten_once_all_have_them),
        cmocka_unit_test(a_peer_is_known_from_the_first_meeting_on),
        cmocka_unit_test(acknowledged_through_payloads),
        cmocka_unit_test(collecting_up_to_a_version),
        cmocka_unit_test(a_key_that_is_used_again),
        cmocka_unit_test(what_was_collected_elsewhere),
        cmocka_unit_test(collecting_is_undone_with_its_transaction),
        cmocka_unit_test(packed_keys_are_collected_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
