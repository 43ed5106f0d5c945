#ifndef ROWTIDE_CHANGESET_CHANGESET_H
#define ROWTIDE_CHANGESET_CHANGESET_H

#include "changeset/tables.h"

#include <stdatomic.h>

struct rowtide_changeset {
    atomic_size_t references;
    rowtide_buffer bytes;
    int patchset;
    int64_t change_count;
    rowtide__tables tables;
    rowtide__table **changed; /* the ones that have changes, in order */
    int changed_count;
};

/* Make a changeset of bytes that the caller vouches for; the buffer and the
 * tables, with their counts, are taken over on success. */
int rowtide__changeset_make(rowtide_buffer *bytes, int patchset,
                            rowtide__tables *tables, rowtide_changeset **out);

/* Count one more change of a table. */
void rowtide__table_count_change(rowtide__table *table, int kind, int indirect);

#endif
