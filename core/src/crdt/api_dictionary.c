#include "crdt/payload.h"

#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

struct rowtide__word {
    size_t at;
    size_t size;
};

static uint32_t hash_bytes(const unsigned char *bytes, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    return hash ^ hash >> 15;
}

static int is_word(const rowtide__dictionary *dictionary, uint32_t number,
                   const void *data, size_t size)
{
    const struct rowtide__word *word = &dictionary->words[number];
    return word->size == size
           && (size == 0
               || memcmp(dictionary->bytes.data + word->at, data, size) == 0);
}

/* Where it is, or where it would be put. */
static uint32_t *find_slot(const rowtide__dictionary *dictionary,
                           const void *data, size_t size)
{
    uint32_t mask = dictionary->capacity * 2 - 1;
    uint32_t at = hash_bytes(data, size) & mask;
    while (dictionary->slots[at]
           && !is_word(dictionary, dictionary->slots[at] - 1, data, size))
        at = (at + 1) & mask;
    return &dictionary->slots[at];
}

static int grow(rowtide__dictionary *dictionary)
{
    uint32_t capacity = dictionary->capacity ? dictionary->capacity * 2 : 16;
    uint32_t *slots = rowtide__alloc_array((size_t)capacity * 2, sizeof *slots);
    if (!slots)
        return ROWTIDE_ENOMEM;
    struct rowtide__word *words = rowtide__realloc(dictionary->words,
                                                   capacity * sizeof *words);
    if (!words) {
        rowtide__free(slots);
        return ROWTIDE_ENOMEM;
    }
    rowtide__free(dictionary->slots);
    dictionary->slots = slots;
    dictionary->words = words;
    dictionary->capacity = capacity;
    for (uint32_t i = 0; i < dictionary->count; i++)
        *find_slot(dictionary, dictionary->bytes.data + words[i].at,
                   words[i].size) = i + 1;
    return ROWTIDE_OK;
}

static int add_word(rowtide__dictionary *dictionary, const void *data,
                    size_t size, uint32_t *out)
{
    size_t at = dictionary->bytes.size;
    if (dictionary->count == dictionary->capacity) {
        int rc = grow(dictionary);
        if (rc != ROWTIDE_OK)
            return rc;
    }
    int rc = rowtide__buffer_append(&dictionary->bytes, data, size);
    if (rc != ROWTIDE_OK)
        return rc;
    *find_slot(dictionary, data, size) = dictionary->count + 1;
    dictionary->words[dictionary->count] = (struct rowtide__word){at, size};
    *out = dictionary->last = dictionary->count++;
    return ROWTIDE_OK;
}

int rowtide__dictionary_knows(rowtide__dictionary *dictionary, const void *data,
                              size_t size, uint32_t *out)
{
    if (dictionary->count == 0)
        return 0;
    if (!is_word(dictionary, dictionary->last, data, size)) {
        uint32_t slot = *find_slot(dictionary, data, size);
        if (!slot)
            return 0;
        dictionary->last = slot - 1;
    }
    *out = dictionary->last;
    return 1;
}

int rowtide__dictionary_find(rowtide__dictionary *dictionary, const void *data,
                             size_t size, uint32_t *out)
{
    if (rowtide__dictionary_knows(dictionary, data, size, out))
        return ROWTIDE_OK;
    return add_word(dictionary, data, size, out);
}

void rowtide__dictionary_clear(rowtide__dictionary *dictionary)
{
    if (dictionary->slots)
        memset(dictionary->slots, 0,
               (size_t)dictionary->capacity * 2 * sizeof *dictionary->slots);
    rowtide__buffer_clear(&dictionary->bytes);
    dictionary->count = dictionary->last = 0;
}

void rowtide__dictionary_dispose(rowtide__dictionary *dictionary)
{
    rowtide_buffer_dispose(&dictionary->bytes);
    rowtide__free(dictionary->words);
    rowtide__free(dictionary->slots);
    memset(dictionary, 0, sizeof *dictionary);
}
