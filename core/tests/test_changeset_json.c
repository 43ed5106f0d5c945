#include "support/oom.h"
#include "support/recording.h"
#include "support/render.h"
#include "support/scratch.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>

static void assert_survives(rowtide_changeset *changeset, unsigned flags,
                            rowtide_db *names)
{
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    rowtide_changeset *back = NULL;
    options.flags = flags;
    options.names = names;
    rowtide_buffer json = render_all(rowtide_changeset_to_json, changeset,
                                     &options);
    assert_ok(rowtide_changeset_from_json(json.data, json.size, &back));
    assert_same_bytes(back, rowtide_changeset_data(changeset),
                      rowtide_changeset_size(changeset));
    rowtide_changeset_free(back);
    rowtide_buffer_dispose(&json);
}

static void random_histories_survive(void **state)
{
    random_state random = {7};
    (void)state;
    for (int i = 0; i < 60; i++) {
        sqlite3 *db = recording_db(RANDOM_SCHEMA);
        rowtide_db *names = NULL;
        char *first = random_sql(&random, 30),
             *second = random_sql(&random, 30);
        recording_exec(db, first);
        assert_ok(rowtide_db_adopt(db, &names));
        rowtide_changeset *changeset = i % 3 ? record_changeset(db, second)
                                             : record_patchset(db, second);
        assert_survives(changeset, 0, NULL);
        assert_survives(changeset, ROWTIDE_RENDER_COMPACT, names);
        rowtide_changeset_free(changeset);
        rowtide_db_free(names);
        sqlite3_close(db);
        free(first);
        free(second);
    }
}

static void awkward_values_survive(void **state)
{
    (void)state;
    rowtide_changeset *changeset = awkward_changeset();
    assert_survives(changeset, 0, NULL);
    assert_survives(changeset, ROWTIDE_RENDER_COMPACT, NULL);
    rowtide_changeset_free(changeset);
}

static void locale_does_not_matter(void **state)
{
    (void)state;
    if (!setlocale(LC_ALL, "de_DE.UTF-8") && !setlocale(LC_ALL, "fr_FR.UTF-8"))
        skip();
    rowtide_changeset *changeset = awkward_changeset();
    assert_survives(changeset, 0, NULL);
    rowtide_changeset_free(changeset);
    setlocale(LC_ALL, "C");
}

