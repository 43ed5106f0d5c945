#include "crdt/scan.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* What a group leaves out because it can be told from what came before. */
enum {
    COLUMN_FOLLOWS = 1, /* the last group, or starts at 1 */
    VERSION_ONE = 2,
    SITE_ZERO = 4,
    SAME_DB_VERSION = 8,
    SEQUENCE_ZERO = 16,
    NO_STRIDE = 32,
    STRIDE_IS_COUNT = 64
};

enum { GROUP_BYTES = 1 + 2 * 5 + 4 * 10 + 2 * 10, MAX_COLUMN = 100000 };

int rowtide__varint_put(unsigned char *out, uint64_t number)
{
    int size = 0;
    while (number >= 0x80) {
        out[size++] = (unsigned char)(number | 0x80);
        number >>= 7;
    }
    out[size++] = (unsigned char)number;
    return size;
}

int rowtide__varint_get(const unsigned char *data, size_t size, uint64_t *out)
{
    uint64_t number = 0;
    for (int i = 0; i < 10 && (size_t)i < size; i++) {
        number |= (uint64_t)(data[i] & 0x7f) << (7 * i);
        if (!(data[i] & 0x80)) {
            *out = number;
            return i + 1;
        }
    }
    return 0;
}

uint64_t rowtide__zigzag(int64_t number)
{
    return (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
}

int64_t rowtide__unzigzag(uint64_t number)
{
    return (int64_t)(number >> 1 ^ (number & 1 ? UINT64_MAX : 0));
}

static int group_tag(const rowtide__group *group, int32_t next_column,
                     const rowtide__group *last)
{
    return (group->column == next_column ? COLUMN_FOLLOWS : 0)
           | (group->version == 1 ? VERSION_ONE : 0)
           | (group->site == 0 ? SITE_ZERO : 0)
           | (last && last->db_version == group->db_version ? SAME_DB_VERSION
                                                            : 0)
           | (group->sequence == 0 ? SEQUENCE_ZERO : 0)
           | (group->stride == 0 ? NO_STRIDE : 0)
           | (group->stride == group->count ? STRIDE_IS_COUNT : 0);
}

static int put_group(unsigned char *out, const rowtide__group *group,
                     int32_t next_column, const rowtide__group *last)
{
    int tag = group_tag(group, next_column, last), at = 1;
    out[0] = (unsigned char)tag;
    if (!(tag & COLUMN_FOLLOWS))
        at += rowtide__varint_put(out + at, (uint64_t)group->column);
    at += rowtide__varint_put(out + at, (uint64_t)group->count);
    if (!(tag & VERSION_ONE))
        at += rowtide__varint_put(out + at, rowtide__zigzag(group->version));
    if (!(tag & SITE_ZERO))
        at += rowtide__varint_put(out + at, (uint64_t)group->site);
    if (!(tag & SAME_DB_VERSION))
        at += rowtide__varint_put(out + at, rowtide__zigzag(group->db_version));
    if (!(tag & SEQUENCE_ZERO))
        at += rowtide__varint_put(out + at, rowtide__zigzag(group->sequence));
    if (!(tag & (NO_STRIDE | STRIDE_IS_COUNT)))
        at += rowtide__varint_put(out + at, rowtide__zigzag(group->stride));
    return at;
}

static int has_leaps(const rowtide__group *groups, int count)
{
    for (int i = 0; i < count; i++)
        if (groups[i].leap != 0)
            return 1;
    return 0;
}

int rowtide__clock_encode(rowtide_buffer *out, const rowtide__group *groups,
                          int count, int64_t rows)
{
    int rc = rowtide__buffer_reserve(out, 20 + (size_t)count * GROUP_BYTES);
    if (rc != ROWTIDE_OK)
        return rc;
    unsigned char *data = (unsigned char *)out->data + out->size;
    int at = rowtide__varint_put(data, (uint64_t)count << 1 | (rows > 1));
    int leaps = rows > 1 && has_leaps(groups, count);
    int32_t next_column = 1;
    if (rows > 1)
        at += rowtide__varint_put(data + at,
                                  (uint64_t)rows << 1 | (uint64_t)leaps);
    for (int i = 0; i < count; i++) {
        at += put_group(data + at, &groups[i], next_column,
                        i > 0 ? &groups[i - 1] : NULL);
        if (leaps)
            at += rowtide__varint_put(data + at, (uint64_t)groups[i].leap);
        next_column = groups[i].column + groups[i].count;
    }
    out->size += (size_t)at;
    return ROWTIDE_OK;
}

static int32_t take_small(rowtide__scan *in)
{
    uint64_t number = rowtide__scan_take(in);
    if (number > INT32_MAX)
        in->bad = 1;
    return in->bad ? 0 : (int32_t)number;
}

static void take_group(rowtide__scan *in, rowtide__group *group,
                       int32_t next_column, const rowtide__group *last)
{
    int tag = (int)rowtide__scan_take(in);
    group->column = tag & COLUMN_FOLLOWS ? next_column : take_small(in);
    group->count = take_small(in);
    group->version = tag & VERSION_ONE
                         ? 1
                         : rowtide__unzigzag(rowtide__scan_take(in));
    group->site = tag & SITE_ZERO ? 0 : take_small(in);
    if (tag & SAME_DB_VERSION)
        group->db_version = last ? last->db_version : 0;
    else
        group->db_version = rowtide__unzigzag(rowtide__scan_take(in));
    group->sequence = tag & SEQUENCE_ZERO
                          ? 0
                          : rowtide__unzigzag(rowtide__scan_take(in));
    group->stride = tag & NO_STRIDE ? 0 : group->count;
    if (!(tag & (NO_STRIDE | STRIDE_IS_COUNT)))
        group->stride = rowtide__unzigzag(rowtide__scan_take(in));
    if (group->count < 1 || group->count > MAX_COLUMN
        || group->column > MAX_COLUMN
        || (last && group->column < last->column + last->count))
        in->bad = 1;
}

int rowtide__clock_decode(rowtide__clock *out, int64_t *rows, const void *data,
                          size_t size)
{
    rowtide__scan in = {data, size, 0};
    uint64_t header = rowtide__scan_take(&in);
    uint64_t run = header & 1 ? rowtide__scan_take(&in) : 2;
    rowtide__group *last = NULL;
    *rows = (int64_t)(run >> 1);
    out->count = 0;
    /* A group takes two bytes at least. */
    if (in.bad || header >> 1 > size || *rows < 1)
        return rowtide__fail(ROWTIDE_ECORRUPT, "a stored clock is damaged");
    for (uint64_t i = 0; i < header >> 1 && !in.bad; i++) {
        rowtide__group group;
        memset(&group, 0, sizeof group);
        take_group(&in, &group, last ? last->column + last->count : 1, last);
        if (run & 1)
            group.leap = take_small(&in);
        int rc = rowtide__clock_append(out, &group);
        if (rc != ROWTIDE_OK)
            return rc;
        last = &out->groups[out->count - 1];
    }
    if (in.bad)
        return rowtide__fail(ROWTIDE_ECORRUPT, "a stored clock is damaged");
    return ROWTIDE_OK;
}
