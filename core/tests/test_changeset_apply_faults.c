#include "support/changesets.h"
#include "support/oom.h"
#include "support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA                                                                 \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b UNIQUE);"                     \
    "INSERT INTO t VALUES(1, 'one', 1), (2, 'two', 2), (3, 'three', 3);"
#define WORK                                                                   \
    "INSERT INTO t VALUES(4, 'four', 4); DELETE FROM t WHERE id = 3;"          \
    "UPDATE t SET a = 'new' WHERE id = 2;"
#define ROWS "SELECT * FROM t ORDER BY 1"

/* A database on which the changeset conflicts. */
#define LOCAL SCHEMA "UPDATE t SET a = 'mine' WHERE id = 2;"
#define LOCAL_ROWS "1|'one'|1;2|'mine'|2;3|'three'|3;"

typedef struct handler {
    rowtide_db *db;
    const char *sql;
    rowtide_changeset *changeset;
    sqlite3 *close;
    int rc;
} handler;

static int run_sql(const rowtide_conflict *conflict, void *user)
{
    handler *h = user;
    (void)conflict;
    assert_int_equal(
        sqlite3_exec(rowtide_db_sqlite(h->db), h->sql, NULL, NULL, NULL),
        SQLITE_OK);
    return ROWTIDE_ACTION_OMIT;
}

static int apply_with(rowtide_db *db, rowtide_changeset *changeset,
                      rowtide_conflict_cb callback, handler *h)
{
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    options.on_conflict = callback;
    options.on_conflict_user = h;
    h->db = db;
    return rowtide_changeset_apply(db, changeset, &options, NULL);
}

static void notices_that_the_handler_ended_the_transaction(void **state)
{
    (void)state;
    static const char *const alone[] = {"COMMIT", "ROLLBACK", "COMMIT; BEGIN"};
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        handler h = {.sql = alone[i]};
        rowtide_db *db = scratch_db(LOCAL);
        assert_status(apply_with(db, changeset, run_sql, &h), ROWTIDE_EMISUSE);
        assert_message("transaction");
        assert_int_equal(scratch_integer(db, "PRAGMA defer_foreign_keys"), 0);
        rowtide_db_free(db);
    }
    handler h = {.sql = "ROLLBACK TO mine"};
    rowtide_db *db = scratch_db(LOCAL);
    scratch_exec(db, "BEGIN; SAVEPOINT mine");
    assert_status(apply_with(db, changeset, run_sql, &h), ROWTIDE_EMISUSE);
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    scratch_exec(db, "COMMIT");
    assert_rows(db, ROWS, LOCAL_ROWS);
    rowtide_db_free(db);
    rowtide_changeset_free(changeset);
}

static int run_sql_for_change(const rowtide_change *change, void *user)
{
    (void)change;
    return run_sql(NULL, user) == ROWTIDE_ACTION_OMIT;
}

static void notices_that_the_filter_ended_the_transaction(void **state)
{
    (void)state;
    static const char *const alone[] = {"COMMIT", "COMMIT; BEGIN"};
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    for (size_t i = 0; i < sizeof alone / sizeof *alone; i++) {
        rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
        rowtide_db *db = scratch_db(SCHEMA);
        handler h = {.sql = alone[i], .db = db};
        options.change_filter = run_sql_for_change;
        options.change_filter_user = &h;
        assert_status(rowtide_changeset_apply(db, changeset, &options, NULL),
                      ROWTIDE_EMISUSE);
        assert_message("transaction");
        rowtide_db_free(db);
    }
    rowtide_changeset_free(changeset);
}

