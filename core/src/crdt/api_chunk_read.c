#include "crdt/payload.h"
#include "crdt/api_deflate.h"
#include "crdt/clock.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

void rowtide__chunk_reader_init(rowtide__chunk_reader *reader)
{
    memset(reader, 0, sizeof *reader);
}

void rowtide__chunk_reader_dispose(rowtide__chunk_reader *reader)
{
    rowtide_buffer_dispose(&reader->body);
    rowtide__free(reader->tables.words);
    rowtide__free(reader->columns.words);
    rowtide__free(reader->sites.words);
    rowtide__inflate_free(reader->inflate);
    memset(reader, 0, sizeof *reader);
}

/* ## Opening */

static int fail_chunk(const rowtide__chunk_reader *reader, const char *what)
{
    return rowtide__fail_at(
        ROWTIDE_ECORRUPT, reader->offset, "payload: chunk %lu at byte %lld %s",
        (unsigned long)reader->chunk.number, (long long)reader->offset, what);
}

static int unpack(rowtide__chunk_reader *reader, rowtide_buffer *stored)
{
    const rowtide__payload_chunk *chunk = &reader->chunk;
    if (chunk->method == ROWTIDE__PAYLOAD_STORED) {
        rowtide_buffer body = reader->body;
        reader->body = *stored;
        *stored = body;
        return ROWTIDE_OK;
    }
    int rc = rowtide__inflate(&reader->inflate, stored->data, stored->size,
                              chunk->size, &reader->body);
    return rc == ROWTIDE_DONE
               ? fail_chunk(reader, "does not become what it claims")
               : rc;
}

int rowtide__chunk_reader_open(rowtide__chunk_reader *reader,
                               const rowtide__payload_chunk *chunk,
                               int64_t offset, rowtide_buffer *stored)
{
    reader->chunk = *chunk;
    reader->offset = offset;
    reader->read = 0;
    reader->tables.count = reader->columns.count = reader->sites.count = 0;
    reader->state = (rowtide__chunk_state){.table = UINT32_MAX,
                                           .site = UINT32_MAX,
                                           .sequence = -1,
                                           .column_version = 1};
    reader->least = INT64_MAX;
    reader->greatest = INT64_MIN;
    int rc = unpack(reader, stored);
    if (rc != ROWTIDE_OK)
        return rc;
    if (reader->body.size == 0)
        return fail_chunk(reader, "is empty");
    reader->at = (const unsigned char *)reader->body.data;
    reader->end = reader->at + reader->body.size;
    if (rowtide__payload_checksum(0, reader->body.data, reader->body.size)
        != chunk->checksum)
        return fail_chunk(reader, "has a wrong checksum");
    return ROWTIDE_OK;
}

/* ## Small pieces: each 1, or 0 if the bytes are not what they should be */

static int get_number(rowtide__chunk_reader *reader, uint64_t *out)
{
    if (reader->at < reader->end && *reader->at < 0x80) {
        *out = *reader->at++;
        return 1;
    }
    int size = rowtide__varint_get(reader->at,
                                   (size_t)(reader->end - reader->at), out);
    reader->at += size;
    return size > 0;
}

static int get_signed(rowtide__chunk_reader *reader, int64_t *out)
{
    uint64_t number;
    if (!get_number(reader, &number))
        return 0;
    *out = rowtide__unzigzag(number);
    return 1;
}

static int get_difference(rowtide__chunk_reader *reader, int64_t *number)
{
    int64_t difference;
    if (!get_signed(reader, &difference))
        return 0;
    *number = (int64_t)((uint64_t)*number + (uint64_t)difference);
    return 1;
}

static int get_bytes(rowtide__chunk_reader *reader, rowtide__span *out)
{
    uint64_t size;
    if (!get_number(reader, &size)
        || size > (uint64_t)(reader->end - reader->at))
        return 0;
    out->data = reader->at;
    out->size = (size_t)size;
    reader->at += size;
    return 1;
}

/* With its NUL, which makes it a string where it stands. */
static int get_text(rowtide__chunk_reader *reader, rowtide__span *out)
{
    size_t left = (size_t)(reader->end - reader->at);
    const unsigned char *nul = left ? memchr(reader->at, 0, left) : NULL;
    if (!nul)
        return 0;
    out->data = reader->at;
    out->size = (size_t)(nul - reader->at);
    reader->at = nul + 1;
    return 1;
}

static int add_word(rowtide__words *words, const rowtide__span *word)
{
    if (words->count == words->capacity) {
        uint32_t capacity = words->capacity ? words->capacity * 2 : 16;
        rowtide__span *more = rowtide__realloc(words->words,
                                               capacity * sizeof *more);
        if (!more)
            return ROWTIDE_ENOMEM;
        words->words = more;
        words->capacity = capacity;
    }
    words->words[words->count++] = *word;
    return ROWTIDE_OK;
}

typedef int (*word_getter)(rowtide__chunk_reader *reader, rowtide__span *out);

/* A reference; the next number stands for a word that follows. */
static int get_word(rowtide__chunk_reader *reader, rowtide__words *words,
                    word_getter get, uint32_t *out)
{
    rowtide__span word;
    uint64_t number;
    *out = 0;
    if (!get_number(reader, &number) || number > words->count)
        return fail_chunk(reader, "refers to what it does not have");
    *out = (uint32_t)number;
    if (number < words->count)
        return ROWTIDE_OK;
    if (!get(reader, &word))
        return fail_chunk(reader, "has a name that is cut off");
    return add_word(words, &word);
}

