#include "crdt/api.h"
#include "crdt/payload.h"

#include "base/buffer.h"
#include "base/error.h"
#include "base/stream.h"

#include <string.h>

typedef struct payload_reader {
    rowtide_source *source;
    rowtide__merging merging;
    rowtide__payload_head head;
    rowtide__chunk_reader chunk;
    rowtide_buffer stored;
    int64_t offset;
    rowtide__payload_end seen; /* what the end should say */
} payload_reader;

/* ## Bytes */

/* The callback of a source is code of the caller: it must not end our
 * transaction, and if it does we must not go on in another one. */
static int read_some(payload_reader *reader, void *data, size_t *size)
{
    rowtide__transaction *transaction = &reader->merging.transaction;
    int rc = rowtide__transaction_guard(transaction);
    if (rc == ROWTIDE_OK)
        rc = rowtide__source_read(reader->source, data, size);
    if (rc == ROWTIDE_OK && transaction->open)
        rc = rowtide__transaction_check(transaction);
    if (rc == ROWTIDE_OK)
        reader->offset += (int64_t)*size;
    return rc;
}

static int fail_short(const payload_reader *reader)
{
    return rowtide__fail_at(ROWTIDE_ECORRUPT, reader->offset,
                            "payload: ends at byte %lld, before its end",
                            (long long)reader->offset);
}

static int read_all(payload_reader *reader, void *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t part = size - done;
        int rc = read_some(reader, (char *)data + done, &part);
        if (rc != ROWTIDE_OK)
            return rc;
        if (part == 0)
            return fail_short(reader);
        done += part;
    }
    return ROWTIDE_OK;
}

/* Memory is taken as bytes come, not as they are announced. */
static int read_stored(payload_reader *reader, size_t size)
{
    int rc = ROWTIDE_OK;
    rowtide__buffer_clear(&reader->stored);
    while (rc == ROWTIDE_OK && reader->stored.size < size) {
        size_t part = size - reader->stored.size;
        if (part > ROWTIDE__CHUNK)
            part = ROWTIDE__CHUNK;
        rc = rowtide__buffer_reserve(&reader->stored, part);
        if (rc == ROWTIDE_OK)
            rc = read_all(reader, reader->stored.data + reader->stored.size,
                          part);
        if (rc == ROWTIDE_OK)
            reader->stored.size += part;
    }
    return rc;
}

static void chain(payload_reader *reader, const unsigned char *record,
                  size_t size)
{
    reader->seen.chain = rowtide__payload_checksum(reader->seen.chain, record,
                                                   size);
}

/* ## Parts */

static int read_head(payload_reader *reader)
{
    unsigned char record[ROWTIDE__PAYLOAD_HEAD];
    int rc = read_all(reader, record, sizeof record);
    if (rc != ROWTIDE_OK)
        return rc;
    chain(reader, record, sizeof record);
    return rowtide__payload_get_head(record, &reader->head);
}

/* Keep the message of what failed, and say where it was. */
static int point_at(int64_t offset)
{
    rowtide__error_state error;
    rowtide__error_save(&error);
    error.offset = offset;
    rowtide__error_restore(&error);
    return error.code;
}

static int merge_chunk(payload_reader *reader)
{
    rowtide_crdt_change change;
    int rc;
    while ((rc = rowtide__chunk_reader_next(&reader->chunk, &change))
           == ROWTIDE_OK) {
        rc = rowtide__merging_add(&reader->merging, &change);
        if (rc != ROWTIDE_OK)
            return point_at(reader->chunk.offset);
    }
    if (rc != ROWTIDE_DONE)
        return rc;
    rc = rowtide__merging_flush(&reader->merging);
    return rc == ROWTIDE_OK ? rc : point_at(reader->chunk.offset);
}

static int read_chunk(payload_reader *reader, const unsigned char *record)
{
    rowtide__payload_chunk chunk;
    int64_t offset = reader->offset - ROWTIDE__PAYLOAD_CHUNK;
    int rc = rowtide__payload_get_chunk(record, offset, &chunk);
    if (rc != ROWTIDE_OK)
        return rc;
    if (chunk.number != reader->seen.chunks)
        return rowtide__fail_at(ROWTIDE_ECORRUPT, offset,
                                "payload: chunk %lu at byte %lld, where %lu "
                                "should be",
                                (unsigned long)chunk.number, (long long)offset,
                                (unsigned long)reader->seen.chunks);
    chain(reader, record, ROWTIDE__PAYLOAD_CHUNK);
    rc = read_stored(reader, chunk.stored);
    if (rc == ROWTIDE_OK)
        rc = rowtide__chunk_reader_open(&reader->chunk, &chunk, offset,
                                        &reader->stored);
    if (rc == ROWTIDE_OK)
        rc = merge_chunk(reader);
    reader->seen.chunks++;
    reader->seen.count += chunk.count;
    return rc;
}

/* A source that knows how long it is must end here; another one is left to
 * its owner. */
