/* Times changesets against plain SQL and against the session extension used
 * directly. Prints one line of CSV per measurement:
 *
 *     what,operation,key,columns,rows,who,seconds,bytes
 *
 * bench/table.py takes the minimum of the rounds and prints ratios. */
#include "workload.h"

#include <rowtide.h>
#include <sqlite3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONCAT_COUNT = 100, ONE_ROW_CAPTURES = 2000 };

static const char *directory;

static const char *scratch(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s.db", directory, name);
    return path;
}

static void ok(int rc, const char *what)
{
    if (rc != ROWTIDE_OK && rc != ROWTIDE_DONE)
        fprintf(stderr, "bench: %s\n", rowtide_error_message());
    check(rc == ROWTIDE_OK || rc == ROWTIDE_DONE, what);
}

static void print_line(const char *what, enum operation op,
                       const struct shape *shape, const char *who,
                       double seconds, size_t bytes)
{
    printf("%s,%s,%s,%d,%d,%s,%.6f,%zu\n", what, operation_names[op],
           key_names[shape->key], shape->columns, shape->rows, who, seconds,
           bytes);
    fflush(stdout);
}

/* ## Capture */

/* Recording, making the changeset of it, and both together. */
static void print_capture(enum operation op, const struct shape *shape,
                          const char *who, double start, double recorded,
                          size_t bytes)
{
    double end = cpu_seconds();
    print_line("record", op, shape, who, recorded - start, 0);
    print_line("generate", op, shape, who, end - recorded, bytes);
    print_line("capture", op, shape, who, end - start, bytes);
}

static void bench_plain(const struct shape *shape, enum operation op)
{
    sqlite3 *db = open_scratch(scratch("plain"), shape, op != OP_INSERT);
    double start = cpu_seconds();
    exec(db, "BEGIN");
    run_plain(db, shape, op);
    double seconds = cpu_seconds() - start;
    print_line("record", op, shape, "plain", seconds, 0);
    print_line("capture", op, shape, "plain", seconds, 0);
    exec(db, "COMMIT");
    sqlite3_close(db);
}

static void bench_raw_capture(const struct shape *shape, enum operation op)
{
    sqlite3 *db = open_scratch(scratch("raw"), shape, op != OP_INSERT);
    sqlite3_session *session;
    int size;
    void *data;
    double start = cpu_seconds();
    exec(db, "BEGIN");
    check(sqlite3session_create(db, "main", &session) == SQLITE_OK, "session");
    check(sqlite3session_attach(session, "t") == SQLITE_OK, "attach");
    run_plain(db, shape, op);
    double recorded = cpu_seconds();
    check(sqlite3session_changeset(session, &size, &data) == SQLITE_OK,
          "changeset");
    sqlite3session_delete(session); /* as the end of a capture does */
    print_capture(op, shape, "raw", start, recorded, (size_t)size);
    sqlite3_free(data);
    exec(db, "COMMIT");
    sqlite3_close(db);
}

static rowtide_changeset *bench_our_capture(const struct shape *shape,
                                            enum operation op)
{
    static const char *const tables[] = {"t"};
    sqlite3 *sqlite = open_scratch(scratch("ours"), shape, op != OP_INSERT);
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    rowtide_changeset *changeset;
    rowtide_capture *capture;
    rowtide_db *db;
    options.tables = tables;
    options.table_count = 1;
    ok(rowtide_db_adopt(sqlite, &db), "adopt");
    double start = cpu_seconds();
    exec(sqlite, "BEGIN");
    ok(rowtide_capture_begin(db, &options, &capture), "capture_begin");
    run_plain(sqlite, shape, op);
    double recorded = cpu_seconds();
    ok(rowtide_capture_end(capture, &changeset), "capture_end");
    print_capture(op, shape, "rowtide", start, recorded,
                  rowtide_changeset_size(changeset));
    rowtide_capture_free(capture);
    exec(sqlite, "COMMIT");
    rowtide_db_free(db);
    sqlite3_close(sqlite);
    return changeset;
}

