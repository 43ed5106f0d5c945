#ifndef ROWTIDE_CHANGESET_CODEC_H
#define ROWTIDE_CHANGESET_CODEC_H

#include <rowtide/changeset.h>

/* ## Encoding, appended to a buffer; ROWTIDE_OK or ROWTIDE_ENOMEM */

int rowtide__encode_value(rowtide_buffer *out, const rowtide_value *value);
int rowtide__encode_table(rowtide_buffer *out, int patchset, const char *table,
                          int column_count, const unsigned char *primary_key);
/* Kind, indirect flag and the records that the kind has. */
int rowtide__encode_change(rowtide_buffer *out, int patchset,
                           const rowtide_change *change);

/* ## What rooms beside the iterator need of it */

/* 1 patchset, 0 changeset, -1 nothing read yet. */
int rowtide__iter_is_patchset(const rowtide_changeset_iter *iter);
/* 1 if the change just given is the first of a table header. */
int rowtide__iter_table_started(const rowtide_changeset_iter *iter);
/* Bytes consumed so far. */
int64_t rowtide__iter_position(const rowtide_changeset_iter *iter);

/* Check `bytes` and make a changeset that takes them over, leaving the buffer
 * empty. `bytes` stays as it was on failure. */
int rowtide__changeset_take(rowtide_buffer *bytes, rowtide_changeset **out);

#endif
