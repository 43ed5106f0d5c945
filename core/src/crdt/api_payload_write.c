#include "crdt/api.h"
#include "crdt/payload.h"

#include "base/error.h"
#include "base/stream.h"

#include <string.h>

typedef struct payload_writer {
    rowtide_db *db;
    rowtide_sink *sink;
    rowtide__crdt *engine;
    rowtide__puller puller;
    rowtide__chunk_writer chunk;
    rowtide__payload_end end;
    size_t chunk_size;
} payload_writer;

static int read_options(const rowtide_crdt_pull_options *options,
                        rowtide_crdt_pull_options *out)
{
    int rc = rowtide__pull_options_read(options, out);
    if (rc != ROWTIDE_OK)
        return rc;
    if (out->chunk_size > ROWTIDE__PAYLOAD_CHUNK_MAX)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crdt_pull_payload: chunk_size %zu is over %d",
                             out->chunk_size, ROWTIDE__PAYLOAD_CHUNK_MAX);
    if (out->chunk_size == 0)
        out->chunk_size = ROWTIDE__PAYLOAD_CHUNK_DEFAULT;
    return ROWTIDE_OK;
}

/* ## Records */

static int put_record(payload_writer *writer, const unsigned char *record,
                      size_t size)
{
    writer->end.chain = rowtide__payload_checksum(writer->end.chain, record,
                                                  size);
    return rowtide__sink_write(writer->sink, record, size);
}

/* What the one who merges it can conclude about how far it has come. */
static int describe(payload_writer *writer,
                    const rowtide_crdt_pull_options *options,
                    rowtide__payload_head *head)
{
    memset(head, 0, sizeof *head);
    memcpy(head->site, writer->engine->site_id, sizeof head->site);
    head->since = options->since;
    if (!options->tables && !options->only_local
        && (!options->exclude || options->exclude_size == sizeof head->exclude))
        head->flags |= ROWTIDE__PAYLOAD_COMPLETE;
    if (!options->exclude || options->exclude_size != sizeof head->exclude)
        return ROWTIDE_OK;
    head->flags |= ROWTIDE__PAYLOAD_EXCLUDES;
    memcpy(head->exclude, options->exclude, sizeof head->exclude);
    return rowtide__peer_version(writer->db, head->exclude,
                                 sizeof head->exclude, ROWTIDE__PEER_RECEIVED,
                                 &head->acknowledged);
}

static int put_head(payload_writer *writer,
                    const rowtide_crdt_pull_options *options)
{
    rowtide__payload_head head;
    unsigned char record[ROWTIDE__PAYLOAD_HEAD];
    int rc = describe(writer, options, &head);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__payload_put_head(&head, record);
    return put_record(writer, record, sizeof record);
}

static int put_chunk(payload_writer *writer)
{
    rowtide__payload_chunk *chunk = &writer->chunk.chunk;
    unsigned char record[ROWTIDE__PAYLOAD_CHUNK];
    const void *data;
    if (rowtide__db_interrupted(writer->db))
        return rowtide__fail(ROWTIDE_ECANCELLED,
                             "crdt_pull_payload: interrupted");
    int rc = rowtide__chunk_writer_finish(&writer->chunk, &data);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__payload_put_chunk(chunk, record);
    rc = put_record(writer, record, sizeof record);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sink_write(writer->sink, data, chunk->stored);
    writer->end.chunks++;
    writer->end.count += chunk->count;
    rowtide__chunk_writer_next(&writer->chunk);
    return rc;
}

static int put_end(payload_writer *writer)
{
    unsigned char record[ROWTIDE__PAYLOAD_END];
    rowtide__payload_put_end(&writer->end, record);
    int rc = rowtide__sink_write(writer->sink, record, sizeof record);
    return rc == ROWTIDE_OK ? rowtide__sink_flush(writer->sink) : rc;
}

/* ## Changes */

static int put_changes(payload_writer *writer)
{
    rowtide_crdt_change change;
    int rc;
    while ((rc = rowtide__puller_next(&writer->puller, &change))
           == ROWTIDE_OK) {
        rc = rowtide__chunk_writer_add(&writer->chunk, &change);
        if (rc == ROWTIDE_OK && writer->chunk.body.size >= writer->chunk_size)
            rc = put_chunk(writer);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    if (rc == ROWTIDE_DONE)
        rc = writer->chunk.chunk.count ? put_chunk(writer) : ROWTIDE_OK;
    return rc;
}

/* What is not committed yet is written too, but does not count as reached: it
 * may be rolled back. The version is read before the changes are, so that
 * none of another connection falls between. */
static int choose_until(payload_writer *writer,
                        const rowtide_crdt_pull_options *options)
{
    int64_t version;
    int rc = rowtide__crdt_db_version(writer->engine, &version);
    if (options->until && options->until < version)
        version = options->until;
    writer->end.until = version < options->since ? options->since : version;
    return rc;
}

static int write_payload(rowtide_db *db,
                         const rowtide_crdt_pull_options *options,
                         rowtide_sink *sink)
{
    payload_writer writer = {.db = db, .sink = sink};
    writer.chunk_size = options->chunk_size;
    rowtide__chunk_writer_init(&writer.chunk);
    int rc = rowtide__crdt_of(db, &writer.engine);
    if (rc == ROWTIDE_OK)
        rc = choose_until(&writer, options);
    if (rc == ROWTIDE_OK)
        rc = rowtide__puller_open(writer.engine, options, &writer.puller);
    if (rc == ROWTIDE_OK)
        rc = put_head(&writer, options);
    if (rc == ROWTIDE_OK)
        rc = put_changes(&writer);
    if (rc == ROWTIDE_OK)
        rc = put_end(&writer);
    rowtide__puller_close(&writer.puller);
    rowtide__chunk_writer_dispose(&writer.chunk);
    return rc;
}

int rowtide_crdt_pull_payload(rowtide_db *db,
                              const rowtide_crdt_pull_options *options,
                              rowtide_sink *sink)
{
    rowtide_crdt_pull_options chosen;
    ROWTIDE__CHECK_ARG(sink, "crdt_pull_payload");
    int rc = read_options(options, &chosen);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_enter(db, "crdt_pull_payload");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = write_payload(db, &chosen, sink);
    rowtide__db_leave(db);
    return rc;
}