/* ## One-row captures: what a capture costs by itself */

static void one_row(sqlite3 *db, int i)
{
    char sql[80];
    snprintf(sql, sizeof sql, "UPDATE t SET c2 = %d WHERE rowid = %d", -i - 1,
             i + 1);
    exec(db, sql);
}

static void bench_one_row(const struct shape *shape)
{
    sqlite3 *db = open_scratch(scratch("one"), shape, 1);
    double start = cpu_seconds();
    exec(db, "BEGIN");
    for (int i = 0; i < ONE_ROW_CAPTURES; i++)
        one_row(db, i);
    print_line("one-row", OP_UPDATE, shape, "plain", cpu_seconds() - start, 0);
    exec(db, "ROLLBACK; BEGIN");
    start = cpu_seconds();
    for (int i = 0; i < ONE_ROW_CAPTURES; i++) {
        sqlite3_session *session;
        int size;
        void *data;
        sqlite3session_create(db, "main", &session);
        sqlite3session_attach(session, "t");
        one_row(db, i);
        sqlite3session_changeset(session, &size, &data);
        sqlite3_free(data);
        sqlite3session_delete(session);
    }
    print_line("one-row", OP_UPDATE, shape, "raw", cpu_seconds() - start, 0);
    exec(db, "ROLLBACK; BEGIN");
    rowtide_db *ours;
    ok(rowtide_db_adopt(db, &ours), "adopt");
    static const char *const tables[] = {"t"};
    rowtide_capture_options options = ROWTIDE_CAPTURE_OPTIONS_INIT;
    options.tables = tables;
    options.table_count = 1;
    start = cpu_seconds();
    for (int i = 0; i < ONE_ROW_CAPTURES; i++) {
        rowtide_capture *capture;
        rowtide_changeset *changeset;
        ok(rowtide_capture_begin(ours, &options, &capture), "begin");
        one_row(db, i);
        ok(rowtide_capture_end(capture, &changeset), "end");
        rowtide_changeset_free(changeset);
        rowtide_capture_free(capture);
    }
    print_line("one-row", OP_UPDATE, shape, "rowtide", cpu_seconds() - start,
               0);
    exec(db, "ROLLBACK");
    rowtide_db_free(ours);
    sqlite3_close(db);
}

/* ## Iterate: every value of every change is looked at */

static void bench_iterate(const struct shape *shape, enum operation op,
                          rowtide_changeset *changeset)
{
    size_t size = rowtide_changeset_size(changeset);
    sqlite3_changeset_iter *raw;
    int64_t raw_sum = 0, our_sum = 0;
    double start = cpu_seconds();
    sqlite3changeset_start(&raw, (int)size,
                           (void *)rowtide_changeset_data(changeset));
    while (sqlite3changeset_next(raw) == SQLITE_ROW) {
        const char *table;
        int columns, kind, indirect;
        sqlite3_value *value;
        sqlite3changeset_op(raw, &table, &columns, &kind, &indirect);
        for (int i = 0; i < columns; i++) {
            if (kind != SQLITE_INSERT
                && sqlite3changeset_old(raw, i, &value) == SQLITE_OK && value)
                raw_sum += sqlite3_value_type(value);
            if (kind != SQLITE_DELETE
                && sqlite3changeset_new(raw, i, &value) == SQLITE_OK && value)
                raw_sum += sqlite3_value_type(value);
        }
    }
    sqlite3changeset_finalize(raw);
    print_line("iterate", op, shape, "raw", cpu_seconds() - start, size);

    rowtide_changeset_iter *iter;
    const rowtide_change *change;
    start = cpu_seconds();
    ok(rowtide_changeset_iter_new(changeset, 0, &iter), "iter_new");
    while (rowtide_changeset_iter_next(iter, &change) == ROWTIDE_OK)
        for (int i = 0; i < change->column_count; i++) {
            if (change->old_values)
                our_sum += change->old_values[i].type;
            if (change->new_values)
                our_sum += change->new_values[i].type;
        }
    rowtide_changeset_iter_free(iter);
    print_line("iterate", op, shape, "rowtide", cpu_seconds() - start, size);
    check(raw_sum == our_sum, "both iterators seeing the same values");
}

