#include "support/oom.h"
#include "support/scratch.h"

#include "base/crc64.h"

#include <rowtide.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char schema[] =
    "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT);"
    "CREATE TABLE trail(id INTEGER PRIMARY KEY, what TEXT);"
    "CREATE TRIGGER t AFTER INSERT ON users BEGIN"
    " INSERT INTO trail(what) VALUES(new.name); END;";

static const char all_rows[] =
    "SELECT 1, id, name FROM users UNION ALL SELECT 2, id, what FROM trail "
    "ORDER BY 1, 2";

typedef struct fixture {
    const char *directory;
    const char *path;
    rowtide_db *db;
    rowtide_primary *primary;
    rowtide_db *copy;
    rowtide_replica *replica;
} fixture;

static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->directory = scratch_new_path();
    f->path = scratch_new_path();
    f->db = scratch_db_file(f->path, schema);
    assert_ok(rowtide_primary_open(f->db, f->directory, &f->primary));
    f->copy = scratch_db(schema);
    assert_ok(rowtide_replica_open(f->copy, f->directory, &f->replica));
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    rowtide_primary_free(f->primary);
    rowtide_replica_free(f->replica);
    rowtide_db_free(f->db);
    rowtide_db_free(f->copy);
    free(f);
    return 0;
}

static int64_t record(fixture *f, const char *sql)
{
    int64_t number = -1;
    assert_ok(rowtide_primary_begin(f->primary, NULL));
    scratch_exec(f->db, sql);
    assert_ok(rowtide_primary_commit(f->primary, &number));
    return number;
}

static const char *file_of(const fixture *f, int64_t number)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%020lld.changeset", f->directory,
             (long long)number);
    return path;
}

static int64_t pull(fixture *f)
{
    int64_t applied = -1;
    assert_ok(rowtide_replica_pull(f->replica, 0, NULL, &applied));
    return applied;
}

static void copy_file(const char *from, const char *to)
{
    size_t size;
    char *data = scratch_read(from, &size);
    scratch_write(to, data, size);
    free(data);
}

static void changesets_arrive_in_order(void **state)
{
    fixture *f = *state;
    assert_int_equal(pull(f), 0);
    assert_int_equal(record(f, "INSERT INTO users VALUES(1, 'Ada')"), 1);
    assert_int_equal(record(f, "UPDATE users SET name = 'Eve'"), 2);
    assert_int_equal(pull(f), 2);
    scratch_same(f->db, f->copy, all_rows);
    assert_int_equal(record(f, "DELETE FROM users; DELETE FROM trail"), 3);
    assert_int_equal(rowtide_primary_position(f->primary), 3);
    assert_int_equal(rowtide_replica_position(f->replica), 2);
    assert_int_equal(pull(f), 1);
    assert_int_equal(pull(f), 0);
    scratch_same(f->db, f->copy, all_rows);
    assert_rows(f->db, "SELECT count(*) FROM rowtide_outbox", "0;");
}

static void nothing_changed_publishes_nothing(void **state)
{
    fixture *f = *state;
    assert_int_equal(record(f, "SELECT 1"), 0);
    assert_ok(rowtide_primary_begin(f->primary, NULL));
    scratch_exec(f->db, "INSERT INTO users VALUES(1, 'Ada')");
    assert_ok(rowtide_primary_rollback(f->primary));
    assert_int_equal(rowtide_primary_position(f->primary), 0);
    assert_false(scratch_exists(file_of(f, 1)));
}

static void the_file_is_as_documented(void **state)
{
    fixture *f = *state;
    size_t size;
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    char *data = scratch_read(file_of(f, 1), &size);
    assert_memory_equal(data, "ROWTIDE\n\0\0\0\1\0\0\0\0", 16);
    char *id = scratch_rows(f->db, "SELECT stream FROM rowtide_primary");
    for (int i = 0; i < 16; i++) {
        char hex[3];
        snprintf(hex, sizeof hex, "%02x", (unsigned char)data[16 + i]);
        assert_memory_equal(hex, id + 2 + 2 * i, 2);
    }
    assert_memory_equal(data + 32, "\0\0\0\0\0\0\0\1", 8);
    assert_int_equal((unsigned char)data[46] << 8 | (unsigned char)data[47],
                     size - 64);
    rowtide_changeset *changeset = NULL;
    assert_ok(rowtide_changeset_parse(data + 64, size - 64, &changeset));
    assert_int_equal(rowtide_changeset_change_count(changeset), 2);
    rowtide_changeset_free(changeset);
    free(id);
    free(data);
    char stream[512];
    snprintf(stream, sizeof stream, "%s/stream", f->directory);
    data = scratch_read(stream, &size);
    assert_int_equal(size, 33);
    free(data);
}

