#ifndef ROWTIDE_CRDT_PAYLOAD_H
#define ROWTIDE_CRDT_PAYLOAD_H

#include <rowtide/buffer.h>
#include <rowtide/crdt.h>

/* Changes as bytes; docs/crdt-payload.md describes every one of them. A head,
 * chunks that each can be read by themselves, an end. */

enum {
    ROWTIDE__PAYLOAD_HEAD = 72,
    ROWTIDE__PAYLOAD_CHUNK = 48,
    ROWTIDE__PAYLOAD_END = 48,
    ROWTIDE__PAYLOAD_FORMAT = 1,

    ROWTIDE__PAYLOAD_COMPLETE = 1, /* flags of the head */
    ROWTIDE__PAYLOAD_EXCLUDES = 2,

    ROWTIDE__PAYLOAD_KIND_CHUNK = 1,
    ROWTIDE__PAYLOAD_KIND_END = 2,

    ROWTIDE__PAYLOAD_STORED = 0,
    ROWTIDE__PAYLOAD_DEFLATED = 1,

    /* Bytes before a chunk is closed. */
    ROWTIDE__PAYLOAD_CHUNK_DEFAULT = 256 * 1024,
    ROWTIDE__PAYLOAD_CHUNK_MAX = 4 * 1024 * 1024,
    /* A deflated chunk is not larger than the first, or than so many times
     * what it was deflated to. */
    ROWTIDE__PAYLOAD_EXPANSION = 8 * 1024 * 1024,
    ROWTIDE__PAYLOAD_RATIO = 16
};

typedef struct rowtide__payload_head {
    unsigned flags;
    unsigned char site[ROWTIDE_SITE_ID_SIZE];    /* who pulled */
    unsigned char exclude[ROWTIDE_SITE_ID_SIZE]; /* if it EXCLUDES */
    int64_t since;
    int64_t acknowledged; /* how far `site` has come in pulling `exclude` */
} rowtide__payload_head;

typedef struct rowtide__payload_chunk {
    uint32_t method;
    uint32_t number; /* from 0 */
    uint32_t count;  /* of changes */
    uint32_t size;   /* of them as bytes */
    uint32_t stored; /* of what follows */
    uint32_t checksum;
    int64_t least, greatest; /* db_version */
} rowtide__payload_chunk;

typedef struct rowtide__payload_end {
    uint32_t chunks;
    int64_t count;
    int64_t until;  /* nothing up to here is missing */
    uint32_t chain; /* checksum of the head and of all that head a chunk */
} rowtide__payload_end;

/* ## api_payload_record.c */

uint32_t rowtide__payload_checksum(uint32_t checksum, const void *data,
                                   size_t size);
void rowtide__payload_put_head(const rowtide__payload_head *head,
                               unsigned char out[ROWTIDE__PAYLOAD_HEAD]);
void rowtide__payload_put_chunk(const rowtide__payload_chunk *chunk,
                                unsigned char out[ROWTIDE__PAYLOAD_CHUNK]);
void rowtide__payload_put_end(const rowtide__payload_end *end,
                              unsigned char out[ROWTIDE__PAYLOAD_END]);
/* `offset` is where the record is in the payload. The kind of the last two
 * has been looked at. */
int rowtide__payload_get_head(const unsigned char in[ROWTIDE__PAYLOAD_HEAD],
                              rowtide__payload_head *out);
int rowtide__payload_get_chunk(const unsigned char in[ROWTIDE__PAYLOAD_CHUNK],
                               int64_t offset, rowtide__payload_chunk *out);
int rowtide__payload_get_end(const unsigned char in[ROWTIDE__PAYLOAD_END],
                             int64_t offset, rowtide__payload_end *out);
/* Of a chunk or an end, whose sizes are the same. */
uint32_t rowtide__payload_kind(const unsigned char *in);

/* ## api_dictionary.c: strings that are written once in a chunk */

typedef struct rowtide__dictionary {
    rowtide_buffer bytes;
    struct rowtide__word *words;
    uint32_t count, capacity;
    uint32_t *slots; /* twice the capacity; 0: none, else word + 1 */
    uint32_t last;
} rowtide__dictionary;

/* 1 if it is there. */
int rowtide__dictionary_knows(rowtide__dictionary *dictionary, const void *data,
                              size_t size, uint32_t *out);
/* The word's number; it is new if that is what `count` was before. */
int rowtide__dictionary_find(rowtide__dictionary *dictionary, const void *data,
                             size_t size, uint32_t *out);
void rowtide__dictionary_clear(rowtide__dictionary *dictionary);
void rowtide__dictionary_dispose(rowtide__dictionary *dictionary);

/* ## api_chunk_write.c */

enum {
    ROWTIDE__CHANGE_ROW = 0x08, /* above the type of the value: what follows */
    ROWTIDE__CHANGE_DB_VERSION = 0x10,
    ROWTIDE__CHANGE_SEQUENCE = 0x20,
    ROWTIDE__CHANGE_SITE = 0x40,
    ROWTIDE__CHANGE_COLUMN_VERSION = 0x80,
    ROWTIDE__CHANGE_TYPE = 0x07 /* 0: the row itself */
};

/* What the next change is written in terms of. */
typedef struct rowtide__chunk_state {
    uint32_t table, site;
    int64_t causal_length, db_version, sequence, column_version;
} rowtide__chunk_state;

typedef struct rowtide__chunk_writer {
    rowtide_buffer body, deflated;
    rowtide_buffer key; /* of the row that was written last */
    rowtide__dictionary tables, columns, sites;
    rowtide__chunk_state state;
    rowtide__payload_chunk chunk;
    void *deflate;
} rowtide__chunk_writer;

void rowtide__chunk_writer_init(rowtide__chunk_writer *writer);
void rowtide__chunk_writer_dispose(rowtide__chunk_writer *writer);
int rowtide__chunk_writer_add(rowtide__chunk_writer *writer,
                              const rowtide_crdt_change *change);
/* The bytes behind the record that `chunk` is filled for. Borrowed until the
 * next call of rowtide__chunk_writer_next(). */
int rowtide__chunk_writer_finish(rowtide__chunk_writer *writer,
                                 const void **data);
/* Begin the next chunk. */
void rowtide__chunk_writer_next(rowtide__chunk_writer *writer);

/* ## api_chunk_read.c */

typedef struct rowtide__span {
    const void *data;
    size_t size;
} rowtide__span;

typedef struct rowtide__words {
    rowtide__span *words;
    uint32_t count, capacity;
} rowtide__words;

typedef struct rowtide__chunk_reader {
    rowtide_buffer body;
    rowtide__words tables, columns, sites;
    rowtide__chunk_state state;
    rowtide__span key;
    rowtide__payload_chunk chunk;
    int64_t offset; /* of the chunk in the payload */
    const unsigned char *at, *end;
    uint32_t read; /* changes */
    int64_t least, greatest;
    void *inflate;
} rowtide__chunk_reader;

void rowtide__chunk_reader_init(rowtide__chunk_reader *reader);
void rowtide__chunk_reader_dispose(rowtide__chunk_reader *reader);
/* Unpack what followed the record of a chunk at `offset`, which is `stored`.
 * Takes the bytes of a chunk that is not deflated out of the buffer. */
int rowtide__chunk_reader_open(rowtide__chunk_reader *reader,
                               const rowtide__payload_chunk *chunk,
                               int64_t offset, rowtide_buffer *stored);
/* ROWTIDE_DONE at the end. The change is valid until the next open. */
int rowtide__chunk_reader_next(rowtide__chunk_reader *reader,
                               rowtide_crdt_change *change);

#endif
