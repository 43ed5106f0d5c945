/**
 * @file rowtide/common.h
 * @brief Version, visibility, allocation, and the shape of every callback.
 *
 * Conventions that hold in every header of this library:
 *
 * - Functions return an `int` status: ::ROWTIDE_OK (0), ::ROWTIDE_DONE (1)
 *   from iterators that have nothing more, or a negative code of
 *   <rowtide/error.h>. The message of the last error is kept per thread.
 * - The handle comes first, what a function makes comes last, as `out`.
 *   On failure `*out` is NULL.
 * - `_open`, `_new`, `_parse` and `_read` make a handle, `_free` releases it
 *   and accepts NULL. Where closing can fail there is also a `_close`, which
 *   may be called again without harm; `_free` is still needed after it.
 * - A handle made from another one keeps that one alive, so handles may be
 *   freed in any order.
 * - Strings are UTF-8 and NUL-terminated; bytes are a pointer and a
 *   `size_t`. Inputs are copied unless a function says that it borrows them.
 * - Options structs start with their own size and have an `_INIT` macro.
 *   NULL means the defaults.
 * - Threads: any thread may use a handle, one at a time. A connection and all
 *   that is made from it see to that: a second thread that comes while a call
 *   is running gets ::ROWTIDE_ETHREAD. Iterators, builders, sources and sinks
 *   leave it to the caller. Immutable handles (a changeset, a report) may be
 *   read by many threads at once.
 */
#ifndef ROWTIDE_COMMON_H
#define ROWTIDE_COMMON_H

#include <stddef.h>
#include <stdint.h>

#if defined(ROWTIDE_STATIC) || !defined(__GNUC__)
#define ROWTIDE_API
#else
#define ROWTIDE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define ROWTIDE_VERSION "0.1.0"
#define ROWTIDE_VERSION_NUMBER 1000 /* major * 1000000 + minor * 1000 + patch */

/** The call did what it was asked to do. */
#define ROWTIDE_OK 0
/** An iterator has nothing more to give. */
#define ROWTIDE_DONE 1
/** Returned by a progress callback: cancel the call. */
#define ROWTIDE_STOP 2

/** @return the version of the library that is loaded, such as "0.1.0". */
ROWTIDE_API const char *rowtide_version(void);

/** @return the version of the loaded library as one number, comparable with
 *  ::ROWTIDE_VERSION_NUMBER. */
ROWTIDE_API int rowtide_version_number(void);

/**
 * Where the library gets its memory.
 *
 * `resize` behaves like `realloc`, `release` like `free`; both accept NULL.
 * `user` is passed through. Memory that SQLite itself allocates is not
 * covered: use SQLite's own configuration for that.
 */
typedef struct rowtide_allocator {
    void *(*allocate)(size_t size, void *user);
    void *(*resize)(void *memory, size_t size, void *user);
    void (*release)(void *memory, void *user);
    void *user;
} rowtide_allocator;

/**
 * Replace the allocator for the whole process.
 *
 * Call it before any other function of the library, or when nothing that the
 * library allocated is alive any more: memory is released through the
 * allocator that is set at that time.
 *
 * @param allocator copied; NULL brings the C library's allocator back
 * @return ::ROWTIDE_OK, or ::ROWTIDE_EINVAL if a function is missing
 */
ROWTIDE_API int rowtide_set_allocator(const rowtide_allocator *allocator);

/** How far a long call has come. Valid during the callback only. */
typedef struct rowtide_progress {
    const char *phase; /**< what is being done, such as "apply" */
    int64_t done;      /**< units finished so far: bytes or rows */
    int64_t total;     /**< units in all, or -1 if that is not known */
    const char *label; /**< the table or file in work, or NULL */
} rowtide_progress;

/**
 * Called by long functions at most ten times a second.
 *
 * @return 0 to go on; anything else cancels the call, which undoes what it
 *  did and returns ::ROWTIDE_ECANCELLED (or the negative code returned here)
 */
typedef int (*rowtide_progress_cb)(const rowtide_progress *progress,
                                   void *user);

/**
 * Choose tables by name.
 *
 * @return 1 to include the table, 0 to leave it out, negative to fail
 */
typedef int (*rowtide_table_filter_cb)(const char *table, void *user);

#ifdef __cplusplus
}
#endif

#endif
