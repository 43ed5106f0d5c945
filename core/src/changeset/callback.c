#include "changeset/callback.h"
#include "base/error.h"

#include <time.h>

enum { MS_PER_PROGRESS = 100 };

int rowtide__call_table_filter(rowtide_table_filter_cb filter, void *user,
                               const char *table)
{
    if (!filter)
        return 1;
    rowtide_error_clear();
    int chosen = filter(table, user);
    return chosen < 0 ? rowtide__fail_callback(chosen, "table filter")
                      : chosen != 0;
}

int rowtide__call_progress(rowtide_progress_cb report, void *user,
                           const rowtide_progress *progress)
{
    rowtide_error_clear();
    int rc = report(progress, user);
    if (rc < 0)
        return rowtide__fail_callback(rc, "progress");
    if (rc > 0)
        return rowtide__fail(ROWTIDE_ECANCELLED,
                             "%s: cancelled by its progress callback",
                             progress->phase);
    return ROWTIDE_OK;
}

int64_t rowtide__clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t rowtide__next_progress(void)
{
    return rowtide__clock_ms() + MS_PER_PROGRESS;
}
