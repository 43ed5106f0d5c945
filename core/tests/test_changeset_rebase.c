#include "support/oom.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

/* Two databases that were the same; each then changed on its own. */
typedef struct meeting {
    sqlite3 *here, *there;
    rowtide_changeset *local, *remote;
    void *data; /* what SQLite decided, applying remote over local */
    int size;
} meeting;

static int omit_always(void *user, int kind, sqlite3_changeset_iter *iter)
{
    (void)user;
    (void)kind;
    (void)iter;
    return SQLITE_CHANGESET_OMIT;
}

static int replace_if_possible(void *user, int kind,
                               sqlite3_changeset_iter *iter)
{
    (void)user;
    (void)iter;
    return kind == SQLITE_CHANGESET_DATA || kind == SQLITE_CHANGESET_CONFLICT
               ? SQLITE_CHANGESET_REPLACE
               : SQLITE_CHANGESET_OMIT;
}

static int decide_at_random(void *user, int kind, sqlite3_changeset_iter *iter)
{
    return random_below(user, 2) ? omit_always(user, kind, iter)
                                 : replace_if_possible(user, kind, iter);
}

static void meet(meeting *it, const char *const sql[4],
                 recording_decision decision, void *user)
{
    it->here = recording_db(sql[0]);
    it->there = recording_db(sql[0]);
    recording_exec(it->here, sql[1]);
    recording_exec(it->there, sql[1]);
    it->local = record_changeset(it->here, sql[2]);
    it->remote = record_changeset(it->there, sql[3]);
    it->data = NULL;
    it->size = 0;
    assert_int_equal(recording_apply_rebase(it->here, it->remote, decision,
                                            user, &it->data, &it->size),
                     SQLITE_OK);
}

static void part(meeting *it)
{
    sqlite3_free(it->data);
    rowtide_changeset_free(it->local);
    rowtide_changeset_free(it->remote);
    sqlite3_close(it->here);
    sqlite3_close(it->there);
}

static rowtide_changeset *rebase(const meeting *it)
{
    rowtide_changeset *rebased = NULL;
    assert_ok(rowtide_changeset_rebase(it->local, it->data, (size_t)it->size,
                                       &rebased));
    return rebased;
}

static rowtide_changeset *rebase_by_sqlite(const meeting *it)
{
    sqlite3_rebaser *rebaser = NULL;
    void *data = NULL;
    int size;
    assert_int_equal(sqlite3rebaser_create(&rebaser), SQLITE_OK);
    if (it->size)
        assert_int_equal(sqlite3rebaser_configure(rebaser, it->size, it->data),
                         SQLITE_OK);
    size_t length = rowtide_changeset_size(it->local);
    void *copy = malloc(length + 1);
    assert_non_null(copy);
    if (length)
        memcpy(copy, rowtide_changeset_data(it->local), length);
    assert_int_equal(
        sqlite3rebaser_rebase(rebaser, (int)length, copy, &size, &data),
        SQLITE_OK);
    free(copy);
    sqlite3rebaser_delete(rebaser);
    return changeset_from_sqlite(data, size);
}

static void assert_converges(meeting *it, rowtide_changeset *rebased)
{
    assert_int_equal(
        recording_apply(it->there, rebased, replace_if_possible, NULL),
        SQLITE_OK);
    assert_true(recording_same(it->here, it->there));
}

static void meet_at_random(uint64_t seed, recording_decision decision)
{
    random_state random = {seed};
    for (int round = 0; round < 250; round++) {
        char *before = random_sql(&random, 15);
        char *here = random_sql(&random, 12), *there = random_sql(&random, 12);
        const char *const sql[4] = {RANDOM_SCHEMA, before, here, there};
        meeting it;
        meet(&it, sql, decision, &random);
        rowtide_changeset *ours = rebase(&it), *theirs = rebase_by_sqlite(&it);
        assert_same_changes(ours, theirs);
        /* Omitting an UPDATE here leaves its other columns changed there. */
        if (decision == replace_if_possible)
            assert_converges(&it, ours);
        rowtide_changeset_free(ours);
        rowtide_changeset_free(theirs);
        part(&it);
        free(before);
        free(here);
        free(there);
    }
}

