#ifndef ROWTIDE_BASE_MAP_H
#define ROWTIDE_BASE_MAP_H

#include "base/arena.h"

/* Names, without regard to ASCII case as in SQLite, and what they stand for.
 * Begin with {.arena = ...}; the arena keeps the memory. */
typedef struct rowtide__map {
    rowtide__arena *arena;
    struct rowtide__map_place *places;
    size_t count, room;
} rowtide__map;

/* The name is borrowed. A name that is there already gets the new value. */
int rowtide__map_set(rowtide__map *map, const char *name, const void *value);
/* NULL if the name isn't there. */
const void *rowtide__map_get(const rowtide__map *map, const char *name);

#endif
