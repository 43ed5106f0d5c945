#include "support/oom.h"
#include "support/scratch.h"

#include <rowtide/shape.h>

#include <string.h>

typedef struct leaf {
    const char *name;
    int loud;
} leaf;

typedef struct tree {
    const char *name;
    int64_t height;
    int kind;
    const char *const *words;
    const leaf *one;
    const leaf *const *all;
} tree;

static const rowtide_field LEAF_FIELDS[] = {
    {"name", ROWTIDE_FIELD_TEXT, offsetof(leaf, name), NULL, NULL},
    {"loud", ROWTIDE_FIELD_BOOLEAN, offsetof(leaf, loud), NULL, NULL},
    {NULL, ROWTIDE_FIELD_TEXT, 0, NULL, NULL}};
static const rowtide_shape LEAF = {"leaf", LEAF_FIELDS};
static const char *const KINDS[] = {"oak", "fir"};
static const rowtide_field TREE_FIELDS[] = {
    {"name", ROWTIDE_FIELD_TEXT, offsetof(tree, name), NULL, NULL},
    {"height", ROWTIDE_FIELD_INTEGER, offsetof(tree, height), NULL, NULL},
    {"kind", ROWTIDE_FIELD_ENUM, offsetof(tree, kind), KINDS, NULL},
    {"words", ROWTIDE_FIELD_TEXTS, offsetof(tree, words), NULL, NULL},
    {"one", ROWTIDE_FIELD_ITEM, offsetof(tree, one), NULL, &LEAF},
    {"all", ROWTIDE_FIELD_ITEMS, offsetof(tree, all), NULL, &LEAF},
    {NULL, ROWTIDE_FIELD_TEXT, 0, NULL, NULL}};
static const rowtide_shape TREE = {"tree", TREE_FIELDS};

static const leaf FIRST = {"a \"b\"\n", 1};
static const leaf SECOND = {NULL, 0};
static const leaf *const LEAVES[] = {&FIRST, &SECOND, NULL};
static const char *const WORDS[] = {"x", "y", NULL};
static const tree FULL = {"t", INT64_MIN, 1, WORDS, &FIRST, LEAVES};

static void every_kind(void **state)
{
    (void)state;
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_shape_json(&TREE, &FULL, &out));
    assert_string_equal(
        out.data, "{\"name\": \"t\", \"height\": -9223372036854775808, "
                  "\"kind\": \"fir\", "
                  "\"words\": [\"x\", \"y\"], "
                  "\"one\": {\"name\": \"a \\\"b\\\"\\n\", \"loud\": true}, "
                  "\"all\": [{\"name\": \"a \\\"b\\\"\\n\", \"loud\": true}, "
                  "{\"name\": null, \"loud\": false}]}");
    rowtide_buffer_dispose(&out);
}

static void nothing_is_null(void **state)
{
    (void)state;
    const tree empty = {0};
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_shape_json(&TREE, &empty, &out));
    assert_string_equal(out.data, "{\"name\": null, \"height\": 0, "
                                  "\"kind\": \"oak\", \"words\": null, "
                                  "\"one\": null, \"all\": null}");
    assert_ok(rowtide_shape_json(&LEAF, &SECOND, &out));
    assert_non_null(strstr(out.data, "null}{\"name\": null"));
    rowtide_buffer_dispose(&out);
}

static void arguments(void **state)
{
    (void)state;
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_status(rowtide_shape_json(NULL, &FULL, &out), ROWTIDE_EINVAL);
    assert_status(rowtide_shape_json(&TREE, NULL, &out), ROWTIDE_EINVAL);
    assert_status(rowtide_shape_json(&TREE, &FULL, NULL), ROWTIDE_EINVAL);
}

static int write_once(void *ctx)
{
    (void)ctx;
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_shape_json(&TREE, &FULL, &out);
    rowtide_buffer_dispose(&out);
    return rc;
}

static void memory_runs_out(void **state)
{
    (void)state;
    oom_loop(write_once, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind), cmocka_unit_test(nothing_is_null),
        cmocka_unit_test(arguments), cmocka_unit_test(memory_runs_out)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