static void lets_the_handler_read_and_write(void **state)
{
    (void)state;
    handler h = {.sql = "CREATE TABLE seen AS SELECT * FROM t;"
                        "INSERT INTO t VALUES(50, 'handler', 50)"};
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_db *db = scratch_db(LOCAL);
    assert_ok(apply_with(db, changeset, run_sql, &h));
    assert_rows(db, ROWS, "1|'one'|1;2|'mine'|2;4|'four'|4;50|'handler'|50;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static int close_db(const rowtide_conflict *conflict, void *user)
{
    handler *h = user;
    (void)conflict;
    assert_status(rowtide_db_close(h->db), ROWTIDE_EMISUSE);
    return ROWTIDE_ACTION_OMIT;
}

static int close_adopted(const rowtide_conflict *conflict, void *user)
{
    handler *h = user;
    (void)conflict;
    assert_int_equal(sqlite3_close(h->close), SQLITE_BUSY);
    assert_int_equal(sqlite3_close_v2(h->close), SQLITE_OK);
    return ROWTIDE_ACTION_OMIT;
}

static void survives_a_handler_that_closes_the_connection(void **state)
{
    (void)state;
    handler h = {0};
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_db *db = scratch_db(LOCAL);
    assert_ok(apply_with(db, changeset, close_db, &h));
    assert_int_equal(rowtide_db_is_open(db), 1);
    rowtide_db_free(db);

    const char *path = scratch_new_path();
    rowtide_db_free(scratch_db_file(path, LOCAL));
    assert_int_equal(sqlite3_open(path, &h.close), SQLITE_OK);
    assert_ok(rowtide_db_adopt(h.close, &db));
    int rc = apply_with(db, changeset, close_adopted, &h);
    assert_true(rc == ROWTIDE_EMISUSE || rc == ROWTIDE_ECLOSED);
    assert_message("closed");
    assert_int_equal(rowtide_db_is_open(db), 0);
    rowtide_db_free(db);
    db = scratch_db_file(path, NULL);
    assert_rows(db, ROWS, LOCAL_ROWS);
    rowtide_db_free(db);
    rowtide_changeset_free(changeset);
}

static int apply_again(const rowtide_conflict *conflict, void *user)
{
    handler *h = user;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    (void)conflict;
    options.policy = (rowtide_policy)ROWTIDE_POLICY_OMIT;
    h->rc = rowtide_changeset_apply(h->db, h->changeset, &options, NULL);
    return ROWTIDE_ACTION_OMIT;
}

static void nests_in_a_handler(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    handler h = {.changeset = changesets_of(
                     SCHEMA, "INSERT INTO t VALUES(8, 'inner', 8)")};
    rowtide_db *db = scratch_db(LOCAL);
    assert_ok(apply_with(db, changeset, apply_again, &h));
    assert_int_equal(h.rc, ROWTIDE_OK);
    assert_rows(db, ROWS, "1|'one'|1;2|'mine'|2;4|'four'|4;8|'inner'|8;");
    rowtide_changeset_free(h.changeset);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void keeps_the_callers_transaction(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_db *db = scratch_db(LOCAL);
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(9, 'caller', 9)");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    assert_rows(db, ROWS, LOCAL_ROWS "9|'caller'|9;");
    scratch_exec(db, "UPDATE t SET a = 'two' WHERE id = 2");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    scratch_exec(db, "ROLLBACK");
    assert_rows(db, ROWS, LOCAL_ROWS);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void leaves_nothing_open_when_the_commit_is_busy(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_db *reader = scratch_db_file(path, SCHEMA);
    rowtide_open_options open = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    open.busy_timeout_ms = 0;
    assert_ok(rowtide_db_open(path, &open, &db));
    scratch_exec(reader, "BEGIN; SELECT * FROM t");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_EBUSY);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    scratch_exec(reader, "COMMIT");
    assert_rows(db, ROWS, "1|'one'|1;2|'two'|2;3|'three'|3;");
    scratch_exec(reader, "BEGIN IMMEDIATE");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_EBUSY);
    scratch_exec(reader, "COMMIT");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
    rowtide_db_free(reader);
}

static void changes_nothing_when_the_disk_is_full(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        SCHEMA, "WITH RECURSIVE n(i) AS (VALUES(10) UNION ALL SELECT i + 1 FROM"
                " n WHERE i < 200) INSERT INTO t SELECT i, zeroblob(500), i"
                " FROM n");
    rowtide_db *db = scratch_db_file(scratch_new_path(), SCHEMA);
    scratch_exec(db, "PRAGMA max_page_count = 10");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_EFULL);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    assert_rows(db, "SELECT count(*) FROM t", "3;");
    assert_rows(db, "PRAGMA integrity_check", "'ok';");
    scratch_exec(db, "BEGIN; INSERT INTO t VALUES(5, 'caller', 5)");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_EFULL);
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    scratch_exec(db, "COMMIT");
    assert_rows(db, "SELECT count(*) FROM t", "4;");
    assert_rows(db, "PRAGMA integrity_check", "'ok';");
    scratch_exec(db, "PRAGMA max_page_count = 10000");
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void refuses_a_database_that_is_read_only(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_open_options open = ROWTIDE_OPEN_OPTIONS_INIT;
    rowtide_db *db;
    rowtide_db_free(scratch_db_file(path, SCHEMA));
    open.read_only = 1;
    assert_ok(rowtide_db_open(path, &open, &db));
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_EREADONLY);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void survives_a_trigger_that_rolls_back(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_db *db = scratch_db(SCHEMA
                                "CREATE TRIGGER tr BEFORE INSERT ON t BEGIN"
                                " SELECT RAISE(ROLLBACK, 'out'); END");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONSTRAINT);
    assert_message("out");
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    assert_rows(db, "SELECT count(*) FROM t", "3;");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static int on_commit(void *user)
{
    ++*(int *)user;
    return 0;
}

