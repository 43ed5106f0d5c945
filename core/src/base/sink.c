#include "base/stream.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/file.h"

#include <string.h>
#include <unistd.h>

struct rowtide_sink {
    rowtide_buffer *buffer; /* memory */
    int is_stdout;
    rowtide__new_file file;
    rowtide_write_cb write; /* callback */
    void *user;
    int closed;
    int failed; /* the code of the first failure, or 0 */
    size_t used;
    char chunk[]; /* ROWTIDE__CHUNK bytes, but none for a buffer */
};

static rowtide_sink *new_sink(size_t chunk)
{
    rowtide_sink *sink = rowtide__alloc(sizeof *sink + chunk);
    if (sink) {
        memset(sink, 0, sizeof *sink);
        sink->file = (rowtide__new_file)ROWTIDE__NEW_FILE_INIT;
    }
    return sink;
}

int rowtide_sink_buffer(rowtide_buffer *buffer, rowtide_sink **out)
{
    ROWTIDE__CHECK_ARG(out, "sink_buffer");
    *out = NULL;
    ROWTIDE__CHECK_ARG(buffer, "sink_buffer");
    rowtide_sink *sink = new_sink(0);
    if (!sink)
        return ROWTIDE_ENOMEM;
    sink->buffer = buffer;
    *out = sink;
    return ROWTIDE_OK;
}

int rowtide_sink_file(const char *path, rowtide_sink **out)
{
    ROWTIDE__CHECK_ARG(out, "sink_file");
    *out = NULL;
    ROWTIDE__CHECK_ARG(path, "sink_file");
    rowtide_sink *sink = new_sink(ROWTIDE__CHUNK);
    if (!sink)
        return ROWTIDE_ENOMEM;
    sink->is_stdout = strcmp(path, "-") == 0;
    int rc = sink->is_stdout ? ROWTIDE_OK
                             : rowtide__new_file_open(&sink->file, path);
    if (rc == ROWTIDE_OK)
        *out = sink;
    else
        rowtide__free(sink);
    return rc;
}

int rowtide_sink_callback(rowtide_write_cb write, void *user,
                          rowtide_sink **out)
{
    ROWTIDE__CHECK_ARG(out, "sink_callback");
    *out = NULL;
    ROWTIDE__CHECK_ARG(write, "sink_callback");
    rowtide_sink *sink = new_sink(ROWTIDE__CHUNK);
    if (!sink)
        return ROWTIDE_ENOMEM;
    sink->write = write;
    sink->user = user;
    *out = sink;
    return ROWTIDE_OK;
}

static int call_back(rowtide_sink *sink, const void *data, size_t size)
{
    rowtide_error_clear();
    int rc = sink->write(data, size, sink->user);
    if (rc < 0)
        return rowtide__fail_callback(rc, "write");
    if (rc > 0)
        return rowtide__fail(ROWTIDE_EINVAL, "write callback returned %d", rc);
    return ROWTIDE_OK;
}

static int deliver(rowtide_sink *sink, const void *data, size_t size)
{
    if (size == 0)
        return ROWTIDE_OK;
    if (sink->write)
        return call_back(sink, data, size);
    if (sink->is_stdout)
        return rowtide__file_write(STDOUT_FILENO, "standard output", data,
                                   size);
    return rowtide__file_write(sink->file.fd, sink->file.path, data, size);
}

static int check_usable(const rowtide_sink *sink)
{
    if (sink->closed)
        return rowtide__fail(ROWTIDE_ECLOSED, "write: the sink is closed");
    if (sink->failed)
        return rowtide__fail(sink->failed,
                             "write: an earlier write to the sink has failed");
    return ROWTIDE_OK;
}

static int deliver_chunk(rowtide_sink *sink)
{
    size_t used = sink->used;
    sink->used = 0;
    return deliver(sink, sink->chunk, used);
}

static int write_chunked(rowtide_sink *sink, const char *bytes, size_t size)
{
    int rc = ROWTIDE_OK;
    while (size > 0 && rc == ROWTIDE_OK) {
        size_t part = ROWTIDE__CHUNK - sink->used;
        if (part > size)
            part = size;
        if (part == ROWTIDE__CHUNK) {
            rc = deliver(sink, bytes, part);
        } else {
            memcpy(sink->chunk + sink->used, bytes, part);
            sink->used += part;
            if (sink->used == ROWTIDE__CHUNK)
                rc = deliver_chunk(sink);
        }
        bytes += part;
        size -= part;
    }
    return rc;
}

int rowtide__sink_write(rowtide_sink *sink, const void *data, size_t size)
{
    int rc = check_usable(sink);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = sink->buffer ? rowtide__buffer_append(sink->buffer, data, size)
                      : write_chunked(sink, data, size);
    sink->failed = rc;
    return rc;
}

int rowtide_sink_write(rowtide_sink *sink, const void *data, size_t size)
{
    ROWTIDE__CHECK_ARG(sink && (data || size == 0), "sink_write");
    return size ? rowtide__sink_write(sink, data, size) : ROWTIDE_OK;
}

int rowtide__sink_flush(rowtide_sink *sink)
{
    int rc = check_usable(sink);
    if (rc == ROWTIDE_OK)
        sink->failed = rc = deliver_chunk(sink);
    return rc;
}

int rowtide_sink_close(rowtide_sink *sink)
{
    ROWTIDE__CHECK_ARG(sink, "sink_close");
    if (sink->closed)
        return ROWTIDE_OK;
    int rc = rowtide__sink_flush(sink);
    if (rc == ROWTIDE_OK && sink->file.fd >= 0)
        sink->failed = rc = rowtide__new_file_publish(&sink->file);
    sink->closed = rc == ROWTIDE_OK;
    return rc;
}

void rowtide_sink_free(rowtide_sink *sink)
{
    if (!sink)
        return;
    rowtide__new_file_dispose(&sink->file);
    rowtide__free(sink);
}
