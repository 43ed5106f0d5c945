#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char schema[] =
    "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, score REAL, b BLOB);"
    "CREATE TABLE notes(a TEXT, b INTEGER, body TEXT, PRIMARY KEY(b, a));"
    "CREATE TABLE trail(id INTEGER PRIMARY KEY, what TEXT);"
    "CREATE TRIGGER users_trail AFTER UPDATE ON users BEGIN"
    " INSERT INTO trail(what) VALUES(new.name); END;"
    "INSERT INTO users VALUES(1, 'Ada', 1.5, x'00ff');";

static rowtide_audit *open_log(rowtide_db *db)
{
    rowtide_audit *audit = NULL;
    assert_ok(rowtide_audit_open(db, &audit));
    return audit;
}

static int64_t record(rowtide_audit *audit, rowtide_db *db, const char *sql,
                      const rowtide_audit_entry *entry)
{
    int64_t id = -1;
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, sql);
    assert_ok(rowtide_audit_commit(audit, entry, &id));
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    return id;
}

static void entry_says_who_what_when(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    rowtide_audit_entry entry = {"ada", "import", "2026-01-31 10:00:00"};
    assert_int_equal(record(audit, db,
                            "INSERT INTO users(id, name) VALUES(2, 'Bob')",
                            &entry),
                     1);
    assert_rows(db, "SELECT id, time, author, label FROM rowtide_audit",
                "1|'2026-01-31T10:00:00.000Z'|'ada'|'import';");
    assert_int_equal(record(audit, db, "DELETE FROM users WHERE id = 2", NULL),
                     2);
    assert_int_equal(
        scratch_integer(db, "SELECT time GLOB '[0-9]*-*-*T*:*:*.*Z' AND "
                            "length(time) = 24 AND "
                            "author IS NULL AND label IS NULL AND "
                            "abs(julianday(time) - julianday('now')) < 0.01 "
                            "FROM rowtide_audit WHERE id = 2"),
        1);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void changes_are_json_by_column_name(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    record(audit, db,
           "UPDATE users SET name = 'Ada \"L\"', score = 2.0 WHERE id = 1",
           NULL);
    record(audit, db, "INSERT INTO notes VALUES('k', 7, NULL)", NULL);
    record(audit, db, "DELETE FROM users WHERE id = 1", NULL);
    assert_rows(db,
                "SELECT entry, table_name, kind, indirect, primary_key, "
                "old_values, new_values FROM rowtide_audit_change "
                "WHERE table_name <> 'trail' ORDER BY entry, position",
                "1|'users'|'update'|0|'{\"id\":1}'|"
                "'{\"name\":\"Ada\",\"score\":1.5}'|"
                "'{\"name\":\"Ada \\\"L\\\"\",\"score\":2.0}';"
                "2|'notes'|'insert'|0|'{\"a\":\"k\",\"b\":7}'|NULL|"
                "'{\"a\":\"k\",\"b\":7,\"body\":null}';"
                "3|'users'|'delete'|0|'{\"id\":1}'|"
                "'{\"id\":1,\"name\":\"Ada \\\"L\\\"\",\"score\":2.0,"
                "\"b\":{\"blob\":\"00ff\"}}'|NULL;");
    assert_rows(db,
                "SELECT json_extract(new_values, '$.name') FROM "
                "rowtide_audit_change WHERE entry = 1 AND table_name = 'users'",
                "'Ada \"L\"';");
    assert_rows(db,
                "SELECT kind, indirect FROM rowtide_audit_change WHERE "
                "table_name = 'trail'",
                "'insert'|1;");
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void changeset_of_an_entry_takes_it_back(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    rowtide_changeset *changeset = NULL;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    options.flags = ROWTIDE_APPLY_INVERT;
    int64_t id = record(audit, db, "DELETE FROM users", NULL);
    assert_ok(rowtide_audit_changeset(audit, id, &changeset));
    assert_ok(rowtide_changeset_apply(db, changeset, &options, NULL));
    assert_rows(db, "SELECT id, name FROM users", "1|'Ada';");
    rowtide_changeset_free(changeset);
    assert_status(rowtide_audit_changeset(audit, 99, &changeset),
                  ROWTIDE_ENOTFOUND);
    assert_null(changeset);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void nothing_changed_makes_no_entry(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    assert_int_equal(record(audit, db,
                            "INSERT INTO notes VALUES('a', 1, 'x');"
                            "DELETE FROM notes",
                            NULL),
                     0);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM rowtide_audit"),
                     0);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void rollback_takes_back_changes_and_entry(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "DELETE FROM users");
    assert_ok(rowtide_audit_rollback(audit));
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM users"), 1);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM rowtide_audit"),
                     0);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void joins_the_callers_transaction(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    scratch_exec(db, "BEGIN; INSERT INTO users(id) VALUES(5)");
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "INSERT INTO users(id) VALUES(6)");
    assert_ok(rowtide_audit_commit(audit, NULL, NULL));
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "INSERT INTO users(id) VALUES(7)");
    assert_ok(rowtide_audit_rollback(audit));
    assert_rows(db, "SELECT id FROM users", "1;5;6;");
    scratch_exec(db, "ROLLBACK");
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM rowtide_audit"),
                     0);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void chosen_tables_only(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    const char *tables[] = {"users"};
    const char *missing[] = {"userz"};
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    options.tables = missing;
    options.table_count = 1;
    assert_status(rowtide_audit_begin(audit, &options), ROWTIDE_ESCHEMA);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    options.tables = tables;
    assert_ok(rowtide_audit_begin(audit, &options));
    scratch_exec(db, "UPDATE users SET name = 'x'");
    assert_ok(rowtide_audit_commit(audit, NULL, NULL));
    assert_rows(db, "SELECT table_name FROM rowtide_audit_change", "'users';");
    options.schema = "temp";
    assert_status(rowtide_audit_begin(audit, &options), ROWTIDE_EINVAL);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void the_logs_own_tables_are_not_recorded(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *outer = open_log(db), *inner = open_log(db);
    assert_ok(rowtide_audit_begin(outer, NULL));
    assert_ok(rowtide_audit_begin(inner, NULL));
    scratch_exec(db, "INSERT INTO users(id) VALUES(2)");
    assert_ok(rowtide_audit_commit(inner, NULL, NULL));
    assert_ok(rowtide_audit_commit(outer, NULL, NULL));
    assert_rows(db,
                "SELECT entry, table_name FROM rowtide_audit_change ORDER BY 1",
                "1|'users';2|'users';");
    rowtide_audit_free(outer);
    rowtide_audit_free(inner);
    rowtide_db_free(db);
}

static void misuse_is_told_and_harmless(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    assert_status(rowtide_audit_commit(audit, NULL, NULL), ROWTIDE_EMISUSE);
    assert_status(rowtide_audit_rollback(audit), ROWTIDE_EMISUSE);
    assert_ok(rowtide_audit_begin(audit, NULL));
    assert_status(rowtide_audit_begin(audit, NULL), ROWTIDE_EMISUSE);
    assert_ok(rowtide_audit_rollback(audit));
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "INSERT INTO users(id) VALUES(2); COMMIT; BEGIN;"
                     "INSERT INTO users(id) VALUES(3)");
    assert_status(rowtide_audit_commit(audit, NULL, NULL), ROWTIDE_EMISUSE);
    assert_int_equal(rowtide_db_in_transaction(db), 1);
    scratch_exec(db, "COMMIT");
    assert_rows(db, "SELECT id FROM users", "1;2;3;");
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "ROLLBACK");
    assert_status(rowtide_audit_rollback(audit), ROWTIDE_EMISUSE);
    assert_int_equal(record(audit, db, "DELETE FROM users", NULL), 1);
    rowtide_audit_free(audit);
    assert_status(rowtide_audit_open(NULL, &audit), ROWTIDE_EINVAL);
    assert_null(audit);
    assert_status(rowtide_audit_begin(NULL, NULL), ROWTIDE_EINVAL);
    rowtide_audit_free(NULL);
    rowtide_db_free(db);
}