static void on_update(void *user, int op, const char *schema, const char *table,
                      sqlite3_int64 rowid)
{
    (void)op;
    (void)schema;
    (void)table;
    (void)rowid;
    ++*(int *)user;
}

static int authorize(void *user, int action, const char *a, const char *b,
                     const char *c, const char *d)
{
    (void)action;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    ++*(int *)user;
    return SQLITE_OK;
}

static void leaves_the_applications_hooks_in_place(void **state)
{
    (void)state;
    int commits = 0, updates = 0, questions = 0;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_db *db = scratch_db(SCHEMA);
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    sqlite3_commit_hook(sqlite, on_commit, &commits);
    sqlite3_update_hook(sqlite, on_update, &updates);
    sqlite3_set_authorizer(sqlite, authorize, &questions);
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_int_equal(commits, 1);
    assert_int_equal(updates, 3);
    questions = 0;
    scratch_exec(db, "DELETE FROM t WHERE id = 1");
    assert_int_equal(commits, 2);
    assert_int_equal(updates, 4);
    assert_true(questions > 0);
    assert_ptr_equal(sqlite3_commit_hook(sqlite, NULL, NULL), &commits);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void is_seen_by_a_capture(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK), *again;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_capture *capture;
    assert_ok(rowtide_capture_begin(db, NULL, &capture));
    assert_ok(rowtide_changeset_apply(db, changeset, NULL, NULL));
    assert_ok(rowtide_capture_end(capture, &again));
    assert_int_equal(rowtide_changeset_size(again),
                     rowtide_changeset_size(changeset));
    rowtide_capture_free(capture);
    rowtide_changeset_free(again);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static int interrupt(const rowtide_conflict *conflict, void *user)
{
    handler *h = user;
    (void)conflict;
    assert_ok(rowtide_db_interrupt(h->db));
    return ROWTIDE_ACTION_OMIT;
}

static void can_be_interrupted(void **state)
{
    (void)state;
    handler h = {0};
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_db *db = scratch_db(LOCAL);
    for (int nested = 0; nested < 2; nested++) {
        if (nested)
            scratch_exec(db, "BEGIN");
        assert_status(apply_with(db, changeset, interrupt, &h),
                      ROWTIDE_ECANCELLED);
        assert_int_equal(rowtide_db_in_transaction(db), nested);
        assert_rows(db, ROWS, LOCAL_ROWS);
    }
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void does_not_lose_rows_that_the_schema_ignores(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a)",
        "INSERT INTO t VALUES(1, 'x')");
    rowtide_db *db = scratch_db(
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE ON CONFLICT IGNORE);"
        "INSERT INTO t VALUES(2, 'x')");
    assert_status(rowtide_changeset_apply(db, changeset, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_message("constraint conflict");
    assert_message("ON CONFLICT");
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

/* Hostile bytes, as far as they pass the decoder. */
static void survives_flipped_bits(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    size_t size = rowtide_changeset_size(changeset);
    unsigned char *bytes = malloc(size);
    rowtide_db *db = scratch_db(LOCAL);
    for (size_t bit = 0; bit < size * 8; bit++) {
        rowtide_source *source;
        memcpy(bytes, rowtide_changeset_data(changeset), size);
        bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
        assert_ok(rowtide_source_memory(bytes, size, &source));
        scratch_exec(db, "BEGIN");
        rowtide_changeset_apply_stream(db, source, NULL, NULL);
        assert_int_equal(rowtide_db_in_transaction(db), 1);
        scratch_exec(db, "ROLLBACK");
        rowtide_source_free(source);
    }
    assert_rows(db, ROWS, LOCAL_ROWS);
    free(bytes);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static int omit(const rowtide_conflict *conflict, void *user)
{
    (void)conflict;
    (void)user;
    return ROWTIDE_ACTION_OMIT;
}

/* Conflicts of all kinds, a ring of unique values, and foreign keys. */
static int apply_scenario(void *ctx)
{
    rowtide_db *db = NULL;
    rowtide_report *report = NULL;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_changeset *changeset = NULL;
    const rowtide_buffer *bytes = ctx;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(
            db, SCHEMA "PRAGMA foreign_keys = 1;"
                       "CREATE TABLE c(t REFERENCES t);"
                       "INSERT INTO c VALUES(3); INSERT INTO t VALUES(4, 'x',"
                       " 44), (70, 'y', 5);");
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_parse(bytes->data, bytes->size, &changeset);
    options.on_conflict = omit;
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_apply(db, changeset, &options, &report);
    rowtide_report_free(report);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        SCHEMA, WORK "INSERT INTO t VALUES(5, 'five', 5);"
                     "UPDATE t SET b = -1 WHERE id = 1; UPDATE t SET b = 1"
                     " WHERE id = 2; UPDATE t SET b = 2 WHERE id = 1");
    size_t size = rowtide_changeset_size(changeset);
    rowtide_buffer bytes = {malloc(size), size, size};
    memcpy(bytes.data, rowtide_changeset_data(changeset), size);
    rowtide_changeset_free(changeset);
    oom_loop(apply_scenario, &bytes);
    oom_loop_sqlite(apply_scenario, &bytes);
    free(bytes.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notices_that_the_handler_ended_the_transaction),
        cmocka_unit_test(notices_that_the_filter_ended_the_transaction),
        cmocka_unit_test(lets_the_handler_read_and_write),
        cmocka_unit_test(survives_a_handler_that_closes_the_connection),
        cmocka_unit_test(nests_in_a_handler),
        cmocka_unit_test(keeps_the_callers_transaction),
        cmocka_unit_test(leaves_nothing_open_when_the_commit_is_busy),
        cmocka_unit_test(changes_nothing_when_the_disk_is_full),
        cmocka_unit_test(refuses_a_database_that_is_read_only),
        cmocka_unit_test(survives_a_trigger_that_rolls_back),
        cmocka_unit_test(leaves_the_applications_hooks_in_place),
        cmocka_unit_test(is_seen_by_a_capture),
        cmocka_unit_test(can_be_interrupted),
        cmocka_unit_test(does_not_lose_rows_that_the_schema_ignores),
        cmocka_unit_test(survives_flipped_bits),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