static void same_as_sqlite_omitting(void **state)
{
    (void)state;
    meet_at_random(31, omit_always);
}

static void same_as_sqlite_replacing(void **state)
{
    (void)state;
    meet_at_random(32, replace_if_possible);
}

static void same_as_sqlite_mixed(void **state)
{
    (void)state;
    meet_at_random(33, decide_at_random);
}

typedef struct scenario {
    const char *before, *local, *remote;
    recording_decision decision;
    const char *listing;
} scenario;

#define ROWS "INSERT INTO t VALUES(1, 'a', 'b', 'c')"

static const scenario scenarios[] = {
    {"", "INSERT INTO t VALUES(1, 'x', 'b', NULL)",
     "INSERT INTO t VALUES(1, 'y', 'b', NULL)", omit_always,
     "t 23 0 | 1 t79 - - | - t78 - -\n"},
    {"", "INSERT INTO t VALUES(1, 'x', 'b', NULL)",
     "INSERT INTO t VALUES(1, 'y', 'b', NULL)", replace_if_possible, ""},
    {"", "INSERT INTO w VALUES(1)", "INSERT INTO w VALUES(1)", omit_always, ""},
    {ROWS, "UPDATE t SET a='x', b='z'", "DELETE FROM t", omit_always,
     "t 18 0 | | 1 t78 t7a t63\n"},
    {ROWS, "UPDATE t SET a='x'", "DELETE FROM t", replace_if_possible, ""},
    {ROWS, "UPDATE t SET a='x'", "UPDATE t SET a='y'", omit_always,
     "t 23 0 | 1 t79 - - | - t78 - -\n"},
    {ROWS, "UPDATE t SET a='x', b='z'", "UPDATE t SET a='y'",
     replace_if_possible, "t 23 0 | 1 - t62 - | - - t7a -\n"},
    {ROWS, "UPDATE t SET a='x'", "UPDATE t SET b='y'", omit_always,
     "t 23 0 | 1 t61 - - | - t78 - -\n"},
    {ROWS, "DELETE FROM t", "UPDATE t SET a='y'", omit_always,
     "t 9 0 | 1 t79 t62 t63 |\n"},
    {ROWS, "DELETE FROM t", "DELETE FROM t", omit_always, ""},
};

static void each_meeting_of_kinds(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof scenarios / sizeof *scenarios; i++) {
        const scenario *one = &scenarios[i];
        const char *const sql[4] = {RANDOM_SCHEMA, one->before, one->local,
                                    one->remote};
        meeting it;
        meet(&it, sql, one->decision, NULL);
        rowtide_changeset *rebased = rebase(&it);
        char *listing = changeset_listing(rebased);
        assert_string_equal(listing, one->listing);
        if (!*one->listing)
            assert_int_equal(rowtide_changeset_size(rebased), 0);
        assert_converges(&it, rebased);
        free(listing);
        rowtide_changeset_free(rebased);
        part(&it);
    }
}

/* A column that the second remote change did not touch is not lost. */
static void two_decisions_about_a_row(void **state)
{
    (void)state;
    static const unsigned char data[] =
        "T\3\1\0\0t\0\x12\0\1\0\0\0\0\0\0\0\1\3\1p\0"
        "\x12\1\1\0\0\0\0\0\0\0\1\3\1q\0";
    static const unsigned char local[] =
        "T\3\1\0\0t\0\x17\0\1\0\0\0\0\0\0\0\1\3\1a\3\1b\0\3\1x\3\1y";
    rowtide_changeset *changeset = changeset_from(local, sizeof local - 1);
    rowtide_changeset *rebased = NULL;
    assert_ok(
        rowtide_changeset_rebase(changeset, data, sizeof data - 1, &rebased));
    char *listing = changeset_listing(rebased);
    assert_string_equal(listing, "t 23 0 | 1 - t62 | - - t79\n");
    free(listing);
    rowtide_changeset_free(rebased);
    rowtide_changeset_free(changeset);
}

