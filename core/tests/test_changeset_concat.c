#include "support/oom.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

enum { PARTS = 5 };

static rowtide_changeset *concat(rowtide_changeset *const *parts, size_t count)
{
    rowtide_changeset *whole = NULL;
    assert_ok(rowtide_changeset_concat(parts, count, &whole));
    return whole;
}

static rowtide_changeset *concat_two(rowtide_changeset *a, rowtide_changeset *b)
{
    rowtide_changeset *const parts[] = {a, b};
    return concat(parts, 2);
}

static rowtide_changeset *concat_by_sqlite(rowtide_changeset *const *parts,
                                           size_t count)
{
    sqlite3_changegroup *group = NULL;
    void *data = NULL;
    int size;
    assert_int_equal(sqlite3changegroup_new(&group), SQLITE_OK);
    for (size_t i = 0; i < count; i++) {
        size_t length = rowtide_changeset_size(parts[i]);
        char *copy = malloc(length + 1);
        assert_non_null(copy);
        if (length)
            memcpy(copy, rowtide_changeset_data(parts[i]), length);
        assert_int_equal(sqlite3changegroup_add(group, (int)length, copy),
                         SQLITE_OK);
        free(copy);
    }
    assert_int_equal(sqlite3changegroup_output(group, &size, &data), SQLITE_OK);
    sqlite3changegroup_delete(group);
    return changeset_from_sqlite(data, size);
}

static void record_parts(random_state *random, sqlite3 *db, int patchset,
                         rowtide_changeset **parts)
{
    for (int i = 0; i < PARTS; i++) {
        char *sql = random_sql(random, 12);
        parts[i] = patchset ? record_patchset(db, sql)
                            : record_changeset(db, sql);
        free(sql);
    }
}

static void free_parts(rowtide_changeset **parts)
{
    for (int i = 0; i < PARTS; i++)
        rowtide_changeset_free(parts[i]);
}

static void compare_with_sqlite(uint64_t seed, int patchset)
{
    random_state random = {seed};
    for (int round = 0; round < 200; round++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        rowtide_changeset *parts[PARTS];
        record_parts(&random, db, patchset, parts);
        rowtide_changeset *ours = concat(parts, PARTS);
        rowtide_changeset *theirs = concat_by_sqlite(parts, PARTS);
        assert_same_changes(ours, theirs);
        assert_int_equal(rowtide_changeset_size(ours),
                         rowtide_changeset_size(theirs));
        rowtide_changeset_free(ours);
        rowtide_changeset_free(theirs);
        free_parts(parts);
        sqlite3_close(db);
    }
}

static void same_changes_as_sqlite(void **state)
{
    (void)state;
    compare_with_sqlite(21, 0);
}

static void same_patches_as_sqlite(void **state)
{
    (void)state;
    compare_with_sqlite(22, 1);
}

/* Changes that cannot follow each other are left out just as SQLite does. */
static void same_as_sqlite_out_of_order(void **state)
{
    (void)state;
    random_state random = {23};
    for (int round = 0; round < 150; round++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        rowtide_changeset *parts[PARTS], *swapped;
        record_parts(&random, db, 0, parts);
        swapped = parts[1];
        parts[1] = parts[3];
        parts[3] = swapped;
        rowtide_changeset *ours = concat(parts, PARTS);
        rowtide_changeset *theirs = concat_by_sqlite(parts, PARTS);
        assert_same_changes(ours, theirs);
        rowtide_changeset_free(ours);
        rowtide_changeset_free(theirs);
        free_parts(parts);
        sqlite3_close(db);
    }
}

static void does_what_the_parts_do(void **state)
{
    (void)state;
    random_state random = {24};
    for (int round = 0; round < 30; round++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        sqlite3 *copy = recording_db(RANDOM_SCHEMA);
        rowtide_changeset *parts[PARTS];
        record_parts(&random, db, round % 2, parts);
        rowtide_changeset *whole = concat(parts, PARTS);
        assert_int_equal(recording_apply(copy, whole, NULL, NULL), SQLITE_OK);
        assert_true(recording_same(db, copy));
        rowtide_changeset_free(whole);
        free_parts(parts);
        sqlite3_close(db);
        sqlite3_close(copy);
    }
}

