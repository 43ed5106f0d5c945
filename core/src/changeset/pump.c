#include "changeset/pump.h"
#include "changeset/changeset.h"
#include "base/buffer.h"
#include "base/stream.h"

int rowtide__pump(rowtide__decoder *decoder, rowtide__pump_item item,
                  void *state, rowtide_buffer *out, rowtide_sink *sink)
{
    int rc;
    while ((rc = rowtide__decoder_step(decoder)) == ROWTIDE_OK) {
        rc = item(decoder, state, out);
        if (rc == ROWTIDE_OK && sink) {
            rc = rowtide__sink_write(sink, out->data, out->size);
            rowtide__buffer_clear(out);
        }
        if (rc != ROWTIDE_OK)
            return rc;
    }
    if (rc != ROWTIDE_DONE)
        return rc;
    return sink ? rowtide__sink_flush(sink) : ROWTIDE_OK;
}

int rowtide__pump_changeset(rowtide_changeset *changeset,
                            rowtide__pump_item item, void *state,
                            rowtide_buffer *out)
{
    rowtide__decoder decoder;
    rowtide__decoder_open(&decoder, changeset->bytes.data,
                          changeset->bytes.size, &changeset->tables,
                          ROWTIDE__DECODE_TRUSTED | ROWTIDE__DECODE_SPANS);
    int rc = rowtide__pump(&decoder, item, state, out, NULL);
    rowtide__decoder_dispose(&decoder);
    return rc;
}

int rowtide__pump_stream(rowtide_source *source, rowtide_sink *sink,
                         unsigned flags, rowtide__pump_item item, void *state)
{
    rowtide__decoder decoder;
    rowtide_buffer chunk = ROWTIDE_BUFFER_INIT;
    rowtide__decoder_open_source(&decoder, source,
                                 flags | ROWTIDE__DECODE_SPANS);
    int rc = rowtide__pump(&decoder, item, state, &chunk, sink);
    rowtide__decoder_dispose(&decoder);
    rowtide_buffer_dispose(&chunk);
    return rc;
}
