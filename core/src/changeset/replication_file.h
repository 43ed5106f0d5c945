#ifndef ROWTIDE_CHANGESET_REPLICATION_FILE_H
#define ROWTIDE_CHANGESET_REPLICATION_FILE_H

#include <rowtide/stream.h>

/* ## The directory and its files; docs/replication.md has every byte */

enum {
    ROWTIDE__STREAM_ID_SIZE = 16,
    ROWTIDE__ENVELOPE_SIZE = 64 /* in front of the changeset */
};

typedef struct rowtide__envelope {
    unsigned char stream[ROWTIDE__STREAM_ID_SIZE];
    int64_t number;
    uint64_t size;     /* of the changeset */
    uint64_t checksum; /* of the changeset */
} rowtide__envelope;

/* `directory` from the root, so that the process may change its own. */
int rowtide__outbox_absolute(const char *directory, rowtide_buffer *out);

/* Where number `number` lies. */
int rowtide__outbox_path(const char *directory, int64_t number,
                         rowtide_buffer *out);

/* Make the directory unless it is there. */
int rowtide__outbox_make(const char *directory);
/* ROWTIDE_ENOTFOUND unless it is a directory. */
int rowtide__outbox_check(const char *directory);

/* Read whose directory it is. ROWTIDE_DONE if it is nobody's yet. */
int rowtide__outbox_read_stream(const char *directory, unsigned char *stream);
/* Make it the directory of a stream; ROWTIDE_EEXISTS if it is another's. */
int rowtide__outbox_claim(const char *directory, const unsigned char *stream);

/* 1 if the file of that number is there, 0 if not, or an error. */
int rowtide__outbox_has(const char *directory, int64_t number);
/* The lowest number above `number` that is there, 0 if there is none. */
int rowtide__outbox_next(const char *directory, int64_t number, int64_t *out);

/* Write a file so that it is there complete or not at all, also after a loss
 * of power. One that is there with the same content is fine; with another it
 * is ROWTIDE_EEXISTS and stays. */
int rowtide__outbox_write(const char *directory, const unsigned char *stream,
                          int64_t number, const void *data, size_t size);

/* ## Reading one file */

typedef struct rowtide__inbox_file {
    int fd;
    rowtide_buffer path;
    rowtide__envelope envelope;
    uint64_t left; /* of the changeset, while it is read */
} rowtide__inbox_file;

/* Open and check all of it: magic, number, size, checksums. ROWTIDE_DONE if it
 * is not there. */
int rowtide__inbox_open(const char *directory, int64_t number,
                        rowtide__inbox_file *out);
/* A rowtide_read_cb with the file as its user: gives the changeset. */
int rowtide__inbox_read(void *data, size_t *size, void *user);
void rowtide__inbox_close(rowtide__inbox_file *file);

#endif
