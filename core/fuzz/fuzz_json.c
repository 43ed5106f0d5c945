/* JSON that is accepted comes back: what from_json makes of it, to_json writes
 * so that from_json makes the same bytes again. */
#include <rowtide/render.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
    if (!condition)
        abort();
}

static rowtide_buffer to_json(rowtide_changeset *changeset)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    require(rowtide_source_memory(rowtide_changeset_data(changeset),
                                  rowtide_changeset_size(changeset), &source)
            == ROWTIDE_OK);
    require(rowtide_sink_buffer(&out, &sink) == ROWTIDE_OK);
    require(rowtide_changeset_to_json(source, NULL, sink) == ROWTIDE_OK);
    require(rowtide_sink_close(sink) == ROWTIDE_OK);
    rowtide_sink_free(sink);
    rowtide_source_free(source);
    return out;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rowtide_changeset *changeset = NULL, *again = NULL;
    if (rowtide_changeset_from_json((const char *)data, size, &changeset)
        != ROWTIDE_OK)
        return 0;
    rowtide_buffer json = to_json(changeset);
    require(rowtide_changeset_from_json(json.data, json.size, &again)
            == ROWTIDE_OK);
    size_t bytes = rowtide_changeset_size(changeset);
    require(rowtide_changeset_size(again) == bytes);
    require(bytes == 0
            || memcmp(rowtide_changeset_data(changeset),
                      rowtide_changeset_data(again), bytes)
                   == 0);
    rowtide_buffer_dispose(&json);
    rowtide_changeset_free(again);
    rowtide_changeset_free(changeset);
    return 0;
}
