#ifndef ROWTIDE_SCHEMA_MERGING_H
#define ROWTIDE_SCHEMA_MERGING_H

#include "db/connection.h"

/* Would the clocks of the table not hear of a change to its columns? They would
 * not if it takes part in merging and is not being altered. This room may not
 * know the other; the names of triggers are all that it goes by. */
int rowtide__merging_blocks(rowtide_db *db, const char *table, int64_t *out);

/* Why, and what to do. */
extern const char rowtide__merging_reason[];

#endif
