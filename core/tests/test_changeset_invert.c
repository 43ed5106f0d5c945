#include "support/oom.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

static rowtide_changeset *invert(rowtide_changeset *changeset)
{
    rowtide_changeset *inverse = NULL;
    assert_ok(rowtide_changeset_invert(changeset, &inverse));
    return inverse;
}

static void assert_inverse_of_sqlite(rowtide_changeset *changeset)
{
    int size;
    void *data = NULL;
    char nothing = 0;
    const void *bytes = rowtide_changeset_data(changeset);
    rowtide_changeset *inverse = invert(changeset);
    assert_int_equal(
        sqlite3changeset_invert((int)rowtide_changeset_size(changeset),
                                bytes ? bytes : &nothing, &size, &data),
        SQLITE_OK);
    assert_same_bytes(inverse, data, (size_t)size);
    rowtide_changeset *again = invert(inverse);
    assert_same_bytes(again, bytes, rowtide_changeset_size(changeset));
    sqlite3_free(data);
    rowtide_changeset_free(again);
    rowtide_changeset_free(inverse);
}

static void same_bytes_as_sqlite(void **state)
{
    (void)state;
    random_state random = {11};
    for (int round = 0; round < 150; round++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        char *before = random_sql(&random, 25), *sql = random_sql(&random, 25);
        recording_exec(db, before);
        rowtide_changeset *changeset = record_changeset(db, sql);
        assert_inverse_of_sqlite(changeset);
        rowtide_changeset_free(changeset);
        free(before);
        free(sql);
        sqlite3_close(db);
    }
}

static void undoes_what_was_done(void **state)
{
    (void)state;
    random_state random = {12};
    sqlite3 *db = recording_db(RANDOM_SCHEMA),
            *copy = recording_db(RANDOM_SCHEMA);
    char *before = random_sql(&random, 40), *sql = random_sql(&random, 40);
    recording_exec(db, before);
    recording_exec(copy, before);
    rowtide_changeset *changeset = record_changeset(db, sql);
    rowtide_changeset *inverse = invert(changeset);
    assert_false(recording_same(db, copy));
    assert_int_equal(recording_apply(db, inverse, NULL, NULL), SQLITE_OK);
    assert_true(recording_same(db, copy));
    rowtide_changeset_free(inverse);
    rowtide_changeset_free(changeset);
    free(before);
    free(sql);
    sqlite3_close(db);
    sqlite3_close(copy);
}

static void counts_are_swapped(void **state)
{
    (void)state;
    sqlite3 *db = recording_db("CREATE TABLE t(id INTEGER PRIMARY KEY, a);"
                               "INSERT INTO t VALUES(1,1),(2,2)");
    rowtide_changeset *changeset = record_changeset(
        db, "INSERT INTO t VALUES(3,3),(4,4); DELETE FROM t WHERE id=1;"
            "UPDATE t SET a=9 WHERE id=2");
    rowtide_changeset *inverse = invert(changeset);
    rowtide_change_counts counts;
    assert_ok(rowtide_changeset_table_counts(inverse, 0, &counts));
    assert_int_equal(counts.inserts, 1);
    assert_int_equal(counts.deletes, 2);
    assert_int_equal(counts.updates, 1);
    assert_int_equal(rowtide_changeset_change_count(inverse), 4);
    rowtide_changeset_free(inverse);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

static void patchset_is_refused(void **state)
{
    (void)state;
    sqlite3 *db = recording_db("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
    rowtide_changeset *patchset = record_patchset(db,
                                                  "INSERT INTO t VALUES(1,2)");
    rowtide_changeset *inverse = patchset;
    assert_status(rowtide_changeset_invert(patchset, &inverse), ROWTIDE_EINVAL);
    assert_message("patchset");
    assert_null(inverse);

    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_source_memory(rowtide_changeset_data(patchset),
                                    rowtide_changeset_size(patchset), &source));
    assert_ok(rowtide_sink_buffer(&buffer, &sink));
    assert_status(rowtide_changeset_invert_stream(source, sink),
                  ROWTIDE_EINVAL);
    rowtide_source_free(source);
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&buffer);
    rowtide_changeset_free(patchset);
    sqlite3_close(db);
}

static void nothing_inverts_to_nothing(void **state)
{
    (void)state;
    rowtide_changeset *empty = changeset_from(NULL, 0);
    rowtide_changeset *inverse = invert(empty);
    assert_int_equal(rowtide_changeset_size(inverse), 0);
    assert_null(rowtide_changeset_data(inverse));
    rowtide_changeset_free(inverse);
    rowtide_changeset_free(empty);
    assert_status(rowtide_changeset_invert(NULL, &inverse), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_invert_stream(NULL, NULL), ROWTIDE_EINVAL);
}

static void stream_gives_the_same(void **state)
{
    (void)state;
    random_state random = {13};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    char *sql = random_sql(&random, 60), *more = random_sql(&random, 60);
    recording_exec(db, sql);
    rowtide_changeset *changeset = record_changeset(db, more);
    rowtide_changeset *inverse = invert(changeset);
    for (size_t step = 1; step < 300; step += 37) {
        void *drip;
        rowtide_sink *sink = NULL;
        rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
        rowtide_source *source = dripping_source(
            rowtide_changeset_data(changeset),
            rowtide_changeset_size(changeset), step, &drip);
        assert_ok(rowtide_sink_buffer(&buffer, &sink));
        assert_ok(rowtide_changeset_invert_stream(source, sink));
        assert_same_bytes(inverse, buffer.data, buffer.size);
        rowtide_source_free(source);
        rowtide_sink_free(sink);
        rowtide_buffer_dispose(&buffer);
        free(drip);
    }
    rowtide_changeset_free(inverse);
    rowtide_changeset_free(changeset);
    free(sql);
    free(more);
    sqlite3_close(db);
}

static int invert_once(void *context)
{
    rowtide_changeset *inverse = NULL;
    int rc = rowtide_changeset_invert(context, &inverse);
    rowtide_changeset_free(inverse);
    return rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    sqlite3 *db = recording_db("CREATE TABLE t(id INTEGER PRIMARY KEY, a);"
                               "INSERT INTO t VALUES(1,1)");
    rowtide_changeset *changeset = record_changeset(
        db, "UPDATE t SET a=2; INSERT INTO t VALUES(3,4)");
    oom_loop(invert_once, changeset);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_as_sqlite),
        cmocka_unit_test(undoes_what_was_done),
        cmocka_unit_test(counts_are_swapped),
        cmocka_unit_test(patchset_is_refused),
        cmocka_unit_test(nothing_inverts_to_nothing),
        cmocka_unit_test(stream_gives_the_same),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
