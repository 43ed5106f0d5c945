#include "crdt/clock.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

void rowtide__clock_dispose(rowtide__clock *clock)
{
    rowtide__free(clock->groups);
    memset(clock, 0, sizeof *clock);
}

static int reserve(rowtide__clock *clock, int count)
{
    if (count <= clock->capacity)
        return ROWTIDE_OK;
    int capacity = count < 4 ? 4 : count + count / 2;
    rowtide__group *groups = rowtide__realloc(
        clock->groups, (size_t)capacity * sizeof *groups);
    if (!groups)
        return ROWTIDE_ENOMEM;
    clock->groups = groups;
    clock->capacity = capacity;
    return ROWTIDE_OK;
}

int rowtide__clock_copy(rowtide__clock *to, const rowtide__group *groups,
                        int count)
{
    int rc = reserve(to, count);
    if (rc != ROWTIDE_OK)
        return rc;
    if (count > 0)
        memcpy(to->groups, groups, (size_t)count * sizeof *groups);
    to->count = count;
    return ROWTIDE_OK;
}

int rowtide__clock_append(rowtide__clock *clock, const rowtide__group *group)
{
    int rc = reserve(clock, clock->count + 1);
    if (rc == ROWTIDE_OK)
        clock->groups[clock->count++] = *group;
    return rc;
}

static int64_t forward(int64_t number, int64_t rows, int64_t step)
{
    return (int64_t)((uint64_t)number + (uint64_t)rows * (uint64_t)step);
}

void rowtide__clock_shift(rowtide__clock *clock, int64_t rows)
{
    for (int i = 0; i < clock->count; i++) {
        rowtide__group *group = &clock->groups[i];
        group->sequence = forward(group->sequence, rows, group->stride);
        group->db_version = forward(group->db_version, rows, group->leap);
    }
}

int rowtide__clock_row(rowtide__clock *to, const rowtide__group *groups,
                       int count, int64_t nth)
{
    int rc = rowtide__clock_copy(to, groups, count);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__clock_shift(to, nth);
    for (int i = 0; i < count; i++)
        to->groups[i].stride = to->groups[i].leap = 0;
    return ROWTIDE_OK;
}

int rowtide__clock_find(const rowtide__clock *clock, int column,
                        rowtide__cell *out)
{
    for (int i = 0; i < clock->count; i++) {
        const rowtide__group *group = &clock->groups[i];
        if (column < group->column)
            return 0;
        if (column >= group->column + group->count)
            continue;
        out->site = group->site;
        out->version = group->version;
        out->db_version = group->db_version;
        out->sequence = group->sequence + (column - group->column);
        return 1;
    }
    return 0;
}

int64_t rowtide__clock_length(const rowtide__clock *clock)
{
    if (clock->count == 0)
        return 0;
    const rowtide__group *first = &clock->groups[0];
    return first->column == ROWTIDE__SENTINEL ? first->version : 1;
}

/* The first `keep` columns of a group, and what comes after `skip`. */
static rowtide__group head_of(const rowtide__group *group, int keep)
{
    rowtide__group head = *group;
    head.count = keep;
    return head;
}

static rowtide__group tail_of(const rowtide__group *group, int skip)
{
    rowtide__group tail = *group;
    tail.column += skip;
    tail.count -= skip;
    tail.sequence += skip;
    return tail;
}

static int replace(rowtide__clock *clock, int from, int to,
                   const rowtide__group *groups, int count)
{
    int more = count - (to - from);
    int rc = reserve(clock, clock->count + more);
    if (rc != ROWTIDE_OK)
        return rc;
    memmove(clock->groups + from + count, clock->groups + to,
            (size_t)(clock->count - to) * sizeof *groups);
    if (count > 0)
        memcpy(clock->groups + from, groups, (size_t)count * sizeof *groups);
    clock->count += more;
    return ROWTIDE_OK;
}

static int continues(const rowtide__group *a, const rowtide__group *b)
{
    return a->column != ROWTIDE__SENTINEL && a->column + a->count == b->column
           && a->version == b->version && a->db_version == b->db_version
           && a->site == b->site && a->sequence + a->count == b->sequence;
}

static void join_with_next(rowtide__clock *clock, int index)
{
    if (index < 0 || index + 1 >= clock->count)
        return;
    rowtide__group *group = &clock->groups[index];
    if (!continues(group, group + 1))
        return;
    group->count += group[1].count;
    replace(clock, index + 1, index + 2, NULL, 0);
}

