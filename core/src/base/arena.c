#include "base/arena.h"
#include "base/alloc.h"
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum { FIRST_BLOCK = 4 * 1024, LARGEST_BLOCK = 1024 * 1024, ALIGNMENT = 8 };

typedef struct rowtide__arena_block {
    struct rowtide__arena_block *next;
    size_t used, size; /* of the bytes behind this header */
} rowtide__arena_block;

static rowtide__arena_block *add_block(rowtide__arena *arena, size_t least)
{
    size_t size = arena->next_size ? arena->next_size : FIRST_BLOCK;
    if (size < least)
        size = least;
    if (size > SIZE_MAX - sizeof(rowtide__arena_block)) {
        rowtide__nomem();
        return NULL;
    }
    rowtide__arena_block *block = rowtide__alloc(sizeof *block + size);
    if (!block)
        return NULL;
    block->used = 0;
    block->size = size;
    block->next = arena->blocks;
    arena->blocks = block;
    if (size < LARGEST_BLOCK)
        arena->next_size = size * 2;
    return block;
}

void *rowtide__arena_alloc(rowtide__arena *arena, size_t size)
{
    rowtide__arena_block *block = arena->blocks;
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (!block || block->size - block->used < size)
        block = add_block(arena, size);
    if (!block)
        return NULL;
    char *memory = (char *)(block + 1) + block->used;
    block->used += size;
    return memory;
}

char *rowtide__arena_format(rowtide__arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = NULL;
    if (length < 0)
        rowtide__fail(ROWTIDE_EINTERNAL, "format: %s", format);
    else
        text = rowtide__arena_alloc(arena, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

void rowtide__arena_dispose(rowtide__arena *arena)
{
    while (arena->blocks) {
        rowtide__arena_block *block = arena->blocks;
        arena->blocks = block->next;
        rowtide__free(block);
    }
    arena->next_size = 0;
}
