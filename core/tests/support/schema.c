#include "support/schema.h"

#include <stdlib.h>
#include <string.h>

rowtide_schema *schema_of(const char *sql)
{
    rowtide_schema *schema;
    assert_ok(rowtide_schema_parse(sql, &schema));
    return schema;
}

rowtide_schema *schema_of_db(rowtide_db *db)
{
    rowtide_schema *schema;
    assert_ok(rowtide_schema_read(db, NULL, &schema));
    return schema;
}

static char *take(rowtide_buffer *buffer)
{
    char *text = strdup(buffer->data ? buffer->data : "");
    rowtide_buffer_dispose(buffer);
    return text;
}

char *schema_json(const rowtide_schema *schema)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_schema_json(schema, &out));
    return take(&out);
}

char *schema_sql(const rowtide_schema *schema)
{
    rowtide_buffer out = ROWTIDE_BUFFER_INIT;
    assert_ok(rowtide_schema_print(schema, &out));
    return take(&out);
}

const rowtide_schema_table *schema_table(const rowtide_schema *schema,
                                         const char *name)
{
    const rowtide_schema_table *table = rowtide_schema_find_table(schema, name);
    assert_non_null(table);
    return table;
}

const rowtide_schema_column *schema_column(const rowtide_schema *schema,
                                           const char *table, const char *name)
{
    const rowtide_schema_table *found = schema_table(schema, table);
    for (size_t i = 0; found->columns[i]; i++)
        if (strcmp(found->columns[i]->name, name) == 0)
            return found->columns[i];
    fail_msg("%s has no column %s", table, name);
    return NULL;
}

size_t schema_count(const void *list)
{
    const void *const *items = list;
    size_t count = 0;
    while (items[count])
        count++;
    return count;
}

void schema_assert_round_trip(const rowtide_schema *schema)
{
    char *sql = schema_sql(schema);
    rowtide_schema *again = schema_of(sql);
    char *before = schema_json(schema), *after = schema_json(again);
    assert_string_equal(before, after);
    free(after);
    free(before);
    rowtide_schema_free(again);
    free(sql);
}
