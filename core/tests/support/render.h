/*
 * Changesets turned into strings, and rows that are hard to render.
 */
#ifndef ROWTIDE_TESTS_RENDER_H
#define ROWTIDE_TESTS_RENDER_H

#include <rowtide/render.h>

typedef int (*render_function)(rowtide_source *, const rowtide_render_options *,
                               rowtide_sink *);

/* The whole output, NUL-terminated; free it with rowtide_buffer_dispose(). */
rowtide_buffer render_all(render_function to, rowtide_changeset *changeset,
                          const rowtide_render_options *options);
/* The output has this in it, or the test fails with the output. */
void assert_contains(const rowtide_buffer *text, const char *part);
void assert_lacks(const rowtide_buffer *text, const char *part);

/* A changeset with a table header for each change, whose values are all that
 * is awkward: NULs, broken UTF-8, extreme numbers, empty values. */
rowtide_changeset *awkward_changeset(void);

#endif