static void with_its_inverse_is_nothing(void **state)
{
    (void)state;
    random_state random = {25};
    for (int round = 0; round < 50; round++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        char *before = random_sql(&random, 30), *sql = random_sql(&random, 30);
        rowtide_changeset *inverse = NULL;
        recording_exec(db, before);
        rowtide_changeset *changeset = record_changeset(db, sql);
        assert_ok(rowtide_changeset_invert(changeset, &inverse));
        rowtide_changeset *whole = concat_two(changeset, inverse);
        assert_int_equal(rowtide_changeset_size(whole), 0);
        rowtide_changeset_free(whole);
        rowtide_changeset_free(inverse);
        rowtide_changeset_free(changeset);
        free(before);
        free(sql);
        sqlite3_close(db);
    }
}

/* Tables and rows come in the order in which they came first. */
static void order_is_kept(void **state)
{
    (void)state;
    static const unsigned char first[] =
        "T\2\1\0b\0\x12\0\1\0\0\0\0\0\0\0\7\5\x12\0\1\0\0\0\0\0\0\0\3\5"
        "T\1\1a\0\x12\0\1\0\0\0\0\0\0\0\1";
    static const unsigned char second[] =
        "T\1\1c\0\x12\0\1\0\0\0\0\0\0\0\1"
        "T\2\1\0b\0\x12\0\1\0\0\0\0\0\0\0\1\5";
    static const unsigned char expected[] =
        "T\2\1\0b\0\x12\0\1\0\0\0\0\0\0\0\7\5\x12\0\1\0\0\0\0\0\0\0\3\5"
        "\x12\0\1\0\0\0\0\0\0\0\1\5"
        "T\1\1a\0\x12\0\1\0\0\0\0\0\0\0\1"
        "T\1\1c\0\x12\0\1\0\0\0\0\0\0\0\1";
    rowtide_changeset *a = changeset_from(first, sizeof first - 1);
    rowtide_changeset *b = changeset_from(second, sizeof second - 1);
    rowtide_changeset *whole = concat_two(a, b);
    assert_same_bytes(whole, expected, sizeof expected - 1);
    rowtide_changeset_free(whole);
    rowtide_changeset_free(a);
    rowtide_changeset_free(b);
}

static void indirect_only_if_all_are(void **state)
{
    (void)state;
    static const unsigned char direct[] =
        "T\2\1\0t\0\x12\0\1\0\0\0\0\0\0\0\7\5";
    static const unsigned char indirect[] =
        "T\2\1\0t\0\x17\1\1\0\0\0\0\0\0\0\7\5\0\3\1x";
    static const unsigned char more[] =
        "T\2\1\0t\0\x17\1\1\0\0\0\0\0\0\0\7\3\1x\0\3\1y";
    rowtide_changeset *a = changeset_from(direct, sizeof direct - 1);
    rowtide_changeset *b = changeset_from(indirect, sizeof indirect - 1);
    rowtide_changeset *c = changeset_from(more, sizeof more - 1);
    rowtide_changeset *mixed = concat_two(a, b), *same = concat_two(b, c);
    rowtide_change_counts counts;
    assert_ok(rowtide_changeset_table_counts(mixed, 0, &counts));
    assert_int_equal(counts.indirect, 0);
    assert_ok(rowtide_changeset_table_counts(same, 0, &counts));
    assert_int_equal(counts.indirect, 1);
    rowtide_changeset_free(mixed);
    rowtide_changeset_free(same);
    rowtide_changeset_free(a);
    rowtide_changeset_free(b);
    rowtide_changeset_free(c);
}

