/**
 * @file rowtide/value.h
 * @brief One SQL value.
 */
#ifndef ROWTIDE_VALUE_H
#define ROWTIDE_VALUE_H

#include <rowtide/common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** SQLite's fundamental types, with SQLite's own numbers, and one more. */
typedef enum rowtide_type {
    ROWTIDE_UNDEFINED = 0, /**< not recorded: a column an UPDATE left alone */
    ROWTIDE_INTEGER = 1,
    ROWTIDE_REAL = 2,
    ROWTIDE_TEXT = 3,
    ROWTIDE_BLOB = 4,
    ROWTIDE_NULL = 5
} rowtide_type;

/**
 * A value, as a view: it owns nothing. `data` points into memory that the
 * function which filled the value names, and is not NUL-terminated.
 */
typedef struct rowtide_value {
    rowtide_type type;
    int64_t integer;  /**< if type is ::ROWTIDE_INTEGER */
    double real;      /**< if type is ::ROWTIDE_REAL */
    const void *data; /**< if text (UTF-8) or blob; NULL only if size is 0 */
    size_t size;      /**< bytes in `data` */
} rowtide_value;

/** @return an integer as a value. */
ROWTIDE_API rowtide_value rowtide_value_integer(int64_t integer);
/** @return a floating point number as a value. */
ROWTIDE_API rowtide_value rowtide_value_real(double real);
/** @return NUL-terminated UTF-8 as a value that borrows `text`. */
ROWTIDE_API rowtide_value rowtide_value_text(const char *text);
/** @return bytes as a value that borrows `data`. */
ROWTIDE_API rowtide_value rowtide_value_blob(const void *data, size_t size);
/** @return SQL NULL. */
ROWTIDE_API rowtide_value rowtide_value_null(void);
/** @return the value of a column that an UPDATE does not touch. */
ROWTIDE_API rowtide_value rowtide_value_undefined(void);

/** @return 1 if both have the same type and the same bytes, else 0. Reals are
 *  compared as numbers, so that -0.0 equals 0.0 as it does in SQLite. */
ROWTIDE_API int rowtide_value_equal(const rowtide_value *a,
                                    const rowtide_value *b);

#ifdef __cplusplus
}
#endif

#endif
