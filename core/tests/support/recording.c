#include "support/recording.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void recording_exec(sqlite3 *db, const char *sql)
{
    char *message = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
}

sqlite3 *recording_db(const char *sql)
{
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    if (sql)
        recording_exec(db, sql);
    return db;
}

static int is_empty(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
    int rc = sqlite3_step(stmt);
    sqlite3_finalize(stmt);
    return rc == SQLITE_DONE;
}

int recording_same(sqlite3 *a, sqlite3 *b)
{
    unsigned char *image;
    sqlite3_int64 size;
    static const char *const tables[] = {"t", "u", "w"};
    int same = 1;
    recording_exec(a, "ATTACH ':memory:' AS other");
    image = sqlite3_serialize(b, "main", &size, 0);
    assert_int_equal(sqlite3_deserialize(a, "other", image, size, size,
                                         SQLITE_DESERIALIZE_FREEONCLOSE),
                     SQLITE_OK);
    for (int i = 0; i < 6; i++) {
        const char *left = i % 2 ? "other" : "main";
        const char *right = i % 2 ? "main" : "other";
        char *sql = sqlite3_mprintf("SELECT * FROM %s.%s EXCEPT "
                                    "SELECT * FROM %s.%s",
                                    left, tables[i / 2], right, tables[i / 2]);
        same = same && is_empty(a, sql);
        sqlite3_free(sql);
    }
    recording_exec(a, "DETACH other");
    return same;
}

void *record_bytes(sqlite3 *db, const char *sql, int patchset, int *size)
{
    sqlite3_session *session = NULL;
    void *data = NULL;
    assert_int_equal(sqlite3session_create(db, "main", &session), SQLITE_OK);
    assert_int_equal(sqlite3session_attach(session, NULL), SQLITE_OK);
    recording_exec(db, sql);
    int rc = patchset ? sqlite3session_patchset(session, size, &data)
                      : sqlite3session_changeset(session, size, &data);
    assert_int_equal(rc, SQLITE_OK);
    sqlite3session_delete(session);
    return data;
}

rowtide_changeset *changeset_from(const void *data, size_t size)
{
    rowtide_changeset *changeset = NULL;
    assert_ok(rowtide_changeset_parse(data, size, &changeset));
    return changeset;
}

rowtide_changeset *changeset_from_sqlite(void *data, int size)
{
    rowtide_changeset *changeset = changeset_from(data, (size_t)size);
    sqlite3_free(data);
    return changeset;
}

rowtide_changeset *record_changeset(sqlite3 *db, const char *sql)
{
    int size;
    void *data = record_bytes(db, sql, 0, &size);
    return changeset_from_sqlite(data, size);
}

rowtide_changeset *record_patchset(sqlite3 *db, const char *sql)
{
    int size;
    void *data = record_bytes(db, sql, 1, &size);
    return changeset_from_sqlite(data, size);
}

static int abort_always(void *user, int kind, sqlite3_changeset_iter *iter)
{
    (void)user;
    (void)kind;
    (void)iter;
    return SQLITE_CHANGESET_ABORT;
}

int recording_apply_rebase(sqlite3 *db, const rowtide_changeset *changeset,
                           recording_decision decision, void *user,
                           void **rebase, int *rebase_size)
{
    size_t size = rowtide_changeset_size(changeset);
    void *copy = malloc(size + 1);
    assert_non_null(copy);
    if (size)
        memcpy(copy, rowtide_changeset_data(changeset), size);
    int rc = sqlite3changeset_apply_v2(db, (int)size, copy, NULL,
                                       decision ? decision : abort_always, user,
                                       rebase, rebase_size, 0);
    free(copy);
    return rc;
}

int recording_apply(sqlite3 *db, const rowtide_changeset *changeset,
                    recording_decision decision, void *user)
{
    return recording_apply_rebase(db, changeset, decision, user, NULL, NULL);
}

/* ## Listings */

static void print_bytes(FILE *out, const rowtide_value *value)
{
    const unsigned char *bytes = value->data;
    fputc(value->type == ROWTIDE_TEXT ? 't' : 'x', out);
    for (size_t i = 0; i < value->size; i++)
        fprintf(out, "%02x", bytes[i]);
}

static void print_value(FILE *out, const rowtide_value *value)
{
    fputc(' ', out);
    switch (value->type) {
    case ROWTIDE_INTEGER:
        fprintf(out, "%lld", (long long)value->integer);
        break;
    case ROWTIDE_REAL:
        fprintf(out, "%a", value->real);
        break;
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        print_bytes(out, value);
        break;
    default:
        fputs(value->type == ROWTIDE_NULL ? "null" : "-", out);
    }
}

static int changes_column(const rowtide_change *change, int column)
{
    const rowtide_value *old = change->old_values, *new = change->new_values;
    return change->kind != ROWTIDE_CHANGE_UPDATE || change->primary_key[column]
           || !old || !rowtide_value_equal(&old[column], &new[column]);
}

static int changes_anything(const rowtide_change *change)
{
    for (int i = 0; i < change->column_count; i++)
        if ((change->kind != ROWTIDE_CHANGE_UPDATE || !change->primary_key[i])
            && changes_column(change, i))
            return 1;
    return 0;
}

static void print_values(FILE *out, const rowtide_change *change,
                         const rowtide_value *values)
{
    static const rowtide_value undefined = {.type = ROWTIDE_UNDEFINED};
    fputs(" |", out);
    for (int i = 0; values && i < change->column_count; i++)
        print_value(out, changes_column(change, i) ? &values[i] : &undefined);
}