static void a_gap_is_found(void **state)
{
    fixture *f = *state;
    char aside[600];
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    record(f, "INSERT INTO users VALUES(2, 'Bob')");
    record(f, "INSERT INTO users VALUES(3, 'Cy')");
    snprintf(aside, sizeof aside, "%s.away", file_of(f, 2));
    assert_int_equal(rename(file_of(f, 2), aside), 0);
    int64_t applied = -1;
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, &applied),
                  ROWTIDE_EGAP);
    assert_message("number 2 is missing, but 3 is there");
    assert_int_equal(applied, 1);
    assert_int_equal(rename(aside, file_of(f, 2)), 0);
    assert_int_equal(pull(f), 2);
    scratch_same(f->db, f->copy, all_rows);
}

static void other_files_are_ignored(void **state)
{
    fixture *f = *state;
    const char *names[] = {"00000000000000000007.changeset.1-2.tmp",
                           "README",
                           "7.changeset",
                           "00000000000000000000.changeset",
                           "99999999999999999999.changeset",
                           "0000000000000000000x.changeset"};
    char path[512];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%s/%s", f->directory, names[i]);
        scratch_write(path, "x", 1);
    }
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    assert_int_equal(pull(f), 1);
    assert_int_equal(pull(f), 0);
}

static void a_damaged_file_is_refused(void **state)
{
    fixture *f = *state;
    size_t size;
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    char *data = scratch_read(file_of(f, 1), &size);
    for (size_t i = 0; i < size; i++) {
        scratch_write(file_of(f, 1), data, i);
        assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                      ROWTIDE_ECORRUPT);
        data[i] ^= 1 << (i % 8);
        scratch_write(file_of(f, 1), data, size);
        assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                      ROWTIDE_ECORRUPT);
        assert_message("00000000000000000001.changeset");
        data[i] ^= 1 << (i % 8);
    }
    data = realloc(data, size + 1);
    assert_non_null(data);
    data[size] = 0;
    scratch_write(file_of(f, 1), data, size + 1);
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_ECORRUPT);
    assert_int_equal(scratch_integer(f->copy, "SELECT count(*) FROM users"), 0);
    assert_int_equal(rowtide_db_in_transaction(f->copy), 0);
    scratch_write(file_of(f, 1), data, size);
    scratch_write(file_of(f, 2), data, size);
    int64_t applied;
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, &applied),
                  ROWTIDE_ECORRUPT);
    assert_int_equal(applied, 1);
    assert_message("holds number 1");
    free(data);
}

static void inside_the_callers_transaction(void **state)
{
    fixture *f = *state;
    int64_t written = -1;
    scratch_exec(f->db, "BEGIN");
    assert_int_equal(record(f, "INSERT INTO users VALUES(1, 'Ada')"), 1);
    assert_int_equal(record(f, "INSERT INTO users VALUES(2, 'Bob')"), 2);
    assert_status(rowtide_primary_publish(f->primary, NULL), ROWTIDE_EMISUSE);
    assert_false(scratch_exists(file_of(f, 1)));
    scratch_exec(f->db, "COMMIT");
    assert_ok(rowtide_primary_publish(f->primary, &written));
    assert_int_equal(written, 2);
    assert_ok(rowtide_primary_publish(f->primary, &written));
    assert_int_equal(written, 0);
    scratch_exec(f->copy, "BEGIN");
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_EMISUSE);
    scratch_exec(f->copy, "ROLLBACK");
    assert_int_equal(pull(f), 2);
    scratch_exec(f->db, "BEGIN");
    assert_int_equal(record(f, "DELETE FROM users"), 3);
    scratch_exec(f->db, "ROLLBACK");
    assert_int_equal(record(f, "DELETE FROM trail"), 3);
    assert_int_equal(pull(f), 1);
    scratch_same(f->db, f->copy, all_rows);
}

