#include "support/oom.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char KEY[] = {1, 0, 0};

static rowtide_changeset_builder *start(int patchset)
{
    rowtide_changeset_builder *builder = NULL;
    assert_ok(rowtide_changeset_builder_new(patchset, &builder));
    assert_ok(rowtide_changeset_builder_table(builder, "t", 3, KEY));
    return builder;
}

static rowtide_changeset *finish(rowtide_changeset_builder *builder)
{
    rowtide_changeset *changeset = NULL;
    assert_ok(rowtide_changeset_builder_finish(builder, &changeset));
    return changeset;
}

typedef struct row {
    rowtide_value values[3];
} row;

static row make_row(int64_t id, const char *a, double b)
{
    return (row){{rowtide_value_integer(id), rowtide_value_text(a),
                  rowtide_value_real(b)}};
}

static void assert_listing(rowtide_changeset *changeset, const char *expected)
{
    char *listing = changeset_listing(changeset);
    assert_string_equal(listing, expected);
    free(listing);
}

static void same_bytes_as_a_recording(void **state)
{
    (void)state;
    const char *schema = "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b);"
                         "INSERT INTO t VALUES(1, 'one', 1.5), (2, 'two', 2.5)";
    static const char *const sql[] = {"INSERT INTO t VALUES(3, 'drei', 3.5)",
                                      "UPDATE t SET a = 'uno' WHERE id = 1",
                                      "DELETE FROM t WHERE id = 2"};
    for (int i = 0; i < 6; i++) {
        int patchset = i / 3;
        sqlite3 *db = recording_db(schema);
        rowtide_changeset *recorded = patchset
                                          ? record_patchset(db, sql[i % 3])
                                          : record_changeset(db, sql[i % 3]);
        rowtide_changeset_builder *builder = start(patchset);
        row one = make_row(1, "one", 1.5), uno = make_row(1, "uno", 1.5);
        row two = make_row(2, "two", 2.5), three = make_row(3, "drei", 3.5);
        if (i % 3 == 0)
            assert_ok(rowtide_changeset_builder_insert(builder, three.values));
        else if (i % 3 == 1)
            assert_ok(rowtide_changeset_builder_update(builder, one.values,
                                                       uno.values));
        else
            assert_ok(rowtide_changeset_builder_delete(builder, two.values));
        rowtide_changeset *built = finish(builder);
        assert_same_bytes(built, rowtide_changeset_data(recorded),
                          rowtide_changeset_size(recorded));
        assert_int_equal(rowtide_changeset_is_patchset(built), patchset);
        rowtide_changeset_free(built);
        rowtide_changeset_free(recorded);
        rowtide_changeset_builder_free(builder);
        sqlite3_close(db);
    }
}

static void changes_of_a_row_become_one(void **state)
{
    (void)state;
    rowtide_changeset_builder *builder = start(0);
    row a = make_row(1, "a", 1), b = make_row(1, "b", 1),
        c = make_row(1, "c", 1);
    row gone = make_row(2, "gone", 0);
    assert_ok(rowtide_changeset_builder_update(builder, a.values, b.values));
    assert_ok(rowtide_changeset_builder_update(builder, b.values, c.values));
    assert_ok(rowtide_changeset_builder_insert(builder, gone.values));
    assert_ok(rowtide_changeset_builder_delete(builder, gone.values));
    rowtide_changeset *changeset = finish(builder);
    assert_listing(changeset, "t 23 0 | 1 t61 - | - t63 -\n");
    rowtide_changeset_free(changeset);

    /* It starts again from empty, without a table. */
    assert_status(rowtide_changeset_builder_insert(builder, a.values),
                  ROWTIDE_EMISUSE);
    assert_message("no table");
    changeset = finish(builder);
    assert_int_equal(rowtide_changeset_size(changeset), 0);
    rowtide_changeset_free(changeset);
    rowtide_changeset_builder_free(builder);
}

static void update_that_changes_nothing_is_left_out(void **state)
{
    (void)state;
    rowtide_changeset_builder *builder = start(0);
    row a = make_row(1, "a", 1);
    assert_ok(rowtide_changeset_builder_update(builder, a.values, a.values));
    rowtide_changeset *changeset = finish(builder);
    assert_int_equal(rowtide_changeset_size(changeset), 0);
    rowtide_changeset_free(changeset);
    rowtide_changeset_builder_free(builder);
}

