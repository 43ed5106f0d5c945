#include "support/changesets.h"
#include "support/scratch.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

/* The same changeset on the same random database, here and with SQLite's own
 * sqlite3changeset_apply_v2(): the same rows, the same questions asked, the
 * same rebase data. What Rowtide does otherwise on purpose is kept out of it:
 * unique values that wander, and replacing where a constraint says no. */

#define SCHEMA                                                                 \
    "CREATE TABLE plain(id INTEGER PRIMARY KEY, a, b, c);"                     \
    "CREATE TABLE pair(a, id, b, PRIMARY KEY(id, a)) WITHOUT ROWID;"           \
    "CREATE TABLE checked(id INTEGER PRIMARY KEY, a, b %s);"                   \
    "CREATE TABLE uniq(id TEXT PRIMARY KEY, a UNIQUE);"
#define CHECKS "CHECK (b IS NULL OR b NOT IN (2, 13))"

typedef struct script {
    uint32_t seed;
} script;

static uint32_t draw(script *s, uint32_t limit)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return (s->seed >> 8) % limit;
}

static void draw_value(script *s, char *out, size_t size)
{
    switch (draw(s, 6)) {
    case 0:
        sqlite3_snprintf((int)size, out, "NULL");
        break;
    case 1:
        sqlite3_snprintf((int)size, out, "%d", (int)draw(s, 5));
        break;
    case 2:
        sqlite3_snprintf((int)size, out, "%d.5", (int)draw(s, 3));
        break;
    case 3:
        sqlite3_snprintf((int)size, out, "x'0%d00'", (int)draw(s, 3));
        break;
    default:
        sqlite3_snprintf((int)size, out, "'v%d'", (int)draw(s, 4));
        break;
    }
}

static void write_row(rowtide_db *db, script *s)
{
    char v[3][20], sql[300];
    int id = (int)draw(s, 12), number = (int)draw(s, 15);
    for (int i = 0; i < 3; i++)
        draw_value(s, v[i], sizeof v[i]);
    switch (draw(s, 12)) {
#define SQL(kind, ...)                                                         \
    case kind:                                                                 \
        sqlite3_snprintf(sizeof sql, sql, __VA_ARGS__);                        \
        break;
        SQL(0, "INSERT OR IGNORE INTO plain VALUES(%d, %s, %s, %s)", id, v[0],
            v[1], v[2])
        SQL(1, "UPDATE plain SET b = %s WHERE id = %d", v[0], id)
        SQL(2, "UPDATE plain SET a = %s, c = %s WHERE id = %d", v[0], v[1], id)
        SQL(3, "DELETE FROM plain WHERE id = %d", id)
        SQL(4, "INSERT OR IGNORE INTO pair VALUES('k', %d, %s)", id, v[0])
        SQL(5, "UPDATE pair SET b = %s WHERE id = %d", v[0], id)
        SQL(6, "DELETE FROM pair WHERE id = %d", id)
        SQL(7, "INSERT OR IGNORE INTO checked VALUES(%d, %s, %d)", id, v[0],
            number)
        SQL(8, "UPDATE OR IGNORE checked SET b = %d WHERE id = %d", number, id)
        SQL(9, "DELETE FROM checked WHERE id = %d", id)
        SQL(10, "INSERT OR IGNORE INTO uniq VALUES('%d', %d)", id, number)
        SQL(11, "DELETE FROM uniq WHERE id = '%d'", id)
#undef SQL
    }
    scratch_exec(db, sql);
}

static void write_rows(rowtide_db *db, script s, int count)
{
    while (count--)
        write_row(db, &s);
}

static rowtide_db *make_db(uint32_t seed, int target)
{
    char *schema = sqlite3_mprintf(SCHEMA, target ? CHECKS : "");
    rowtide_db *db = scratch_db(schema);
    sqlite3_free(schema);
    write_rows(db, (script){seed}, 60);
    return db;
}

/* One decision for both, made of what both know. */
static int decide(int kind, const char *table, int64_t key)
{
    int can_replace = (kind == ROWTIDE_CONFLICT_DATA
                       || kind == ROWTIDE_CONFLICT_CONFLICT)
                      && (strcmp(table, "plain") == 0
                          || strcmp(table, "pair") == 0);
    return can_replace && (key + kind) % 2 ? ROWTIDE_ACTION_REPLACE
                                           : ROWTIDE_ACTION_OMIT;
}

typedef struct questions {
    char text[20000];
    size_t size;
} questions;

