/*
 * The owner of an adopted connection closes it in a callback: one clear error,
 * and nothing is used that is gone.
 */
#include "support/changesets.h"
#include "support/scratch.h"

#include <rowtide/audit.h>
#include <rowtide/replication.h>
#include <rowtide/undo.h>

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#define SCHEMA                                                                 \
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a);"                               \
    "CREATE TABLE u(id INTEGER PRIMARY KEY, a);"                               \
    "INSERT INTO t VALUES(1, 'one'), (2, 'two');"
#define WORK "UPDATE t SET a = 'new'; INSERT INTO u VALUES(1, zeroblob(100000))"

typedef struct owner {
    sqlite3 *sqlite;
    rowtide_db *db;
    int closed;
    const char *bytes; /* that a reader still has to give */
    size_t left;
} owner;

static void open_adopted(owner *o, const char *sql)
{
    memset(o, 0, sizeof *o);
    assert_int_equal(sqlite3_open(":memory:", &o->sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(o->sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_ok(rowtide_db_adopt(o->sqlite, &o->db));
}

static void end(owner *o)
{
    assert_true(o->closed);
    assert_int_equal(rowtide_db_is_open(o->db), 0);
    rowtide_db_free(o->db);
}

static void close_once(owner *o)
{
    if (!o->closed)
        assert_int_equal(sqlite3_close_v2(o->sqlite), SQLITE_OK);
    o->closed = 1;
}

static void assert_gone(int rc)
{
    if (rc != ROWTIDE_ECLOSED && rc != ROWTIDE_EMISUSE)
        fail_msg("%d: %s", rc, rowtide_error_message());
    assert_int_equal(rowtide_error_code(), rc);
    assert_message("clos");
}

static int close_in_filter(const char *table, void *user)
{
    (void)table;
    close_once(user);
    return 1;
}

static int close_in_progress(const rowtide_progress *progress, void *user)
{
    (void)progress;
    close_once(user);
    return 0;
}

static int close_and_read(void *data, size_t *size, void *user)
{
    owner *o = user;
    close_once(o);
    if (*size > o->left)
        *size = o->left;
    memcpy(data, o->bytes, *size);
    o->bytes += *size;
    o->left -= *size;
    return 0;
}

static int close_and_write(const void *data, size_t size, void *user)
{
    (void)data;
    (void)size;
    close_once(user);
    return 0;
}

static void in_the_reader_of_apply(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    const size_t sizes[] = {0, rowtide_changeset_size(changeset)};
    for (int i = 0; i < 2; i++) {
        rowtide_source *source;
        owner o;
        open_adopted(&o, SCHEMA "PRAGMA foreign_keys = 1");
        o.bytes = rowtide_changeset_data(changeset);
        o.left = sizes[i];
        assert_ok(rowtide_source_callback(close_and_read, &o, &source));
        assert_gone(rowtide_changeset_apply_stream(o.db, source, NULL, NULL));
        rowtide_source_free(source);
        end(&o);
    }
    rowtide_changeset_free(changeset);
}

static void in_the_filter_of_apply(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(SCHEMA, WORK);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    owner o;
    open_adopted(&o, SCHEMA);
    options.filter = close_in_filter;
    options.filter_user = &o;
    assert_gone(rowtide_changeset_apply(o.db, changeset, &options, NULL));
    end(&o);
    rowtide_changeset_free(changeset);
}

static void in_the_filter_of_capture(void **state)
{
    (void)state;
    const char *const tables[] = {"t", "u"};
    for (size_t count = 0; count < 3; count++) {
        rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
        rowtide_capture *capture;
        owner o;
        open_adopted(&o, SCHEMA);
        options.tables = count ? tables : NULL;
        options.table_count = count;
        options.filter = close_in_filter;
        options.filter_user = &o;
        assert_gone(rowtide_capture_begin(o.db, &options, &capture));
        end(&o);
    }
}

static void in_the_sink_of_capture(void **state)
{
    (void)state;
    static const char *const works[] = {WORK, "UPDATE t SET a = 'new'"};
    for (int i = 0; i < 2; i++) {
        rowtide_capture *capture;
        rowtide_changeset *changeset;
        rowtide_sink *sink;
        owner o;
        open_adopted(&o, SCHEMA);
        assert_ok(rowtide_capture_begin(o.db, NULL, &capture));
        assert_int_equal(sqlite3_exec(o.sqlite, works[i], NULL, NULL, NULL),
                         SQLITE_OK);
        assert_ok(rowtide_sink_callback(close_and_write, &o, &sink));
        rowtide_capture_end_stream(capture, sink);
        assert_gone(rowtide_capture_end(capture, &changeset));
        rowtide_sink_free(sink);
        rowtide_capture_free(capture);
        end(&o);
    }
}

static void in_a_diff(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        rowtide_diff_options options = ROWTIDE_DIFF_OPTIONS_INIT;
        rowtide_sink *sink;
        owner o;
        open_adopted(&o,
                     SCHEMA "ATTACH ':memory:' AS other;"
                            "CREATE TABLE other.t(id INTEGER PRIMARY KEY, a);"
                            "CREATE TABLE other.u(id INTEGER PRIMARY KEY, a);"
                            "INSERT INTO other.u VALUES(1, zeroblob(100000)),"
                            " (2, zeroblob(100000))");
        options.filter = i == 0 ? close_in_filter : NULL;
        options.filter_user = &o;
        options.progress = i == 1 ? close_in_progress : NULL;
        options.progress_user = &o;
        assert_ok(rowtide_sink_callback(close_and_write, &o, &sink));
        assert_gone(rowtide_changeset_diff_stream(o.db, "main", "other",
                                                  &options, sink));
        rowtide_sink_free(sink);
        end(&o);
    }
}

static int close_in_conflict(const rowtide_conflict *conflict, void *user)
{
    (void)conflict;
    close_once(user);
    return ROWTIDE_ACTION_OMIT;
}

static void while_a_step_is_undone(void **state)
{
    (void)state;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_undo *undo;
    owner o;
    open_adopted(&o, SCHEMA);
    assert_ok(rowtide_undo_open(o.db, NULL, &undo));
    assert_ok(rowtide_undo_begin(undo, NULL));
    assert_ok(rowtide_db_exec(o.db, WORK));
    assert_ok(rowtide_undo_commit(undo, NULL, NULL));
    assert_ok(rowtide_db_exec(o.db, "UPDATE t SET a = 'other'"));
    options.on_conflict = close_in_conflict;
    options.on_conflict_user = &o;
    assert_gone(rowtide_undo_undo(undo, &options, NULL));
    rowtide_undo_free(undo);
    end(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_the_reader_of_apply),
        cmocka_unit_test(in_the_filter_of_apply),
        cmocka_unit_test(in_the_filter_of_capture),
        cmocka_unit_test(in_the_sink_of_capture),
        cmocka_unit_test(in_a_diff),
        cmocka_unit_test(while_a_step_is_undone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