static int check_rest(payload_reader *reader)
{
    char rest;
    size_t size = sizeof rest;
    int64_t offset = reader->offset;
    if (rowtide__source_total(reader->source) < 0)
        return ROWTIDE_OK;
    int rc = read_some(reader, &rest, &size);
    if (rc == ROWTIDE_OK && size)
        rc = rowtide__fail_at(ROWTIDE_ECORRUPT, offset,
                              "payload: ends at byte %lld, but bytes follow",
                              (long long)offset);
    return rc;
}

static int read_end(payload_reader *reader, const unsigned char *record)
{
    rowtide__payload_end end;
    int64_t offset = reader->offset - ROWTIDE__PAYLOAD_END;
    int rc = rowtide__payload_get_end(record, offset, &end);
    if (rc != ROWTIDE_OK)
        return rc;
    if (end.chunks != reader->seen.chunks || end.count != reader->seen.count
        || end.chain != reader->seen.chain || end.until < reader->head.since
        || end.until > ROWTIDE__GREATEST_VERSION)
        return rowtide__fail_at(ROWTIDE_ECORRUPT, offset,
                                "payload: the end at byte %lld does not belong "
                                "to what is before it",
                                (long long)offset);
    reader->seen.until = end.until;
    return check_rest(reader);
}

static int read_parts(payload_reader *reader)
{
    unsigned char record[ROWTIDE__PAYLOAD_CHUNK];
    for (;;) {
        int64_t offset = reader->offset;
        int rc = read_all(reader, record, sizeof record);
        if (rc != ROWTIDE_OK)
            return rc;
        switch (rowtide__payload_kind(record)) {
        case ROWTIDE__PAYLOAD_KIND_CHUNK:
            rc = read_chunk(reader, record);
            if (rc != ROWTIDE_OK)
                return rc;
            break;
        case ROWTIDE__PAYLOAD_KIND_END:
            return read_end(reader, record);
        default:
            return rowtide__fail_at(ROWTIDE_ECORRUPT, offset,
                                    "payload: neither chunk nor end at byte "
                                    "%lld",
                                    (long long)offset);
        }
    }
}

/* ## Cursors */

static int is_own(const payload_reader *reader, const unsigned char *site)
{
    return memcmp(reader->merging.engine->site_id, site, ROWTIDE_SITE_ID_SIZE)
           == 0;
}

/* It has come as far as the payload reaches, if nothing between was left out. */
static int note_received(payload_reader *reader)
{
    const rowtide__payload_head *head = &reader->head;
    rowtide_db *db = reader->merging.db;
    int64_t version;
    if (!(head->flags & ROWTIDE__PAYLOAD_COMPLETE)
        || (head->flags & ROWTIDE__PAYLOAD_EXCLUDES
            && !is_own(reader, head->exclude))
        || is_own(reader, head->site))
        return ROWTIDE_OK;
    rowtide__crdt_report_reach(reader->merging.report, reader->seen.until);
    int rc = rowtide__peer_version(db, head->site, sizeof head->site,
                                   ROWTIDE__PEER_RECEIVED, &version);
    if (rc != ROWTIDE_OK || head->since > version)
        return rc;
    return rowtide__peer_advance(db, head->site, sizeof head->site,
                                 ROWTIDE__PEER_RECEIVED, reader->seen.until);
}

/* Nobody can have more than there is. */
static int note_acknowledged(payload_reader *reader)
{
    const rowtide__payload_head *head = &reader->head;
    int64_t version;
    if (!(head->flags & ROWTIDE__PAYLOAD_EXCLUDES)
        || !is_own(reader, head->exclude) || is_own(reader, head->site))
        return ROWTIDE_OK;
    int rc = rowtide__crdt_db_version(reader->merging.engine, &version);
    if (rc != ROWTIDE_OK)
        return rc;
    if (version > head->acknowledged)
        version = head->acknowledged;
    return rowtide__peer_advance(reader->merging.db, head->site,
                                 sizeof head->site, ROWTIDE__PEER_ACKNOWLEDGED,
                                 version);
}

static int merge_payload(rowtide_db *db, rowtide_source *source,
                         rowtide_crdt_report **out)
{
    payload_reader reader = {.source = source};
    rowtide__chunk_reader_init(&reader.chunk);
    int rc = read_head(&reader);
    if (rc == ROWTIDE_OK)
        rc = rowtide__merging_begin(db, &reader.merging);
    if (rc == ROWTIDE_OK)
        rc = read_parts(&reader);
    if (rc == ROWTIDE_OK)
        rc = note_received(&reader);
    if (rc == ROWTIDE_OK)
        rc = note_acknowledged(&reader);
    if (rc == ROWTIDE_OK)
        rc = rowtide__merging_end(&reader.merging, out);
    rowtide__merging_dispose(&reader.merging);
    rowtide__chunk_reader_dispose(&reader.chunk);
    rowtide_buffer_dispose(&reader.stored);
    return rc;
}

int rowtide_crdt_merge_payload(rowtide_db *db, rowtide_source *source,
                               rowtide_crdt_report **out)
{
    if (out)
        *out = NULL;
    ROWTIDE__CHECK_ARG(source, "crdt_merge_payload");
    int rc = rowtide__db_enter(db, "crdt_merge_payload");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = merge_payload(db, source, out);
    rowtide__db_leave(db);
    return rc;
}
