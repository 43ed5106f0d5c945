#ifndef ROWTIDE_CHANGESET_CALLBACK_H
#define ROWTIDE_CHANGESET_CALLBACK_H

#include <rowtide/common.h>

/* A callback that fails without a message gets one; what an earlier call left
 * behind is not taken for its own. */

/* 1 or 0 as the filter says, 1 without one, or its error. */
int rowtide__call_table_filter(rowtide_table_filter_cb filter, void *user,
                               const char *table);

/* ROWTIDE_OK to go on, else an error. */
int rowtide__call_progress(rowtide_progress_cb report, void *user,
                           const rowtide_progress *progress);

/* When the next call is due, in the milliseconds of rowtide__clock_ms(). */
int64_t rowtide__next_progress(void);
int64_t rowtide__clock_ms(void);

#endif