/* The data of two applies, one behind the other. */
static void data_of_several_applies(void **state)
{
    (void)state;
    const char *const sql[4] = {
        RANDOM_SCHEMA, ROWS, "UPDATE t SET a='x', b='x'", "UPDATE t SET a='y'"};
    meeting it;
    meet(&it, sql, omit_always, NULL);
    rowtide_changeset *more = record_changeset(it.there,
                                               "UPDATE t SET b='y', c='y'");
    void *data = NULL;
    int size = 0;
    assert_int_equal(recording_apply_rebase(it.here, more, replace_if_possible,
                                            NULL, &data, &size),
                     SQLITE_OK);
    it.data = sqlite3_realloc(it.data, it.size + size);
    assert_non_null(it.data);
    memcpy((char *)it.data + it.size, data, (size_t)size);
    it.size += size;
    rowtide_changeset *rebased = rebase(&it);
    char *listing = changeset_listing(rebased);
    assert_string_equal(listing, "t 23 0 | 1 t79 - - | - t78 - -\n");
    assert_converges(&it, rebased);
    free(listing);
    sqlite3_free(data);
    rowtide_changeset_free(rebased);
    rowtide_changeset_free(more);
    part(&it);
}

static void row_deleted_by_a_patchset(void **state)
{
    (void)state;
    static const unsigned char data[] = "T\2\1\0t\0\x09\0\1\0\0\0\0\0\0\0\1\0";
    static const unsigned char local[] =
        "T\2\1\0t\0\x17\0\1\0\0\0\0\0\0\0\1\3\1a\0\3\1x"
        "T\3\1\0\0u\0\x12\0\1\0\0\0\0\0\0\0\1\5\5";
    rowtide_changeset *changeset = changeset_from(local, sizeof local - 1);
    rowtide_changeset *rebased = NULL;
    /* All columns but the key were updated, so the row is known. */
    assert_ok(
        rowtide_changeset_rebase(changeset, data, sizeof data - 1, &rebased));
    rowtide_changeset_free(rebased);
    rowtide_changeset_free(changeset);

    static const unsigned char wide[] =
        "T\3\1\0\0t\0\x09\0\1\0\0\0\0\0\0\0\1\0\0";
    static const unsigned char one[] =
        "T\3\1\0\0t\0\x17\0\1\0\0\0\0\0\0\0\1\3\1a\0\0\3\1x\0";
    changeset = changeset_from(one, sizeof one - 1);
    assert_status(
        rowtide_changeset_rebase(changeset, wide, sizeof wide - 1, &rebased),
        ROWTIDE_EINVAL);
    assert_message("table \"t\"");
    assert_null(rebased);
    rowtide_changeset_free(changeset);
}

static void without_data_nothing_changes(void **state)
{
    (void)state;
    random_state random = {34};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    char *sql = random_sql(&random, 30);
    rowtide_changeset *changeset = record_changeset(db, sql), *rebased = NULL;
    assert_ok(rowtide_changeset_rebase(changeset, NULL, 0, &rebased));
    assert_same_bytes(rebased, rowtide_changeset_data(changeset),
                      rowtide_changeset_size(changeset));
    rowtide_changeset_free(rebased);
    rowtide_changeset_free(changeset);
    free(sql);
    sqlite3_close(db);
}

static void bad_data_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "T\2\1\0t\0\x17\0\1\0\0\0\0\0\0\0\1\5", /* an UPDATE */
        "P\2\1\0t\0",                           /* a patchset */
        "T\2\1\0t",                             /* cut */
        "T\2\1\0t\0\x12\0\0\5",                 /* no key */
        "hello"};
    static const size_t sizes[] = {18, 6, 5, 10, 5};
    rowtide_changeset *changeset = changeset_from(NULL, 0), *rebased = NULL;
    for (int i = 0; i < 5; i++) {
        assert_status(
            rowtide_changeset_rebase(changeset, bad[i], sizes[i], &rebased),
            ROWTIDE_ECORRUPT);
        assert_message("corrupt rebase data at byte");
        assert_true(rowtide_error_offset() >= 0);
    }
    assert_status(rowtide_changeset_rebase(NULL, NULL, 0, &rebased),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_rebase(changeset, NULL, 1, &rebased),
                  ROWTIDE_EINVAL);
    rowtide_changeset_free(changeset);
}

