#include "crdt/engine.h"

int rowtide__crdt_add_automigrate(rowtide__crdt *engine)
{
    (void)engine;
    return ROWTIDE_OK;
}
