#include "schema/model.h"
#include "base/error.h"

#include <stdlib.h>

/* Tarjan's algorithm, without recursion: a group of tables that refer to each
 * other is complete only when all that it refers to is. */

typedef struct node {
    const rowtide_schema_table *table;
    size_t number, low; /* 0: not seen yet */
    size_t edge;        /* the foreign key that is next */
    size_t caller;
    int waiting;
} node;

typedef struct named {
    const char *name;
    size_t place;
} named;

typedef struct ordering {
    node *nodes;
    named *names;    /* sorted */
    size_t *pending; /* seen, but in no group yet */
    size_t count, pending_count, seen, done;
    const rowtide_schema_table **out;
} ordering;

enum { NOBODY = -1 };

static int compare_names(const void *a, const void *b)
{
    return sqlite3_stricmp(((const named *)a)->name, ((const named *)b)->name);
}

static int compare_places(const void *a, const void *b)
{
    size_t left = *(const size_t *)a, right = *(const size_t *)b;
    return (left > right) - (left < right);
}

static node *find(const ordering *o, const char *name)
{
    named key = {name, 0};
    const named *found = bsearch(&key, o->names, o->count, sizeof *o->names,
                                 compare_names);
    return found ? &o->nodes[found->place] : NULL;
}

static size_t place_of(const ordering *o, const node *n)
{
    return (size_t)(n - o->nodes);
}

static void enter(ordering *o, node *n, size_t caller)
{
    n->number = n->low = ++o->seen;
    n->caller = caller;
    n->waiting = 1;
    o->pending[o->pending_count++] = place_of(o, n);
}

/* Everything pending from `n` on is one group. */
static void finish_group(ordering *o, const node *n)
{
    size_t start = o->pending_count;
    do {
        start--;
        o->nodes[o->pending[start]].waiting = 0;
    } while (o->pending[start] != place_of(o, n));
    qsort(o->pending + start, o->pending_count - start, sizeof *o->pending,
          compare_places);
    for (size_t i = start; i < o->pending_count; i++)
        o->out[o->done++] = o->nodes[o->pending[i]].table;
    o->pending_count = start;
}

static void lower(node *n, size_t low)
{
    if (low < n->low)
        n->low = low;
}

/* The next table that has to be looked at before `n` can be finished. */
static node *next_unseen(ordering *o, node *n)
{
    const rowtide_schema_foreign_key *key;
    while ((key = n->table->foreign_keys[n->edge]) != NULL) {
        node *other = find(o, key->table);
        if (other && !other->number)
            return other;
        if (other && other->waiting)
            lower(n, other->number);
        n->edge++;
    }
    return NULL;
}

static void visit(ordering *o, node *start)
{
    node *n = start;
    enter(o, n, (size_t)NOBODY);
    while (n) {
        node *next = next_unseen(o, n);
        if (next) {
            enter(o, next, place_of(o, n));
            n = next;
            continue;
        }
        node *caller = n->caller == (size_t)NOBODY ? NULL
                                                   : &o->nodes[n->caller];
        if (n->low == n->number)
            finish_group(o, n);
        if (caller)
            lower(caller, n->low);
        n = caller;
    }
}

static int prepare(ordering *o, const rowtide_schema_table *const *tables,
                   rowtide__arena *arena)
{
    while (tables[o->count])
        o->count++;
    o->nodes = rowtide__arena_alloc(arena, o->count * sizeof *o->nodes);
    o->names = rowtide__arena_alloc(arena, o->count * sizeof *o->names);
    o->pending = rowtide__arena_alloc(arena, o->count * sizeof *o->pending);
    o->out = rowtide__arena_alloc(arena, (o->count + 1) * sizeof *o->out);
    if (!o->nodes || !o->names || !o->pending || !o->out)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < o->count; i++) {
        o->nodes[i] = (node){.table = tables[i]};
        o->names[i] = (named){tables[i]->name, i};
    }
    qsort(o->names, o->count, sizeof *o->names, compare_names);
    return ROWTIDE_OK;
}

int rowtide__schema_order(const rowtide_schema_table *const *tables,
                          rowtide__arena *arena,
                          const rowtide_schema_table *const **out)
{
    ordering o = {0};
    *out = NULL;
    int rc = prepare(&o, tables, arena);
    if (rc != ROWTIDE_OK)
        return rc;
    for (size_t i = 0; i < o.count; i++)
        if (!o.nodes[i].number)
            visit(&o, &o.nodes[i]);
    o.out[o.done] = NULL;
    *out = o.out;
    return ROWTIDE_OK;
}
