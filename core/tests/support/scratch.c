#include "support/scratch.h"

#include <sqlite3.h>

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct path_node {
    struct path_node *next;
    char text[];
} path_node;

static char directory[256];
static pid_t directory_owner;
static path_node *paths;
static struct rlimit file_size;

static void remove_entries(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry = dir ? readdir(dir) : NULL; entry;
         entry = readdir(dir)) {
        char child[1024];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        snprintf(child, sizeof child, "%s/%s", path, entry->d_name);
        if (unlink(child) != 0) {
            remove_entries(child);
            rmdir(child);
        }
    }
    if (dir)
        closedir(dir);
}

static void clean_up(void)
{
    if (getpid() == directory_owner) {
        remove_entries(directory);
        rmdir(directory);
    }
    while (paths) {
        path_node *next = paths->next;
        free(paths);
        paths = next;
    }
}

static void make_directory(void)
{
    if (directory[0])
        return;
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/rowtide-test-XXXXXX",
             parent ? parent : "/tmp");
    if (!mkdtemp(directory))
        fail_msg("mkdtemp %s: %s", directory, strerror(errno));
    directory_owner = getpid();
    atexit(clean_up);
}

void scratch_expect(int rc, int expected, const char *call, const char *file,
                    int line)
{
    if (rc != expected) {
        print_error("%s:%d: %s gave %d (%s) instead of %d: %s\n", file, line,
                    call, rc, rowtide_error_name(rc), expected,
                    rowtide_error_message());
        _fail(file, line);
    }
    if (expected < 0 && rowtide_error_code() != expected) {
        print_error("%s:%d: %s gave %d, but the last error is %d: %s\n", file,
                    line, call, rc, rowtide_error_code(),
                    rowtide_error_message());
        _fail(file, line);
    }
    if (expected < 0 && !rowtide_error_message()[0]) {
        print_error("%s:%d: %s failed without a message\n", file, line, call);
        _fail(file, line);
    }
}

void scratch_expect_message(const char *part, const char *file, int line)
{
    if (!strstr(rowtide_error_message(), part)) {
        print_error("%s:%d: no \"%s\" in \"%s\"\n", file, line, part,
                    rowtide_error_message());
        _fail(file, line);
    }
}

const char *scratch_path(const char *name)
{
    make_directory();
    size_t size = strlen(directory) + strlen(name) + 2;
    path_node *node = malloc(sizeof *node + size);
    assert_non_null(node);
    snprintf(node->text, size, "%s/%s", directory, name);
    node->next = paths;
    paths = node;
    return node->text;
}

const char *scratch_new_path(void)
{
    static int number;
    char name[32];
    snprintf(name, sizeof name, "scratch-%d", ++number);
    return scratch_path(name);
}

void scratch_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

char *scratch_read(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        fail_msg("%s: %s", path, strerror(errno));
    struct stat status;
    assert_int_equal(fstat(fileno(file), &status), 0);
    char *data = malloc((size_t)status.st_size + 1);
    assert_non_null(data);
    size_t got = fread(data, 1, (size_t)status.st_size, file);
    data[got] = '\0';
    fclose(file);
    if (size)
        *size = got;
    return data;
}

int scratch_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

void scratch_begin_unprivileged(void)
{
    const uid_t nobody = 65534;
    make_directory();
    assert_int_equal(chmod(directory, 0711), 0);
    if (getuid() == 0 && seteuid(nobody) != 0)
        skip(); /* a container without other users */
}

void scratch_end_unprivileged(void)
{
    assert_int_equal(seteuid(getuid()), 0);
    assert_int_equal(chmod(directory, 0700), 0);
}

void scratch_begin_full_disk(size_t bytes)
{
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &file_size), 0);
    struct rlimit tiny = file_size;
    tiny.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tiny), 0);
}

void scratch_end_full_disk(void)
{
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &file_size), 0);
}

int scratch_count(const char *prefix)
{
    make_directory();
    int count = 0;
    DIR *dir = opendir(directory);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir))
        count += !strncmp(entry->d_name, prefix, strlen(prefix));
    closedir(dir);
    return count;
}

rowtide_db *scratch_db(const char *sql)
{
    return scratch_db_file(":memory:", sql);
}

rowtide_db *scratch_db_file(const char *path, const char *sql)
{
    rowtide_db *db = NULL;
    assert_ok(rowtide_db_open(path, NULL, &db));
    if (sql)
        scratch_exec(db, sql);
    return db;
}

void scratch_exec(rowtide_db *db, const char *sql)
{
    if (rowtide_db_exec(db, sql) != ROWTIDE_OK)
        fail_msg("%s: %s", sql, rowtide_error_message());
}

static sqlite3_stmt *prepare(rowtide_db *db, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    if (sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(sqlite));
    return stmt;
}

int64_t scratch_integer(rowtide_db *db, const char *sql)
{
    sqlite3_stmt *stmt = prepare(db, sql);
    if (sqlite3_step(stmt) != SQLITE_ROW)
        fail_msg("%s: no row: %s", sql, sqlite3_errmsg(rowtide_db_sqlite(db)));
    int64_t result = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return result;
}

static void quote_value(sqlite3_str *text, sqlite3_stmt *stmt, int column)
{
    const unsigned char *bytes;
    switch (sqlite3_column_type(stmt, column)) {
    case SQLITE_NULL:
        sqlite3_str_appendall(text, "NULL");
        break;
    case SQLITE_TEXT:
        sqlite3_str_appendf(text, "%Q", sqlite3_column_text(stmt, column));
        break;
    case SQLITE_BLOB:
        bytes = sqlite3_column_blob(stmt, column);
        sqlite3_str_appendall(text, "x'");
        for (int i = 0; i < sqlite3_column_bytes(stmt, column); i++)
            sqlite3_str_appendf(text, "%02x", bytes[i]);
        sqlite3_str_appendchar(text, 1, '\'');
        break;
    case SQLITE_FLOAT:
        sqlite3_str_appendf(text, "%!.15g",
                            sqlite3_column_double(stmt, column));
        break;
    default:
        sqlite3_str_appendall(text,
                              (const char *)sqlite3_column_text(stmt, column));
    }
}

char *scratch_rows(rowtide_db *db, const char *sql)
{
    sqlite3_stmt *stmt = prepare(db, sql);
    sqlite3_str *text = sqlite3_str_new(NULL);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(stmt); i++) {
            if (i)
                sqlite3_str_appendchar(text, 1, '|');
            quote_value(text, stmt, i);
        }
        sqlite3_str_appendchar(text, 1, ';');
    }
    if (sqlite3_finalize(stmt) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(rowtide_db_sqlite(db)));
    char *result = strdup(sqlite3_str_length(text) ? sqlite3_str_value(text)
                                                   : "");
    sqlite3_free(sqlite3_str_finish(text));
    assert_non_null(result);
    return result;
}

void scratch_same(rowtide_db *a, rowtide_db *b, const char *sql)
{
    char *left = scratch_rows(a, sql);
    char *right = scratch_rows(b, sql);
    assert_string_equal(left, right);
    free(left);
    free(right);
}
