#ifndef ROWTIDE_BASE_ALLOC_H
#define ROWTIDE_BASE_ALLOC_H

#include <rowtide/common.h>

/* Each returns NULL when memory ran out, with the last error set. */
void *rowtide__alloc(size_t size);
void *rowtide__alloc_zero(size_t size);
void *rowtide__alloc_array(size_t count, size_t size); /* zeroed */
void *rowtide__realloc(void *memory, size_t size);
/* Room for `count` items of `size` bytes in the array that *array points to and
 * that has room for *capacity. A status; after ROWTIDE_ENOMEM all is as it
 * was. */
int rowtide__grow(void *array, size_t *capacity, size_t count, size_t size);
char *rowtide__strdup(const char *text);
void *rowtide__memdup(const void *data, size_t size);
void rowtide__free(void *memory);

#endif
