#ifndef ROWTIDE_CHANGESET_ENVELOPE_H
#define ROWTIDE_CHANGESET_ENVELOPE_H

#include "changeset/replication_file.h"

/* The bytes in front of a changeset; integers are big-endian. */
void rowtide__envelope_encode(const rowtide__envelope *envelope,
                              unsigned char out[ROWTIDE__ENVELOPE_SIZE]);
/* `path` names the file in messages. */
int rowtide__envelope_decode(const unsigned char in[ROWTIDE__ENVELOPE_SIZE],
                             const char *path, rowtide__envelope *out);

#endif
