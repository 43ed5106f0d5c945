#include "crdt/payload.h"
#include "crdt/api_deflate.h"
#include "crdt/clock.h"

#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

enum { VARINT_MAX = 10 };

static const rowtide__chunk_state first_state = {.table = UINT32_MAX,
                                                 .site = UINT32_MAX,
                                                 .sequence = -1,
                                                 .column_version = 1};

void rowtide__chunk_writer_init(rowtide__chunk_writer *writer)
{
    memset(writer, 0, sizeof *writer);
    writer->state = first_state;
    writer->chunk.least = INT64_MAX;
    writer->chunk.greatest = INT64_MIN;
}

void rowtide__chunk_writer_dispose(rowtide__chunk_writer *writer)
{
    rowtide_buffer_dispose(&writer->body);
    rowtide_buffer_dispose(&writer->deflated);
    rowtide_buffer_dispose(&writer->key);
    rowtide__dictionary_dispose(&writer->tables);
    rowtide__dictionary_dispose(&writer->columns);
    rowtide__dictionary_dispose(&writer->sites);
    rowtide__deflate_free(writer->deflate);
    memset(writer, 0, sizeof *writer);
}

void rowtide__chunk_writer_next(rowtide__chunk_writer *writer)
{
    rowtide__buffer_clear(&writer->body);
    rowtide__buffer_clear(&writer->key);
    rowtide__dictionary_clear(&writer->tables);
    rowtide__dictionary_clear(&writer->columns);
    rowtide__dictionary_clear(&writer->sites);
    writer->state = first_state;
    writer->chunk = (rowtide__payload_chunk){
        .number = writer->chunk.number + 1,
        .least = INT64_MAX,
        .greatest = INT64_MIN,
    };
}

/* ## Small pieces */

/* Differences wrap around, so that any two numbers have one. */
static uint64_t difference(int64_t number, int64_t before)
{
    return rowtide__zigzag((int64_t)((uint64_t)number - (uint64_t)before));
}

static int put_number(rowtide_buffer *body, uint64_t number)
{
    int rc = rowtide__buffer_reserve(body, VARINT_MAX);
    if (rc != ROWTIDE_OK)
        return rc;
    body->size += (size_t)rowtide__varint_put(
        (unsigned char *)body->data + body->size, number);
    return ROWTIDE_OK;
}

static int put_bytes(rowtide_buffer *body, const void *data, size_t size)
{
    int rc = put_number(body, size);
    return rc == ROWTIDE_OK ? rowtide__buffer_append(body, data, size) : rc;
}

/* A reference, and the name itself the first time. */
static int put_name(rowtide_buffer *body, rowtide__dictionary *names,
                    const char *name, uint32_t *number)
{
    uint32_t count = names->count;
    size_t size = strlen(name) + 1;
    int rc = rowtide__dictionary_find(names, name, size, number);
    if (rc == ROWTIDE_OK)
        rc = put_number(body, *number);
    if (rc == ROWTIDE_OK && *number == count)
        rc = rowtide__buffer_append(body, name, size);
    return rc;
}

static int put_real(rowtide_buffer *body, double real)
{
    unsigned char bytes[8];
    uint64_t bits;
    memcpy(&bits, &real, sizeof bits);
    for (int i = 7; i >= 0; i--, bits >>= 8)
        bytes[i] = (unsigned char)bits;
    return rowtide__buffer_append(body, bytes, sizeof bytes);
}

static int put_value(rowtide_buffer *body, const rowtide_value *value)
{
    switch (value->type) {
    case ROWTIDE_INTEGER:
        return put_number(body, rowtide__zigzag(value->integer));
    case ROWTIDE_REAL:
        return put_real(body, value->real);
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        return put_bytes(body, value->data, value->size);
    default:
        return ROWTIDE_OK;
    }
}

/* ## A change */

static int is_same_row(const rowtide__chunk_writer *writer,
                       const rowtide_crdt_change *change, uint32_t table)
{
    return table == writer->state.table
           && change->causal_length == writer->state.causal_length
           && change->pk_size == writer->key.size
           && (change->pk_size == 0
               || memcmp(change->pk, writer->key.data, change->pk_size) == 0);
}

static unsigned choose_flags(const rowtide__chunk_writer *writer,
                             const rowtide_crdt_change *change, int same_row,
                             uint32_t site)
{
    const rowtide__chunk_state *state = &writer->state;
    unsigned flags = strcmp(change->column, "-1")
                             || change->value.type != ROWTIDE_NULL
                         ? (unsigned)change->value.type
                         : 0;
    if (!same_row)
        flags |= ROWTIDE__CHANGE_ROW;
    if (change->db_version != state->db_version)
        flags |= ROWTIDE__CHANGE_DB_VERSION;
    if (difference(change->sequence, state->sequence) != rowtide__zigzag(1))
        flags |= ROWTIDE__CHANGE_SEQUENCE;
    if (site != state->site)
        flags |= ROWTIDE__CHANGE_SITE;
    if (change->column_version != state->column_version)
        flags |= ROWTIDE__CHANGE_COLUMN_VERSION;
    return flags;
}