/* ## Invert */

static void bench_invert(const struct shape *shape, enum operation op,
                         rowtide_changeset *changeset)
{
    size_t size = rowtide_changeset_size(changeset);
    rowtide_changeset *inverse;
    int raw_size;
    void *raw;
    double start = cpu_seconds();
    check(sqlite3changeset_invert((int)size, rowtide_changeset_data(changeset),
                                  &raw_size, &raw)
              == SQLITE_OK,
          "sqlite3changeset_invert");
    print_line("invert", op, shape, "raw", cpu_seconds() - start, size);
    start = cpu_seconds();
    ok(rowtide_changeset_invert(changeset, &inverse), "invert");
    print_line("invert", op, shape, "rowtide", cpu_seconds() - start, size);
    check(
        rowtide_changeset_size(inverse) == (size_t)raw_size
            && !memcmp(rowtide_changeset_data(inverse), raw, (size_t)raw_size),
        "both inverses being the same");
    sqlite3_free(raw);
    rowtide_changeset_free(inverse);
}

/* ## Apply */

static int abort_on_conflict(void *user, int kind, sqlite3_changeset_iter *iter)
{
    (void)user, (void)kind, (void)iter;
    return SQLITE_CHANGESET_ABORT;
}

static void bench_apply(const struct shape *shape, enum operation op,
                        rowtide_changeset *changeset)
{
    size_t size = rowtide_changeset_size(changeset);
    sqlite3 *db = open_scratch(scratch("apply-raw"), shape, op != OP_INSERT);
    double start = cpu_seconds();
    check(sqlite3changeset_apply(db, (int)size,
                                 (void *)rowtide_changeset_data(changeset),
                                 NULL, abort_on_conflict, NULL)
              == SQLITE_OK,
          "sqlite3changeset_apply");
    print_line("apply", op, shape, "raw", cpu_seconds() - start, size);
    sqlite3_close(db);

    db = open_scratch(scratch("apply-ours"), shape, op != OP_INSERT);
    rowtide_db *ours;
    ok(rowtide_db_adopt(db, &ours), "adopt");
    start = cpu_seconds();
    ok(rowtide_changeset_apply(ours, changeset, NULL, NULL), "apply");
    print_line("apply", op, shape, "rowtide", cpu_seconds() - start, size);
    rowtide_db_free(ours);
    sqlite3_close(db);

    db = open_scratch(scratch("apply-plain"), shape, op != OP_INSERT);
    start = cpu_seconds();
    exec(db, "BEGIN");
    run_plain(db, shape, op);
    exec(db, "COMMIT");
    print_line("apply", op, shape, "plain", cpu_seconds() - start, size);
    sqlite3_close(db);
}

/* ## Concat of 100, each with its own share of the rows */

static void split(rowtide_changeset *changeset, int rows,
                  rowtide_changeset **parts)
{
    rowtide_changeset_iter *iter;
    const rowtide_change *change;
    int share = (rows + CONCAT_COUNT - 1) / CONCAT_COUNT;
    ok(rowtide_changeset_iter_new(changeset, 0, &iter), "iter_new");
    for (int i = 0; i < CONCAT_COUNT; i++) {
        rowtide_changeset_builder *builder;
        ok(rowtide_changeset_builder_new(0, &builder), "builder_new");
        for (int j = 0; j < share; j++) {
            if (rowtide_changeset_iter_next(iter, &change) != ROWTIDE_OK)
                break;
            ok(rowtide_changeset_builder_change(builder, change), "builder");
        }
        ok(rowtide_changeset_builder_finish(builder, &parts[i]), "finish");
        rowtide_changeset_builder_free(builder);
    }
    rowtide_changeset_iter_free(iter);
}

