/*
 * Out of memory where the tests of one thing do not go: inside the caller's
 * transaction, with every option, through streams and files.
 */
#include "support/changesets.h"
#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide.h>

#include <sqlite3.h>
#include <string.h>

#define SCHEMA                                                                 \
    "CREATE TABLE p(id INTEGER PRIMARY KEY, a UNIQUE);"                        \
    "CREATE TABLE c(k TEXT PRIMARY KEY, p REFERENCES p ON DELETE CASCADE)"     \
    " WITHOUT ROWID;"                                                          \
    "INSERT INTO p VALUES(1, 'one'), (2, 'two'), (3, 'three');"                \
    "INSERT INTO c VALUES('x', 1), ('y', 2), ('z', 3);"
#define WORK                                                                   \
    "DELETE FROM c WHERE k = 'x'; DELETE FROM p WHERE id = 1;"                 \
    "INSERT INTO p VALUES(4, 'four'); INSERT INTO c VALUES('w', 4);"           \
    "UPDATE p SET a = 'new' WHERE id = 2;"
#define LOCAL                                                                  \
    SCHEMA "PRAGMA foreign_keys = 1; UPDATE p SET a = 'mine' WHERE id = 2;"    \
           "INSERT INTO p VALUES(4, 'four');"
/* What most calls take. */
typedef struct step {
    rowtide_db *db;
    rowtide_source *source;
    rowtide_sink *sink;
    rowtide_buffer out;
} step;

static rowtide_changeset *changeset, *patchset;

static int record_both(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA "CREATE TABLE gone(a PRIMARY KEY);");
    changeset = changesets_of(SCHEMA "CREATE TABLE gone(a PRIMARY KEY);",
                              WORK "INSERT INTO gone VALUES(1);");
    patchset = changesets_record_patchset(db, WORK);
    rowtide_db_free(db);
    return 0;
}

static int free_both(void **state)
{
    (void)state;
    rowtide_changeset_free(changeset);
    rowtide_changeset_free(patchset);
    return 0;
}