static void note(questions *q, int kind, int op, const char *table, int64_t key)
{
    sqlite3_snprintf((int)(sizeof q->text - q->size), q->text + q->size,
                     "%d %d %s %lld\n", kind, op, table, key);
    q->size += strlen(q->text + q->size);
}

static int64_t key_of(const rowtide_value *value)
{
    return value->type == ROWTIDE_INTEGER
               ? value->integer
               : (int64_t)(((const char *)value->data)[0]);
}

static int our_handler(const rowtide_conflict *conflict, void *user)
{
    const rowtide_change *change = conflict->change;
    const rowtide_value *values = change->old_values ? change->old_values
                                                     : change->new_values;
    int place = strcmp(change->table, "pair") == 0;
    int64_t key = key_of(&values[place]);
    note(user, (int)conflict->kind, (int)change->kind, change->table, key);
    return decide((int)conflict->kind, change->table, key);
}

static int sqlites_handler(void *user, int kind, sqlite3_changeset_iter *iter)
{
    const char *table;
    int count, op, indirect;
    sqlite3_value *value = NULL;
    sqlite3changeset_op(iter, &table, &count, &op, &indirect);
    int place = strcmp(table, "pair") == 0;
    if (op == SQLITE_INSERT)
        sqlite3changeset_new(iter, place, &value);
    else
        sqlite3changeset_old(iter, place, &value);
    int64_t key = sqlite3_value_type(value) == SQLITE_INTEGER
                      ? sqlite3_value_int64(value)
                      : ((const char *)sqlite3_value_text(value))[0];
    note(user, kind, op, table, key);
    return decide(kind, table, key);
}

/* @return how many bytes of questions there were */
static size_t apply_both(rowtide_changeset *changeset, uint32_t seed)
{
    static questions ours, theirs;
    rowtide_db *a = make_db(seed, 1), *b = make_db(seed, 1);
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_report *report;
    void *rebase = NULL;
    int rebase_size = 0;
    size_t size;
    memset(&ours, 0, sizeof ours);
    memset(&theirs, 0, sizeof theirs);
    write_rows(a, (script){seed * 7 + 3}, 30);
    write_rows(b, (script){seed * 7 + 3}, 30);
    options.on_conflict = our_handler;
    options.on_conflict_user = &ours;
    assert_ok(rowtide_changeset_apply(a, changeset, &options, &report));
    void *bytes = rowtide_changeset_size(changeset)
                      ? sqlite3_malloc64(rowtide_changeset_size(changeset))
                      : NULL;
    if (bytes)
        memcpy(bytes, rowtide_changeset_data(changeset),
               rowtide_changeset_size(changeset));
    assert_int_equal(sqlite3changeset_apply_v2(
                         rowtide_db_sqlite(b),
                         (int)rowtide_changeset_size(changeset), bytes, NULL,
                         sqlites_handler, &theirs, &rebase, &rebase_size, 0),
                     SQLITE_OK);
    sqlite3_free(bytes);
    assert_string_equal(ours.text, theirs.text);
    scratch_same(a, b, "SELECT * FROM plain ORDER BY 1");
    scratch_same(a, b, "SELECT * FROM pair ORDER BY 2, 1");
    scratch_same(a, b, "SELECT * FROM checked ORDER BY 1");
    scratch_same(a, b, "SELECT * FROM uniq ORDER BY 1");
    const void *data = rowtide_report_rebase(report, &size);
    assert_int_equal(size, rebase_size);
    if (size)
        assert_memory_equal(data, rebase, size);
    sqlite3_free(rebase);
    rowtide_report_free(report);
    rowtide_db_free(a);
    rowtide_db_free(b);
    return ours.size;
}

static void does_what_sqlite_does(void **state)
{
    size_t asked = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= 300; seed++) {
        rowtide_db *source = make_db(seed, 0);
        rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
        rowtide_capture *capture;
        rowtide_changeset *changeset;
        options.flags = seed % 3 == 0 ? ROWTIDE_CAPTURE_PATCHSET : 0;
        assert_ok(rowtide_capture_begin(source, &options, &capture));
        write_rows(source, (script){seed * 31 + 5}, 60);
        assert_ok(rowtide_capture_end(capture, &changeset));
        rowtide_capture_free(capture);
        asked += apply_both(changeset, seed);
        rowtide_changeset_free(changeset);
        rowtide_db_free(source);
    }
    assert_true(asked > 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(does_what_sqlite_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