static int put_row(rowtide__chunk_writer *writer,
                   const rowtide_crdt_change *change)
{
    uint32_t number;
    int rc = put_name(&writer->body, &writer->tables, change->table, &number);
    if (rc == ROWTIDE_OK)
        rc = put_bytes(&writer->body, change->pk, change->pk_size);
    if (rc == ROWTIDE_OK)
        rc = put_number(&writer->body, rowtide__zigzag(change->causal_length));
    if (rc != ROWTIDE_OK)
        return rc;
    writer->state.table = number;
    writer->state.causal_length = change->causal_length;
    rowtide__buffer_clear(&writer->key);
    return rowtide__buffer_append(&writer->key, change->pk, change->pk_size);
}

static int put_site(rowtide__chunk_writer *writer,
                    const rowtide_crdt_change *change, uint32_t number,
                    int is_new)
{
    int rc = put_number(&writer->body, number);
    writer->state.site = number;
    if (rc == ROWTIDE_OK && is_new)
        rc = put_bytes(&writer->body, change->site_id, change->site_id_size);
    return rc;
}

static int put_flagged(rowtide__chunk_writer *writer,
                       const rowtide_crdt_change *change, unsigned flags,
                       uint32_t site, int is_new)
{
    rowtide__chunk_state *state = &writer->state;
    rowtide_buffer *body = &writer->body;
    int rc = rowtide__buffer_append_byte(body, (int)flags);
    if (rc == ROWTIDE_OK && flags & ROWTIDE__CHANGE_ROW)
        rc = put_row(writer, change);
    if (rc == ROWTIDE_OK && flags & ROWTIDE__CHANGE_DB_VERSION)
        rc = put_number(body,
                        difference(change->db_version, state->db_version));
    if (rc == ROWTIDE_OK && flags & ROWTIDE__CHANGE_SEQUENCE)
        rc = put_number(body, difference(change->sequence, state->sequence));
    if (rc == ROWTIDE_OK && flags & ROWTIDE__CHANGE_SITE)
        rc = put_site(writer, change, site, is_new);
    if (rc == ROWTIDE_OK && flags & ROWTIDE__CHANGE_COLUMN_VERSION)
        rc = put_number(body, rowtide__zigzag(change->column_version));
    state->db_version = change->db_version;
    state->sequence = change->sequence;
    state->column_version = change->column_version;
    return rc;
}

static int put_change(rowtide__chunk_writer *writer,
                      const rowtide_crdt_change *change)
{
    uint32_t site, table = UINT32_MAX, column, sites = writer->sites.count;
    int same_row = 0;
    int rc = rowtide__dictionary_find(&writer->sites, change->site_id,
                                      change->site_id_size, &site);
    if (rc != ROWTIDE_OK)
        return rc;
    if (writer->chunk.count
        && rowtide__dictionary_knows(&writer->tables, change->table,
                                     strlen(change->table) + 1, &table))
        same_row = is_same_row(writer, change, table);
    unsigned flags = choose_flags(writer, change, same_row, site);
    rc = put_flagged(writer, change, flags, site, site == sites);
    if (rc == ROWTIDE_OK && flags & ROWTIDE__CHANGE_TYPE)
        rc = put_name(&writer->body, &writer->columns, change->column, &column);
    if (rc == ROWTIDE_OK && flags & ROWTIDE__CHANGE_TYPE)
        rc = put_value(&writer->body, &change->value);
    return rc;
}

int rowtide__chunk_writer_add(rowtide__chunk_writer *writer,
                              const rowtide_crdt_change *change)
{
    rowtide__payload_chunk *chunk = &writer->chunk;
    int rc = put_change(writer, change);
    if (rc != ROWTIDE_OK)
        return rc;
    if (writer->body.size > UINT32_MAX || chunk->count == UINT32_MAX)
        return rowtide__fail(ROWTIDE_ETOOBIG,
                             "payload: table \"%s\": a change is too large",
                             change->table);
    chunk->count++;
    if (change->db_version < chunk->least)
        chunk->least = change->db_version;
    if (change->db_version > chunk->greatest)
        chunk->greatest = change->db_version;
    return ROWTIDE_OK;
}

/* A reader takes nothing that grows beyond all measure. */
static int may_deflate(size_t size, size_t deflated)
{
    return size <= ROWTIDE__PAYLOAD_EXPANSION
           || size / ROWTIDE__PAYLOAD_RATIO < deflated;
}

int rowtide__chunk_writer_finish(rowtide__chunk_writer *writer,
                                 const void **data)
{
    rowtide_buffer *body = &writer->body, *best = body;
    int rc = rowtide__deflate(&writer->deflate, body->data, body->size,
                              &writer->deflated);
    if (rc < 0)
        return rc;
    if (rc == ROWTIDE_OK && may_deflate(body->size, writer->deflated.size))
        best = &writer->deflated;
    writer->chunk.method = best == body ? ROWTIDE__PAYLOAD_STORED
                                        : ROWTIDE__PAYLOAD_DEFLATED;
    writer->chunk.size = (uint32_t)body->size;
    writer->chunk.stored = (uint32_t)best->size;
    writer->chunk.checksum = rowtide__payload_checksum(0, body->data,
                                                       body->size);
    *data = best->data;
    return ROWTIDE_OK;
}
