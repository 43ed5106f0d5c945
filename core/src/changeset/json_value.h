#ifndef ROWTIDE_CHANGESET_JSON_VALUE_H
#define ROWTIDE_CHANGESET_JSON_VALUE_H

#include "base/json.h"

#include <rowtide/value.h>

/* `scratch` is a buffer for short strings in the functions below. */

/* The index of a word in a list that ends with NULL or after `count`; -1. */
int rowtide__json_find_word(const rowtide_buffer *word,
                            const char *const *words, int count);

/* How many bytes of a text to quote in a message. */
int rowtide__json_excerpt(const rowtide_buffer *text);

/* A value of a row. The bytes of texts and blobs are appended to `data`, which
 * may move: `value->integer` is where they start, `value->data` is not set. */
int rowtide__json_read_value(rowtide_buffer *scratch, rowtide__json *reader,
                             rowtide_buffer *data, rowtide_value *value);

/* An array of exactly `columns` values, which replaces what `values` holds and
 * points into `data`. */
int rowtide__json_read_values(rowtide_buffer *scratch, rowtide__json reader,
                              size_t columns, rowtide_buffer *values,
                              rowtide_buffer *data);

#endif
