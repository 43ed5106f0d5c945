#include "support/oom.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One INSERT into t(id PRIMARY KEY, a): id 1, a NULL. */
#define HEAD "T\2\1\0t\0"
#define ONE "\1\0\0\0\0\0\0\0\1"
#define TWO "\1\0\0\0\0\0\0\0\2"

typedef struct bad_bytes {
    const char *bytes;
    size_t size;
    int64_t offset;
    const char *message;
} bad_bytes;

#define BAD(bytes, offset, message) {bytes, sizeof(bytes) - 1, offset, message}

static const bad_bytes all_bad[] = {
    BAD("x", 0, "neither a change nor a table header"),
    BAD("\x12\0" ONE, 0, "a change before the first table header"),
    BAD("T", 1, "the input ends inside a number"),
    BAD("T\2\1", 1, "the input ends inside a table header"),
    BAD("T\2\1\0", 4, "table header is not terminated"),
    BAD("T\2\1\0table", 4, "table header is not terminated"),
    BAD("T\2\1\0\0", 4, "a table has no name"),
    BAD("T\0t\0", 1, "the number of columns is off limits"),
    BAD("T\x82\x80\x00t\0", 1, "the number of columns is off limits"),
    BAD("T\xff\xff\xff\xff\xff\x7ft\0", 1, "a length is over the limit"),
    BAD("T\x80\2\1\0t\0", 1, "a number is not in its shortest form"),
    BAD("T\2\0\0t\0", 2, "a table has no primary key"),
    BAD(HEAD "P\2\1\0u\0", 6, "changeset and patchset are mixed"),
    BAD(HEAD "T\3\1\0\0t\0", 6, "with other columns or another key"),
    BAD(HEAD "T\2\0\1T\0", 6, "with other columns or another key"),
    BAD(HEAD "\x13", 6, "neither a change nor a table header"),
    BAD(HEAD "\x12", 6, "the input ends inside a change"),
    BAD(HEAD "\x12\2" ONE "\5", 7, "the indirect flag is not 0 or 1"),
    BAD(HEAD "\x12\0", 8, "the input ends inside a change"),
    BAD(HEAD "\x12\0\1\0\0", 8, "the input ends inside a number"),
    BAD(HEAD "\x12\0" ONE, 17, "the input ends inside a change"),
    BAD(HEAD "\x12\0" ONE "\6", 17, "there is no such type of value"),
    BAD(HEAD "\x12\0" ONE "\xff", 17, "there is no such type of value"),
    BAD(HEAD "\x12\0" ONE "\3\5abc", 17, "the input ends inside a text"),
    BAD(HEAD "\x12\0" ONE "\4\x87\xff\xff\xff\x7f", 17,
        "the input ends inside a text or blob"),
    BAD(HEAD "\x12\0" ONE "\4\x88\x80\x80\x80\x00", 18,
        "a length is over the limit"),
    BAD(HEAD "\x12\0" ONE "\3", 18, "the input ends inside a number"),
    BAD(HEAD "\x12\0" ONE "\3\x80\1", 18, "not in its shortest form"),
    BAD(HEAD "\x12\0" ONE "\2\x7f\xf8\0\0\0\0\0\0", 17,
        "a REAL is not a number"),
    BAD(HEAD "\x12\0" ONE "\0", 8, "an INSERT or DELETE lacks a value"),
    BAD(HEAD "\x12\0\5\5", 8, "a primary key value is missing or NULL"),
    BAD(HEAD "\x09\0\0\5", 8, "a primary key value is missing or NULL"),
    BAD(HEAD "\x17\0\0\5\0\3\1a", 8, "a primary key value is missing or NULL"),
    BAD(HEAD "\x17\0" ONE "\5" TWO "\3\1a", 18,
        "an UPDATE changes the primary key"),
    BAD(HEAD "\x17\0" ONE "\5\0\0", 19, "only one of an old and a new value"),
    BAD(HEAD "\x17\0" ONE "\0\0\5", 17, "only one of an old and a new value"),
    BAD("P\2\1\0t\0\x17\0\0\5", 8, "a primary key value is missing or NULL"),
    BAD("P\2\1\0t\0\x12\0" ONE "\0", 8, "an INSERT or DELETE lacks a value"),
};

