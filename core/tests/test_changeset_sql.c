#include "support/changesets.h"
#include "support/oom.h"
#include "support/recording.h"
#include "support/render.h"
#include "support/scratch.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static rowtide_buffer sql_of(rowtide_changeset *changeset, rowtide_db *names)
{
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    options.names = names;
    return render_all(rowtide_changeset_to_sql, changeset, &options);
}

static void statements_are_quoted(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE \"a \"\"b\"\"\"(\"the key\" INTEGER PRIMARY KEY, v, w);"
        "INSERT INTO \"a \"\"b\"\"\" VALUES(1, 2, 3), (2, 'x', 4)");
    rowtide_changeset *changeset = changesets_record(
        db, "UPDATE \"a \"\"b\"\"\" SET v = 'it''s' WHERE \"the key\" = 1;"
            "DELETE FROM \"a \"\"b\"\"\" WHERE \"the key\" = 2;"
            "INSERT INTO \"a \"\"b\"\"\" VALUES(3, x'00ff', 1.5)");
    rowtide_buffer sql = sql_of(changeset, db);
    assert_contains(&sql, "UPDATE \"a \"\"b\"\"\" SET \"v\" = 'it''s' WHERE "
                          "\"the key\" = 1;\n");
    assert_contains(&sql,
                    "DELETE FROM \"a \"\"b\"\"\" WHERE \"the key\" = 2;\n");
    assert_contains(&sql, "INSERT INTO \"a \"\"b\"\"\" (\"the key\", \"v\", "
                          "\"w\") VALUES (3, X'00ff', 1.5);\n");
    rowtide_buffer_dispose(&sql);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

/* Running the SQL gives the same rows as applying the changeset. */
static void sql_does_what_apply_does(void **state)
{
    random_state random = {11};
    (void)state;
    for (int i = 0; i < 30; i++) {
        char *before = random_sql(&random, 30), *work = random_sql(&random, 30);
        sqlite3 *origin = recording_db(RANDOM_SCHEMA);
        sqlite3 *copy = recording_db(RANDOM_SCHEMA);
        rowtide_db *names = NULL;
        recording_exec(origin, before);
        recording_exec(copy, before);
        rowtide_changeset *changeset = record_changeset(origin, work);
        assert_ok(rowtide_db_adopt(origin, &names));
        rowtide_buffer sql = sql_of(changeset, names);
        recording_exec(copy, sql.data ? sql.data : "");
        assert_true(recording_same(origin, copy));
        rowtide_buffer_dispose(&sql);
        rowtide_changeset_free(changeset);
        rowtide_db_free(names);
        sqlite3_close(origin);
        sqlite3_close(copy);
        free(before);
        free(work);
    }
}

static void awkward_values_arrive(void **state)
{
    (void)state;
    rowtide_changeset *changeset = awkward_changeset();
    const char *schema = "CREATE TABLE \"odd \"\"table\"\"\"(k PRIMARY KEY, v)";
    rowtide_db *applied = scratch_db(schema), *run = scratch_db(schema);
    rowtide_buffer sql = sql_of(changeset, run);
    assert_ok(rowtide_changeset_apply(applied, changeset, NULL, NULL));
    scratch_exec(run, sql.data);
    scratch_same(applied, run,
                 "SELECT k, typeof(v), hex(v), v FROM \"odd \"\"table\"\"\" "
                 "ORDER BY k");
    rowtide_buffer_dispose(&sql);
    rowtide_changeset_free(changeset);
    rowtide_db_free(applied);
    rowtide_db_free(run);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005)
             + UINT64_C(1442695040888963407);
    return *state ^ *state >> 29;
}

static rowtide_changeset *random_reals(int count)
{
    static const unsigned char key[] = {1, 0};
    uint64_t random = 5;
    rowtide_changeset_builder *builder = NULL;
    rowtide_changeset *changeset = NULL;
    assert_ok(rowtide_changeset_builder_new(0, &builder));
    assert_ok(rowtide_changeset_builder_table(builder, "t", 2, key));
    for (int i = 0; i < count; i++) {
        uint64_t bits = next_random(&random);
        double real;
        memcpy(&real, &bits, sizeof real);
        if (!isfinite(real))
            continue;
        rowtide_value row[] = {rowtide_value_integer(i),
                               rowtide_value_real(real)};
        assert_ok(rowtide_changeset_builder_insert(builder, row));
    }
    assert_ok(rowtide_changeset_builder_finish(builder, &changeset));
    rowtide_changeset_builder_free(builder);
    return changeset;
}