static void a_commit_stands_if_the_file_cannot_be_written(void **state)
{
    fixture *f = *state;
    int64_t number = -1;
    char aside[512];
    snprintf(aside, sizeof aside, "%s-away", f->directory);
    assert_int_equal(rename(f->directory, aside), 0);
    assert_ok(rowtide_primary_begin(f->primary, NULL));
    scratch_exec(f->db, "INSERT INTO users VALUES(1, 'Ada')");
    assert_status(rowtide_primary_commit(f->primary, &number),
                  ROWTIDE_ENOTFOUND);
    assert_message("changeset 1 is committed, but not published");
    assert_int_equal(number, 1);
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_ENOTFOUND);
    assert_int_equal(rename(aside, f->directory), 0);
    assert_int_equal(record(f, "INSERT INTO users VALUES(2, 'Bob')"), 2);
    assert_int_equal(pull(f), 2);
    scratch_same(f->db, f->copy, all_rows);
}

static void one_directory_has_one_primary(void **state)
{
    fixture *f = *state;
    rowtide_db *other = scratch_db(schema);
    rowtide_primary *primary = NULL;
    rowtide_replica *replica = NULL;
    const char *elsewhere = scratch_new_path();
    assert_status(rowtide_primary_open(other, f->directory, &primary),
                  ROWTIDE_EEXISTS);
    assert_null(primary);
    assert_ok(rowtide_primary_open(other, elsewhere, &primary));
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    assert_int_equal(pull(f), 1);
    assert_status(rowtide_replica_open(f->copy, elsewhere, &replica),
                  ROWTIDE_EEXISTS);
    assert_null(replica);
    assert_status(rowtide_replica_open(f->copy, scratch_new_path(), &replica),
                  ROWTIDE_ENOTFOUND);
    rowtide_primary_free(f->primary);
    f->primary = NULL;
    assert_status(rowtide_primary_open(f->db, scratch_new_path(), &f->primary),
                  ROWTIDE_ENOTFOUND);
    assert_ok(rowtide_primary_open(f->db, f->directory, &f->primary));
    rowtide_primary_free(primary);
    rowtide_db_free(other);
}

static void a_file_of_another_stream_is_refused(void **state)
{
    fixture *f = *state;
    rowtide_db *other = scratch_db(schema);
    fixture g = {.directory = scratch_new_path(), .db = other};
    assert_ok(rowtide_primary_open(other, g.directory, &g.primary));
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    assert_int_equal(pull(f), 1);
    record(&g, "INSERT INTO users VALUES(8, 'x')");
    record(&g, "INSERT INTO users VALUES(9, 'y')");
    size_t size;
    char *data = scratch_read(file_of(&g, 2), &size);
    scratch_write(file_of(f, 2), data, size);
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_ECORRUPT);
    assert_message("another primary");
    free(data);
    rowtide_primary_free(g.primary);
    rowtide_db_free(other);
}

static void a_primary_from_a_backup_is_stopped(void **state)
{
    fixture *f = *state;
    const char *backup = scratch_new_path();
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    copy_file(f->path, backup);
    record(f, "INSERT INTO users VALUES(2, 'Bob')");
    rowtide_db *old = scratch_db_file(backup, NULL);
    rowtide_primary *primary = NULL;
    assert_ok(rowtide_primary_open(old, f->directory, &primary));
    assert_status(rowtide_primary_begin(primary, NULL), ROWTIDE_EEXISTS);
    assert_int_equal(rowtide_db_in_transaction(old), 0);
    scratch_exec(old, "BEGIN");
    assert_ok(rowtide_primary_begin(primary, NULL));
    scratch_exec(old, "INSERT INTO users VALUES(3, 'Eve')");
    assert_ok(rowtide_primary_commit(primary, NULL));
    scratch_exec(old, "COMMIT");
    assert_status(rowtide_primary_publish(primary, NULL), ROWTIDE_EEXISTS);
    assert_message("00000000000000000002.changeset");
    assert_rows(old, "SELECT number FROM rowtide_outbox", "2;");
    assert_int_equal(pull(f), 2);
    scratch_same(f->db, f->copy, all_rows);
    rowtide_primary_free(primary);
    rowtide_db_free(old);
}