static void check_error(const bad_bytes *bad)
{
    assert_message(bad->message);
    assert_int_equal(rowtide_error_offset(), bad->offset);
    char place[40];
    snprintf(place, sizeof place,
             "corrupt changeset at byte %d:", (int)bad->offset);
    assert_message(place);
}

static void parse_says_what_is_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all_bad / sizeof *all_bad; i++) {
        const bad_bytes *bad = &all_bad[i];
        /* In memory of its own, so that a sanitizer sees every step beyond. */
        char *copy = malloc(bad->size);
        rowtide_changeset *changeset = NULL;
        assert_non_null(copy);
        memcpy(copy, bad->bytes, bad->size);
        assert_status(rowtide_changeset_parse(copy, bad->size, &changeset),
                      ROWTIDE_ECORRUPT);
        check_error(bad);
        assert_null(changeset);
        free(copy);
    }
}

static int drain(rowtide_source *source, int64_t *changes)
{
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    int rc;
    *changes = 0;
    assert_ok(rowtide_changeset_iter_stream(source, 0, &iter));
    while ((rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK)
        (*changes)++;
    int again = rowtide_changeset_iter_next(iter, &change);
    assert_int_equal(again, rc);
    assert_null(change);
    rowtide_changeset_iter_free(iter);
    return rc;
}

static void streams_say_the_same(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all_bad / sizeof *all_bad; i++) {
        const bad_bytes *bad = &all_bad[i];
        for (size_t step = 1; step < 8; step += 3) {
            void *drip;
            int64_t changes;
            rowtide_source *source = dripping_source(bad->bytes, bad->size,
                                                     step, &drip);
            assert_int_equal(drain(source, &changes), ROWTIDE_ECORRUPT);
            check_error(bad);
            rowtide_source_free(source);
            free(drip);
        }
    }
}

static rowtide_changeset *some_changes(int patchset)
{
    random_state random = {51};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    char *before = random_sql(&random, 40), *sql = random_sql(&random, 60);
    recording_exec(db, before);
    rowtide_changeset *changeset = patchset ? record_patchset(db, sql)
                                            : record_changeset(db, sql);
    free(before);
    free(sql);
    sqlite3_close(db);
    return changeset;
}

/* Cut anywhere but between changes it is corrupt; there it is shorter. */
static void every_truncation(void **state)
{
    (void)state;
    for (int patchset = 0; patchset < 2; patchset++) {
        rowtide_changeset *changeset = some_changes(patchset);
        const char *bytes = rowtide_changeset_data(changeset);
        size_t size = rowtide_changeset_size(changeset);
        int64_t most = rowtide_changeset_change_count(changeset), whole = 0;
        for (size_t cut = 0; cut < size; cut++) {
            char *copy = malloc(cut + 1);
            rowtide_changeset *shorter = NULL;
            assert_non_null(copy);
            memcpy(copy, bytes, cut);
            copy = realloc(copy, cut ? cut : 1);
            int rc = rowtide_changeset_parse(copy, cut, &shorter);
            assert_true(rc == ROWTIDE_OK || rc == ROWTIDE_ECORRUPT);
            if (rc == ROWTIDE_OK) {
                whole++;
                assert_true(rowtide_changeset_change_count(shorter) < most);
            } else {
                assert_in_range(rowtide_error_offset(), 0, cut);
            }
            rowtide_changeset_free(shorter);
            free(copy);
        }
        assert_in_range(whole, most, most + 3);
        rowtide_changeset_free(changeset);
    }
}

