#ifndef ROWTIDE_CHANGESET_DIFF_H
#define ROWTIDE_CHANGESET_DIFF_H

#include "db/connection.h"
#include "db/table.h"

#include <rowtide/capture.h>

typedef struct rowtide__diff {
    rowtide_db *db;
    const char *from, *to; /* schemas */
    rowtide_diff_options options;
    int patchset;
    rowtide_buffer *out; /* what was found */
    rowtide_sink *sink;  /* where it goes in pieces, or NULL */
    int64_t changes;
    int64_t next_progress; /* milliseconds */
    const char *table;     /* the one in work */
} rowtide__diff;

/* Find what is different in a table that is alike in both. */
int rowtide__diff_table(rowtide__diff *diff, const rowtide__table_info *from,
                        const rowtide__table_info *to);

/* Between rows: hand over what is there, report, stop if told to. */
int rowtide__diff_pause(rowtide__diff *diff);

#endif