static void a_copy_of_the_primary_knows_its_place(void **state)
{
    fixture *f = *state;
    const char *path = scratch_new_path();
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    record(f, "INSERT INTO users VALUES(2, 'Bob')");
    copy_file(f->path, path);
    record(f, "UPDATE users SET name = 'x'");
    rowtide_db *copy = scratch_db_file(path, NULL);
    rowtide_replica *replica = NULL;
    int64_t applied;
    assert_ok(rowtide_replica_open(copy, f->directory, &replica));
    assert_int_equal(rowtide_replica_position(replica), 2);
    assert_ok(rowtide_replica_pull(replica, 0, NULL, &applied));
    assert_int_equal(applied, 1);
    scratch_same(f->db, copy, all_rows);
    rowtide_replica_free(replica);
    rowtide_db_free(copy);
}

static void a_copy_can_take_over(void **state)
{
    fixture *f = *state;
    const char *path = scratch_new_path();
    rowtide_replica *replica = NULL;
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    copy_file(f->path, path);
    record(f, "INSERT INTO users VALUES(2, 'Bob')");
    fixture g = {.directory = f->directory, .path = path};
    g.db = scratch_db_file(path, NULL);
    assert_ok(rowtide_replica_open(g.db, g.directory, &replica));
    assert_ok(rowtide_replica_pull(replica, 0, NULL, NULL));
    rowtide_replica_free(replica);
    scratch_exec(g.db, "UPDATE rowtide_primary SET position = "
                       "(SELECT position FROM rowtide_replica);"
                       "DELETE FROM rowtide_replica;"
                       "DELETE FROM rowtide_outbox;");
    assert_ok(rowtide_primary_open(g.db, g.directory, &g.primary));
    assert_int_equal(record(&g, "DELETE FROM users WHERE id = 1"), 3);
    assert_int_equal(pull(f), 3);
    scratch_same(g.db, f->copy, all_rows);
    assert_status(rowtide_primary_begin(f->primary, NULL), ROWTIDE_EEXISTS);
    rowtide_primary_free(g.primary);
    rowtide_db_free(g.db);
}

static void position_can_be_set(void **state)
{
    fixture *f = *state;
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    record(f, "INSERT INTO users VALUES(2, 'Bob')");
    scratch_exec(f->copy, "INSERT INTO users VALUES(1, 'Ada')");
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_ECONFLICT);
    assert_message("00000000000000000001.changeset");
    assert_ok(rowtide_replica_set_position(f->replica, 1));
    assert_int_equal(rowtide_replica_position(f->replica), 1);
    assert_int_equal(pull(f), 1);
    scratch_same(f->db, f->copy, all_rows);
    assert_status(rowtide_replica_set_position(f->replica, -1), ROWTIDE_EINVAL);
    assert_status(rowtide_replica_set_position(f->replica, INT64_MAX),
                  ROWTIDE_EINVAL);
}

/* The tables are ordinary ones: anybody may write them. */
static void a_position_that_is_none_is_refused(void **state)
{
    fixture *f = *state;
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    assert_int_equal(pull(f), 1);
    scratch_exec(f->copy,
                 "UPDATE rowtide_replica SET position = 9223372036854775807");
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_ESCHEMA);
    assert_message("9223372036854775807 is no position");
    scratch_exec(f->db,
                 "UPDATE rowtide_primary SET position = 9223372036854775807");
    assert_status(rowtide_primary_begin(f->primary, NULL), ROWTIDE_ESCHEMA);
    assert_int_equal(rowtide_db_in_transaction(f->db), 0);
}

