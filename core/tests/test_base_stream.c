#include "support/oom.h"
#include "support/scratch.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/stream.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_all(rowtide_source *source)
{
    static char text[256];
    size_t used = 0, size;
    do {
        size = sizeof text - 1 - used;
        assert_ok(rowtide__source_read(source, text + used, &size));
        used += size;
    } while (size > 0);
    text[used] = '\0';
    return text;
}

static void source_of_memory(void **state)
{
    (void)state;
    rowtide_source *source;
    size_t size = 0;
    assert_ok(rowtide_source_memory("abc", 3, &source));
    assert_int_equal(rowtide__source_total(source), 3);
    assert_memory_equal(rowtide__source_borrow(source, &size), "abc", 3);
    assert_int_equal(size, 3);
    assert_string_equal(read_all(source), "abc");
    assert_null(rowtide__source_borrow(source, &size));
    rowtide_source_free(source);

    assert_ok(rowtide_source_memory(NULL, 0, &source));
    assert_string_equal(read_all(source), "");
    rowtide_source_free(source);
}

static void source_of_file(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_source *source;
    scratch_write(path, "from a file", 11);
    assert_ok(rowtide_source_file(path, &source));
    assert_int_equal(rowtide__source_total(source), 11);
    assert_string_equal(rowtide__source_name(source), path);
    assert_string_equal(read_all(source), "from a file");
    rowtide_source_free(source);
}

static void source_that_cannot_open(void **state)
{
    (void)state;
    const char *path = scratch_path("missing");
    rowtide_source *source;
    assert_status(rowtide_source_file(path, &source), ROWTIDE_EIO);
    assert_null(source);
    assert_message("cannot open /");
    assert_message("missing: No such file or directory");
    assert_status(rowtide_source_file("/", &source), ROWTIDE_EIO);
    assert_message("Is a directory");
}

/* The start of a process's own memory is a file that opens and fails. */
static void source_that_cannot_be_read(void **state)
{
    (void)state;
    const char *path = "/proc/self/mem";
    rowtide_source *source;
    char data[8];
    size_t size = sizeof data;
    if (access(path, R_OK) != 0)
        skip();
    assert_ok(rowtide_source_file(path, &source));
    assert_status(rowtide__source_read(source, data, &size), ROWTIDE_EIO);
    assert_message("cannot read /proc/self/mem: ");
    assert_int_equal(size, 0);
    rowtide_source_free(source);
}

typedef struct feed {
    const char *text;
    int calls;
    int rc;
    size_t claim;
} feed;

static int read_feed(void *data, size_t *size, void *user)
{
    feed *self = user;
    self->calls++;
    if (self->rc == -1000)
        return rowtide_error_set(ROWTIDE_EUSER, "the radio is off");
    if (self->rc)
        return self->rc;
    if (self->claim) {
        *size += self->claim;
        return 0;
    }
    *size = *self->text ? 1 : 0;
    if (*size)
        *(char *)data = *self->text++;
    return 0;
}

static void source_of_callback(void **state)
{
    (void)state;
    feed bytewise = {.text = "one by one"};
    rowtide_source *source;
    size_t size = 5;
    char data[8];
    assert_ok(rowtide_source_callback(read_feed, &bytewise, &source));
    assert_int_equal(rowtide__source_total(source), -1);
    assert_string_equal(read_all(source), "one by one");
    int calls = bytewise.calls;
    assert_ok(rowtide__source_read(source, data, &size));
    assert_int_equal(size, 0);
    assert_int_equal(bytewise.calls, calls);
    rowtide_source_free(source);
}

static void read_failing(int callback_rc, size_t claim, int code,
                         const char *message)
{
    feed failing = {.rc = callback_rc, .claim = claim};
    rowtide_source *source;
    char data[8];
    size_t size = sizeof data;
    rowtide_error_set(ROWTIDE_EUSER, "left from before");
    assert_ok(rowtide_source_callback(read_feed, &failing, &source));
    assert_status(rowtide__source_read(source, data, &size), code);
    assert_int_equal(size, 0);
    assert_message(message);
    rowtide_source_free(source);
}