static void every_real_arrives(void **state)
{
    (void)state;
    rowtide_changeset *changeset = random_reals(5000);
    const char *schema = "CREATE TABLE t(k INTEGER PRIMARY KEY, v)";
    rowtide_db *applied = scratch_db(schema);
    rowtide_db *run = scratch_db_file(scratch_path("reals.db"), schema);
    rowtide_buffer sql = sql_of(changeset, run);
    assert_ok(rowtide_changeset_apply(applied, changeset, NULL, NULL));
    scratch_exec(run, "BEGIN");
    scratch_exec(run, sql.data);
    scratch_exec(run, "COMMIT");
    rowtide_db_free(run);
    char attach[600];
    snprintf(attach, sizeof attach, "ATTACH '%s' AS run",
             scratch_path("reals.db"));
    scratch_exec(applied, attach);
    assert_int_equal(scratch_integer(applied,
                                     "SELECT count(*) FROM main.t JOIN run.t "
                                     "AS o USING(k) WHERE t.v IS NOT o.v"),
                     0);
    assert_true(scratch_integer(applied, "SELECT count(*) FROM run.t") > 4000);
    rowtide_buffer_dispose(&sql);
    rowtide_changeset_free(changeset);
    rowtide_db_free(applied);
}

static void names_are_needed(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changesets_of(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
        "INSERT INTO t VALUES(1, 2)");
    rowtide_db *narrow = scratch_db("CREATE TABLE t(a INTEGER PRIMARY KEY)");
    rowtide_db *dbs[] = {NULL, narrow};
    for (int i = 0; i < 2; i++) {
        rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
        rowtide_buffer out = ROWTIDE_BUFFER_INIT;
        rowtide_source *source = NULL;
        rowtide_sink *sink = NULL;
        options.names = dbs[i];
        assert_ok(rowtide_source_memory(rowtide_changeset_data(changeset),
                                        rowtide_changeset_size(changeset),
                                        &source));
        assert_ok(rowtide_sink_buffer(&out, &sink));
        assert_status(rowtide_changeset_to_sql(source, &options, sink),
                      ROWTIDE_ESCHEMA);
        assert_message("table \"t\": column names are not known");
        rowtide_sink_free(sink);
        rowtide_source_free(source);
        rowtide_buffer_dispose(&out);
    }
    rowtide_changeset_free(changeset);
    rowtide_db_free(narrow);
}

static void generated_columns_are_passed_over(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db("CREATE TABLE t(a INTEGER PRIMARY KEY, "
                                "g AS (a * 2), b)");
    rowtide_changeset *changeset = changesets_of(
        "CREATE TABLE t(a INTEGER PRIMARY KEY, b)",
        "INSERT INTO t VALUES(1, 2)");
    rowtide_buffer sql = sql_of(changeset, db);
    assert_string_equal(sql.data,
                        "INSERT INTO \"t\" (\"a\", \"b\") VALUES (1, 2);\n");
    rowtide_buffer_dispose(&sql);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

typedef struct rendering {
    rowtide_changeset *changeset;
    rowtide_db *names;
} rendering;

static int render_once(void *ctx)
{
    rendering *it = ctx;
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    options.names = it->names;
    int rc = rowtide_source_memory(rowtide_changeset_data(it->changeset),
                                   rowtide_changeset_size(it->changeset),
                                   &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_buffer(&out, &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_to_sql(source, &options, sink);
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    rowtide_buffer_dispose(&out);
    return rc;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    rendering it = {awkward_changeset(),
                    scratch_db("CREATE TABLE \"odd \"\"table\"\"\"(k PRIMARY "
                               "KEY, v)")};
    oom_loop(render_once, &it);
    rowtide_changeset_free(it.changeset);
    rowtide_db_free(it.names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements_are_quoted),
        cmocka_unit_test(sql_does_what_apply_does),
        cmocka_unit_test(awkward_values_arrive),
        cmocka_unit_test(every_real_arrives),
        cmocka_unit_test(names_are_needed),
        cmocka_unit_test(generated_columns_are_passed_over),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
