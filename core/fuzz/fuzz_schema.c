/* Any text as SQL of a schema. What is accepted can be printed, and that is
 * the same schema again. */

#include <rowtide.h>

#include <stdlib.h>
#include <string.h>

static void require(int condition)
{
    if (!condition)
        abort();
}

static void write_all(const rowtide_schema *schema, rowtide_buffer *sql,
                      rowtide_buffer *json)
{
    rowtide_buffer svg = ROWTIDE_BUFFER_INIT;
    require(rowtide_schema_print(schema, sql) == ROWTIDE_OK);
    require(rowtide_schema_json(schema, json) == ROWTIDE_OK);
    require(rowtide_schema_svg(schema, &svg) == ROWTIDE_OK);
    rowtide_buffer_dispose(&svg);
}

static void check_again(const rowtide_schema *schema)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT, json = ROWTIDE_BUFFER_INIT;
    rowtide_buffer same_sql = ROWTIDE_BUFFER_INIT;
    rowtide_buffer same_json = ROWTIDE_BUFFER_INIT;
    rowtide_schema *again = NULL;
    rowtide_schema_difference *difference = NULL;
    write_all(schema, &sql, &json);
    int rc = rowtide_schema_parse(sql.data ? sql.data : "", &again);
    if (rc == ROWTIDE_OK) {
        write_all(again, &same_sql, &same_json);
        require(strcmp(json.data, same_json.data) == 0);
        require(rowtide_schema_diff(schema, again, NULL, &difference)
                == ROWTIDE_OK);
        require(!rowtide_schema_difference_changes(difference)->changes[0]);
        rowtide_schema_difference_free(difference);
    } else {
        require(rc == ROWTIDE_ETOOBIG);
    }
    rowtide_schema_free(again);
    rowtide_buffer_dispose(&sql);
    rowtide_buffer_dispose(&json);
    rowtide_buffer_dispose(&same_sql);
    rowtide_buffer_dispose(&same_json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rowtide_schema *schema = NULL;
    char *sql = malloc(size + 1);
    require(sql != NULL);
    if (size > 0)
        memcpy(sql, data, size);
    sql[size] = '\0';
    int rc = rowtide_schema_parse(sql, &schema);
    if (rc == ROWTIDE_OK)
        check_again(schema);
    else
        require(rowtide_error_offset() <= (int64_t)size);
    rowtide_schema_free(schema);
    free(sql);
    return 0;
}
