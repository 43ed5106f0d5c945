#include "schema/model.h"
#include "base/error.h"

#include <string.h>

/* One place more than `capacity`, for the NULL. */
static int grow(rowtide__list *list)
{
    size_t capacity = list->capacity ? list->capacity * 2 : 4;
    const void **items = rowtide__arena_alloc(list->arena,
                                              (capacity + 1) * sizeof *items);
    if (!items)
        return ROWTIDE_ENOMEM;
    if (list->count > 0)
        memcpy(items, list->items, list->count * sizeof *items);
    list->items = items;
    list->capacity = capacity;
    return ROWTIDE_OK;
}

int rowtide__list_add(rowtide__list *list, const void *item)
{
    if (list->count == list->capacity && grow(list) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    list->items[list->count++] = item;
    return ROWTIDE_OK;
}

const void *const *rowtide__list_finish(rowtide__list *list)
{
    static const void *const nothing[] = {NULL};
    if (list->count == 0)
        return nothing;
    list->items[list->count] = NULL;
    return list->items;
}