static void form_is_as_documented(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(
        "CREATE TABLE users(id INTEGER PRIMARY KEY, "
        "name TEXT, photo BLOB, height REAL);"
        "INSERT INTO users VALUES(1, 'Ada', x'00ff', 2)");
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    options.flags = ROWTIDE_RENDER_COMPACT;
    options.names = db;
    rowtide_changeset *changeset = record_changeset(
        sqlite, "UPDATE users SET name = 'Grace'");
    rowtide_buffer json = render_all(rowtide_changeset_to_json, changeset,
                                     &options);
    assert_string_equal(
        json.data,
        "{\"format\":\"rowtide-changeset\",\"version\":1,"
        "\"kind\":\"changeset\",\"changes\":[\n"
        "{\"table\":\"users\",\"kind\":\"update\",\"indirect\":false,"
        "\"primary_key\":[1,0,0,0],"
        "\"columns\":[\"id\",\"name\",\"photo\",\"height\"],"
        "\"old\":[1,\"Ada\",{},{}],\"new\":[{},\"Grace\",{},{}]}\n]}\n");
    rowtide_buffer_dispose(&json);
    rowtide_changeset_free(changeset);
    changeset = record_changeset(sqlite, "DELETE FROM users");
    json = render_all(rowtide_changeset_to_json, changeset, NULL);
    assert_contains(&json, "\"old\": [1, \"Grace\", {\"blob\":\"00ff\"}, 2.0]");
    assert_lacks(&json, "columns");
    rowtide_buffer_dispose(&json);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void empty_changeset_survives(void **state)
{
    (void)state;
    rowtide_changeset *changeset = changeset_from("", 0);
    assert_survives(changeset, 0, NULL);
    assert_survives(changeset, ROWTIDE_RENDER_COMPACT, NULL);
    rowtide_changeset_free(changeset);
}

#define HEAD                                                                   \
    "{\"format\":\"rowtide-changeset\",\"version\":1,\"kind\":\"changeset\","  \
    "\"changes\":["
#define CHANGE(kind, values)                                                   \
    HEAD "{\"table\":\"t\",\"kind\":\"" kind                                   \
         "\",\"primary_key\":[1,0]," values "}]}"

static void members_may_stand_in_any_order(void **state)
{
    static const char json[] =
        " {\"changes\" : [ {\"new\":[1,\"\\ud83d\\ude00\"] ,"
        "\"columns\":[\"a\",\"b\"],\"primary_key\":[1,0],"
        "\"kind\":\"insert\",\"table\":\"t\"} ],\n\"kind\":\"patchset\","
        "\"version\":1,\"format\":\"rowtide-changeset\"}\r\n";
    (void)state;
    rowtide_changeset *changeset = NULL;
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    assert_ok(rowtide_changeset_from_json(json, sizeof json - 1, &changeset));
    assert_true(rowtide_changeset_is_patchset(changeset));
    assert_ok(rowtide_changeset_iter_new(changeset, 0, &iter));
    assert_ok(rowtide_changeset_iter_next(iter, &change));
    assert_int_equal(change->new_values[1].size, 4);
    assert_memory_equal(change->new_values[1].data, "😀", 4);
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_free(changeset);
}

static void bad_json_is_refused_with_its_place(void **state)
{
    static const struct {
        const char *json, *message;
    } bad[] = {
        {"", "JSON at byte 0: an object expected, but the text ends"},
        {"[]", "JSON at byte 0: an object expected, not '['"},
        {"{} x", "byte 3: the end expected"},
        {"{}", "member \"format\" is missing"},
        {"{\"a\":1}", "unknown member \"a\""},
        {"{\"kind\":1,\"kind\":2}", "is there twice"},
        {"{\"kind\":01}", "',' or '}' expected"},
        {"{\"kind\":1,}", "a value expected, not '}'"},
        {"{\"kind\":[1,]}", "a value expected, not ']'"},
        {"{\"kind\":nul}", "null expected"},
        {"{\"kind\":\"a\nb\"}", "control character 0x0a must be escaped"},
        {"{\"kind\":\"\xc0\x80\"}", "byte 9: not UTF-8"},
        {"{\"kind\":\"\\ud800\"}", "half of a surrogate pair"},
        {"{\"kind\":\"\\x\"}", "an escape expected, not 'x'"},
        {"{\"kind\":\"abc", "the string does not end"},
        {"{\"kind\":-}", "a digit expected"},
        {"{\"kind\":1.}", "a digit expected"},
        {HEAD "7]}", "an object expected, not '7'"},
        {HEAD "{\"table\":\"\",\"kind\":\"insert\",\"primary_key\":[1]}]}",
         "the name of a table expected"},
        {CHANGE("upsert", "\"new\":[1,2]"), "\"insert\", \"update\" or"},
        {CHANGE("insert", "\"new\":[1]"), "1 values, but 2 columns"},
        {CHANGE("update", "\"old\":[1,2]"), "member \"new\" is missing"},
        {CHANGE("insert", "\"new\":[1,2],\"old\":[1,2]"),
         "this kind of change has no \"old\""},
        {CHANGE("insert", "\"new\":[1,true]"), "not a form of value"},
        {CHANGE("insert", "\"new\":[1,9223372036854775808]"),
         "does not fit in 64 bits"},
        {CHANGE("insert", "\"new\":[1,1e999]"), "the number is too large"},
        {CHANGE("insert", "\"new\":[1,{\"blob\":\"0\"}]"), "an odd number"},
        {CHANGE("insert", "\"new\":[1,{\"blob\":\"0g\"}]"), "hexadecimal"},
        {CHANGE("insert", "\"new\":[1,{\"real\":\"1\"}]"),
         "\"inf\" or \"-inf\" expected"},
        {CHANGE("insert", "\"new\":[1,{\"x\":\"1\"}]"),
         "unknown kind of value"},
        {CHANGE("insert", "\"new\":[1,{}]"), "change 1 makes no sense"},
        {CHANGE("delete", "\"old\":[null,1]"), "change 1 makes no sense"},
        {CHANGE("update", "\"old\":[1,{}],\"new\":[{},1]"), "makes no sense"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        rowtide_changeset *changeset = NULL;
        int rc = rowtide_changeset_from_json(bad[i].json, strlen(bad[i].json),
                                             &changeset);
        if (rc != ROWTIDE_ECORRUPT)
            fail_msg("%d for %s", rc, bad[i].json);
        assert_null(changeset);
        assert_message(bad[i].message);
        assert_true(rowtide_error_offset() >= 0);
    }
}

static void depth_is_limited(void **state)
{
    (void)state;
    char *deep = malloc(100000);
    rowtide_changeset *changeset;
    memset(deep, '[', 100000);
    memcpy(deep, "{\"kind\":", 8);
    assert_status(rowtide_changeset_from_json(deep, 100000, &changeset),
                  ROWTIDE_ECORRUPT);
    assert_message("nested deeper than");
    free(deep);
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    rowtide_changeset *changeset = awkward_changeset(), *out;
    rowtide_buffer json = render_all(rowtide_changeset_to_json, changeset,
                                     NULL);
    while (json.size && json.data[json.size - 1] != '}')
        json.size--;
    for (size_t size = 0; size < json.size; size++)
        assert_status(rowtide_changeset_from_json(json.data, size, &out),
                      ROWTIDE_ECORRUPT);
    rowtide_buffer_dispose(&json);
    rowtide_changeset_free(changeset);
}

static void one_change_is_an_object(void **state)
{
    (void)state;
    rowtide_changeset *changeset = awkward_changeset();
    rowtide_changeset_iter *iter = NULL;
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    const rowtide_change *change;
    assert_ok(rowtide_changeset_iter_new(changeset, 0, &iter));
    assert_ok(rowtide_changeset_iter_next(iter, &change));
    assert_ok(rowtide_change_to_json(change, NULL, &json));
    assert_string_equal(json.data,
                        "{\"table\":\"odd \\\"table\\\"\",\"kind\":\"insert\","
                        "\"indirect\":false,\"primary_key\":[1,0],"
                        "\"new\":[0,null]}");
    assert_status(rowtide_change_to_json(NULL, NULL, &json), ROWTIDE_EINVAL);
    assert_null(json.data);
    rowtide_changeset_iter_free(iter);
    rowtide_changeset_free(changeset);
}

static int there_and_back(void *ctx)
{
    rowtide_buffer json = ROWTIDE_BUFFER_INIT;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    rowtide_changeset *back = NULL;
    int rc = rowtide_source_memory(rowtide_changeset_data(ctx),
                                   rowtide_changeset_size(ctx), &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_buffer(&json, &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_to_json(source, NULL, sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_from_json(json.data, json.size, &back);
    rowtide_changeset_free(back);
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    rowtide_buffer_dispose(&json);
    return rc;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    rowtide_changeset *changeset = awkward_changeset();
    oom_loop(there_and_back, changeset);
    rowtide_changeset_free(changeset);
}

static void arguments_are_checked(void **state)
{
    (void)state;
    rowtide_changeset *changeset;
    assert_status(rowtide_changeset_from_json(NULL, 1, &changeset),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_from_json("", 0, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_changeset_to_json(NULL, NULL, NULL), ROWTIDE_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_histories_survive),
        cmocka_unit_test(awkward_values_survive),
        cmocka_unit_test(locale_does_not_matter),
        cmocka_unit_test(form_is_as_documented),
        cmocka_unit_test(empty_changeset_survives),
        cmocka_unit_test(members_may_stand_in_any_order),
        cmocka_unit_test(bad_json_is_refused_with_its_place),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(one_change_is_an_object),
        cmocka_unit_test(memory_may_run_out),
        cmocka_unit_test(arguments_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
