#include "support/scratch.h"

#include <rowtide.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char schema[] = "CREATE TABLE notes(id INTEGER PRIMARY KEY, text)";

typedef struct fixture {
    const char *directory;
    char file[512]; /* of changeset 1 */
    rowtide_db *db;
    rowtide_primary *primary;
    rowtide_db *copy;
    rowtide_replica *replica;
} fixture;

/* Changeset 1 is committed, and waits to be published. */
static int set_up(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->directory = scratch_new_path();
    snprintf(f->file, sizeof f->file, "%s/%020d.changeset", f->directory, 1);
    f->db = scratch_db_file(scratch_new_path(), schema);
    assert_ok(rowtide_primary_open(f->db, f->directory, &f->primary));
    f->copy = scratch_db(schema);
    assert_ok(rowtide_replica_open(f->copy, f->directory, &f->replica));
    scratch_exec(f->db, "BEGIN");
    assert_ok(rowtide_primary_begin(f->primary, NULL));
    scratch_exec(f->db, "INSERT INTO notes VALUES(1, hex(zeroblob(1000)))");
    assert_ok(rowtide_primary_commit(f->primary, NULL));
    scratch_exec(f->db, "COMMIT");
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

static int count_files(const char *path)
{
    int count = 0;
    DIR *directory = opendir(path);
    assert_non_null(directory);
    while (readdir(directory))
        count++;
    closedir(directory);
    return count;
}

/* Nothing is lost: what could not be done before works now. */
static void expect_published(fixture *f)
{
    int64_t count = -1;
    assert_ok(rowtide_primary_publish(f->primary, &count));
    assert_int_equal(count, 1);
    assert_ok(rowtide_replica_pull(f->replica, 0, NULL, &count));
    assert_int_equal(count, 1);
    scratch_same(f->db, f->copy, "SELECT * FROM notes");
}

static void a_full_disk_takes_nothing(void **state)
{
    fixture *f = *state;
    int64_t written = -1;
    int before = count_files(f->directory);
    scratch_begin_full_disk(1000);
    int rc = rowtide_primary_publish(f->primary, &written);
    scratch_end_full_disk();
    assert_status(rc, ROWTIDE_EFULL);
    assert_message("00000000000000000001.changeset: write: File too large");
    assert_int_equal(written, 0);
    assert_int_equal(count_files(f->directory), before);
    expect_published(f);
}

static void a_directory_may_be_read_only(void **state)
{
    fixture *f = *state;
    int64_t written = -1;
    assert_int_equal(chmod(f->directory, 0555), 0);
    scratch_begin_unprivileged();
    int rc = rowtide_primary_publish(f->primary, &written);
    scratch_end_unprivileged();
    assert_int_equal(chmod(f->directory, 0777), 0);
    assert_status(rc, ROWTIDE_EREADONLY);
    assert_message(": create: Permission denied");
    assert_int_equal(written, 0);
    expect_published(f);
}

/* The file is there, but may not be on the disk after a power failure. */
static void a_directory_that_cannot_be_flushed(void **state)
{
    fixture *f = *state;
    int64_t written = -1;
    assert_int_equal(chmod(f->directory, 0333), 0);
    scratch_begin_unprivileged();
    int rc = rowtide_primary_publish(f->primary, &written);
    scratch_end_unprivileged();
    assert_int_equal(chmod(f->directory, 0777), 0);
    assert_status(rc, ROWTIDE_EREADONLY);
    assert_message(": open: Permission denied");
    assert_int_equal(written, 0);
    assert_true(scratch_exists(f->file));
    expect_published(f);
}

static void a_file_that_cannot_be_read(void **state)
{
    fixture *f = *state;
    int64_t applied = -1;
    assert_int_equal(mkdir(f->file, 0777), 0);
    assert_status(rowtide_replica_pull(f->replica, 0, NULL, &applied),
                  ROWTIDE_EIO);
    assert_message("00000000000000000001.changeset: read: Is a directory");
    assert_int_equal(applied, 0);
    assert_int_equal(rmdir(f->file), 0);
    expect_published(f);
}

#define WITH_FIXTURE(test)                                                     \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(a_full_disk_takes_nothing),
        WITH_FIXTURE(a_directory_may_be_read_only),
        WITH_FIXTURE(a_directory_that_cannot_be_flushed),
        WITH_FIXTURE(a_file_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
