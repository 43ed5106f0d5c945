#include "schema/model.h"
#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

static size_t hash_name(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name; name++) {
        unsigned char c = (unsigned char)*name;
        if (c >= 'A' && c <= 'Z')
            c = (unsigned char)(c + ('a' - 'A'));
        hash = (hash ^ c) * 16777619u;
    }
    return hash;
}

int rowtide__schema_reserve(rowtide_schema *schema, size_t count)
{
    size_t room = 8;
    while (room < count * 2)
        room *= 2;
    size_t size = room * sizeof *schema->entries;
    schema->entries = rowtide__arena_alloc(&schema->arena, size);
    if (!schema->entries)
        return ROWTIDE_ENOMEM;
    memset(schema->entries, 0, size);
    schema->entry_room = room;
    return ROWTIDE_OK;
}

rowtide__entry *rowtide__schema_entry(const rowtide_schema *schema,
                                      const char *name)
{
    size_t mask = schema->entry_room - 1;
    size_t at = hash_name(name) & mask;
    for (size_t i = 0; i < schema->entry_room; i++) {
        rowtide__entry *entry = &schema->entries[(at + i) & mask];
        if (!entry->name || rowtide__name_equal(entry->name, name))
            return entry;
    }
    return NULL;
}

const rowtide__table *rowtide__schema_table(const rowtide_schema *schema,
                                            const char *name)
{
    const rowtide__entry *entry = rowtide__schema_entry(schema, name);
    return entry ? entry->table : NULL;
}

const rowtide__view *rowtide__schema_view(const rowtide_schema *schema,
                                          const char *name)
{
    const rowtide__entry *entry = rowtide__schema_entry(schema, name);
    return entry ? entry->view : NULL;
}

const rowtide_schema_column *
rowtide__table_column(const rowtide_schema_table *table, const char *name)
{
    for (size_t i = 0; table->columns[i]; i++)
        if (rowtide__name_equal(table->columns[i]->name, name))
            return table->columns[i];
    return NULL;
}

rowtide_schema *rowtide__schema_retain(const rowtide_schema *schema)
{
    /* Nothing of it changes but the count. */
    rowtide_schema *counted = (rowtide_schema *)schema;
    atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
    return counted;
}

void rowtide_schema_free(rowtide_schema *schema)
{
    if (!schema
        || atomic_fetch_sub_explicit(&schema->references, 1,
                                     memory_order_acq_rel)
               != 1)
        return;
    rowtide__arena_dispose(&schema->arena);
    rowtide__free(schema);
}

const rowtide_schema_contents *
rowtide_schema_contents_of(const rowtide_schema *schema)
{
    return schema ? &schema->contents : NULL;
}

const rowtide_schema_table *
rowtide_schema_find_table(const rowtide_schema *schema, const char *table)
{
    const rowtide__table *found = NULL;
    if (schema && table)
        found = rowtide__schema_table(schema, table);
    return found ? &found->view : NULL;
}

int rowtide_schema_json(const rowtide_schema *schema, rowtide_buffer *buf_out)
{
    ROWTIDE__CHECK_ARG(schema, "schema_json");
    return rowtide_shape_json(&rowtide__contents_shape, &schema->contents,
                              buf_out);
}