static void a_limit_and_a_policy(void **state)
{
    fixture *f = *state;
    int64_t applied;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_policy replace = ROWTIDE_POLICY_REPLACE;
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    record(f, "UPDATE users SET name = 'Bob'");
    record(f, "UPDATE users SET name = 'Cy'");
    assert_ok(rowtide_replica_pull(f->replica, 1, NULL, &applied));
    assert_int_equal(applied, 1);
    scratch_exec(f->copy, "UPDATE users SET name = 'mine'");
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, &applied),
                  ROWTIDE_ECONFLICT);
    assert_int_equal(applied, 0);
    options.policy = replace;
    assert_ok(rowtide_replica_pull(f->replica, 0, &options, &applied));
    assert_int_equal(applied, 2);
    scratch_same(f->db, f->copy, all_rows);
    assert_status(rowtide_replica_pull(f->replica, -1, NULL, NULL),
                  ROWTIDE_EINVAL);
}

static void append_takes_what_was_captured_elsewhere(void **state)
{
    fixture *f = *state;
    rowtide_capture *capture = NULL;
    rowtide_changeset *changeset = NULL;
    int64_t number;
    assert_ok(rowtide_capture_begin(f->db, NULL, &capture));
    scratch_exec(f->db, "INSERT INTO users VALUES(1, 'Ada')");
    assert_ok(rowtide_capture_end(capture, &changeset));
    rowtide_capture_free(capture);
    assert_ok(rowtide_primary_append(f->primary, changeset, &number));
    rowtide_changeset_free(changeset);
    assert_int_equal(number, 1);
    assert_int_equal(pull(f), 1);
    scratch_same(f->db, f->copy, all_rows);
    assert_status(rowtide_primary_append(f->primary, NULL, NULL),
                  ROWTIDE_EINVAL);
}

static void a_forked_child_is_refused(void **state)
{
    fixture *f = *state;
    int status;
    assert_ok(rowtide_primary_begin(f->primary, NULL));
    scratch_exec(f->db, "INSERT INTO users VALUES(1, 'Ada')");
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int good = rowtide_primary_commit(f->primary, NULL) == ROWTIDE_EFORK
                   && rowtide_replica_pull(f->replica, 0, NULL, NULL)
                          == ROWTIDE_EFORK;
        rowtide_primary_free(f->primary);
        rowtide_replica_free(f->replica);
        _exit(good ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_ok(rowtide_primary_commit(f->primary, NULL));
    assert_int_equal(pull(f), 1);
    scratch_same(f->db, f->copy, all_rows);
}

static void wrong_moments(void **state)
{
    fixture *f = *state;
    rowtide_db *db = scratch_db("BEGIN");
    rowtide_primary *primary = NULL;
    assert_status(rowtide_primary_open(db, scratch_new_path(), &primary),
                  ROWTIDE_EMISUSE);
    rowtide_db_free(db);
    assert_status(rowtide_primary_commit(f->primary, NULL), ROWTIDE_EMISUSE);
    assert_ok(rowtide_primary_begin(f->primary, NULL));
    assert_status(rowtide_primary_begin(f->primary, NULL), ROWTIDE_EMISUSE);
    assert_ok(rowtide_primary_rollback(f->primary));
    db = scratch_db("CREATE TABLE rowtide_replica(x)");
    rowtide_replica *replica = NULL;
    assert_status(rowtide_replica_open(db, f->directory, &replica),
                  ROWTIDE_ESCHEMA);
    rowtide_db_free(db);
    assert_ok(rowtide_db_close(f->copy));
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_ECLOSED);
    assert_status((int)rowtide_replica_position(f->replica), ROWTIDE_ECLOSED);
    assert_status((int)rowtide_primary_position(NULL), ROWTIDE_EINVAL);
}

static void a_newer_format_is_told_apart_from_damage(void **state)
{
    fixture *f = *state;
    size_t size;
    assert_true(rowtide__crc64(0, "123456789", 9) == 0x995dc9bbdf1939fau);
    record(f, "INSERT INTO users VALUES(1, 'Ada')");
    char *data = scratch_read(file_of(f, 1), &size);
    data[11] = 2;
    uint64_t checksum = rowtide__crc64(0, data, 56);
    for (int i = 0; i < 8; i++)
        data[56 + i] = (char)(checksum >> (56 - 8 * i));
    scratch_write(file_of(f, 1), data, size);
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, NULL),
                  ROWTIDE_EUNSUPPORTED);
    free(data);
}

