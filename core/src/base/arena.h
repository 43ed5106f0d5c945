#ifndef ROWTIDE_BASE_ARENA_H
#define ROWTIDE_BASE_ARENA_H

#include <stddef.h>

/* Memory that is released all at once. */
typedef struct rowtide__arena {
    struct rowtide__arena_block *blocks; /* the newest first */
    size_t next_size;
} rowtide__arena;

/* Aligned for pointers; NULL when memory ran out. */
void *rowtide__arena_alloc(rowtide__arena *arena, size_t size);
/* Text as printf() would write it; NULL when memory ran out. */
char *rowtide__arena_format(rowtide__arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void rowtide__arena_dispose(rowtide__arena *arena);

#endif