static void undefined_columns_of_an_update(void **state)
{
    (void)state;
    for (int patchset = 0; patchset < 2; patchset++) {
        rowtide_changeset_builder *builder = start(patchset);
        row old = make_row(1, "a", 1), new = make_row(1, "b", 1);
        old.values[2] = new.values[2] = rowtide_value_undefined();
        new.values[0] = rowtide_value_undefined();
        if (patchset)
            old.values[1] = rowtide_value_undefined();
        assert_ok(
            rowtide_changeset_builder_update(builder, old.values, new.values));
        rowtide_changeset *changeset = finish(builder);
        assert_listing(changeset, patchset ? "t 23 0 | 1 - - | - t62 -\n"
                                           : "t 23 0 | 1 t61 - | - t62 -\n");
        rowtide_changeset_free(changeset);
        rowtide_changeset_builder_free(builder);
    }
}

static void indirect_stays_as_set(void **state)
{
    (void)state;
    rowtide_changeset_builder *builder = start(0);
    row a = make_row(1, "a", 1), b = make_row(2, "b", 1),
        c = make_row(3, "c", 1);
    rowtide_change_counts counts;
    assert_ok(rowtide_changeset_builder_insert(builder, a.values));
    assert_ok(rowtide_changeset_builder_indirect(builder, 1));
    assert_ok(rowtide_changeset_builder_insert(builder, b.values));
    assert_ok(rowtide_changeset_builder_insert(builder, c.values));
    rowtide_changeset *changeset = finish(builder);
    assert_ok(rowtide_changeset_table_counts(changeset, 0, &counts));
    assert_int_equal(counts.indirect, 2);
    assert_int_equal(counts.inserts, 3);
    rowtide_changeset_free(changeset);
    rowtide_changeset_builder_free(builder);
}

static void not_a_number_is_null(void **state)
{
    (void)state;
    rowtide_changeset_builder *builder = start(0);
    row a = make_row(1, "a", NAN);
    assert_ok(rowtide_changeset_builder_insert(builder, a.values));
    rowtide_changeset *changeset = finish(builder);
    assert_listing(changeset, "t 18 0 | | 1 t61 null\n");
    rowtide_changeset_free(changeset);
    a.values[0] = rowtide_value_real(NAN);
    assert_ok(rowtide_changeset_builder_table(builder, "t", 3, KEY));
    assert_status(rowtide_changeset_builder_insert(builder, a.values),
                  ROWTIDE_EINVAL);
    rowtide_changeset_builder_free(builder);
}

