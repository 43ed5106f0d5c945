#include "crdt/tail.h"
#include "base/buffer.h"
#include "base/error.h"

#include <string.h>

/* A record: its db_version, less that of the record before, which may be of
 * the same transaction if the rows are others; the number of its
 * entries; the entries. An entry: a tag; the table and the row, the row less
 * that of the entry before; the size of a clock; the clock as it is stored,
 * its db_versions less that of the record; for each row, if any of the keys is
 * new, the size of its key, 0 if it is not new, and the key. */
enum { SAME_TABLE = 1, ROW_FOLLOWS = 2, WHOLE = 4, NEW_KEYS = 8 };

/* ## Reading */

int rowtide__tail_fail_damaged(void)
{
    return rowtide__fail(ROWTIDE_ECORRUPT, "the tail of the log is damaged");
}

int rowtide__tail_fail_blob(const rowtide__crdt *engine)
{
    return sqlite3_errcode(engine->sqlite) == SQLITE_NOMEM
               ? rowtide__nomem()
               : rowtide__tail_fail_damaged();
}

static void take_record(rowtide__tail_scan *scan)
{
    rowtide__tail_entry *entry = &scan->entry;
    uint64_t more = rowtide__scan_take(&scan->in);
    scan->left = rowtide__scan_take(&scan->in);
    if ((more == 0 && entry->db_version == 0)
        || more > (uint64_t)ROWTIDE__GREATEST_VERSION || scan->left == 0)
        scan->in.bad = 1;
    else
        entry->db_version += (int64_t)more;
    if (entry->db_version > ROWTIDE__GREATEST_VERSION)
        scan->in.bad = 1;
    entry->table = entry->row = 0;
    entry->rows = 1;
}

static int take_place(rowtide__tail_scan *scan)
{
    rowtide__tail_entry *entry = &scan->entry;
    uint64_t tag = rowtide__scan_take(&scan->in);
    entry->whole = (tag & WHOLE) != 0;
    if (!(tag & SAME_TABLE))
        entry->table = (int64_t)rowtide__scan_take(&scan->in);
    if (tag & ROW_FOLLOWS)
        entry->row = rowtide__plus(entry->row, entry->rows);
    else
        entry->row = rowtide__plus(
            entry->row, rowtide__unzigzag(rowtide__scan_take(&scan->in)));
    if (entry->table < 1)
        scan->in.bad = 1;
    return (tag & NEW_KEYS) != 0;
}

static void take_keys(rowtide__tail_scan *scan, int new_keys)
{
    for (int64_t i = 0; i < scan->entry.rows && !scan->in.bad; i++) {
        uint64_t size = new_keys ? rowtide__scan_take(&scan->in) : 0;
        if (size > scan->in.size) {
            scan->in.bad = 1;
            return;
        }
        scan->entry.keys[i].data = scan->in.data;
        scan->entry.keys[i].size = (size_t)size;
        scan->in.data += size;
        scan->in.size -= (size_t)size;
    }
}

static int take_clock(rowtide__tail_scan *scan)
{
    rowtide__tail_entry *entry = &scan->entry;
    uint64_t size = rowtide__scan_take(&scan->in);
    if (scan->in.bad || size > scan->in.size)
        return rowtide__tail_fail_damaged();
    int rc = rowtide__clock_decode(&entry->clock, &entry->rows, scan->in.data,
                                   (size_t)size);
    scan->in.data += size;
    scan->in.size -= (size_t)size;
    if (rc != ROWTIDE_OK)
        return rc;
    for (int i = 0; i < entry->clock.count; i++) {
        rowtide__group *group = &entry->clock.groups[i];
        group->db_version = rowtide__plus(group->db_version, entry->db_version);
    }
    if (entry->clock.count == 0 || entry->rows > ROWTIDE__TAIL_ROWS
        || entry->row > INT64_MAX - (entry->rows - 1))
        return rowtide__tail_fail_damaged();
    return ROWTIDE_OK;
}

int rowtide__tail_next(rowtide__tail_scan *scan)
{
    if (scan->left == 0) {
        if (scan->in.size == 0)
            return ROWTIDE_DONE;
        take_record(scan);
    }
    int new_keys = !scan->in.bad && take_place(scan);
    if (scan->in.bad)
        return rowtide__tail_fail_damaged();
    scan->left--;
    int rc = take_clock(scan);
    if (rc != ROWTIDE_OK)
        return rc;
    take_keys(scan, new_keys);
    return scan->in.bad ? rowtide__tail_fail_damaged() : ROWTIDE_OK;
}

void rowtide__tail_scan_dispose(rowtide__tail_scan *scan)
{
    rowtide__clock_dispose(&scan->entry.clock);
}

/* ## Writing */