static void data_of_another_table_is_refused(void **state)
{
    (void)state;
    static const unsigned char data[] = "T\2\1\0t\0\x09\0\1\0\0\0\0\0\0\0\1\5";
    static const unsigned char local[] = "T\1\1t\0\x12\0\1\0\0\0\0\0\0\0\1";
    rowtide_changeset *changeset = changeset_from(local, sizeof local - 1);
    rowtide_changeset *rebased = NULL;
    assert_status(
        rowtide_changeset_rebase(changeset, data, sizeof data - 1, &rebased),
        ROWTIDE_ESCHEMA);
    rowtide_changeset_free(changeset);
}

static void patchset_is_refused(void **state)
{
    (void)state;
    sqlite3 *db = recording_db("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
    rowtide_changeset *patchset = record_patchset(db,
                                                  "INSERT INTO t VALUES(1,2)");
    rowtide_changeset *rebased = NULL;
    assert_status(rowtide_changeset_rebase(patchset, NULL, 0, &rebased),
                  ROWTIDE_EINVAL);
    assert_message("patchset");
    rowtide_changeset_free(patchset);
    sqlite3_close(db);
}

static void meet_once(meeting *it, uint64_t seed)
{
    random_state random = {seed};
    char *before = random_sql(&random, 30);
    char *here = random_sql(&random, 30), *there = random_sql(&random, 30);
    const char *const sql[4] = {RANDOM_SCHEMA, before, here, there};
    meet(it, sql, decide_at_random, &random);
    free(before);
    free(here);
    free(there);
}

static void stream_gives_the_same(void **state)
{
    (void)state;
    meeting it;
    meet_once(&it, 35);
    rowtide_changeset *rebased = rebase(&it);
    for (size_t step = 1; step < 200; step += 41) {
        void *drip;
        rowtide_sink *sink = NULL;
        rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
        rowtide_source *source = dripping_source(
            rowtide_changeset_data(it.local), rowtide_changeset_size(it.local),
            step, &drip);
        assert_ok(rowtide_sink_buffer(&buffer, &sink));
        assert_ok(rowtide_changeset_rebase_stream(source, it.data,
                                                  (size_t)it.size, sink));
        assert_same_bytes(rebased, buffer.data, buffer.size);
        rowtide_source_free(source);
        rowtide_sink_free(sink);
        rowtide_buffer_dispose(&buffer);
        free(drip);
    }
    rowtide_changeset_free(rebased);
    part(&it);
}

static int rebase_once(void *context)
{
    const meeting *it = context;
    rowtide_changeset *rebased = NULL;
    int rc = rowtide_changeset_rebase(it->local, it->data, (size_t)it->size,
                                      &rebased);
    rowtide_changeset_free(rebased);
    return rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    meeting it;
    meet_once(&it, 36);
    oom_loop(rebase_once, &it);
    part(&it);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_as_sqlite_omitting),
        cmocka_unit_test(same_as_sqlite_replacing),
        cmocka_unit_test(same_as_sqlite_mixed),
        cmocka_unit_test(each_meeting_of_kinds),
        cmocka_unit_test(two_decisions_about_a_row),
        cmocka_unit_test(data_of_several_applies),
        cmocka_unit_test(row_deleted_by_a_patchset),
        cmocka_unit_test(without_data_nothing_changes),
        cmocka_unit_test(bad_data_is_refused),
        cmocka_unit_test(data_of_another_table_is_refused),
        cmocka_unit_test(patchset_is_refused),
        cmocka_unit_test(stream_gives_the_same),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