static int copy_all(rowtide_changeset *changeset,
                    rowtide_changeset_builder *builder)
{
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    int rc = rowtide_changeset_iter_new(changeset, 0, &iter);
    while (rc == ROWTIDE_OK
           && (rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK)
        rc = rowtide_changeset_builder_change(builder, change);
    rowtide_changeset_iter_free(iter);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

/* What an iterator gives goes in and comes out again as the same bytes. */
static void copies_what_an_iterator_gives(void **state)
{
    (void)state;
    random_state random = {71};
    for (int round = 0; round < 60; round++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        char *before = random_sql(&random, 25), *sql = random_sql(&random, 25);
        rowtide_changeset_builder *builder = NULL;
        recording_exec(db, before);
        rowtide_changeset *changeset = round % 2 ? record_patchset(db, sql)
                                                 : record_changeset(db, sql);
        assert_ok(rowtide_changeset_builder_new(round % 2, &builder));
        assert_ok(copy_all(changeset, builder));
        rowtide_changeset *copy = finish(builder);
        assert_same_bytes(copy, rowtide_changeset_data(changeset),
                          rowtide_changeset_size(changeset));
        rowtide_changeset_free(copy);
        rowtide_changeset_free(changeset);
        rowtide_changeset_builder_free(builder);
        free(before);
        free(sql);
        sqlite3_close(db);
    }
}

static void bad_rows_are_refused(void **state)
{
    (void)state;
    rowtide_changeset_builder *builder = start(0);
    row good = make_row(1, "a", 1), bad = good;
    bad.values[0] = rowtide_value_null();
    assert_status(rowtide_changeset_builder_insert(builder, bad.values),
                  ROWTIDE_EINVAL);
    assert_message("table \"t\": column 1 is in the primary key");
    bad = good;
    bad.values[2] = rowtide_value_undefined();
    assert_status(rowtide_changeset_builder_insert(builder, bad.values),
                  ROWTIDE_EINVAL);
    assert_message("column 3 is undefined");
    assert_status(rowtide_changeset_builder_delete(builder, bad.values),
                  ROWTIDE_EINVAL);
    assert_status(
        rowtide_changeset_builder_update(builder, good.values, bad.values),
        ROWTIDE_EINVAL);
    assert_message("column 3 has only one of an old and a new value");
    bad = make_row(2, "a", 1);
    assert_status(
        rowtide_changeset_builder_update(builder, good.values, bad.values),
        ROWTIDE_EINVAL);
    assert_message("an UPDATE cannot change");
    bad = good;
    bad.values[1] = rowtide_value_blob(NULL, 5);
    assert_status(rowtide_changeset_builder_insert(builder, bad.values),
                  ROWTIDE_EINVAL);
    bad.values[1].type = (rowtide_type)9;
    assert_status(rowtide_changeset_builder_insert(builder, bad.values),
                  ROWTIDE_EINVAL);
    /* None of them has left a trace. */
    rowtide_changeset *changeset = finish(builder);
    assert_int_equal(rowtide_changeset_size(changeset), 0);
    rowtide_changeset_free(changeset);
    rowtide_changeset_builder_free(builder);
}

static void bad_tables_are_refused(void **state)
{
    (void)state;
    rowtide_changeset_builder *builder = start(0);
    static const unsigned char none[] = {0, 0, 0}, other[] = {0, 1, 0};
    assert_status(rowtide_changeset_builder_table(builder, "t", 3, other),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_table(builder, "T", 2, KEY),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_table(builder, "u", 3, none),
                  ROWTIDE_EINVAL);
    assert_message("table \"u\" has no primary key");
    assert_status(rowtide_changeset_builder_table(builder, "", 3, KEY),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_table(builder, NULL, 3, KEY),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_table(builder, "u", 0, KEY),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_table(builder, "u", 40000, KEY),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_table(builder, "u", 3, NULL),
                  ROWTIDE_EINVAL);
    assert_ok(rowtide_changeset_builder_table(builder, "t", 3, KEY));
    rowtide_changeset_builder_free(builder);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    rowtide_changeset_builder *builder = start(0);
    rowtide_changeset *changeset = NULL;
    rowtide_change change = {.table = "t", .kind = (rowtide_change_kind)3};
    row a = make_row(1, "a", 1);
    assert_status(rowtide_changeset_builder_new(0, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_table(NULL, "t", 3, KEY),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_indirect(NULL, 1), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_insert(NULL, a.values),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_insert(builder, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_update(builder, NULL, a.values),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_update(builder, a.values, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_delete(builder, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_change(builder, NULL),
                  ROWTIDE_EINVAL);
    change.column_count = 3;
    change.primary_key = KEY;
    assert_status(rowtide_changeset_builder_change(builder, &change),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_finish(NULL, &changeset),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_builder_finish(builder, NULL),
                  ROWTIDE_EINVAL);
    rowtide_changeset_builder_free(NULL);
    rowtide_changeset_builder_free(builder);
}

static int build_once(void *context)
{
    rowtide_changeset_builder *builder = NULL;
    rowtide_changeset *changeset = NULL;
    int rc = rowtide_changeset_builder_new(0, &builder);
    if (rc == ROWTIDE_OK)
        rc = copy_all(context, builder);
    if (rc == ROWTIDE_OK)
        rc = copy_all(context, builder);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_builder_finish(builder, &changeset);
    rowtide_changeset_free(changeset);
    rowtide_changeset_builder_free(builder);
    return rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    random_state random = {72};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    char *before = random_sql(&random, 25), *sql = random_sql(&random, 25);
    recording_exec(db, before);
    rowtide_changeset *changeset = record_changeset(db, sql);
    oom_loop(build_once, changeset);
    rowtide_changeset_free(changeset);
    free(before);
    free(sql);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes_as_a_recording),
        cmocka_unit_test(changes_of_a_row_become_one),
        cmocka_unit_test(update_that_changes_nothing_is_left_out),
        cmocka_unit_test(undefined_columns_of_an_update),
        cmocka_unit_test(indirect_stays_as_set),
        cmocka_unit_test(not_a_number_is_null),
        cmocka_unit_test(copies_what_an_iterator_gives),
        cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(bad_tables_are_refused),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