static int get_real(rowtide__chunk_reader *reader, double *out)
{
    uint64_t bits = 0;
    if (reader->end - reader->at < 8)
        return 0;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | *reader->at++;
    memcpy(out, &bits, sizeof bits);
    return 1;
}

static int get_value(rowtide__chunk_reader *reader, rowtide_value *value)
{
    rowtide__span span;
    switch (value->type) {
    case ROWTIDE_INTEGER:
        return get_signed(reader, &value->integer);
    case ROWTIDE_REAL:
        return get_real(reader, &value->real);
    case ROWTIDE_TEXT:
    case ROWTIDE_BLOB:
        if (!get_bytes(reader, &span))
            return 0;
        value->data = span.data;
        value->size = span.size;
        return 1;
    default:
        return 1;
    }
}

/* ## A change */

static int read_row(rowtide__chunk_reader *reader)
{
    int rc = get_word(reader, &reader->tables, get_text, &reader->state.table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!get_bytes(reader, &reader->key)
        || !get_signed(reader, &reader->state.causal_length))
        return fail_chunk(reader, "has a key that is cut off");
    return ROWTIDE_OK;
}

static int read_site(rowtide__chunk_reader *reader)
{
    uint32_t number;
    int rc = get_word(reader, &reader->sites, get_bytes, &number);
    if (rc != ROWTIDE_OK)
        return rc;
    size_t size = reader->sites.words[number].size;
    if (size == 0 || size > ROWTIDE_SITE_ID_SIZE)
        return fail_chunk(reader, "has a site_id of a wrong size");
    reader->state.site = number;
    return ROWTIDE_OK;
}

static int read_flagged(rowtide__chunk_reader *reader, unsigned flags)
{
    rowtide__chunk_state *state = &reader->state;
    int rc = flags & ROWTIDE__CHANGE_ROW ? read_row(reader) : ROWTIDE_OK;
    if (rc != ROWTIDE_OK)
        return rc;
    int good = 1;
    if (flags & ROWTIDE__CHANGE_DB_VERSION)
        good = get_difference(reader, &state->db_version);
    if (good && flags & ROWTIDE__CHANGE_SEQUENCE)
        good = get_difference(reader, &state->sequence);
    else
        state->sequence = (int64_t)((uint64_t)state->sequence + 1);
    if (good && flags & ROWTIDE__CHANGE_SITE)
        rc = read_site(reader);
    if (rc != ROWTIDE_OK)
        return rc;
    if (good && flags & ROWTIDE__CHANGE_COLUMN_VERSION)
        good = get_signed(reader, &state->column_version);
    if (!good)
        return fail_chunk(reader, "has a change that is cut off");
    if (state->table == UINT32_MAX || state->site == UINT32_MAX)
        return fail_chunk(reader, "has a change of nobody or of no row");
    return ROWTIDE_OK;
}

static int read_cell(rowtide__chunk_reader *reader, unsigned type,
                     rowtide_crdt_change *change)
{
    uint32_t column;
    change->column = "-1";
    change->value = rowtide_value_null();
    if (type == 0)
        return ROWTIDE_OK;
    if (type > ROWTIDE_NULL)
        return fail_chunk(reader, "has a value of no type");
    int rc = get_word(reader, &reader->columns, get_text, &column);
    if (rc != ROWTIDE_OK)
        return rc;
    change->column = reader->columns.words[column].data;
    change->value.type = (rowtide_type)type;
    if (!get_value(reader, &change->value))
        return fail_chunk(reader, "has a value that is cut off");
    return ROWTIDE_OK;
}

static int check_version(rowtide__chunk_reader *reader)
{
    int64_t version = reader->state.db_version;
    if (version < reader->chunk.least || version > reader->chunk.greatest)
        return fail_chunk(reader, "has a db_version that it does not claim");
    if (version < reader->least)
        reader->least = version;
    if (version > reader->greatest)
        reader->greatest = version;
    return ROWTIDE_OK;
}

static void fill_change(const rowtide__chunk_reader *reader,
                        rowtide_crdt_change *change)
{
    const rowtide__chunk_state *state = &reader->state;
    const rowtide__span *site = &reader->sites.words[state->site];
    change->table = reader->tables.words[state->table].data;
    change->pk = reader->key.data;
    change->pk_size = reader->key.size;
    change->column_version = state->column_version;
    change->db_version = state->db_version;
    change->site_id = site->data;
    change->site_id_size = site->size;
    change->causal_length = state->causal_length;
    change->sequence = state->sequence;
}

static int read_change(rowtide__chunk_reader *reader,
                       rowtide_crdt_change *change)
{
    if (reader->at == reader->end)
        return fail_chunk(reader, "has fewer changes than it claims");
    unsigned flags = *reader->at++;
    int rc = read_flagged(reader, flags);
    if (rc == ROWTIDE_OK)
        rc = check_version(reader);
    if (rc == ROWTIDE_OK)
        rc = read_cell(reader, flags & ROWTIDE__CHANGE_TYPE, change);
    if (rc == ROWTIDE_OK)
        fill_change(reader, change);
    return rc;
}

static int check_end(const rowtide__chunk_reader *reader)
{
    if (reader->at != reader->end)
        return fail_chunk(reader, "has more bytes than changes");
    if (reader->least != reader->chunk.least
        || reader->greatest != reader->chunk.greatest)
        return fail_chunk(reader, "claims db_versions that it does not have");
    return ROWTIDE_DONE;
}

int rowtide__chunk_reader_next(rowtide__chunk_reader *reader,
                               rowtide_crdt_change *change)
{
    if (reader->read == reader->chunk.count)
        return check_end(reader);
    reader->read++;
    return read_change(reader, change);
}