static void append_takes_any_changeset(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    rowtide_changeset_builder *builder = NULL;
    rowtide_changeset *changeset = NULL;
    rowtide_value row[] = {rowtide_value_integer(4), rowtide_value_text("x")};
    int64_t id;
    assert_ok(rowtide_changeset_builder_new(0, &builder));
    assert_ok(rowtide_changeset_builder_table(builder, "gone", 2,
                                              (const unsigned char *)"\1\0"));
    assert_ok(rowtide_changeset_builder_insert(builder, row));
    assert_ok(rowtide_changeset_builder_finish(builder, &changeset));
    assert_ok(rowtide_audit_append(audit, changeset, NULL, &id));
    assert_int_equal(id, 1);
    assert_rows(db, "SELECT primary_key, new_values FROM rowtide_audit_change",
                "'{\"c1\":4}'|'{\"c1\":4,\"c2\":\"x\"}';");
    rowtide_changeset_free(changeset);
    rowtide_changeset_builder_free(builder);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void prune_by_age_and_by_number(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    const char *times[] = {"2025-12-31T23:59:59.999Z", "2026-01-31",
                           "2026-01-31 12:00", "2026-02-01"};
    int64_t pruned = -1;
    for (int i = 0; i < 4; i++) {
        rowtide_audit_entry entry = {NULL, NULL, times[i]};
        record(audit, db, "UPDATE users SET score = score + 1", &entry);
    }
    assert_ok(rowtide_audit_prune(audit, "2026-01-31", 0, &pruned));
    assert_int_equal(pruned, 1);
    assert_ok(
        rowtide_audit_prune(audit, "2026-01-31T14:00:00+02:00", 0, &pruned));
    assert_int_equal(pruned, 1);
    assert_ok(rowtide_audit_prune(audit, NULL, 1, &pruned));
    assert_int_equal(pruned, 1);
    assert_rows(db, "SELECT DISTINCT entry FROM rowtide_audit_change", "4;");
    assert_ok(rowtide_audit_prune(audit, NULL, 0, &pruned));
    assert_int_equal(record(audit, db, "DELETE FROM users", NULL), 5);
    assert_status(rowtide_audit_prune(audit, "yesterday", 0, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_audit_prune(audit, "2026", 0, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_audit_prune(audit, NULL, -1, NULL), ROWTIDE_EINVAL);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void bad_time_undoes_everything(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    rowtide_audit_entry entry = {NULL, NULL, "noon"};
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "DELETE FROM users");
    assert_status(rowtide_audit_commit(audit, &entry, NULL), ROWTIDE_EINVAL);
    assert_message("noon");
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM users"), 1);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void a_foreign_table_of_that_name(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE rowtide_audit(id, who)");
    rowtide_audit *audit = NULL;
    assert_status(rowtide_audit_open(db, &audit), ROWTIDE_ESCHEMA);
    assert_message("rowtide_audit");
    assert_null(audit);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM sqlite_schema"),
                     1);
    rowtide_db_free(db);
}

static void temporary_tables_of_that_name_do_not_matter(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    scratch_exec(db, "CREATE TEMP TABLE rowtide_audit(x);"
                     "CREATE TEMP TABLE rowtide_audit_change(x)");
    rowtide_audit *audit = open_log(db);
    assert_int_equal(record(audit, db, "DELETE FROM users", NULL), 1);
    assert_rows(db, "SELECT count(*) FROM main.rowtide_audit_change", "1;");
    assert_rows(db, "SELECT count(*) FROM temp.rowtide_audit", "0;");
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void read_only_and_locked(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *writer = scratch_db_file(path, schema), *db = NULL;
    rowtide_audit *audit = open_log(writer);
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    record(audit, writer, "UPDATE users SET name = 'x'", NULL);
    options.read_only = 1;
    assert_ok(rowtide_db_open(path, &options, &db));
    rowtide_audit *reader = open_log(db);
    rowtide_changeset *changeset = NULL;
    assert_ok(rowtide_audit_changeset(reader, 1, &changeset));
    rowtide_changeset_free(changeset);
    assert_status(rowtide_audit_prune(reader, NULL, 0, NULL),
                  ROWTIDE_EREADONLY);
    rowtide_audit_free(reader);
    rowtide_db_free(db);
    options.read_only = 0;
    options.busy_timeout_ms = 1;
    assert_ok(rowtide_db_open(path, &options, &db));
    reader = open_log(db);
    assert_ok(rowtide_audit_begin(audit, NULL));
    assert_status(rowtide_audit_begin(reader, NULL), ROWTIDE_EBUSY);
    rowtide_audit_free(audit); /* rolls back */
    assert_ok(rowtide_audit_begin(reader, NULL));
    rowtide_db_free(db);
    rowtide_audit_free(reader);
    rowtide_db_free(writer);
}

static void a_reader_at_commit_undoes_everything(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_db *reader = scratch_db_file(path, schema), *db = NULL;
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    options.busy_timeout_ms = 1;
    assert_ok(rowtide_db_open(path, &options, &db));
    rowtide_audit *audit = open_log(db);
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "DELETE FROM users");
    scratch_exec(reader, "BEGIN; SELECT * FROM users");
    assert_status(rowtide_audit_commit(audit, NULL, NULL), ROWTIDE_EBUSY);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    scratch_exec(reader, "COMMIT");
    assert_rows(db, "SELECT id FROM users", "1;");
    assert_int_equal(record(audit, db, "DELETE FROM users", NULL), 1);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
    rowtide_db_free(reader);
}

static void full_disk_undoes_everything(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    char sql[100];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %d",
             (int)scratch_integer(db, "PRAGMA page_count") + 20);
    scratch_exec(db, sql);
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "UPDATE users SET b = zeroblob(50000)");
    assert_status(rowtide_audit_commit(audit, NULL, NULL), ROWTIDE_EFULL);
    assert_int_equal(rowtide_db_in_transaction(db), 0);
    assert_rows(db, "SELECT b FROM users", "x'00ff';");
    assert_rows(db, "SELECT * FROM rowtide_audit", "");
    assert_int_equal(record(audit, db, "DELETE FROM users", NULL), 1);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static void closing_the_connection_rolls_back(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    sqlite3 *sqlite;
    rowtide_db *db = NULL;
    rowtide_audit *audit;
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    sqlite3_exec(sqlite, schema, NULL, NULL, NULL);
    assert_ok(rowtide_db_adopt(sqlite, &db));
    audit = open_log(db);
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "DELETE FROM users");
    assert_ok(rowtide_db_close(db));
    assert_int_equal(sqlite3_get_autocommit(sqlite), 1);
    assert_status(rowtide_audit_commit(audit, NULL, NULL), ROWTIDE_ECLOSED);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
    assert_ok(rowtide_db_adopt(sqlite, &db));
    audit = open_log(db);
    assert_ok(rowtide_audit_begin(audit, NULL));
    scratch_exec(db, "DELETE FROM users");
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    assert_status(rowtide_audit_commit(audit, NULL, NULL), ROWTIDE_ECLOSED);
    rowtide_db_free(db);
    rowtide_audit_free(audit);
    db = scratch_db_file(path, NULL);
    assert_int_equal(scratch_integer(db, "SELECT count(*) FROM users"), 1);
    rowtide_db_free(db);
}

