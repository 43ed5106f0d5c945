#include "support/changesets.h"
#include "support/oom.h"
#include "support/render.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] =
    "CREATE TABLE \"<b>users\"(id INTEGER PRIMARY KEY, \"na<me\" TEXT, v);"
    "CREATE TABLE other(k INTEGER PRIMARY KEY, v);"
    "INSERT INTO \"<b>users\" VALUES(1, 'the old words', 2)";

static rowtide_buffer page_of(const char *sql, const char *title, int64_t limit)
{
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *changeset = changesets_record(db, sql);
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    options.names = db;
    options.title = title;
    options.limit = limit;
    rowtide_buffer page = render_all(rowtide_changeset_to_html, changeset,
                                     &options);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
    return page;
}

static void markup_in_data_is_escaped(void **state)
{
    (void)state;
    rowtide_buffer page = page_of("UPDATE \"<b>users\" SET \"na<me\" = "
                                  "'<script>alert(\"1\")</script>'",
                                  "</title><script>x", 0);
    assert_lacks(&page, "<script");
    assert_lacks(&page, "<b>");
    assert_contains(&page, "&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;");
    assert_contains(&page, "&lt;b&gt;users");
    assert_contains(&page, "na&lt;me");
    assert_contains(&page, "<title>&lt;/title&gt;&lt;script&gt;x</title>");
    rowtide_buffer_dispose(&page);
}

static void page_stands_alone(void **state)
{
    (void)state;
    rowtide_buffer page = page_of("INSERT INTO other VALUES(1, 'x')", NULL, 0);
    assert_contains(&page, "<!DOCTYPE html>");
    assert_contains(&page, "<title>Changeset</title>");
    assert_contains(&page, "prefers-color-scheme:dark");
    assert_contains(&page, "name=\"viewport\"");
    assert_lacks(&page, "http:");
    assert_lacks(&page, "https:");
    assert_lacks(&page, " src=");
    assert_lacks(&page, "<link");
    rowtide_buffer_dispose(&page);
}

static void summary_leads_to_tables(void **state)
{
    (void)state;
    rowtide_buffer page = page_of("UPDATE \"<b>users\" SET v = 3;"
                                  "INSERT INTO other VALUES(1, 1), (2, 2)",
                                  NULL, 0);
    assert_contains(&page, "3 changes in 2 tables");
    assert_contains(&page, "<a href=\"#t1\">");
    assert_contains(&page, "<section id=\"t1\">");
    assert_contains(&page, "<a href=\"#t2\">other</a></td><td class=\"i\">2<");
    rowtide_buffer_dispose(&page);
}

static void both_sides_stand_side_by_side(void **state)
{
    (void)state;
    rowtide_buffer page = page_of("UPDATE \"<b>users\" SET \"na<me\" = "
                                  "'the new words', v = NULL",
                                  NULL, 0);
    assert_contains(&page, "<td class=\"old\">the <mark>old</mark> words</td>"
                           "<td class=\"new\">the <mark>new</mark> words</td>");
    assert_contains(&page, "<td class=\"old\">2</td><td class=\"new\">"
                           "<span class=\"null\">NULL</span></td>");
    rowtide_buffer_dispose(&page);
}

static void control_characters_are_shown(void **state)
{
    (void)state;
    rowtide_buffer page = page_of(
        "INSERT INTO other VALUES(1, char(27, 8238)||CAST(x'ff' AS TEXT))",
        NULL, 0);
    assert_lacks(&page, "\x1b");
    assert_contains(&page, "<span class=\"e\">\\x1b</span>"
                           "<span class=\"e\">\\u{202e}</span>"
                           "<span class=\"e\">\\xff</span>");
    rowtide_buffer_dispose(&page);
}

static void limit_says_how_many_more(void **state)
{
    (void)state;
    rowtide_buffer page = page_of(
        "INSERT INTO other VALUES(1, 1), (2, 2), (3, 3)", NULL, 2);
    assert_contains(&page, "… and 1 more");
    rowtide_buffer_dispose(&page);
    page = page_of("SELECT 1", NULL, 0);
    assert_contains(&page, "No changes");
    rowtide_buffer_dispose(&page);
}

static int render_both(void *ctx)
{
    static const render_function functions[] = {rowtide_changeset_to_html,
                                                rowtide_changeset_to_text};
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < 2; i++) {
        rowtide_buffer out = ROWTIDE_BUFFER_INIT;
        rowtide_source *source = NULL;
        rowtide_sink *sink = NULL;
        rc = rowtide_source_memory(rowtide_changeset_data(ctx),
                                   rowtide_changeset_size(ctx), &source);
        if (rc == ROWTIDE_OK)
            rc = rowtide_sink_buffer(&out, &sink);
        if (rc == ROWTIDE_OK)
            rc = functions[i](source, NULL, sink);
        rowtide_sink_free(sink);
        rowtide_source_free(source);
        rowtide_buffer_dispose(&out);
    }
    return rc;
}

static void memory_may_run_out(void **state)
{
    (void)state;
    rowtide_changeset *changeset = awkward_changeset();
    oom_loop(render_both, changeset);
    rowtide_changeset_free(changeset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(markup_in_data_is_escaped),
        cmocka_unit_test(page_stands_alone),
        cmocka_unit_test(summary_leads_to_tables),
        cmocka_unit_test(both_sides_stand_side_by_side),
        cmocka_unit_test(control_characters_are_shown),
        cmocka_unit_test(limit_says_how_many_more),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