/* ## kill -9 at any moment */

static void run_primary(const char *path, const char *directory)
{
    rowtide_db *db = NULL;
    rowtide_primary *primary = NULL;
    if (rowtide_db_open(path, NULL, &db)
        || rowtide_primary_open(db, directory, &primary))
        _exit(1);
    for (;;) {
        if (rowtide_primary_begin(primary, NULL)
            || rowtide_db_exec(db, "INSERT INTO users(name) VALUES(hex("
                                   "randomblob(500)));"
                                   "DELETE FROM users WHERE id % 7 = 3 AND "
                                   "id < (SELECT max(id) FROM users)")
            || rowtide_primary_commit(primary, NULL))
            _exit(2);
    }
}

static void run_replica(const char *path, const char *directory)
{
    rowtide_db *db = NULL;
    rowtide_replica *replica = NULL;
    if (rowtide_db_open(path, NULL, &db)
        || rowtide_replica_open(db, directory, &replica))
        _exit(3);
    for (;;)
        if (rowtide_replica_pull(replica, 1, NULL, NULL))
            _exit(4);
}

static pid_t start(void (*run)(const char *, const char *), const char *path,
                   const char *directory)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        run(path, directory);
        _exit(0);
    }
    return pid;
}

static void expect_killed(pid_t pid)
{
    int status = 0;
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status))
        fail_msg("the process ended by itself with %d", WEXITSTATUS(status));
}

static void survive_kills(const char *journal_mode)
{
    const char *directory = scratch_new_path(), *path = scratch_new_path();
    const char *copy_path = scratch_new_path();
    unsigned seed = 12345;
    fixture f = {.directory = directory, .path = path};
    f.db = scratch_db_file(path, journal_mode);
    f.copy = scratch_db_file(copy_path, journal_mode);
    scratch_exec(f.db, schema);
    scratch_exec(f.copy, schema);
    rowtide_db_free(f.db);
    rowtide_db_free(f.copy);
    assert_int_equal(mkdir(directory, 0777), 0);
    for (int round = 0; round < 6; round++) {
        pid_t pids[] = {start(run_primary, path, directory),
                        start(run_replica, copy_path, directory),
                        start(run_primary, path, directory),
                        start(run_replica, copy_path, directory)};
        seed = seed * 1103515245u + 12345u;
        struct timespec pause = {0, (long)(seed >> 8) % 40000000 + 10000000};
        nanosleep(&pause, NULL);
        for (unsigned i = 0; i < 4; i++)
            expect_killed(pids[(i + (seed >> 16)) % 4]);
    }
    f.db = scratch_db_file(path, NULL);
    f.copy = scratch_db_file(copy_path, NULL);
    assert_ok(rowtide_primary_open(f.db, directory, &f.primary));
    assert_ok(rowtide_primary_publish(f.primary, NULL));
    assert_ok(rowtide_replica_open(f.copy, directory, &f.replica));
    pull(&f);
    assert_true(rowtide_primary_position(f.primary) > 0);
    assert_int_equal(rowtide_primary_position(f.primary),
                     rowtide_replica_position(f.replica));
    scratch_same(f.db, f.copy, all_rows);
    rowtide_primary_free(f.primary);
    rowtide_replica_free(f.replica);
    rowtide_db_free(f.db);
    rowtide_db_free(f.copy);
}

static void exactly_once_through_kills(void **state)
{
    (void)state;
    survive_kills("PRAGMA journal_mode = DELETE");
    survive_kills("PRAGMA journal_mode = WAL");
}

/* ## Out of memory */

static void empty_directory(const char *directory)
{
    DIR *handle = opendir(directory);
    char path[1024];
    struct dirent *entry;
    while (handle && (entry = readdir(handle))) {
        snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
        unlink(path);
    }
    if (handle)
        closedir(handle);
}

static int append_captured(rowtide_db *db, rowtide_primary *primary)
{
    rowtide_capture *capture = NULL;
    rowtide_changeset *change = NULL;
    int rc = rowtide_capture_begin(db, NULL, &capture);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "INSERT INTO users VALUES(2, 'Bob')");
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_end(capture, &change);
    if (rc == ROWTIDE_OK)
        rc = rowtide_primary_append(primary, change, NULL);
    rowtide_changeset_free(change);
    rowtide_capture_free(capture);
    return rc;
}