static void source_callback_that_fails(void **state)
{
    (void)state;
    read_failing(ROWTIDE_EIO, 0, ROWTIDE_EIO, "read callback returned -14");
    read_failing(ROWTIDE_EUSER, 0, ROWTIDE_EUSER, "read callback returned -22");
    read_failing(-1000, 0, ROWTIDE_EUSER, "the radio is off");
    read_failing(7, 0, ROWTIDE_EINVAL, "read callback returned 7");
    read_failing(0, 1, ROWTIDE_EINVAL, "gave 9 bytes where there is room");
}

static void sink_to_buffer(void **state)
{
    (void)state;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide_sink *sink;
    assert_ok(rowtide_sink_buffer(&buffer, &sink));
    assert_ok(rowtide__sink_write(sink, "ab", 2));
    assert_ok(rowtide__sink_write(sink, "", 0));
    assert_ok(rowtide__sink_write(sink, "c", 1));
    assert_string_equal(buffer.data, "abc");
    assert_ok(rowtide_sink_close(sink));
    assert_ok(rowtide_sink_close(sink));
    assert_status(rowtide__sink_write(sink, "d", 1), ROWTIDE_ECLOSED);
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&buffer);
}

static void write_pattern(rowtide_sink *sink, size_t total, size_t step)
{
    char *block = malloc(step);
    assert_non_null(block);
    for (size_t done = 0; done < total;) {
        size_t part = total - done < step ? total - done : step;
        for (size_t i = 0; i < part; i++)
            block[i] = (char)((done + i) % 251);
        assert_ok(rowtide__sink_write(sink, block, part));
        done += part;
    }
    free(block);
}

static void check_pattern(const char *data, size_t size, size_t total)
{
    assert_int_equal(size, total);
    for (size_t i = 0; i < total; i++)
        if (data[i] != (char)(i % 251))
            fail_msg("byte %zu is wrong", i);
}

static void sink_to_file(void **state)
{
    (void)state;
    const size_t steps[] = {1000, 65536, 200001};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        const char *path = scratch_new_path();
        rowtide_sink *sink;
        size_t size;
        assert_ok(rowtide_sink_file(path, &sink));
        write_pattern(sink, 300000, steps[i]);
        assert_false(scratch_exists(path));
        assert_ok(rowtide_sink_close(sink));
        char *data = scratch_read(path, &size);
        check_pattern(data, size, 300000);
        free(data);
        rowtide_sink_free(sink);
    }
    assert_int_equal(scratch_count(".rowtide-"), 0);
}

static void sink_that_is_not_closed(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_sink *sink;
    scratch_write(path, "old", 3);
    assert_ok(rowtide_sink_file(path, &sink));
    assert_ok(rowtide__sink_write(sink, "new", 3));
    assert_ok(rowtide__sink_flush(sink));
    assert_int_equal(scratch_count(".rowtide-"), 1);
    rowtide_sink_free(sink);
    char *data = scratch_read(path, NULL);
    assert_string_equal(data, "old");
    free(data);
    assert_int_equal(scratch_count(".rowtide-"), 0);
}

