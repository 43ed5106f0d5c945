#include "base/map.h"
#include "base/error.h"

#include <stdint.h>
#include <string.h>

enum { FIRST_ROOM = 16 };

typedef struct rowtide__map_place {
    const char *name; /* NULL: free */
    const void *value;
} rowtide__map_place;

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static int same_name(const char *a, const char *b)
{
    for (; *a && lower(*a) == lower(*b); a++, b++)
        ;
    return lower(*a) == lower(*b);
}

static size_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *name; name++)
        hash = (hash ^ lower(*name)) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32);
}

/* Where the name is, or where it would be. There is always a free place. */
static rowtide__map_place *find_place(const rowtide__map *map, const char *name)
{
    size_t at = hash_name(name) & (map->room - 1);
    while (map->places[at].name && !same_name(map->places[at].name, name))
        at = (at + 1) & (map->room - 1);
    return &map->places[at];
}

static int grow(rowtide__map *map)
{
    rowtide__map larger = *map;
    larger.room = map->room ? map->room * 2 : FIRST_ROOM;
    size_t size = larger.room * sizeof *larger.places;
    larger.places = rowtide__arena_alloc(map->arena, size);
    if (!larger.places)
        return ROWTIDE_ENOMEM;
    memset(larger.places, 0, size);
    for (size_t i = 0; i < map->room; i++)
        if (map->places[i].name)
            *find_place(&larger, map->places[i].name) = map->places[i];
    *map = larger;
    return ROWTIDE_OK;
}

int rowtide__map_set(rowtide__map *map, const char *name, const void *value)
{
    if (map->count >= map->room / 2 && grow(map) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    rowtide__map_place *place = find_place(map, name);
    map->count += !place->name;
    *place = (rowtide__map_place){place->name ? place->name : name, value};
    return ROWTIDE_OK;
}

const void *rowtide__map_get(const rowtide__map *map, const char *name)
{
    return map->room ? find_place(map, name)->value : NULL;
}
