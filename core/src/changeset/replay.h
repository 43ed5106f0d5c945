#ifndef ROWTIDE_CHANGESET_REPLAY_H
#define ROWTIDE_CHANGESET_REPLAY_H

#include <rowtide/apply.h>

/* Options for applying what was recorded here: what triggers and foreign key
 * actions did is in the changeset, so they stay off, unless the caller leaves
 * out indirect changes because his triggers shall make them again. */
int rowtide__replay_options(const rowtide_apply_options *options, int invert,
                            const char *function, rowtide_apply_options *out);

#endif