static int start(step *s, const char *sql, rowtide_changeset *input)
{
    memset(s, 0, sizeof *s);
    int rc = rowtide_db_open(":memory:", NULL, &s->db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(s->db, sql);
    if (rc == ROWTIDE_OK && input)
        rc = rowtide_source_memory(rowtide_changeset_data(input),
                                   rowtide_changeset_size(input), &s->source);
    return rc == ROWTIDE_OK ? rowtide_sink_buffer(&s->out, &s->sink) : rc;
}

static int finish(step *s, int rc)
{
    rowtide_sink_free(s->sink);
    rowtide_source_free(s->source);
    rowtide_buffer_dispose(&s->out);
    rowtide_db_free(s->db);
    return rc;
}

static int choose(const char *table, void *user)
{
    (void)user;
    return strcmp(table, "nosuch") != 0;
}

static int choose_change(const rowtide_change *change, void *user)
{
    (void)user;
    return change->column_count > 0;
}

static int go_on(const rowtide_progress *progress, void *user)
{
    (void)progress;
    (void)user;
    return 0;
}

/* Read around the library, which is out of memory. */
static int is_as_before(void *user, int count, char **values, char **names)
{
    (void)count;
    (void)names;
    *(int *)user = strcmp(values[0], "1,2,3,4,50") == 0
                   && strcmp(values[1], "one,mine,three,four,mine too") == 0
                   && strcmp(values[2], "x,y,z") == 0;
    return 0;
}

static void check_untouched(rowtide_db *db)
{
    int same = 0;
    assert_int_equal(sqlite3_exec(rowtide_db_sqlite(db),
                                  "SELECT group_concat(id), group_concat(a),"
                                  " (SELECT group_concat(k) FROM c) FROM p",
                                  is_as_before, &same, NULL),
                     SQLITE_OK);
    assert_true(same);
}

/* Whatever happens, the caller's transaction is as it was. */
static int apply_nested(void *ctx)
{
    step s;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_report *report = NULL;
    int rc = start(&s, LOCAL "BEGIN; INSERT INTO p VALUES(50, 'mine too')",
                   ctx);
    options.policy = (rowtide_policy)ROWTIDE_POLICY_REPLACE;
    options.policy.foreign_key = ROWTIDE_ACTION_OMIT;
    options.filter = choose;
    options.change_filter = choose_change;
    options.progress = go_on;
    options.flags = ROWTIDE_APPLY_SKIP_MISFITS | ROWTIDE_APPLY_IGNORE_NOOP
                    | ROWTIDE_APPLY_FK_NO_ACTION | ROWTIDE_APPLY_NO_TRIGGERS;
    if (rc == ROWTIDE_OK) {
        rc = rowtide_changeset_apply_stream(s.db, s.source, &options, &report);
        assert_int_equal(rc != ROWTIDE_OK, report == NULL);
        assert_int_equal(sqlite3_get_autocommit(rowtide_db_sqlite(s.db)), 0);
        if (rc != ROWTIDE_OK)
            check_untouched(s.db);
    }
    rowtide_report_free(report);
    return finish(&s, rc);
}

static int capture_streamed(void *ctx)
{
    step s;
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_capture *capture = NULL;
    rowtide_changeset *peeked = NULL;
    const char *table, *reason;
    (void)ctx;
    int rc = start(&s, SCHEMA "CREATE TABLE nokey(a)", NULL);
    options.filter = choose;
    options.flags = ROWTIDE_CAPTURE_SIZE;
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_begin(s.db, &options, &capture);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(s.db, WORK "CREATE TABLE later(a PRIMARY KEY);"
                                        "INSERT INTO later VALUES(1)");
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_skipped(capture, 0, &table, &reason);
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_peek(capture, &peeked);
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_end_stream(capture, s.sink);
    rowtide_changeset_free(peeked);
    rowtide_capture_free(capture);
    return finish(&s, rc);
}

static int diff_streamed(void *ctx)
{
    step s;
    rowtide_diff_options options = ROWTIDE_DIFF_OPTIONS_INIT;
    rowtide_changeset *difference = NULL;
    const char *const *paths = ctx;
    int rc = start(&s,
                   "CREATE TABLE t(a TEXT PRIMARY KEY COLLATE NOCASE, b);"
                   "INSERT INTO t VALUES('x', 1); CREATE TEMP TABLE"
                   " t(a TEXT PRIMARY KEY COLLATE NOCASE, b)",
                   NULL);
    options.filter = choose;
    options.progress = go_on;
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_diff_stream(s.db, "main", "temp", &options,
                                           s.sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_diff_files(paths[0], paths[1], NULL,
                                          &difference);
    rowtide_changeset_free(difference);
    return finish(&s, rc);
}

static int log_by_hand(void *ctx)
{
    step s;
    rowtide_audit *audit = NULL;
    rowtide_audit_entry entry = {"me", "work", "2026-01-31"};
    rowtide_changeset *stored = NULL;
    int64_t id = 0;
    int rc = start(&s, SCHEMA "BEGIN", NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_open(s.db, &audit);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_append(audit, ctx, &entry, &id);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_changeset(audit, id, &stored);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_begin(audit, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_rollback(audit);
    if (rc == ROWTIDE_OK)
        rc = rowtide_audit_prune(audit, "2026-02-01", 0, &id);
    if (rc == ROWTIDE_OK)
        assert_int_equal(id, 1);
    rowtide_changeset_free(stored);
    rowtide_audit_free(audit);
    return finish(&s, rc);
}

static int walk_steps(void *ctx)
{
    step s;
    rowtide_undo *undo = NULL;
    rowtide_undo_step first;
    int64_t undoable, redoable;
    (void)ctx;
    int rc = start(&s, SCHEMA, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_open(s.db, NULL, &undo);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_begin(undo, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(s.db, WORK);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_commit(undo, "work", NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_counts(undo, &undoable, &redoable);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_step_at(undo, 0, &first);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_begin(undo, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_rollback(undo);
    if (rc == ROWTIDE_OK)
        rc = rowtide_undo_clear(undo);
    rowtide_undo_free(undo);
    return finish(&s, rc);
}

static int draw_every_way(void *ctx)
{
    static int (*const draw[])(rowtide_source *, const rowtide_render_options *,
                               rowtide_sink *) = {
        rowtide_changeset_to_json, rowtide_changeset_to_sql,
        rowtide_changeset_to_text, rowtide_changeset_to_html};
    step s = {0};
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < 4; i++) {
        rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
        rc = start(&s, SCHEMA "CREATE TABLE gone(a PRIMARY KEY)", ctx);
        options.names = s.db;
        options.title = "title";
        if (rc == ROWTIDE_OK)
            rc = draw[i](s.source, &options, s.sink);
        finish(&s, rc);
    }
    return rc;
}

static int change_to_json(void *ctx)
{
    rowtide_changeset_iter *iter = NULL;
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    const rowtide_change *change;
    int rc = rowtide_changeset_iter_new(ctx, 0, &iter);
    while (rc == ROWTIDE_OK
           && (rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK) {
        rc = rowtide_change_to_json(change, NULL, &json);
        if (rc != ROWTIDE_OK)
            assert_int_equal(json.size, 0);
    }
    rowtide_buffer_dispose(&json);
    rowtide_changeset_iter_free(iter);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

static void applies(void **state)
{
    (void)state;
    oom_loop(apply_nested, changeset);
    oom_loop(apply_nested, patchset);
}

static void captures(void **state)
{
    (void)state;
    oom_loop(capture_streamed, NULL);
    oom_loop_sqlite(capture_streamed, NULL);
}

static void compares(void **state)
{
    (void)state;
    const char *paths[] = {scratch_new_path(), scratch_new_path()};
    rowtide_db_free(scratch_db_file(paths[0], SCHEMA));
    rowtide_db_free(scratch_db_file(paths[1], SCHEMA WORK));
    oom_loop(diff_streamed, paths);
    oom_loop_sqlite(diff_streamed, paths);
}

static void logs(void **state)
{
    (void)state;
    oom_loop(log_by_hand, changeset);
    oom_loop_sqlite(log_by_hand, changeset);
    oom_loop(walk_steps, NULL);
}

static void draws(void **state)
{
    (void)state;
    oom_loop(draw_every_way, changeset);
    oom_loop(change_to_json, changeset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(applies),  cmocka_unit_test(captures),
        cmocka_unit_test(compares), cmocka_unit_test(logs),
        cmocka_unit_test(draws),
    };
    return cmocka_run_group_tests(tests, record_both, free_both);
}
