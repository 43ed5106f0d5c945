#include "crdt/read.h"
#include "base/buffer.h"

#include <string.h>

/* A change lasts until the next one is read. What is known of sites and tables
 * may not: another reader may need the place of a site, and an alteration ends
 * the names of columns. So they are copied. */

/* Mostly there is room already: this is done for each change. */
static int keep(rowtide_buffer *copy, const char **name)
{
    size_t size = strlen(*name) + 1;
    int rc = ROWTIDE_OK;
    if (size > copy->capacity) {
        rowtide__buffer_clear(copy);
        rc = rowtide__buffer_reserve(copy, size);
    }
    if (rc == ROWTIDE_OK)
        *name = memcpy(copy->data, *name, size);
    return rc;
}

static int keep_table(rowtide__reader *reader, const char **name)
{
    int rc = ROWTIDE_OK;
    if (reader->named != reader->table
        || reader->named_generation != reader->engine->generation) {
        reader->named = NULL;
        rc = keep(&reader->table_name, name);
    }
    if (rc != ROWTIDE_OK)
        return rc;
    reader->named = reader->table;
    reader->named_generation = reader->engine->generation;
    *name = (const char *)reader->table_name.data;
    return ROWTIDE_OK;
}

int rowtide__reader_own(rowtide__reader *reader, rowtide_crdt_change *change)
{
    int rc = keep_table(reader, &change->table);
    if (rc == ROWTIDE_OK && reader->column >= 0)
        rc = keep(&reader->column_name, &change->column);
    memcpy(reader->told_site, change->site_id, change->site_id_size);
    change->site_id = reader->told_site;
    return rc;
}
