/*
 * What differs between two schemas, as text.
 */
#ifndef ROWTIDE_TESTS_DIFFERENCE_H
#define ROWTIDE_TESTS_DIFFERENCE_H

#include "support/schema.h"

#include <rowtide/schema_diff.h>

/* From one SQL to the other. `options` may be NULL. Free it with
 * rowtide_schema_difference_free(). */
rowtide_schema_difference *
difference_of(const char *from, const char *to,
              const rowtide_schema_diff_options *options);

/* A line for each change, "change column t.a type lossy", with a "?" behind it
 * if it is unknown; free() it. */
char *difference_text(const rowtide_schema_difference *difference);

/* The changes from one SQL to the other are these lines. */
#define assert_changes(from, to, expected)                                     \
    assert_changes_with(NULL, from, to, expected)
#define assert_changes_with(options, from, to, expected)                       \
    do {                                                                       \
        rowtide_schema_difference *found_ = difference_of((from), (to),        \
                                                          (options));          \
        char *text_ = difference_text(found_);                                 \
        assert_string_equal(text_, (expected));                                \
        free(text_);                                                           \
        rowtide_schema_difference_free(found_);                                \
    } while (0)

#endif