/* Make room for columns, putting `group` there if it is given. */
static int set_columns(rowtide__clock *clock, int column, int count,
                       const rowtide__group *group)
{
    rowtide__group parts[3] = {{0}};
    int parted = 0, from = 0, at = 0;
    while (from < clock->count
           && clock->groups[from].column + clock->groups[from].count <= column)
        from++;
    int to = from;
    while (to < clock->count && clock->groups[to].column < column + count)
        to++;
    if (from < to && clock->groups[from].column < column)
        parts[parted++] = head_of(&clock->groups[from],
                                  column - clock->groups[from].column);
    at = from + parted;
    if (group)
        parts[parted++] = *group;
    if (from < to) {
        const rowtide__group *last = &clock->groups[to - 1];
        int skip = column + count - last->column;
        if (skip < last->count)
            parts[parted++] = tail_of(last, skip);
    }
    int rc = replace(clock, from, to, parts, parted);
    if (rc != ROWTIDE_OK || !group)
        return rc;
    join_with_next(clock, at);
    join_with_next(clock, at - 1);
    return ROWTIDE_OK;
}

static void set_group(rowtide__group *group, int column, int count,
                      const rowtide__cell *cell)
{
    group->column = column;
    group->count = count;
    group->site = cell->site;
    group->version = cell->version;
    group->db_version = cell->db_version;
    group->sequence = cell->sequence;
    group->stride = group->leap = 0;
}

/* The group that has just these columns, a new one if all others are below
 * them; else NULL. */
static rowtide__group *group_of(rowtide__clock *clock, int column, int count)
{
    int at = clock->count;
    while (at > 0 && clock->groups[at - 1].column >= column)
        at--;
    if (at == clock->capacity)
        return NULL;
    rowtide__group *group = &clock->groups[at];
    if (at < clock->count)
        return group->column == column && group->count == count ? group : NULL;
    if (at > 0 && group[-1].column + group[-1].count > column)
        return NULL;
    clock->count++;
    return group;
}

int rowtide__clock_set_range(rowtide__clock *clock, int column, int count,
                             const rowtide__cell *cell)
{
    if (count <= 0)
        return ROWTIDE_OK;
    /* Most often nothing has to be moved. */
    rowtide__group *found = group_of(clock, column, count), group;
    set_group(found ? found : &group, column, count, cell);
    if (!found)
        return set_columns(clock, column, count, &group);
    join_with_next(clock, (int)(found - clock->groups));
    join_with_next(clock, (int)(found - clock->groups) - 1);
    return ROWTIDE_OK;
}

int rowtide__clock_set(rowtide__clock *clock, int column,
                       const rowtide__cell *cell)
{
    return rowtide__clock_set_range(clock, column, 1, cell);
}

int rowtide__clock_drop(rowtide__clock *clock, int column)
{
    return set_columns(clock, column, 1, NULL);
}

void rowtide__clock_drop_cells(rowtide__clock *clock)
{
    if (clock->count > 0)
        clock->count = clock->groups[0].column == ROWTIDE__SENTINEL;
}

void rowtide__clock_zero_cells(rowtide__clock *clock, int64_t db_version)
{
    for (int i = 0; i < clock->count; i++) {
        if (clock->groups[i].column == ROWTIDE__SENTINEL)
            continue;
        clock->groups[i].version = 0;
        clock->groups[i].db_version = db_version;
    }
}

static int same_cells(const rowtide__group *a, const rowtide__group *b)
{
    return a->column == b->column && a->count == b->count && a->site == b->site
           && a->version == b->version;
}

/* 0 if `rows` steps of one size do not lead from `a` to `b`. */
static int step_between(int64_t a, int64_t b, int64_t rows, int64_t *out)
{
    int64_t apart;
    if (__builtin_sub_overflow(b, a, &apart) || apart % rows != 0)
        return 0;
    *out = apart / rows;
    return *out <= INT32_MAX && *out >= -INT32_MAX;
}

int rowtide__groups_extend(rowtide__group *a, int64_t rows,
                           const rowtide__group *b, int count, int leaps)
{
    int64_t stride, leap;
    for (int i = 0; i < count; i++) {
        if (!same_cells(&a[i], &b[i])
            || !step_between(a[i].sequence, b[i].sequence, rows, &stride)
            || !step_between(a[i].db_version, b[i].db_version, rows, &leap)
            || (rows > 1 && (stride != a[i].stride || leap != a[i].leap)))
            return 0;
        /* The cells of a row come before those of the next. */
        if (leap < 0 || (leap > 0 && !leaps)
            || (leap == 0 && stride < a[i].count))
            return 0;
    }
    for (int i = 0; rows == 1 && i < count; i++) {
        a[i].stride = b[i].sequence - a[i].sequence;
        a[i].leap = b[i].db_version - a[i].db_version;
    }
    return 1;
}