/* Whatever is accepted after a byte was changed can be computed with. */
static void every_changed_byte(void **state)
{
    (void)state;
    random_state random = {52};
    rowtide_changeset *changeset = some_changes(0);
    size_t size = rowtide_changeset_size(changeset);
    char *copy = malloc(size);
    assert_non_null(copy);
    memcpy(copy, rowtide_changeset_data(changeset), size);
    for (size_t at = 0; at < size; at++) {
        char was = copy[at];
        rowtide_changeset *other = NULL, *inverse = NULL, *nothing = NULL;
        copy[at] = (char)random_below(&random, 256);
        int rc = rowtide_changeset_parse(copy, size, &other);
        copy[at] = was;
        if (rc != ROWTIDE_OK) {
            assert_int_equal(rc, ROWTIDE_ECORRUPT);
            continue;
        }
        assert_ok(rowtide_changeset_invert(other, &inverse));
        rowtide_changeset *const both[] = {other, inverse};
        assert_ok(rowtide_changeset_concat(both, 2, &nothing));
        rowtide_changeset_free(nothing);
        rowtide_changeset_free(inverse);
        rowtide_changeset_free(other);
    }
    free(copy);
    rowtide_changeset_free(changeset);
}

static void what_sqlite_makes_is_accepted(void **state)
{
    (void)state;
    sqlite3 *db = recording_db(
        "CREATE TABLE \"a b\"(x TEXT PRIMARY KEY, y REAL);"
        "CREATE TABLE s(a ANY, b INT, c TEXT, PRIMARY KEY(c, a)) STRICT;"
        "CREATE TABLE f(a INTEGER PRIMARY KEY, b);"
        "CREATE INDEX i ON f(b); INSERT INTO f VALUES(1, 2)");
    rowtide_changeset *changeset = record_changeset(
        db, "INSERT INTO \"a b\" VALUES('', 9e999), ('k', -9e999), ('z', 0.0);"
            "INSERT INTO s VALUES(x'', 1, ''), (1.5, NULL, 'x'); ANALYZE;"
            "UPDATE f SET a = 7");
    assert_int_equal(rowtide_changeset_table_count(changeset), 4);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

static void headers_without_changes(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changeset_from(HEAD "T\1\1u\0", 11);
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    assert_int_equal(rowtide_changeset_change_count(changeset), 0);
    assert_int_equal(rowtide_changeset_table_count(changeset), 0);
    assert_null(rowtide_changeset_table_name(changeset, 0));
    assert_ok(rowtide_changeset_iter_new(changeset, 0, &iter));
    assert_int_equal(rowtide_changeset_iter_next(iter, &change), ROWTIDE_DONE);
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_free(changeset);
}

/* SQLite's rebaser repeats the key in the new record of an UPDATE. */
static void key_in_both_records(void **state)
{
    (void)state;
    static const char bytes[] = HEAD "\x17\0" ONE "\5" ONE "\3\1a";
    rowtide_changeset *changeset = changeset_from(bytes, sizeof bytes - 1);
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    for (unsigned flags = 0; flags < 2; flags++) {
        assert_ok(rowtide_changeset_iter_new(changeset, flags, &iter));
        assert_ok(rowtide_changeset_iter_next(iter, &change));
        assert_int_equal(change->old_values[0].integer, 1);
        assert_int_equal(change->new_values[0].type, ROWTIDE_UNDEFINED);
        rowtide_changeset_iter_free(iter);
    }
    rowtide_changeset_free(changeset);
}

static void many_tables_and_wide_ones(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int i = 0; i < 3000; i++) {
        fprintf(out, "T\1\1");
        fprintf(out, "table %d", i);
        fwrite("\0\x12\1\3\1k", 1, 6, out);
    }
    fwrite("T\x81\xff\x7f", 1, 4, out); /* 32,767 columns */
    for (int i = 0; i < 32767; i++)
        fputc(i == 32766, out);
    fwrite("wide\0\x12\0", 1, 7, out);
    for (int i = 0; i < 32766; i++)
        fputc(5, out);
    fwrite("\3\1k", 1, 3, out);
    fclose(out);
    rowtide_changeset *changeset = changeset_from(text, size);
    assert_int_equal(rowtide_changeset_table_count(changeset), 3001);
    assert_int_equal(rowtide_changeset_change_count(changeset), 3001);
    assert_string_equal(rowtide_changeset_table_name(changeset, 2999),
                        "table 2999");
    void *drip;
    int64_t changes;
    rowtide_source *source = dripping_source(text, size, 1000, &drip);
    assert_int_equal(drain(source, &changes), ROWTIDE_DONE);
    assert_int_equal(changes, 3001);
    rowtide_source_free(source);
    free(drip);
    rowtide_changeset_free(changeset);
    free(text);
}

