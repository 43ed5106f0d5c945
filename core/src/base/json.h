#ifndef ROWTIDE_BASE_JSON_H
#define ROWTIDE_BASE_JSON_H

#include "base/writer.h"

#include <stdint.h>

/* ## Reading: RFC 8259 and nothing else
 *
 * A reader is a position in a text; a copy of it is a bookmark. Every error is
 * ROWTIDE_ECORRUPT with the byte offset.
 *
 *     int first = 1;
 *     while ((rc = rowtide__json_next_item(reader, &first)) == ROWTIDE_OK)
 *         rc = ... read one value ...
 */
typedef struct rowtide__json {
    const char *text;
    size_t size;
    size_t at;
    int depth;
} rowtide__json;

enum { ROWTIDE__JSON_DEPTH = 64 };

typedef enum rowtide__json_type {
    ROWTIDE__JSON_NULL,
    ROWTIDE__JSON_BOOLEAN,
    ROWTIDE__JSON_NUMBER,
    ROWTIDE__JSON_STRING,
    ROWTIDE__JSON_ARRAY,
    ROWTIDE__JSON_OBJECT
} rowtide__json_type;

void rowtide__json_open(rowtide__json *reader, const char *text, size_t size);

/* ROWTIDE_ECORRUPT at the reader's position, in the given words. */
int rowtide__json_fail(const rowtide__json *reader, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What comes next, without consuming it. */
int rowtide__json_peek(rowtide__json *reader, rowtide__json_type *type);

int rowtide__json_read_null(rowtide__json *reader);
int rowtide__json_read_boolean(rowtide__json *reader, int *out);
/* An integer that does not fit in 64 bits, and a real that is too large, is an
 * error; nothing is rounded away silently. `*is_real` says which is set. */
int rowtide__json_read_number(rowtide__json *reader, int *is_real,
                              int64_t *integer, double *real);
int rowtide__json_read_integer(rowtide__json *reader, int64_t *out);
/* Replaces what the buffer holds; UTF-8, may contain NUL. */
int rowtide__json_read_string(rowtide__json *reader, rowtide_buffer *out);

/* Enter an array or object, then ask for items until ROWTIDE_DONE, which
 * leaves it. `*first` is 1 before the first call. */
int rowtide__json_begin_array(rowtide__json *reader);
int rowtide__json_next_item(rowtide__json *reader, int *first);
int rowtide__json_begin_object(rowtide__json *reader);
int rowtide__json_next_member(rowtide__json *reader, int *first,
                              rowtide_buffer *name);

/* Check a value and pass over it. */
int rowtide__json_skip(rowtide__json *reader);

/* Nothing may follow but white space. */
int rowtide__json_end(rowtide__json *reader);

/* ## Writing */

/* A string in quotes. `data` must be UTF-8. Characters that are unsafe to show
 * are escaped, so that JSON may be looked at on a terminal. */
void rowtide__json_write_string(rowtide__writer *writer, const void *data,
                                size_t size);
void rowtide__json_write_integer(rowtide__writer *writer, int64_t integer);
/* A finite number. */
void rowtide__json_write_real(rowtide__writer *writer, double real);

#endif
