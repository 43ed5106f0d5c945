#include "crdt/key_order.h"
#include "crdt/local.h"
#include "crdt/pack.h"
#include "base/alloc.h"
#include "base/buffer.h"
#include "base/error.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

typedef rowtide__key_order key_order;
typedef rowtide__ordered_key ordered;

void rowtide__key_order_clear(key_order *order)
{
    order->count = 0;
    rowtide__buffer_clear(&order->bytes);
}

void rowtide__key_order_dispose(key_order *order)
{
    rowtide__free(order->keys);
    rowtide_buffer_dispose(&order->bytes);
    memset(order, 0, sizeof *order);
}

int rowtide__key_order_add(key_order *order, const void *data, size_t size,
                           int64_t number)
{
    ordered key = {0, number, NULL, size};
    int rc = rowtide__grow(&order->keys, &order->capacity, order->count + 1,
                           sizeof *order->keys);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_append(&order->bytes, data, size);
    if (rc == ROWTIDE_OK)
        order->keys[order->count++] = key;
    return rc;
}

/* ## Ranks */

static int have_in_common(const key_order *order, size_t start, size_t end)
{
    const unsigned char *first = order->keys[0].data;
    for (size_t i = 1; i < order->count; i++) {
        const ordered *key = &order->keys[i];
        if (key->size < end
            || memcmp(key->data + start, first + start, end - start) != 0)
            return 0;
    }
    return 1;
}

/* Where the first column begins in which keys differ: the same in each. */
static size_t first_difference(const key_order *order, int columns)
{
    const ordered *first = &order->keys[0];
    rowtide__unpack unpack = {first->data, first->size, 0, columns};
    rowtide_value value;
    size_t start = 0;
    while (unpack.left > 1) {
        rowtide__unpack_next(&unpack, &value);
        if (!have_in_common(order, start, unpack.at))
            break;
        start = unpack.at;
    }
    return start;
}

static rowtide_value value_at(const ordered *key, size_t start)
{
    rowtide__unpack unpack = {key->data, key->size, start, 1};
    rowtide_value value;
    rowtide__unpack_next(&unpack, &value);
    return value;
}

static int is_bytes(const rowtide_value *value)
{
    return value->type == ROWTIDE_TEXT || value->type == ROWTIDE_BLOB;
}

/* How many bytes all values begin with. */
static size_t common_bytes(const key_order *order, size_t start)
{
    rowtide_value first = value_at(&order->keys[0], start);
    const char *data = first.data;
    size_t common = is_bytes(&first) ? first.size : 0;
    for (size_t i = 1; i < order->count && common > 0; i++) {
        rowtide_value value = value_at(&order->keys[i], start);
        const char *other = value.data;
        size_t same = 0;
        while (same < common && is_bytes(&value) && same < value.size
               && other[same] == data[same])
            same++;
        common = same;
    }
    return common;
}

/* Bits that are ordered as the values are: of numbers all, of others the first
 * bytes behind `skip`. */
static uint64_t rank_of(const rowtide_value *value, size_t skip)
{
    const unsigned char *data = value->data;
    const uint64_t sign = (uint64_t)1 << 63;
    uint64_t bits = 0;
    if (value->type == ROWTIDE_INTEGER)
        return (uint64_t)value->integer ^ sign;
    if (value->type == ROWTIDE_REAL) {
        memcpy(&bits, &value->real, sizeof bits);
        return bits & sign ? ~bits : bits | sign;
    }
    for (size_t i = skip; i < skip + sizeof bits; i++)
        bits = bits << 8 | (i < value->size ? data[i] : 0);
    return bits;
}

/* ## Sorting */

static int compare_columns(const ordered *a, const ordered *b)
{
    rowtide__unpack left = {a->data, a->size, 0, INT_MAX};
    rowtide__unpack right = {b->data, b->size, 0, INT_MAX};
    rowtide_value x, y;
    while (left.at < left.size && right.at < right.size) {
        rowtide__unpack_next(&left, &x);
        rowtide__unpack_next(&right, &y);
        int order = rowtide__value_compare(&x, &y);
        if (order)
            return order;
    }
    return 0;
}

static int compare_keys(const void *left, const void *right)
{
    const ordered *a = left, *b = right;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    int order = compare_columns(a, b);
    return order ? order : a->number < b->number ? -1 : a->number > b->number;
}

static size_t digit(const ordered *key, int shift)
{
    return key->rank >> shift & 0xff;
}

/* By one byte of the rank, keeping the order of those that are equal. */
static void distribute(const ordered *from, ordered *to, size_t count,
                       int shift)
{
    size_t places[256] = {0}, place = 0;
    for (size_t i = 0; i < count; i++)
        places[digit(&from[i], shift)]++;
    for (int i = 0; i < 256; i++) {
        size_t size = places[i];
        places[i] = place;
        place += size;
    }
    for (size_t i = 0; i < count; i++)
        to[places[digit(&from[i], shift)]++] = from[i];
}

static uint64_t differing_bits(const key_order *order)
{
    uint64_t bits = 0;
    for (size_t i = 1; i < order->count; i++)
        bits |= order->keys[i].rank ^ order->keys[0].rank;
    return bits;
}

/* Byte by byte, from the lowest: a radix sort. */
static int sort_ranks(key_order *order)
{
    uint64_t bits = differing_bits(order);
    ordered *from = order->keys,
            *to = rowtide__alloc_array(order->capacity, sizeof *to);
    if (!to)
        return ROWTIDE_ENOMEM;
    for (int shift = 0; shift < 64; shift += 8) {
        if ((bits >> shift & 0xff) == 0)
            continue;
        distribute(from, to, order->count, shift);
        ordered *last = from;
        from = to;
        to = last;
    }
    order->keys = from;
    rowtide__free(to);
    return ROWTIDE_OK;
}

static void sort_equal_ranks(key_order *order)
{
    for (size_t i = 0, next; i < order->count; i = next) {
        next = i + 1;
        while (next < order->count
               && order->keys[next].rank == order->keys[i].rank)
            next++;
        if (next > i + 1)
            qsort(order->keys + i, next - i, sizeof *order->keys, compare_keys);
    }
}

void rowtide__key_order_locate(key_order *order)
{
    const unsigned char *data = (const unsigned char *)order->bytes.data;
    for (size_t i = 0; i < order->count; i++) {
        order->keys[i].data = data;
        data += order->keys[i].size;
    }
}

/* Keys often are written in their order. */
static int rank_keys(key_order *order, int columns)
{
    size_t start = first_difference(order, columns);
    size_t skip = common_bytes(order, start);
    int sorted = 1;
    for (size_t i = 0; i < order->count; i++) {
        ordered *key = &order->keys[i];
        rowtide_value value = value_at(key, start);
        key->rank = rank_of(&value, skip);
        sorted = sorted && (i == 0 || compare_keys(key - 1, key) < 0);
    }
    return sorted;
}

int rowtide__key_order_sort(key_order *order, int columns)
{
    rowtide__key_order_locate(order);
    if (order->count < 2 || rank_keys(order, columns))
        return ROWTIDE_OK;
    int rc = sort_ranks(order);
    if (rc == ROWTIDE_OK)
        sort_equal_ranks(order);
    return rc;
}
