#include "base/alloc.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

static void *libc_allocate(size_t size, void *user)
{
    (void)user;
    return malloc(size);
}

static void *libc_resize(void *memory, size_t size, void *user)
{
    (void)user;
    return realloc(memory, size);
}

static void libc_release(void *memory, void *user)
{
    (void)user;
    free(memory);
}

#define LIBC_ALLOCATOR {libc_allocate, libc_resize, libc_release, NULL}

static rowtide_allocator allocator = LIBC_ALLOCATOR;

int rowtide_set_allocator(const rowtide_allocator *replacement)
{
    static const rowtide_allocator libc_allocator = LIBC_ALLOCATOR;
    if (!replacement)
        replacement = &libc_allocator;
    if (!replacement->allocate || !replacement->resize || !replacement->release)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "allocator: a function is missing");
    allocator = *replacement;
    return ROWTIDE_OK;
}

static void *or_nomem(void *memory)
{
    if (!memory)
        rowtide__nomem();
    return memory;
}

/* malloc(0) may be NULL, which would look like failure. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *rowtide__alloc(size_t size)
{
    return or_nomem(allocator.allocate(at_least_one(size), allocator.user));
}

void *rowtide__alloc_zero(size_t size)
{
    void *memory = rowtide__alloc(size);
    if (memory)
        memset(memory, 0, at_least_one(size));
    return memory;
}

void *rowtide__alloc_array(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size) {
        rowtide__nomem();
        return NULL;
    }
    return rowtide__alloc_zero(count * size);
}

void *rowtide__realloc(void *memory, size_t size)
{
    return or_nomem(
        allocator.resize(memory, at_least_one(size), allocator.user));
}

int rowtide__grow(void *array, size_t *capacity, size_t count, size_t size)
{
    void *items;
    if (count <= *capacity)
        return ROWTIDE_OK;
    size_t wanted = count < 16 ? 16 : count + count / 2;
    if (wanted < count || wanted > SIZE_MAX / size)
        return rowtide__nomem();
    memcpy(&items, array, sizeof items);
    items = rowtide__realloc(items, wanted * size);
    if (!items)
        return ROWTIDE_ENOMEM;
    memcpy(array, &items, sizeof items);
    *capacity = wanted;
    return ROWTIDE_OK;
}

void *rowtide__memdup(const void *data, size_t size)
{
    void *copy = rowtide__alloc(size);
    if (copy && size)
        memcpy(copy, data, size);
    return copy;
}

char *rowtide__strdup(const char *text)
{
    return rowtide__memdup(text, strlen(text) + 1);
}

void rowtide__free(void *memory)
{
    allocator.release(memory, allocator.user);
}
