#include "changeset/replay.h"

#include "base/error.h"

#include <string.h>

int rowtide__replay_options(const rowtide_apply_options *options, int invert,
                            const char *function, rowtide_apply_options *out)
{
    rowtide_apply_options chosen = ROWTIDE_APPLY_OPTIONS_INIT;
    if (options) {
        ROWTIDE__CHECK_ARG(options->size >= sizeof options->size, function);
        memcpy(&chosen, options,
               options->size < sizeof chosen ? options->size : sizeof chosen);
        chosen.size = sizeof chosen;
    }
    if (chosen.flags & ROWTIDE_APPLY_INVERT)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "%s: which way to apply is not an option here",
                             function);
    if (!(chosen.flags & ROWTIDE_APPLY_SKIP_INDIRECT))
        chosen.flags |= ROWTIDE_APPLY_NO_TRIGGERS | ROWTIDE_APPLY_FK_NO_ACTION;
    if (invert)
        chosen.flags |= ROWTIDE_APPLY_INVERT;
    *out = chosen;
    return ROWTIDE_OK;
}
