#include "crdt/enable.h"
#include "base/error.h"

int rowtide__crdt_begin_alter(rowtide__crdt *engine, const char *name)
{
    (void)engine;
    (void)name;
    return rowtide__fail(ROWTIDE_EUNSUPPORTED, "not yet");
}

int rowtide__crdt_commit_alter(rowtide__crdt *engine, const char *name)
{
    (void)engine;
    (void)name;
    return rowtide__fail(ROWTIDE_EUNSUPPORTED, "not yet");
}
