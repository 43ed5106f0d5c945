#ifndef ROWTIDE_CLI_CRDT_H
#define ROWTIDE_CLI_CRDT_H

#include "cli.h"

int cli_open_crdt(cli_run *cli, const char *path, rowtide_db **out);
/* What a merge did: a line, or with --json an object without a line break.
 * `database` may be NULL. */
void cli_print_merged(cli_run *cli, const char *database,
                      const rowtide_crdt_report *report);

void cli_print_hex(FILE *out, const void *data, size_t size);
/* 1 if it is UTF-8 without NUL. */
int cli_is_text(const void *data, size_t size);
/* Bytes of hexadecimal digits, into at least half as many; -1 if they are
 * none. */
long cli_read_hex(const char *digits, size_t length, unsigned char *out);

/* ## Changes as lines of JSON (crdt_json_write.c, crdt_json_read.c) */

int cli_print_change(FILE *out, const rowtide_crdt_change *change);

typedef struct cli_change_reader {
    rowtide_db *db;
    rowtide_stmt *stmt;
    rowtide_crdt_change change; /* the last one that was read */
    void *owned[8];             /* what it points into */
    int owned_count;
} cli_change_reader;

/* Each returns a status of the library. */
int cli_change_reader_open(cli_change_reader *reader);
int cli_change_reader_read(cli_change_reader *reader, const char *line,
                           size_t length);
void cli_change_reader_close(cli_change_reader *reader);

#endif
