#include "schema/svg.h"
#include "base/error.h"

#include <stdlib.h>
#include <string.h>

/* Layers from left to right: a table is right of all that it refers to. Within
 * a layer tables are sorted so that lines are short; a layer that is too high
 * takes more than one column. What refers to nothing and is not referred to is
 * packed below. */

enum { SWEEPS = 6, PULL_UNIT = 1000 };

typedef struct layout {
    rowtide__picture *picture;
    rowtide__box **sorted; /* the connected ones, layer by layer */
    size_t count;
    size_t *of_table; /* boxes in the order of references */
} layout;

/* ## Layers */

static void raise_layer(const rowtide__picture *picture, size_t box,
                        const int *placed)
{
    for (size_t i = 0; i < picture->line_count; i++) {
        const rowtide__line *line = &picture->lines[i];
        if (line->from != box || !placed[line->to])
            continue;
        size_t least = picture->boxes[line->to].layer + 1;
        if (picture->boxes[box].layer < least)
            picture->boxes[box].layer = least;
    }
}

static size_t box_of(const rowtide__picture *picture,
                     const rowtide_schema_table *table)
{
    size_t i = 0;
    while (picture->boxes[i].table != table)
        i++;
    return i;
}

static int set_layers(rowtide__picture *picture)
{
    const rowtide_schema_table *const *order;
    size_t count = picture->box_count;
    const rowtide_schema_table **tables = rowtide__arena_alloc(
        picture->arena, (count + 1) * sizeof *tables);
    int *placed = rowtide__arena_alloc(picture->arena, count * sizeof *placed);
    if (!tables || !placed)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < count; i++) {
        tables[i] = picture->boxes[i].table;
        placed[i] = 0;
    }
    tables[count] = NULL;
    int rc = rowtide__schema_order(tables, picture->arena, &order);
    for (size_t i = 0; rc == ROWTIDE_OK && i < count; i++) {
        size_t box = box_of(picture, order[i]);
        raise_layer(picture, box, placed);
        placed[box] = 1;
    }
    return rc;
}

/* ## Order within a layer */

static int compare_boxes(const void *a, const void *b)
{
    const rowtide__box *left = *(rowtide__box *const *)a;
    const rowtide__box *right = *(rowtide__box *const *)b;
    if (left->layer != right->layer)
        return left->layer < right->layer ? -1 : 1;
    if (left->pull != right->pull)
        return left->pull < right->pull ? -1 : 1;
    return (left > right) - (left < right);
}

/* Where each box stands among its layer, from 0 to PULL_UNIT. */
static void number_places(layout *it)
{
    for (size_t start = 0, end; start < it->count; start = end) {
        for (end = start; end < it->count
                          && it->sorted[end]->layer == it->sorted[start]->layer;
             end++)
            ;
        for (size_t i = start; i < end; i++)
            it->sorted[i]->place = (2 * (i - start) + 1) * PULL_UNIT
                                   / (2 * (end - start));
    }
}

/* Each box is drawn to the middle of those that it is connected to, on the
 * left or on the right. */
static int set_pulls(layout *it, int leftwards)
{
    const rowtide__picture *picture = it->picture;
    int64_t *counts = rowtide__arena_alloc(picture->arena,
                                           picture->box_count * sizeof *counts);
    if (!counts)
        return ROWTIDE_ENOMEM;
    memset(counts, 0, picture->box_count * sizeof *counts);
    for (size_t i = 0; i < picture->box_count; i++)
        picture->boxes[i].pull = 0;
    for (size_t i = 0; i < picture->line_count; i++) {
        size_t from = picture->lines[i].from, to = picture->lines[i].to;
        size_t moved = leftwards ? from : to, still = leftwards ? to : from;
        if (picture->boxes[from].layer == picture->boxes[to].layer)
            continue;
        picture->boxes[moved].pull += (int64_t)picture->boxes[still].place;
        counts[moved]++;
    }
    for (size_t i = 0; i < picture->box_count; i++) {
        rowtide__box *box = &picture->boxes[i];
        box->pull = counts[i] ? box->pull / counts[i] : (int64_t)box->place;
    }
    return ROWTIDE_OK;
}

static int sort_boxes(layout *it)
{
    rowtide__picture *picture = it->picture;
    it->sorted = rowtide__arena_alloc(
        picture->arena, picture->box_count * sizeof(rowtide__box *));
    if (!it->sorted)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < picture->box_count; i++)
        if (picture->boxes[i].connected)
            it->sorted[it->count++] = &picture->boxes[i];
    qsort(it->sorted, it->count, sizeof(rowtide__box *), compare_boxes);
    number_places(it);
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        int rc = set_pulls(it, sweep % 2 == 0);
        if (rc != ROWTIDE_OK)
            return rc;
        qsort(it->sorted, it->count, sizeof(rowtide__box *), compare_boxes);
        number_places(it);
    }
    return ROWTIDE_OK;
}

/* ## Places */

