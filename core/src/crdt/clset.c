#include "crdt/engine.h"

int rowtide__crdt_add_clset(rowtide__crdt *engine)
{
    (void)engine;
    return ROWTIDE_OK;
}
