#ifndef ROWTIDE_CHANGESET_PUMP_H
#define ROWTIDE_CHANGESET_PUMP_H

#include "changeset/decode.h"

/* Append what becomes of the item that the decoder stands on. */
typedef int (*rowtide__pump_item)(const rowtide__decoder *decoder, void *state,
                                  rowtide_buffer *out);

/* Send all items of a decoder through `item`. Without a sink everything is
 * gathered in `out`; with one, `out` holds one item at a time and the sink is
 * flushed at the end. */
int rowtide__pump(rowtide__decoder *decoder, rowtide__pump_item item,
                  void *state, rowtide_buffer *out, rowtide_sink *sink);

/* The same from a changeset to a new one, and from a source to a sink. */
int rowtide__pump_changeset(rowtide_changeset *changeset,
                            rowtide__pump_item item, void *state,
                            rowtide_buffer *out);
int rowtide__pump_stream(rowtide_source *source, rowtide_sink *sink,
                         unsigned flags, rowtide__pump_item item, void *state);

#endif