static char *print_change(const rowtide_change *change)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fprintf(out, "%s %d %d", change->table, change->kind, change->indirect);
    print_values(out, change, change->old_values);
    print_values(out, change, change->new_values);
    fputc('\n', out);
    fclose(out);
    return text;
}

static int compare_lines(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join_sorted(char **lines, size_t count)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    if (count)
        qsort(lines, count, sizeof *lines, compare_lines);
    for (size_t i = 0; i < count; i++) {
        fputs(lines[i], out);
        free(lines[i]);
    }
    fclose(out);
    free(lines);
    return text;
}

char *changeset_listing(rowtide_changeset *changeset)
{
    rowtide_changeset_iter *iter = NULL;
    const rowtide_change *change;
    size_t count = 0;
    size_t most = (size_t)rowtide_changeset_change_count(changeset);
    char **lines = calloc(most + 1, sizeof *lines);
    assert_non_null(lines);
    assert_ok(rowtide_changeset_iter_new(changeset, 0, &iter));
    int rc;
    while ((rc = rowtide_changeset_iter_next(iter, &change)) == ROWTIDE_OK)
        if (changes_anything(change))
            lines[count++] = print_change(change);
    assert_int_equal(rc, ROWTIDE_DONE);
    rowtide_changeset_iter_free(iter);
    return join_sorted(lines, count);
}

void assert_same_changes(rowtide_changeset *a, rowtide_changeset *b)
{
    char *left = changeset_listing(a), *right = changeset_listing(b);
    assert_string_equal(left, right);
    free(left);
    free(right);
}

void assert_same_bytes(rowtide_changeset *changeset, const void *data,
                       size_t size)
{
    assert_int_equal(rowtide_changeset_size(changeset), size);
    if (size)
        assert_memory_equal(rowtide_changeset_data(changeset), data, size);
}

/* ## Random histories */

const char RANDOM_SCHEMA[] =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, c);"
    "CREATE TABLE u(v, k TEXT, w, n INTEGER, PRIMARY KEY(n, k)) WITHOUT ROWID;"
    "CREATE TABLE w(x PRIMARY KEY) WITHOUT ROWID;";

unsigned random_below(random_state *random, unsigned limit)
{
    random->state ^= random->state << 13;
    random->state ^= random->state >> 7;
    random->state ^= random->state << 17;
    return (unsigned)(random->state >> 33) % limit;
}

static const char *random_value(random_state *random)
{
    static const char *const values[] = {"1",
                                         "2",
                                         "NULL",
                                         "'one'",
                                         "''",
                                         "2.5",
                                         "x'00ff'",
                                         "x''",
                                         "-1",
                                         "'1'",
                                         "1.0",
                                         "9007199254740993",
                                         "'\xc3\xa4'",
                                         "zeroblob(200)",
                                         "hex(zeroblob(90))"};
    return values[random_below(random, sizeof values / sizeof *values)];
}

static void print_t(FILE *out, random_state *random, unsigned key)
{
    static const char *const columns[] = {"a", "b", "c"};
    switch (random_below(random, 4)) {
    case 0:
        fprintf(out, "INSERT OR IGNORE INTO t VALUES(%u,%s,%s,%s);", key,
                random_value(random), random_value(random),
                random_value(random));
        break;
    case 1:
        fprintf(out, "DELETE FROM t WHERE id=%u;", key);
        break;
    case 2:
        fprintf(out, "UPDATE t SET a=%s, c=%s WHERE id=%u;",
                random_value(random), random_value(random), key);
        break;
    default:
        fprintf(out, "UPDATE t SET %s=%s WHERE id=%u;",
                columns[random_below(random, 3)], random_value(random), key);
    }
}

static void print_u(FILE *out, random_state *random, unsigned key)
{
    switch (random_below(random, 3)) {
    case 0:
        fprintf(out, "INSERT OR REPLACE INTO u VALUES(%s,'k%u',%s,%u);",
                random_value(random), key % 3, random_value(random), key);
        break;
    case 1:
        fprintf(out, "DELETE FROM u WHERE n=%u;", key);
        break;
    default:
        fprintf(out, "UPDATE u SET %s=%s WHERE n=%u;",
                random_below(random, 2) ? "v" : "w", random_value(random), key);
    }
}

char *random_sql(random_state *random, int statements)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    fputs("BEGIN;", out);
    for (int i = 0; i < statements; i++) {
        unsigned key = 1 + random_below(random, 6);
        unsigned table = random_below(random, 5);
        if (table < 2)
            print_t(out, random, key);
        else if (table < 4)
            print_u(out, random, key);
        else if (random_below(random, 2))
            fprintf(out, "INSERT OR IGNORE INTO w VALUES(%u);", key);
        else
            fprintf(out, "DELETE FROM w WHERE x=%u;", key);
    }
    fputs("COMMIT;", out);
    fclose(out);
    return text;
}

/* ## Streams */

typedef struct drip {
    const char *data;
    size_t size, at, step;
} drip;

static int give_step(void *data, size_t *size, void *user)
{
    drip *from = user;
    size_t count = from->size - from->at;
    if (count > from->step)
        count = from->step;
    if (count > *size)
        count = *size;
    if (count)
        memcpy(data, from->data + from->at, count);
    from->at += count;
    *size = count;
    return 0;
}

rowtide_source *dripping_source(const void *data, size_t size, size_t step,
                                void **state)
{
    rowtide_source *source = NULL;
    drip *from = malloc(sizeof *from);
    assert_non_null(from);
    *from = (drip){data, size, 0, step};
    *state = from;
    assert_ok(rowtide_source_callback(give_step, from, &source));
    return source;
}
