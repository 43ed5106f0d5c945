#include "support/oom.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

typedef struct choice {
    const char *table; /* the one that is chosen */
    int asked;
    int answer;
} choice;

static int choose(const char *table, void *user)
{
    choice *it = user;
    it->asked++;
    return strcmp(table, it->table) == 0 ? it->answer : 0;
}

static int choose_all(const char *table, void *user)
{
    (void)table;
    (void)user;
    return 1;
}

static int fail_with_words(const char *table, void *user)
{
    (void)user;
    (void)table;
    return rowtide_error_set(ROWTIDE_EUSER, "not in the mood");
}

static rowtide_changeset *three_tables(int patchset)
{
    random_state random = {41};
    sqlite3 *db = recording_db(RANDOM_SCHEMA);
    char *before = random_sql(&random, 40), *sql = random_sql(&random, 60);
    recording_exec(db, before);
    rowtide_changeset *changeset = patchset ? record_patchset(db, sql)
                                            : record_changeset(db, sql);
    assert_int_equal(rowtide_changeset_table_count(changeset), 3);
    free(before);
    free(sql);
    sqlite3_close(db);
    return changeset;
}

static rowtide_changeset *filter(rowtide_changeset *changeset, choice *it)
{
    rowtide_changeset *chosen = NULL;
    assert_ok(rowtide_changeset_filter(changeset, choose, it, &chosen));
    return chosen;
}

static void keeps_only_the_chosen(void **state)
{
    (void)state;
    for (int patchset = 0; patchset < 2; patchset++) {
        rowtide_changeset *changeset = three_tables(patchset);
        rowtide_change_counts before, after;
        choice it = {rowtide_changeset_table_name(changeset, 1), 0, 1};
        rowtide_changeset *chosen = filter(changeset, &it);
        assert_int_equal(it.asked, 3);
        assert_int_equal(rowtide_changeset_table_count(chosen), 1);
        assert_string_equal(rowtide_changeset_table_name(chosen, 0), it.table);
        assert_int_equal(rowtide_changeset_is_patchset(chosen), patchset);
        assert_ok(rowtide_changeset_table_counts(changeset, 1, &before));
        assert_ok(rowtide_changeset_table_counts(chosen, 0, &after));
        assert_memory_equal(&before, &after, sizeof before);
        rowtide_changeset_free(chosen);
        rowtide_changeset_free(changeset);
    }
}

static void all_is_the_same_and_none_is_empty(void **state)
{
    (void)state;
    rowtide_changeset *changeset = three_tables(0), *all = NULL;
    choice it = {"nosuch", 0, 1};
    assert_ok(rowtide_changeset_filter(changeset, choose_all, NULL, &all));
    assert_same_bytes(all, rowtide_changeset_data(changeset),
                      rowtide_changeset_size(changeset));
    rowtide_changeset *none = filter(changeset, &it);
    assert_int_equal(rowtide_changeset_size(none), 0);
    rowtide_changeset_free(none);
    rowtide_changeset_free(all);
    rowtide_changeset_free(changeset);
}

static void failing_filter_fails_the_call(void **state)
{
    (void)state;
    rowtide_changeset *changeset = three_tables(0), *chosen = NULL;
    choice it = {"t", 0, ROWTIDE_ECANCELLED};
    assert_status(
        rowtide_changeset_filter(changeset, fail_with_words, NULL, &chosen),
        ROWTIDE_EUSER);
    assert_message("not in the mood");
    assert_status(rowtide_changeset_filter(changeset, choose, &it, &chosen),
                  ROWTIDE_ECANCELLED);
    assert_message("table filter");
    assert_null(chosen);
    assert_status(rowtide_changeset_filter(changeset, NULL, NULL, &chosen),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_filter(NULL, choose, &it, &chosen),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_filter_stream(NULL, choose, &it, NULL),
                  ROWTIDE_EINVAL);
    rowtide_changeset_free(changeset);
}

static void stream_gives_the_same(void **state)
{
    (void)state;
    rowtide_changeset *changeset = three_tables(0);
    for (size_t step = 1; step < 200; step += 41) {
        void *drip;
        rowtide_sink *sink = NULL;
        rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
        choice it = {"u", 0, 1};
        rowtide_changeset *chosen = filter(changeset, &it);
        rowtide_source *source = dripping_source(
            rowtide_changeset_data(changeset),
            rowtide_changeset_size(changeset), step, &drip);
        assert_ok(rowtide_sink_buffer(&buffer, &sink));
        assert_ok(rowtide_changeset_filter_stream(source, choose, &it, sink));
        assert_same_bytes(chosen, buffer.data, buffer.size);
        rowtide_changeset_free(chosen);
        rowtide_source_free(source);
        rowtide_sink_free(sink);
        rowtide_buffer_dispose(&buffer);
        free(drip);
    }
    rowtide_changeset_free(changeset);
}

static int filter_once(void *context)
{
    rowtide_changeset *chosen = NULL;
    int rc = rowtide_changeset_filter(context, choose_all, NULL, &chosen);
    rowtide_changeset_free(chosen);
    return rc;
}

static void survives_without_memory(void **state)
{
    (void)state;
    rowtide_changeset *changeset = three_tables(0);
    oom_loop(filter_once, changeset);
    rowtide_changeset_free(changeset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_only_the_chosen),
        cmocka_unit_test(all_is_the_same_and_none_is_empty),
        cmocka_unit_test(failing_filter_fails_the_call),
        cmocka_unit_test(stream_gives_the_same),
        cmocka_unit_test(survives_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