/* A sentinel that was set may have taken cells away. */
static int is_whole(const rowtide__entry *entry, int64_t known)
{
    if (entry->groups[0].column == ROWTIDE__SENTINEL
        && entry->groups[0].db_version > known)
        return 1;
    for (int i = 0; i < entry->count; i++)
        if (entry->groups[i].db_version <= known)
            return 0;
    return 1;
}

static int pick_groups(rowtide__clock *part, const rowtide__entry *entry,
                       int64_t db_version, int64_t known, int whole)
{
    int rc = ROWTIDE_OK;
    part->count = 0;
    for (int i = 0; i < entry->count && rc == ROWTIDE_OK; i++) {
        rowtide__group group = entry->groups[i];
        if (!whole && group.db_version <= known)
            continue;
        group.db_version = rowtide__minus(group.db_version, db_version);
        rc = rowtide__clock_append(part, &group);
    }
    return rc;
}

/* The size comes before the clock, and is known behind it. */
static int put_clock(rowtide_buffer *out, const rowtide__clock *part,
                     int64_t rows)
{
    enum { SIZE_BYTES = 10 };
    size_t start = out->size;
    unsigned char size[SIZE_BYTES];
    int rc = rowtide__clock_encode(out, part->groups, part->count, rows);
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_reserve(out, SIZE_BYTES);
    if (rc != ROWTIDE_OK)
        return rc;
    size_t bytes = out->size - start;
    size_t more = (size_t)rowtide__varint_put(size, bytes);
    memmove(out->data + start + more, out->data + start, bytes);
    memcpy(out->data + start, size, more);
    out->size += more;
    return ROWTIDE_OK;
}

static int put_entry(rowtide_buffer *out, const rowtide__entry *entry,
                     const rowtide__entry *last, int flags)
{
    int64_t row = last ? last->row : 0;
    int64_t follows = last ? rowtide__plus(row, last->rows) : 1;
    int64_t table = last ? last->table->id : 0;
    int tag = (entry->table->id == table ? SAME_TABLE : 0)
              | (entry->row == follows ? ROW_FOLLOWS : 0) | flags;
    unsigned char bytes[1 + 2 * 10];
    int at = rowtide__varint_put(bytes, (uint64_t)tag);
    if (!(tag & SAME_TABLE))
        at += rowtide__varint_put(bytes + at, (uint64_t)entry->table->id);
    if (!(tag & ROW_FOLLOWS))
        at += rowtide__varint_put(
            bytes + at, rowtide__zigzag(rowtide__minus(entry->row, row)));
    return rowtide__buffer_append(out, bytes, (size_t)at);
}

static int put_record(rowtide_buffer *out, int64_t more, int count)
{
    unsigned char bytes[2 * 10];
    int at = rowtide__varint_put(bytes, (uint64_t)more);
    at += rowtide__varint_put(bytes + at, (uint64_t)count);
    return rowtide__buffer_append(out, bytes, (size_t)at);
}

static int has_new_keys(const rowtide__entry *entry,
                        const rowtide__new_keys *keys)
{
    rowtide__new_key key;
    for (int64_t i = 0; i < entry->rows && !entry->table->integer_key; i++)
        if (rowtide__new_keys_of_row(keys, entry->table, entry->row + i, &key))
            return 1;
    return 0;
}

static int put_keys(rowtide_buffer *out, const rowtide__entry *entry,
                    const rowtide__new_keys *keys)
{
    unsigned char bytes[10];
    int rc = ROWTIDE_OK;
    for (int64_t i = 0; i < entry->rows && rc == ROWTIDE_OK; i++) {
        rowtide__new_key key = {NULL, 0, 0, NULL, 0};
        rowtide__new_keys_of_row(keys, entry->table, entry->row + i, &key);
        int size = rowtide__varint_put(bytes, key.size);
        rc = rowtide__buffer_append(out, bytes, (size_t)size);
        if (rc == ROWTIDE_OK && key.size > 0)
            rc = rowtide__buffer_append(out, key.data, key.size);
    }
    return rc;
}

int rowtide__tail_encode(rowtide_buffer *out, int64_t last, int64_t db_version,
                         int64_t known, const rowtide__entry *entries,
                         int count, const rowtide__new_keys *keys,
                         rowtide__clock *part)
{
    rowtide__buffer_clear(out);
    int rc = put_record(out, db_version - last, count);
    for (int i = 0; i < count && rc == ROWTIDE_OK; i++) {
        const rowtide__entry *entry = &entries[i];
        int whole = is_whole(entry, known);
        int new_keys = has_new_keys(entry, keys);
        rc = put_entry(out, entry, i > 0 ? entry - 1 : NULL,
                       (whole ? WHOLE : 0) | (new_keys ? NEW_KEYS : 0));
        if (rc == ROWTIDE_OK)
            rc = pick_groups(part, entry, db_version, known, whole);
        if (rc == ROWTIDE_OK)
            rc = put_clock(out, part, entry->rows);
        if (rc == ROWTIDE_OK && new_keys)
            rc = put_keys(out, entry, keys);
    }
    return rc;
}
