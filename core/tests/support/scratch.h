/*
 * What every test needs: cmocka, assertions about statuses, files that go away
 * by themselves, small databases.
 */
#ifndef ROWTIDE_TESTS_SCRATCH_H
#define ROWTIDE_TESTS_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <rowtide/db.h>
#include <rowtide/error.h>

/* The call returns ROWTIDE_OK, or the test fails with the message. */
#define assert_ok(call) scratch_expect((call), 0, #call, __FILE__, __LINE__)
/* The call returns this code, and the last error has it too. */
#define assert_status(call, code)                                              \
    scratch_expect((call), (code), #call, __FILE__, __LINE__)
/* The message of the last error has this in it. */
#define assert_message(part) scratch_expect_message(part, __FILE__, __LINE__)

void scratch_expect(int rc, int expected, const char *call, const char *file,
                    int line);
void scratch_expect_message(const char *part, const char *file, int line);

/* A path in a directory of this process, which is removed with all that is in
 * it when the process ends. No file is made. */
const char *scratch_path(const char *name);
/* Another path each time. */
const char *scratch_new_path(void);

void scratch_write(const char *path, const void *data, size_t size);
/* NUL-terminated; free() it. */
char *scratch_read(const char *path, size_t *size);
int scratch_exists(const char *path);
/* Between these, permissions count even for root, who is somebody else then:
 * give modes for all, as in chmod(path, 0444). */
void scratch_begin_unprivileged(void);
void scratch_end_unprivileged(void);
/* Between these, no file can be written beyond this many bytes. */
void scratch_begin_full_disk(size_t bytes);
void scratch_end_full_disk(void);
/* How many files have names that start so, in the directory of this process */
int scratch_count(const char *prefix);

/* A database in memory, or in a file, after running `sql`, which may be NULL.
 * Free it with rowtide_db_free(). */
rowtide_db *scratch_db(const char *sql);
rowtide_db *scratch_db_file(const char *path, const char *sql);

void scratch_exec(rowtide_db *db, const char *sql);
/* First column of the first row. */
int64_t scratch_integer(rowtide_db *db, const char *sql);
/* All rows, columns as quote() writes them with '|' between, rows with ';'
 * behind them: "1|'a';2|NULL;". free() it. */
char *scratch_rows(rowtide_db *db, const char *sql);
/* The rows of a query are these, in the form of scratch_rows(). */
#define assert_rows(db, sql, expected)                                         \
    do {                                                                       \
        char *rows_ = scratch_rows((db), (sql));                               \
        assert_string_equal(rows_, (expected));                                \
        free(rows_);                                                           \
    } while (0)
/* A query gives the same rows in both. */
void scratch_same(rowtide_db *a, rowtide_db *b, const char *sql);

#endif