static void sink_keeps_mode_and_link(void **state)
{
    (void)state;
    const char *path = scratch_new_path(), *link = scratch_new_path();
    rowtide_sink *sink;
    struct stat status;
    scratch_write(path, "old", 3);
    assert_int_equal(chmod(path, 0640), 0);
    assert_int_equal(symlink(path, link), 0);
    assert_ok(rowtide_sink_file(link, &sink));
    assert_ok(rowtide__sink_write(sink, "new", 3));
    assert_ok(rowtide_sink_close(sink));
    rowtide_sink_free(sink);
    assert_int_equal(lstat(link, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    char *data = scratch_read(path, NULL);
    assert_string_equal(data, "new");
    free(data);
}

static void sink_that_cannot_open(void **state)
{
    (void)state;
    rowtide_sink *sink;
    assert_status(rowtide_sink_file(scratch_path("no/such/place"), &sink),
                  ROWTIDE_EIO);
    assert_null(sink);
    assert_message("no/such/place: No such file or directory");
    assert_status(rowtide_sink_file("/", &sink), ROWTIDE_EIO);
}

/* Writes a file and, before it is closed, does what may go wrong. */
static int save(const char *path, int (*meanwhile)(const char *path))
{
    rowtide_sink *sink;
    int rc = rowtide_sink_file(path, &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sink_write(sink, "new", 3);
    if (rc == ROWTIDE_OK && meanwhile)
        assert_int_equal(meanwhile(path), 0);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    rowtide_sink_free(sink);
    return rc;
}

static void expect_content(const char *path, const char *content)
{
    char *data = scratch_read(path, NULL);
    assert_string_equal(data, content);
    free(data);
}

static void sink_in_working_directory(void **state)
{
    (void)state;
    assert_ok(save("relative.changeset", NULL));
    expect_content("relative.changeset", "new");
    assert_int_equal(unlink("relative.changeset"), 0);
}

static void sink_without_permission(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    scratch_write(path, "old", 3);
    assert_int_equal(chmod(path, 0444), 0);
    scratch_begin_unprivileged();
    int over_file = save(path, NULL);
    char *message = strdup(rowtide_error_message());
    int new_file = save("/nobody-may-write-here", NULL);
    scratch_end_unprivileged();
    assert_int_equal(over_file, ROWTIDE_EREADONLY);
    assert_non_null(strstr(message, "cannot write /"));
    assert_non_null(strstr(message, ": Permission denied"));
    assert_status(new_file, ROWTIDE_EREADONLY);
    free(message);
    expect_content(path, "old");
}

static int put_directory_there(const char *path)
{
    return mkdir(path, 0777);
}

static void sink_whose_place_is_taken(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    assert_status(save(path, put_directory_there), ROWTIDE_EIO);
    assert_message(": Is a directory");
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(scratch_count(".rowtide-"), 0);
}

/* Such a directory can't be opened to be flushed. */
static void sink_in_directory_that_is_not_listed(void **state)
{
    (void)state;
    const char *directory = scratch_new_path();
    char path[512];
    snprintf(path, sizeof path, "%s/file", directory);
    assert_int_equal(mkdir(directory, 0777), 0);
    assert_int_equal(chmod(directory, 0333), 0);
    scratch_begin_unprivileged();
    int rc = save(path, NULL);
    scratch_end_unprivileged();
    assert_int_equal(rc, ROWTIDE_OK);
    expect_content(path, "new");
}

static void sink_to_full_device(void **state)
{
    (void)state;
    rowtide_sink *sink;
    assert_ok(rowtide_sink_file("/dev/full", &sink));
    assert_ok(rowtide__sink_write(sink, "x", 1));
    assert_status(rowtide_sink_close(sink), ROWTIDE_EFULL);
    assert_message("cannot write /dev/full: No space left on device");
    assert_status(rowtide__sink_write(sink, "x", 1), ROWTIDE_EFULL);
    assert_message("earlier write");
    assert_status(rowtide_sink_close(sink), ROWTIDE_EFULL);
    rowtide_sink_free(sink);
}

static void sink_to_full_disk(void **state)
{
    (void)state;
    const char *path = scratch_new_path();
    rowtide_sink *sink;
    scratch_write(path, "old", 3);
    assert_ok(rowtide_sink_file(path, &sink));
    scratch_begin_full_disk(100000);
    int rc = ROWTIDE_OK;
    static const char block[70000];
    for (int i = 0; i < 3 && rc == ROWTIDE_OK; i++)
        rc = rowtide__sink_write(sink, block, sizeof block);
    scratch_end_full_disk();
    assert_status(rc, ROWTIDE_EFULL);
    assert_status(rowtide_sink_close(sink), ROWTIDE_EFULL);
    rowtide_sink_free(sink);
    char *data = scratch_read(path, NULL);
    assert_string_equal(data, "old");
    free(data);
    assert_int_equal(scratch_count(".rowtide-"), 0);
}

typedef struct drain {
    size_t bytes, calls, largest;
    int rc;
} drain;

static int write_drain(const void *data, size_t size, void *user)
{
    drain *self = user;
    (void)data;
    self->calls++;
    self->bytes += size;
    if (size > self->largest)
        self->largest = size;
    return self->rc;
}

static void sink_to_callback(void **state)
{
    (void)state;
    drain counted = {0};
    rowtide_sink *sink;
    assert_ok(rowtide_sink_callback(write_drain, &counted, &sink));
    write_pattern(sink, 200000, 7);
    write_pattern(sink, 200000, 200000);
    assert_ok(rowtide__sink_flush(sink));
    assert_int_equal(counted.bytes, 400000);
    assert_true(counted.largest <= ROWTIDE__CHUNK);
    assert_true(counted.calls < 10);
    assert_ok(rowtide_sink_close(sink));
    assert_int_equal(counted.bytes, 400000);
    rowtide_sink_free(sink);
}

static void sink_callback_that_fails(void **state)
{
    (void)state;
    drain failing = {.rc = ROWTIDE_EUSER};
    rowtide_sink *sink;
    assert_ok(rowtide_sink_callback(write_drain, &failing, &sink));
    assert_ok(rowtide__sink_write(sink, "x", 1));
    assert_status(rowtide__sink_flush(sink), ROWTIDE_EUSER);
    assert_message("write callback returned -22");
    rowtide_sink_free(sink);
    failing.rc = 3;
    assert_ok(rowtide_sink_callback(write_drain, &failing, &sink));
    assert_ok(rowtide__sink_write(sink, "x", 1));
    assert_status(rowtide_sink_close(sink), ROWTIDE_EINVAL);
    assert_message("write callback returned 3");
    rowtide_sink_free(sink);
}

static int write_to_stdout(void)
{
    rowtide_sink *sink = NULL;
    int rc = rowtide_sink_file("-", &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sink_write(sink, "hello", 5);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    rowtide_sink_free(sink);
    /* Standard output stays open. */
    return rc == ROWTIDE_OK && write(STDOUT_FILENO, "!", 1) == 1 ? 0 : 1;
}

static void standard_streams(void **state)
{
    (void)state;
    int ends[2], status;
    char text[16] = "";
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        _exit(write_to_stdout());
    }
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    int old_stdin = dup(STDIN_FILENO);
    dup2(ends[0], STDIN_FILENO);
    rowtide_source *source;
    assert_ok(rowtide_source_file("-", &source));
    strcpy(text, read_all(source));
    rowtide_source_free(source);
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0);
    if (old_stdin >= 0) {
        dup2(old_stdin, STDIN_FILENO);
        close(old_stdin);
    }
    close(ends[0]);
    assert_string_equal(text, "hello!");
}

static void sink_takes_other_bytes_too(void **state)
{
    (void)state;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    rowtide_sink *sink;
    assert_ok(rowtide_sink_buffer(&buffer, &sink));
    assert_ok(rowtide_sink_write(sink, "a\0b", 3));
    assert_ok(rowtide_sink_write(sink, NULL, 0));
    assert_ok(rowtide_sink_write(sink, "c", 1));
    assert_status(rowtide_sink_write(sink, NULL, 1), ROWTIDE_EINVAL);
    assert_status(rowtide_sink_write(NULL, "c", 1), ROWTIDE_EINVAL);
    assert_ok(rowtide_sink_close(sink));
    assert_status(rowtide_sink_write(sink, "d", 1), ROWTIDE_ECLOSED);
    assert_int_equal(buffer.size, 4);
    assert_memory_equal(buffer.data, "a\0bc", 5);
    rowtide_sink_free(sink);
    rowtide_buffer_dispose(&buffer);
}

static void missing_arguments(void **state)
{
    (void)state;
    rowtide_source *source;
    rowtide_sink *sink;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    assert_status(rowtide_source_memory("a", 1, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_source_memory(NULL, 1, &source), ROWTIDE_EINVAL);
    assert_status(rowtide_source_file(NULL, &source), ROWTIDE_EINVAL);
    assert_status(rowtide_source_file("a", NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_source_callback(NULL, NULL, &source), ROWTIDE_EINVAL);
    assert_status(rowtide_source_callback(read_feed, NULL, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_sink_buffer(NULL, &sink), ROWTIDE_EINVAL);
    assert_status(rowtide_sink_buffer(&buffer, NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_sink_file(NULL, &sink), ROWTIDE_EINVAL);
    assert_status(rowtide_sink_file("a", NULL), ROWTIDE_EINVAL);
    assert_status(rowtide_sink_callback(NULL, NULL, &sink), ROWTIDE_EINVAL);
    assert_status(rowtide_sink_callback(write_drain, NULL, NULL),
                  ROWTIDE_EINVAL);
    assert_status(rowtide_sink_close(NULL), ROWTIDE_EINVAL);
    rowtide_source_free(NULL);
    rowtide_sink_free(NULL);
}

/* Reads a source to its end into a sink; frees both. */
static int pump(rowtide_source *source, rowtide_sink *sink)
{
    char data[100];
    size_t size = 1;
    int rc = ROWTIDE_OK;
    while (rc == ROWTIDE_OK && size > 0) {
        size = sizeof data;
        rc = rowtide__source_read(source, data, &size);
        if (rc == ROWTIDE_OK)
            rc = rowtide__sink_write(sink, data, size);
    }
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    rowtide_source_free(source);
    rowtide_sink_free(sink);
    return rc;
}

static int copy_file(void *ctx)
{
    const char *const *paths = ctx;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    int rc = rowtide_source_file(paths[0], &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_file(paths[1], &sink);
    if (rc == ROWTIDE_OK)
        return pump(source, sink);
    rowtide_source_free(source);
    return rc;
}

static int copy_memory(void *ctx)
{
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    rowtide_buffer buffer = ROWTIDE_BUFFER_INIT;
    (void)ctx;
    int rc = rowtide_source_memory(ctx, 1000, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_buffer(&buffer, &sink);
    if (rc == ROWTIDE_OK)
        rc = pump(source, sink);
    else
        rowtide_source_free(source);
    rowtide_buffer_dispose(&buffer);
    return rc;
}

static int copy_callbacks(void *ctx)
{
    feed bytes = {.text = "some bytes"};
    drain counted = {0};
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    (void)ctx;
    int rc = rowtide_source_callback(read_feed, &bytes, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_callback(write_drain, &counted, &sink);
    if (rc == ROWTIDE_OK)
        return pump(source, sink);
    rowtide_source_free(source);
    return rc;
}

static void out_of_memory(void **state)
{
    (void)state;
    const char *paths[] = {scratch_new_path(), scratch_new_path()};
    char bytes[1000] = {0};
    scratch_write(paths[0], bytes, sizeof bytes);
    oom_loop(copy_file, paths);
    assert_int_equal(scratch_count(".rowtide-"), 0);
    oom_loop(copy_memory, bytes);
    oom_loop(copy_callbacks, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_of_memory),
        cmocka_unit_test(source_of_file),
        cmocka_unit_test(source_that_cannot_open),
        cmocka_unit_test(source_that_cannot_be_read),
        cmocka_unit_test(source_of_callback),
        cmocka_unit_test(source_callback_that_fails),
        cmocka_unit_test(sink_to_buffer),
        cmocka_unit_test(sink_to_file),
        cmocka_unit_test(sink_that_is_not_closed),
        cmocka_unit_test(sink_keeps_mode_and_link),
        cmocka_unit_test(sink_that_cannot_open),
        cmocka_unit_test(sink_in_working_directory),
        cmocka_unit_test(sink_without_permission),
        cmocka_unit_test(sink_whose_place_is_taken),
        cmocka_unit_test(sink_in_directory_that_is_not_listed),
        cmocka_unit_test(sink_to_full_device),
        cmocka_unit_test(sink_to_full_disk),
        cmocka_unit_test(sink_to_callback),
        cmocka_unit_test(sink_callback_that_fails),
        cmocka_unit_test(standard_streams),
        cmocka_unit_test(sink_takes_other_bytes_too),
        cmocka_unit_test(missing_arguments),
        cmocka_unit_test(out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
