#ifndef ROWTIDE_BASE_ERROR_H
#define ROWTIDE_BASE_ERROR_H

#include <rowtide/error.h>

/* Set this thread's last error and return `code`. The message is one line:
 * the thing, the place, what is the matter. Needs no memory. */
int rowtide__fail(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* As rowtide__fail(), and point at a byte of the input. */
int rowtide__fail_at(int code, int64_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Out of memory. */
int rowtide__nomem(void);

/* Put "context: " in front of the message of the last error and return its
 * code, so that a deeper message is kept. */
int rowtide__fail_context(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Note SQLite's extended code behind the error that was just set. */
void rowtide__error_sqlite_code(int extended);

/* A callback returned a negative `code`: keep its message if it set one. */
int rowtide__fail_callback(int code, const char *name);

/* Cleaning up after an error can fail too; the first error is the one that
 * matters. Take a copy, clean up, put it back. */
typedef struct rowtide__error_state {
    int code;
    int sqlite_code;
    int64_t offset;
    char message[1024];
} rowtide__error_state;

void rowtide__error_save(rowtide__error_state *state);
void rowtide__error_restore(const rowtide__error_state *state);

#define ROWTIDE__CHECK_ARG(condition, function)                                \
    do {                                                                       \
        if (!(condition))                                                      \
            return rowtide__fail(ROWTIDE_EINVAL,                               \
                                 "%s: argument missing or wrong: %s",          \
                                 function, #condition);                        \
    } while (0)

#endif