/* A value far bigger than the window of a stream. */
static void big_value_in_a_stream(void **state)
{
    (void)state;
    sqlite3 *db = recording_db("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
    rowtide_changeset *changeset = record_changeset(
        db, "INSERT INTO t VALUES(1, zeroblob(1000000)), (2, 'x')");
    void *drip;
    int64_t changes;
    rowtide_source *source = dripping_source(rowtide_changeset_data(changeset),
                                             rowtide_changeset_size(changeset),
                                             5000, &drip);
    assert_int_equal(drain(source, &changes), ROWTIDE_DONE);
    assert_int_equal(changes, 2);
    rowtide_source_free(source);
    free(drip);
    rowtide_changeset_free(changeset);
    sqlite3_close(db);
}

static void read_takes_a_source(void **state)
{
    (void)state;
    rowtide_changeset *changeset = some_changes(0), *copy = NULL;
    void *drip;
    rowtide_source *source = dripping_source(rowtide_changeset_data(changeset),
                                             rowtide_changeset_size(changeset),
                                             13, &drip);
    assert_ok(rowtide_changeset_read(source, &copy));
    assert_same_bytes(copy, rowtide_changeset_data(changeset),
                      rowtide_changeset_size(changeset));
    rowtide_changeset_free(copy);
    rowtide_source_free(source);
    free(drip);
    assert_status(rowtide_changeset_read(NULL, &copy), ROWTIDE_EINVAL);
    rowtide_changeset_free(changeset);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    rowtide_changeset *changeset = NULL;
    rowtide_change_counts counts;
    assert_status(rowtide_changeset_parse(NULL, 1, &changeset), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_parse("", 0, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_table_counts(NULL, 0, &counts),
                  ROWTIDE_EINVAL);
    assert_ok(rowtide_changeset_parse("", 0, &changeset));
    assert_int_equal(rowtide_changeset_size(changeset), 0);
    assert_null(rowtide_changeset_data(changeset));
    assert_int_equal(rowtide_changeset_is_patchset(changeset), 0);
    assert_status(rowtide_changeset_table_counts(changeset, 0, &counts),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_table_counts(changeset, 0, NULL),
                  ROWTIDE_EINVAL);
    rowtide_changeset *same = rowtide_changeset_retain(changeset);
    assert_ptr_equal(same, changeset);
    rowtide_changeset_free(same);
    rowtide_changeset_free(changeset);
    rowtide_changeset_free(NULL);
    assert_null(rowtide_changeset_retain(NULL));
    assert_int_equal(rowtide_changeset_size(NULL), 0);
    assert_null(rowtide_changeset_data(NULL));
}

static int parse_once(void *context)
{
    rowtide_changeset *changeset = context, *copy = NULL;
    int rc = rowtide_changeset_parse(rowtide_changeset_data(changeset),
                                     rowtide_changeset_size(changeset), &copy);
    rowtide_changeset_free(copy);
    return rc;
}

static int read_once(void *context)
{
    rowtide_changeset *changeset = context, *copy = NULL;
    rowtide_source *source = NULL;
    int rc = rowtide_source_memory(rowtide_changeset_data(changeset),
                                   rowtide_changeset_size(changeset), &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_read(source, &copy);
    rowtide_changeset_free(copy);
    rowtide_source_free(source);
    return rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    rowtide_changeset *changeset = some_changes(0);
    oom_loop(parse_once, changeset);
    oom_loop(read_once, changeset);
    rowtide_changeset_free(changeset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_says_what_is_wrong),
        cmocka_unit_test(streams_say_the_same),
        cmocka_unit_test(every_truncation),
        cmocka_unit_test(every_changed_byte),
        cmocka_unit_test(what_sqlite_makes_is_accepted),
        cmocka_unit_test(headers_without_changes),
        cmocka_unit_test(key_in_both_records),
        cmocka_unit_test(many_tables_and_wide_ones),
        cmocka_unit_test(big_value_in_a_stream),
        cmocka_unit_test(read_takes_a_source),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