static void last_insert_rowid_is_the_callers(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(schema);
    rowtide_audit *audit = open_log(db);
    record(audit, db, "INSERT INTO users(id) VALUES(77)", NULL);
    assert_int_equal(rowtide_db_last_insert_rowid(db), 77);
    rowtide_audit_free(audit);
    rowtide_db_free(db);
}

static int try_log(rowtide_db *db, rowtide_audit **audit)
{
    rowtide_changeset *changeset = NULL;
    rowtide_audit_entry entry = {"ada", "label", "2026-01-01"};
    int64_t id = 0;
    int rc = rowtide_audit_open(db, audit);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_begin(*audit, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "UPDATE users SET name = 'x'");
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_commit(*audit, &entry, &id);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_changeset(*audit, id, &changeset);
    rowtide_changeset_free(changeset);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_prune(*audit, NULL, 1, NULL);
    return rc;
}

static int log_scenario(void *ctx)
{
    (void)ctx;
    rowtide_db *db = NULL;
    rowtide_audit *audit = NULL;
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, schema);
    if (rc == ROWTIDE_OK)
        rc = try_log(db, &audit);
    if (rc != ROWTIDE_OK && db && rowtide_db_sqlite(db) && !audit
        && rowtide_db_in_transaction(db))
        rc = ROWTIDE_EINTERNAL;
    rowtide_audit_free(audit);
    rowtide_db_free(db);
    return rc;
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    oom_loop(log_scenario, NULL);
}