static void assert_refused(const char *schema_a, const char *schema_b,
                           int patchset_b, int code, const char *message)
{
    sqlite3 *a = recording_db(schema_a), *b = recording_db(schema_b);
    rowtide_changeset *parts[2], *whole;
    parts[0] = record_changeset(a, "INSERT INTO t(a, b) VALUES(1, 2)");
    parts[1] = patchset_b
                   ? record_patchset(b, "INSERT INTO t(a, b) VALUES(1, 2)")
                   : record_changeset(b, "INSERT INTO t(a, b) VALUES(1, 2)");
    whole = parts[0];
    assert_status(rowtide_changeset_concat(parts, 2, &whole), code);
    assert_message(message);
    assert_null(whole);
    rowtide_changeset_free(parts[0]);
    rowtide_changeset_free(parts[1]);
    sqlite3_close(a);
    sqlite3_close(b);
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    const char *two = "CREATE TABLE t(a PRIMARY KEY, b)";
    assert_refused(two, two, 1, ROWTIDE_EINVAL, "input 2 is a patchset");
    assert_refused(two, "CREATE TABLE t(a PRIMARY KEY, b, c)", 0,
                   ROWTIDE_ESCHEMA,
                   "table \"t\" has 3 columns in input 2 and 2 before");
    assert_refused(two, "CREATE TABLE t(a, b PRIMARY KEY)", 0, ROWTIDE_ESCHEMA,
                   "another primary key in input 2");
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    rowtide_changeset *const nothing[] = {NULL};
    rowtide_changeset *whole = NULL;
    assert_status(rowtide_changeset_concat(nothing, 1, &whole), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_concat(NULL, 1, &whole), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_concat(NULL, 0, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_concat_stream(NULL, 1, NULL),
                  ROWTIDE_EINVAL);
    assert_ok(rowtide_changeset_concat(NULL, 0, &whole));
    assert_int_equal(rowtide_changeset_size(whole), 0);
    rowtide_changeset_free(whole);
}

static void streams_give_the_same(void **state)
{
    (void)state;
    random_state random = {26};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    rowtide_changeset *parts[PARTS];
    rowtide_source *sources[PARTS];
    void *drips[PARTS];
    rowtide_sink *sink = NULL;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    record_parts(&random, db, 0, parts);
    rowtide_changeset *whole = concat(parts, PARTS);
    for (int i = 0; i < PARTS; i++)
        sources[i] = dripping_source(rowtide_changeset_data(parts[i]),
                                     rowtide_changeset_size(parts[i]),
                                     (size_t)i + 1, &drips[i]);
    assert_ok(rowtide_sink_buffer(&buffer, &sink));
    assert_ok(rowtide_changeset_concat_stream(sources, PARTS, sink));
    assert_same_bytes(whole, buffer.data, buffer.size);
    for (int i = 0; i < PARTS; i++) {
        rowtide_source_free(sources[i]);
        free(drips[i]);
    }
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&buffer);
    rowtide_changeset_free(whole);
    free_parts(parts);
    sqlite3_close(db);
}

/* 20,000 rows with keys in steps of 2^22 and as many in steps of 2^40: a hash
 * that looks at low bits only would take minutes. */
static void keys_in_big_steps(void **state)
{
    (void)state;
    sqlite3 *db = recording_db("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
    rowtide_changeset_builder *builder = NULL;
    rowtide_changeset *changeset = NULL, *whole;
    const unsigned char key[] = {1, 0};
    assert_ok(rowtide_changeset_builder_new(0, &builder));
    assert_ok(rowtide_changeset_builder_table(builder, "t", 2, key));
    for (int i = 0; i < 40000; i++) {
        int64_t id = (int64_t)(i / 2 + 1) * ((int64_t)1 << (i % 2 ? 40 : 22));
        rowtide_value row[] = {rowtide_value_integer(id), rowtide_value_null()};
        assert_ok(rowtide_changeset_builder_insert(builder, row));
    }
    assert_ok(rowtide_changeset_builder_finish(builder, &changeset));
    rowtide_changeset *const parts[] = {changeset, changeset, changeset};
    whole = concat(parts, 3);
    assert_same_bytes(whole, rowtide_changeset_data(changeset),
                      rowtide_changeset_size(changeset));
    rowtide_changeset_free(whole);
    rowtide_changeset_free(changeset);
    rowtide_changeset_builder_free(builder);
    sqlite3_close(db);
}

static int concat_once(void *context)
{
    rowtide_changeset *whole = NULL;
    int rc = rowtide_changeset_concat(context, PARTS, &whole);
    rowtide_changeset_free(whole);
    return rc;
}

static int concat_stream_once(void *context)
{
    rowtide_changeset **parts = context;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_source_memory(rowtide_changeset_data(parts[0]),
                                   rowtide_changeset_size(parts[0]), &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_buffer(&buffer, &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_concat_stream(&source, 1, sink);
    rowtide_source_free(source);
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&buffer);
    return rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    random_state random = {27};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    rowtide_changeset *parts[PARTS];
    record_parts(&random, db, 0, parts);
    oom_loop(concat_once, parts);
    oom_loop(concat_stream_once, parts);
    free_parts(parts);
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_changes_as_sqlite),
        cmocka_unit_test(same_patches_as_sqlite),
        cmocka_unit_test(same_as_sqlite_out_of_order),
        cmocka_unit_test(does_what_the_parts_do),
        cmocka_unit_test(with_its_inverse_is_nothing),
        cmocka_unit_test(order_is_kept),
        cmocka_unit_test(indirect_only_if_all_are),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(streams_give_the_same),
        cmocka_unit_test(keys_in_big_steps),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