static int64_t square_root(int64_t number)
{
    int64_t root = 0;
    for (int64_t bit = (int64_t)1 << 30; bit > 0; bit >>= 1)
        if ((root + bit) * (root + bit) <= number)
            root += bit;
    return root;
}

/* So that the picture is somewhat wider than high. */
static int64_t good_height(const layout *it)
{
    int64_t area = 0, tallest = 0;
    for (size_t i = 0; i < it->count; i++) {
        const rowtide__box *box = it->sorted[i];
        area += (box->width + SVG_CHANNEL) * (box->height + SVG_GAP);
        tallest = box->height > tallest ? box->height : tallest;
    }
    int64_t height = square_root(area * 2 / 3);
    return height > tallest ? height : tallest;
}

/* How many boxes from `start` on stand above each other. */
static size_t cut_column(const layout *it, size_t start, int64_t most,
                         int64_t *height, int64_t *width)
{
    size_t i = start;
    *height = *width = 0;
    for (; i < it->count && it->sorted[i]->layer == it->sorted[start]->layer;
         i++) {
        const rowtide__box *box = it->sorted[i];
        int64_t more = box->height + (i > start ? SVG_GAP : 0);
        if (i > start && *height + more > most)
            break;
        *height += more;
        *width = box->width > *width ? box->width : *width;
    }
    return i - start;
}

static void place_column(layout *it, size_t start, size_t count, int64_t x,
                         int64_t y)
{
    for (size_t i = start; i < start + count; i++) {
        rowtide__box *box = it->sorted[i];
        box->x = x;
        box->y = y;
        y += box->height + SVG_GAP;
    }
}

static void place_connected(layout *it)
{
    rowtide__picture *picture = it->picture;
    int64_t most = good_height(it), x = SVG_MARGIN, tallest = 0;
    int64_t height, width;
    for (size_t i = 0; i < it->count;) {
        i += cut_column(it, i, most, &height, &width);
        tallest = height > tallest ? height : tallest;
    }
    for (size_t i = 0, count; i < it->count; i += count) {
        count = cut_column(it, i, most, &height, &width);
        place_column(it, i, count, x, SVG_MARGIN + (tallest - height) / 2);
        x += width + SVG_CHANNEL;
    }
    if (it->count == 0)
        return;
    picture->width = x - SVG_CHANNEL + SVG_GAP + SVG_MARGIN;
    picture->height = tallest + 2 * SVG_MARGIN;
}

/* ## The others, in columns of one width */

static size_t count_columns(const rowtide__picture *picture, int64_t width,
                            size_t count, int64_t area)
{
    int64_t wanted = square_root(area * 3 / 2);
    if (wanted < picture->width - 2 * SVG_MARGIN)
        wanted = picture->width - 2 * SVG_MARGIN;
    size_t columns = (size_t)((wanted + SVG_GAP) / (width + 2 * SVG_GAP));
    if (columns > count)
        columns = count;
    return columns ? columns : 1;
}

static int place_others(rowtide__picture *picture)
{
    int64_t width = 0, area = 0, top = SVG_MARGIN;
    size_t count = 0;
    for (size_t i = 0; i < picture->box_count; i++) {
        const rowtide__box *box = &picture->boxes[i];
        if (box->connected)
            continue;
        width = box->width > width ? box->width : width;
        area += (box->width + SVG_GAP) * (box->height + SVG_GAP);
        count++;
    }
    if (count == 0)
        return ROWTIDE_OK;
    if (picture->height > 0)
        top = picture->height - SVG_MARGIN + 2 * SVG_GAP;
    size_t columns = count_columns(picture, width, count, area), shortest;
    int64_t *ends = rowtide__arena_alloc(picture->arena,
                                         columns * sizeof *ends);
    if (!ends)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < columns; i++)
        ends[i] = top;
    for (size_t i = 0; i < picture->box_count; i++) {
        rowtide__box *box = &picture->boxes[i];
        if (box->connected)
            continue;
        shortest = 0;
        for (size_t c = 1; c < columns; c++)
            shortest = ends[c] < ends[shortest] ? c : shortest;
        /* References of a table to itself run on its right. */
        box->x = SVG_MARGIN + (int64_t)shortest * (width + 2 * SVG_GAP);
        box->y = ends[shortest];
        ends[shortest] += box->height + SVG_GAP;
        if (picture->height < ends[shortest] - SVG_GAP + SVG_MARGIN)
            picture->height = ends[shortest] - SVG_GAP + SVG_MARGIN;
    }
    int64_t right = 2 * SVG_MARGIN + (int64_t)columns * (width + 2 * SVG_GAP)
                    - SVG_GAP;
    picture->width = right > picture->width ? right : picture->width;
    return ROWTIDE_OK;
}

int rowtide__svg_layout(rowtide__picture *picture)
{
    layout it = {.picture = picture};
    int rc = set_layers(picture);
    if (rc == ROWTIDE_OK)
        rc = sort_boxes(&it);
    if (rc != ROWTIDE_OK)
        return rc;
    place_connected(&it);
    return place_others(picture);
}