static void survives_sqlite_out_of_memory(void **state)
{
    (void)state;
    oom_loop_sqlite(log_scenario, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_sqlite_out_of_memory),
        cmocka_unit_test(entry_says_who_what_when),
        cmocka_unit_test(changes_are_json_by_column_name),
        cmocka_unit_test(changeset_of_an_entry_takes_it_back),
        cmocka_unit_test(nothing_changed_makes_no_entry),
        cmocka_unit_test(rollback_takes_back_changes_and_entry),
        cmocka_unit_test(joins_the_callers_transaction),
        cmocka_unit_test(chosen_tables_only),
        cmocka_unit_test(the_logs_own_tables_are_not_recorded),
        cmocka_unit_test(misuse_is_told_and_harmless),
        cmocka_unit_test(append_takes_any_changeset),
        cmocka_unit_test(prune_by_age_and_by_number),
        cmocka_unit_test(bad_time_undoes_everything),
        cmocka_unit_test(a_foreign_table_of_that_name),
        cmocka_unit_test(temporary_tables_of_that_name_do_not_matter),
        cmocka_unit_test(read_only_and_locked),
        cmocka_unit_test(a_reader_at_commit_undoes_everything),
        cmocka_unit_test(full_disk_undoes_everything),
        cmocka_unit_test(closing_the_connection_rolls_back),
        cmocka_unit_test(last_insert_rowid_is_the_callers),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
