#include "changeset/tables.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

static unsigned char fold(char letter)
{
    unsigned char byte = (unsigned char)letter;
    return byte >= 'A' && byte <= 'Z' ? (unsigned char)(byte + 32) : byte;
}

static uint32_t hash_name(const char *name, size_t size)
{
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ fold(name[i])) * 16777619u;
    return hash ^ (hash >> 15);
}

static int same_folded(const rowtide__table *table, const char *name,
                       size_t size)
{
    if (table->name_size != size)
        return 0;
    for (size_t i = 0; i < size; i++)
        if (fold(table->name[i]) != fold(name[i]))
            return 0;
    return 1;
}

static rowtide__table *find_in_slot(const rowtide__tables *tables,
                                    const char *name, size_t size, int exact)
{
    if (tables->slot_count == 0)
        return NULL;
    uint32_t hash = hash_name(name, size);
    rowtide__table *found = NULL;
    rowtide__table *table = tables->slots[hash & (tables->slot_count - 1)];
    for (; table; table = table->next) {
        if (table->hash != hash || !same_folded(table, name, size))
            continue;
        if (exact && memcmp(table->name, name, size) == 0)
            return table;
        if (!exact && (!found || table->index < found->index))
            found = table;
    }
    return found;
}

rowtide__table *rowtide__tables_find(const rowtide__tables *tables,
                                     const char *name, size_t name_size)
{
    return find_in_slot(tables, name, name_size, 1);
}

rowtide__table *rowtide__tables_find_folded(const rowtide__tables *tables,
                                            const char *name, size_t name_size)
{
    return find_in_slot(tables, name, name_size, 0);
}

int rowtide__table_same_shape(const rowtide__table *a, const rowtide__table *b)
{
    return a->column_count == b->column_count
           && memcmp(a->primary_key, b->primary_key, (size_t)a->column_count)
                  == 0;
}

static int grow_slots(rowtide__tables *tables)
{
    size_t slot_count = tables->slot_count ? tables->slot_count * 2 : 16;
    rowtide__table **slots = rowtide__alloc_array(slot_count, sizeof *slots);
    if (!slots)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; i < tables->count; i++) {
        rowtide__table *table = tables->items[i];
        rowtide__table **slot = &slots[table->hash & (slot_count - 1)];
        table->next = *slot;
        *slot = table;
    }
    rowtide__free(tables->slots);
    tables->slots = slots;
    tables->slot_count = slot_count;
    return ROWTIDE_OK;
}

static int make_room(rowtide__tables *tables)
{
    int rc = rowtide__grow(&tables->items, &tables->capacity, tables->count + 1,
                           sizeof *tables->items);
    if (rc != ROWTIDE_OK || tables->count < tables->slot_count)
        return rc;
    return grow_slots(tables);
}

static int count_key(const rowtide__table *shape)
{
    int count = 0;
    for (int i = 0; i < shape->column_count; i++)
        count += shape->primary_key[i] != 0;
    return count;
}

/* One piece of memory: the struct, the key's columns, the key bytes, the
 * name. */
static rowtide__table *copy_shape(const rowtide__table *shape)
{
    size_t columns = (size_t)shape->column_count;
    int key_count = count_key(shape);
    size_t key_size = (size_t)key_count * sizeof(uint16_t);
    rowtide__table *table = rowtide__alloc_zero(
        sizeof *table + key_size + columns + shape->name_size + 1);
    if (!table)
        return NULL;
    uint16_t *key_columns = (uint16_t *)(table + 1);
    unsigned char *primary_key = (unsigned char *)key_columns + key_size;
    char *name = (char *)primary_key + columns;
    memcpy(primary_key, shape->primary_key, columns);
    memcpy(name, shape->name, shape->name_size);
    for (int i = 0, at = 0; i < shape->column_count; i++)
        if (primary_key[i])
            key_columns[at++] = (uint16_t)i;
    table->name = name;
    table->name_size = shape->name_size;
    table->primary_key = primary_key;
    table->key_columns = key_columns;
    table->column_count = shape->column_count;
    table->key_count = key_count;
    return table;
}

int rowtide__tables_add(rowtide__tables *tables, const rowtide__table *shape,
                        rowtide__table **out)
{
    const rowtide__table *alike = rowtide__tables_find_folded(
        tables, shape->name, shape->name_size);
    if (alike && !rowtide__table_same_shape(alike, shape))
        return ROWTIDE__TABLE_DIFFERS;
    if (alike) {
        *out = rowtide__tables_find(tables, shape->name, shape->name_size);
        if (*out)
            return ROWTIDE_OK;
    }
    if (make_room(tables) != ROWTIDE_OK)
        return ROWTIDE_ENOMEM;
    rowtide__table *table = copy_shape(shape);
    if (!table)
        return ROWTIDE_ENOMEM;
    table->hash = hash_name(table->name, table->name_size);
    rowtide__table **slot =
        &tables->slots[table->hash & (tables->slot_count - 1)];
    table->next = *slot;
    *slot = table;
    table->index = tables->count;
    tables->items[tables->count++] = table;
    *out = table;
    return ROWTIDE_OK;
}

void rowtide__tables_dispose(rowtide__tables *tables)
{
    for (size_t i = 0; i < tables->count; i++)
        rowtide__free(tables->items[i]);
    rowtide__free(tables->items);
    rowtide__free(tables->slots);
    *tables = (rowtide__tables){NULL, 0, 0, NULL, 0};
}
