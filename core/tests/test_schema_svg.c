#include "support/oom.h"
#include "support/schema.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *draw(const char *sql)
{
    rowtide_schema *schema = schema_of(sql);
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_schema_svg(schema, &out));
    char *text = strdup(out.data);
    rowtide_buffer_dispose(&out);
    rowtide_schema_free(schema);
    return text;
}

typedef struct rectangle {
    long x, y, width, height;
} rectangle;

static size_t read_boxes(const char *svg, rectangle *out, size_t room)
{
    static const char START[] = "<rect class=\"box\"";
    size_t count = 0;
    for (const char *at = strstr(svg, START); at && count < room;
         at = strstr(at + 1, START)) {
        rectangle *r = &out[count++];
        assert_int_equal(
            sscanf(at,
                   "<rect class=\"box\" x=\"%ld\" y=\"%ld\" width=\"%ld\" "
                   "height=\"%ld\"",
                   &r->x, &r->y, &r->width, &r->height),
            4);
    }
    return count;
}

/* Every table is inside the picture and covers no other. */
static void assert_apart(const char *svg, size_t expected)
{
    rectangle boxes[100];
    long width, height;
    size_t count = read_boxes(svg, boxes, 100);
    const char *view = strstr(svg, "viewBox=\"0 0 ");
    assert_int_equal(sscanf(view, "viewBox=\"0 0 %ld %ld\"", &width, &height),
                     2);
    assert_int_equal(count, expected);
    for (size_t i = 0; i < count; i++) {
        const rectangle *a = &boxes[i];
        assert_true(a->x >= 0 && a->y >= 0);
        assert_true(a->x + a->width <= width && a->y + a->height <= height);
        for (size_t k = i + 1; k < count; k++) {
            const rectangle *b = &boxes[k];
            assert_true(a->x + a->width <= b->x || b->x + b->width <= a->x
                        || a->y + a->height <= b->y
                        || b->y + b->height <= a->y);
        }
    }
}

static void nothing(void **state)
{
    (void)state;
    char *svg = draw("");
    assert_non_null(strstr(svg, "There are no tables."));
    assert_apart(svg, 0);
    free(svg);
}

static void one_table_that_refers_to_itself(void **state)
{
    (void)state;
    char *svg = draw("CREATE TABLE \"a<b>&\"\"\x01\"(id INTEGER PRIMARY KEY, "
                     "up REFERENCES \"a<b>&\"\"\x01\", \"</svg>\" TEXT)");
    assert_apart(svg, 1);
    assert_non_null(strstr(svg, "a&lt;b&gt;&amp;&quot;\xEF\xBF\xBD<"));
    assert_null(strstr(svg, "\x01"));
    assert_non_null(strstr(svg, "&lt;/svg&gt;"));
    assert_non_null(strstr(svg, "(up) \xE2\x86\x92 "));
    assert_null(strstr(svg, "<script"));
    free(svg);
}

static void references_run_to_the_right(void **state)
{
    (void)state;
    char *svg = draw("CREATE TABLE child(a REFERENCES parent); CREATE TABLE "
                     "parent(id INTEGER PRIMARY KEY); CREATE TABLE alone(a);"
                     "CREATE TABLE lost(a REFERENCES nowhere)");
    rectangle boxes[4];
    assert_apart(svg, 4);
    assert_int_equal(read_boxes(svg, boxes, 4), 4);
    assert_true(boxes[1].x + boxes[1].width < boxes[0].x);
    assert_true(boxes[2].y > boxes[0].y);
    assert_null(strstr(svg, "\xE2\x86\x92 nowhere"));
    free(svg);
}

static void shadow_tables_and_hidden_columns_are_left_out(void **state)
{
    (void)state;
    char *svg = draw("CREATE VIRTUAL TABLE words USING fts5(title)");
    assert_apart(svg, 1);
    assert_non_null(strstr(svg, "using fts5"));
    assert_null(strstr(svg, "words_data"));
    assert_null(strstr(svg, ">rank<"));
    free(svg);
}

static void many_tables(void **state)
{
    (void)state;
    char *sql = malloc(40 * 300);
    size_t at = 0;
    unsigned random = 7;
    for (unsigned i = 0; i < 40; i++) {
        random = random * 1103515245u + 12345u;
        at += (size_t)sprintf(sql + at,
                              "CREATE TABLE t%u(id INTEGER PRIMARY KEY, name "
                              "TEXT, a INT REFERENCES t%u, b REFERENCES t%u);",
                              i, (random >> 16) % 40, (random >> 8) % 60);
    }
    char *svg = draw(sql), *again = draw(sql);
    assert_apart(svg, 40);
    assert_string_equal(svg, again);
    free(again);
    free(svg);
    free(sql);
}

static void unconnected_tables_fill_the_page(void **state)
{
    (void)state;
    char *sql = malloc(40 * 100);
    size_t at = 0;
    rectangle boxes[40];
    long widest = 0;
    for (int i = 0; i < 40; i++)
        at += (size_t)sprintf(sql + at, "CREATE TABLE t%d(id, name TEXT);", i);
    char *svg = draw(sql);
    assert_apart(svg, 40);
    read_boxes(svg, boxes, 40);
    for (int i = 0; i < 40; i++)
        widest = boxes[i].x > widest ? boxes[i].x : widest;
    assert_true(widest > 3 * boxes[0].width);
    free(svg);
    free(sql);
}

static int draw_once(void *ctx)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    int rc = rowtide_schema_svg(ctx, &out);
    rowtide_buffer_dispose(&out);
    return rc;
}

static void errors(void **state)
{
    (void)state;
    rowtide_schema *schema = schema_of(
        "CREATE TABLE t(a REFERENCES u); CREATE TABLE u(b PRIMARY "
        "KEY); CREATE TABLE v(c)");
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_status(rowtide_schema_svg(NULL, &out), ROWTIDE_EINVAL);
    assert_status(rowtide_schema_svg(schema, NULL), ROWTIDE_EINVAL);
    oom_loop(draw_once, schema);
    rowtide_schema_free(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing),
        cmocka_unit_test(one_table_that_refers_to_itself),
        cmocka_unit_test(references_run_to_the_right),
        cmocka_unit_test(shadow_tables_and_hidden_columns_are_left_out),
        cmocka_unit_test(many_tables),
        cmocka_unit_test(unconnected_tables_fill_the_page),
        cmocka_unit_test(errors)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