static void raw_pairwise(rowtide_changeset **parts)
{
    void *sum = NULL;
    int sum_size = 0;
    for (int i = 0; i < CONCAT_COUNT; i++) {
        void *next;
        int next_size;
        check(sqlite3changeset_concat(
                  sum_size, sum, (int)rowtide_changeset_size(parts[i]),
                  (void *)rowtide_changeset_data(parts[i]), &next_size, &next)
                  == SQLITE_OK,
              "sqlite3changeset_concat");
        sqlite3_free(sum);
        sum = next;
        sum_size = next_size;
    }
    sqlite3_free(sum);
}

static void raw_group(rowtide_changeset **parts)
{
    sqlite3_changegroup *group;
    void *sum;
    int size;
    check(sqlite3changegroup_new(&group) == SQLITE_OK, "changegroup_new");
    for (int i = 0; i < CONCAT_COUNT; i++)
        check(sqlite3changegroup_add(group,
                                     (int)rowtide_changeset_size(parts[i]),
                                     (void *)rowtide_changeset_data(parts[i]))
                  == SQLITE_OK,
              "changegroup_add");
    check(sqlite3changegroup_output(group, &size, &sum) == SQLITE_OK,
          "changegroup_output");
    sqlite3_free(sum);
    sqlite3changegroup_delete(group);
}

static void bench_concat(const struct shape *shape,
                         rowtide_changeset *changeset)
{
    size_t size = rowtide_changeset_size(changeset);
    rowtide_changeset *parts[CONCAT_COUNT], *sum;
    split(changeset, shape->rows, parts);
    double start = cpu_seconds();
    raw_group(parts);
    print_line("concat", OP_INSERT, shape, "raw", cpu_seconds() - start, size);
    start = cpu_seconds();
    ok(rowtide_changeset_concat(parts, CONCAT_COUNT, &sum), "concat");
    print_line("concat", OP_INSERT, shape, "rowtide", cpu_seconds() - start,
               size);
    if (shape->key == KEY_INTEGER) {
        start = cpu_seconds();
        raw_pairwise(parts);
        print_line("concat", OP_INSERT, shape, "pairwise",
                   cpu_seconds() - start, size);
    }
    rowtide_changeset_free(sum);
    for (int i = 0; i < CONCAT_COUNT; i++)
        rowtide_changeset_free(parts[i]);
}

/* Who comes first changes from round to round, because the second finds the
 * heap as the first has left it. Gives the changeset that the other
 * measurements work on. */
static rowtide_changeset *bench_capture(const struct shape *shape,
                                        enum operation op, int round)
{
    rowtide_changeset *changeset;
    bench_plain(shape, op);
    if (round % 2 == 0)
        bench_raw_capture(shape, op);
    changeset = bench_our_capture(shape, op);
    if (round % 2 == 1)
        bench_raw_capture(shape, op);
    return changeset;
}

static void bench_shape(const struct shape *shape, int round)
{
    for (int op = OP_INSERT; op <= OP_DELETE; op++) {
        rowtide_changeset *changeset = bench_capture(shape, op, round);
        bench_iterate(shape, op, changeset);
        bench_invert(shape, op, changeset);
        bench_apply(shape, op, changeset);
        if (op == OP_INSERT)
            bench_concat(shape, changeset);
        rowtide_changeset_free(changeset);
    }
    if (shape->key == KEY_INTEGER)
        bench_one_row(shape);
}

int main(int argc, char **argv)
{
    check(argc == 4, "usage: changeset DIRECTORY ROWS ROUNDS");
    directory = argv[1];
    int rows = atoi(argv[2]), rounds = atoi(argv[3]);
    check(rows >= ONE_ROW_CAPTURES, "ROWS being large enough");
    for (int round = 0; round < rounds; round++)
        for (int key = KEY_INTEGER; key <= KEY_SNOWFLAKE; key++)
            for (int columns = 3; columns <= 10; columns += 7) {
                struct shape shape = {key, columns,
                                      columns == 3 ? rows : rows / 2};
                bench_shape(&shape, round);
            }
    return 0;
}
