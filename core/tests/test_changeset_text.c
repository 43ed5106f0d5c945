#include "support/changesets.h"
#include "support/render.h"
#include "support/scratch.h"

#include <stdlib.h>
#include <string.h>

static const char SCHEMA[] =
    "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, photo BLOB);"
    "CREATE TABLE pairs(a, b, v, PRIMARY KEY(a, b));"
    "INSERT INTO users VALUES(1, 'Ada', NULL), (2, 'Bob', x'00ff');"
    "INSERT INTO pairs VALUES(1, 'x', 1.5)";

static rowtide_buffer text_of(const char *sql, unsigned flags, int64_t limit,
                              int named)
{
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *changeset = changesets_record(db, sql);
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    options.flags = flags;
    options.limit = limit;
    options.names = named ? db : NULL;
    rowtide_buffer text = render_all(rowtide_changeset_to_text, changeset,
                                     &options);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
    return text;
}

static void listing_is_grouped_and_counted(void **state)
{
    (void)state;
    rowtide_buffer text = text_of(
        "UPDATE users SET name = 'Ada L' WHERE id = 1;"
        "DELETE FROM users WHERE id = 2;"
        "UPDATE pairs SET v = 2",
        0, 0, 1);
    assert_contains(&text, "users ~1 -1\n");
    assert_contains(&text, "  ~ id=1  name: 'Ada' → 'Ada L'\n");
    assert_contains(&text, "  - id=2  name: 'Bob'  photo: x'00ff' (2 bytes)\n");
    assert_contains(&text, "pairs ~1\n  ~ a=1 b='x'  v: 1.5 → 2\n");
    assert_contains(&text, "\n3 changes in 2 tables: ~2 -1\n");
    assert_lacks(&text, "\x1b");
    rowtide_buffer_dispose(&text);
}

static void columns_have_numbers_without_a_database(void **state)
{
    (void)state;
    rowtide_buffer text = text_of("UPDATE pairs SET v = 2", 0, 0, 0);
    assert_contains(&text, "  ~ c1=1 c2='x'  c3: 1.5 → 2\n");
    rowtide_buffer_dispose(&text);
}

static void colours_are_asked_for(void **state)
{
    (void)state;
    rowtide_buffer text = text_of("INSERT INTO users VALUES(3, 'Eve', NULL)",
                                  ROWTIDE_RENDER_COLOR, 0, 1);
    assert_contains(&text, "\x1b[32m+\x1b[0m");
    rowtide_buffer_dispose(&text);
}

static void data_cannot_steer_the_terminal(void **state)
{
    (void)state;
    rowtide_buffer text = text_of(
        "INSERT INTO users VALUES(3, char(27)||'[2J'||char(155, 7, 10, 8238)"
        "||CAST(x'ff' AS TEXT)||'\\', NULL);",
        0, 0, 1);
    assert_contains(&text, "'\\x1b[2J\\u{9b}\\x07\\n\\u{202e}\\xff\\\\'");
    assert_lacks(&text, "\x1b");
    assert_lacks(&text, "\x07");
    rowtide_buffer_dispose(&text);
    rowtide_db *db = scratch_db("CREATE TABLE \"e\x1b[1m\"(k INTEGER PRIMARY "
                                "KEY, \"c\x07\")");
    rowtide_changeset *changeset = changesets_record(
        db, "INSERT INTO \"e\x1b[1m\" VALUES(1, 2)");
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    options.names = db;
    text = render_all(rowtide_changeset_to_text, changeset, &options);
    assert_contains(&text, "e\\x1b[1m +1\n  + k=1  c\\x07: 2\n");
    rowtide_buffer_dispose(&text);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void long_values_are_cut(void **state)
{
    (void)state;
    rowtide_buffer text = text_of(
        "INSERT INTO users VALUES(3, replace(hex(zeroblob(1000)), '00', 'ä'),"
        " zeroblob(5000))",
        0, 0, 1);
    assert_contains(&text, "ä…' (2,000 bytes)");
    assert_contains(&text, "00…' (5,000 bytes)");
    assert_true(text.size < 400);
    rowtide_buffer_dispose(&text);
}

static void limit_says_how_many_more(void **state)
{
    (void)state;
    rowtide_buffer text = text_of("DELETE FROM users; DELETE FROM pairs", 0, 1,
                                  1);
    assert_contains(&text, "  … and 2 more\n");
    assert_contains(&text, "3 changes in 2 tables");
    rowtide_buffer_dispose(&text);
}

static void indirect_changes_are_marked(void **state)
{
    (void)state;
    rowtide_buffer text = text_of(
        "CREATE TRIGGER w AFTER DELETE ON pairs BEGIN DELETE FROM users WHERE "
        "id = 2; END; DELETE FROM pairs",
        0, 0, 1);
    assert_contains(&text, "  - id=2 (indirect)  name: 'Bob'");
    assert_contains(&text, ", 1 indirect\n");
    rowtide_buffer_dispose(&text);
}

static void patchset_shows_what_it_has(void **state)
{
    (void)state;
    rowtide_db *db = scratch_db(SCHEMA);
    rowtide_changeset *changeset = changesets_record_patchset(
        db, "UPDATE users SET name = 'X' WHERE id = 1; DELETE FROM pairs");
    rowtide_buffer text = render_all(rowtide_changeset_to_text, changeset,
                                     NULL);
    assert_contains(&text, "  ~ c1=1  c2: → 'X'\n");
    assert_contains(&text, "  - c1=1 c2='x'\n");
    assert_contains(&text, "(patchset)");
    rowtide_buffer_dispose(&text);
    rowtide_changeset_free(changeset);
    rowtide_db_free(db);
}

static void nothing_is_said_plainly(void **state)
{
    (void)state;
    rowtide_buffer text = text_of("SELECT 1", 0, 0, 1);
    assert_string_equal(text.data, "no changes\n");
    rowtide_buffer_dispose(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listing_is_grouped_and_counted),
        cmocka_unit_test(columns_have_numbers_without_a_database),
        cmocka_unit_test(colours_are_asked_for),
        cmocka_unit_test(data_cannot_steer_the_terminal),
        cmocka_unit_test(long_values_are_cut),
        cmocka_unit_test(limit_says_how_many_more),
        cmocka_unit_test(indirect_changes_are_marked),
        cmocka_unit_test(patchset_shows_what_it_has),
        cmocka_unit_test(nothing_is_said_plainly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