static int try_replication(rowtide_db *db, rowtide_db *copy,
                           const char *directory)
{
    rowtide_primary *primary = NULL;
    rowtide_replica *replica = NULL;
    int64_t applied = 0;
    int rc = rowtide_primary_open(db, directory, &primary);
    if (rc == ROWTIDE_OK)
        rc = rowtide_primary_begin(primary, NULL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, "INSERT INTO users VALUES(1, 'Ada')");
    if (rc == ROWTIDE_OK)
        rc = rowtide_primary_commit(primary, NULL);
    if (rc == ROWTIDE_OK)
        rc = append_captured(db, primary);
    if (rc == ROWTIDE_OK)
        rc = rowtide_replica_open(copy, directory, &replica);
    if (rc == ROWTIDE_OK)
        rc = rowtide_replica_pull(replica, 0, NULL, &applied);
    if (rc == ROWTIDE_OK)
        rc = rowtide_replica_set_position(replica, applied);
    rowtide_primary_free(primary);
    rowtide_replica_free(replica);
    if (rc == ROWTIDE_OK && applied != 2)
        rc = ROWTIDE_EINTERNAL;
    if (rowtide_db_in_transaction(db) || rowtide_db_in_transaction(copy))
        rc = ROWTIDE_EINTERNAL;
    return rc;
}

static int replication_scenario(void *ctx)
{
    rowtide_db *db = NULL, *copy = NULL;
    empty_directory(ctx);
    int rc = rowtide_db_open(":memory:", NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_open(":memory:", NULL, &copy);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, schema);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(copy, schema);
    if (rc == ROWTIDE_OK)
        rc = try_replication(db, copy, ctx);
    rowtide_db_free(db);
    rowtide_db_free(copy);
    return rc;
}

/* In memory where there is such a directory: thousands of runs would wait for
 * the disk. */
static void run_out_of_memory(void (*loop)(oom_scenario scenario, void *ctx))
{
    char directory[512];
    if (access("/dev/shm", W_OK) == 0)
        snprintf(directory, sizeof directory, "/dev/shm/rowtide-test-%ld",
                 (long)getpid());
    else
        snprintf(directory, sizeof directory, "%s", scratch_new_path());
    loop(replication_scenario, directory);
    empty_directory(directory);
    rmdir(directory);
}

static void survives_out_of_memory(void **state)
{
    (void)state;
    run_out_of_memory(oom_loop);
}

static void survives_sqlite_out_of_memory(void **state)
{
    (void)state;
    run_out_of_memory(oom_loop_sqlite);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_sqlite_out_of_memory),
        cmocka_unit_test(exactly_once_through_kills),
        WITH_FIXTURE(changesets_arrive_in_order),
        WITH_FIXTURE(nothing_changed_publishes_nothing),
        WITH_FIXTURE(the_file_is_as_documented),
        WITH_FIXTURE(a_gap_is_found),
        WITH_FIXTURE(other_files_are_ignored),
        WITH_FIXTURE(a_damaged_file_is_refused),
        WITH_FIXTURE(inside_the_callers_transaction),
        WITH_FIXTURE(a_commit_stands_if_the_file_cannot_be_written),
        WITH_FIXTURE(one_directory_has_one_primary),
        WITH_FIXTURE(a_file_of_another_stream_is_refused),
        WITH_FIXTURE(a_primary_from_a_backup_is_stopped),
        WITH_FIXTURE(a_copy_of_the_primary_knows_its_place),
        WITH_FIXTURE(a_copy_can_take_over),
        WITH_FIXTURE(position_can_be_set),
        WITH_FIXTURE(a_position_that_is_none_is_refused),
        WITH_FIXTURE(a_limit_and_a_policy),
        WITH_FIXTURE(append_takes_what_was_captured_elsewhere),
        WITH_FIXTURE(a_newer_format_is_told_apart_from_damage),
        WITH_FIXTURE(a_forked_child_is_refused),
        WITH_FIXTURE(wrong_moments),
        cmocka_unit_test(survives_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
