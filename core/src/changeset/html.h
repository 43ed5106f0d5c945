#ifndef ROWTIDE_CHANGESET_HTML_H
#define ROWTIDE_CHANGESET_HTML_H

#include "changeset/render.h"

/* Text for a page: markup escaped, control characters made visible. */
void rowtide__write_escaped(rowtide__writer *writer, const void *data,
                            size_t size);

/* A value; where `other` is the text that it replaces or is replaced by, what
 * differs is marked. `value` NULL writes nothing, `other` may be NULL. */
void rowtide__write_html_value(rowtide__writer *writer,
                               const rowtide_value *value,
                               const rowtide_value *other);

#endif
