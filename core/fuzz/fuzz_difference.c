/* Two schemas and hints: SQL, a NUL, SQL, a NUL, a hint on each line. Nothing
 * differs between a schema and itself; what is generated for one direction and
 * then for the other leads from the old schema back to it, if the old one can
 * be changed by ALTER TABLE at all. */
#include <rowtide/buffer.h>
#include <rowtide/schema_diff.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_HINTS = 4, LONGEST = 2000 };

static void require(int condition)
{
    if (!condition)
        abort();
}

/* Up to the next NUL, or the end; free() it. */
static char *take_part(const uint8_t **data, size_t *size)
{
    const uint8_t *end = *size ? memchr(*data, 0, *size) : NULL;
    size_t length = end ? (size_t)(end - *data) : *size;
    char *part = malloc(length + 1);
    require(part != NULL);
    if (length)
        memcpy(part, *data, length);
    part[length] = '\0';
    *data += length;
    *size -= length;
    if (end) {
        ++*data;
        --*size;
    }
    return part;
}

static size_t count_changes(const rowtide_schema *from,
                            const rowtide_schema *to)
{
    rowtide_schema_difference *difference;
    size_t count = 0;
    require(rowtide_schema_diff(from, to, NULL, &difference) == 0);
    while (rowtide_schema_difference_changes(difference)->changes[count])
        count++;
    rowtide_schema_difference_free(difference);
    return count;
}

static void check_way_back(const rowtide_schema *from,
                           const rowtide_schema_difference *difference)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    rowtide_schema *back;
    require(rowtide_schema_print(from, &sql) == 0);
    if (rowtide_schema_generate(difference, ROWTIDE_SCHEMA_UP, &sql) == 0
        && rowtide_schema_generate(difference, ROWTIDE_SCHEMA_DOWN, &sql) == 0
        && sql.size) {
        if (rowtide_schema_parse(sql.data, &back) != 0) {
            fprintf(stderr, "%s\n", sql.data);
            abort();
        }
        if (count_changes(back, from) != 0) {
            fprintf(stderr, "%s\n", sql.data);
            abort();
        }
        rowtide_schema_free(back);
    }
    rowtide_buffer_dispose(&sql);
}

static void check(const rowtide_schema *from, const rowtide_schema *to,
                  char *hints)
{
    const char *renames[MOST_HINTS + 1] = {NULL};
    size_t count = 0;
    char *rest = NULL;
    for (char *hint = strtok_r(hints, "\n", &rest); hint && count < MOST_HINTS;
         hint = strtok_r(NULL, "\n", &rest))
        renames[count++] = hint;
    rowtide_schema_diff_options options = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    options.renames = count ? renames : NULL;
    rowtide_schema_difference *difference;
    if (rowtide_schema_diff(from, to, &options, &difference) != 0)
        return;
    check_way_back(from, difference);
    rowtide_schema_difference_free(difference);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > LONGEST)
        return 0;
    char *from_sql = take_part(&data, &size);
    char *to_sql = take_part(&data, &size);
    char *hints = take_part(&data, &size);
    rowtide_schema *from = NULL, *to = NULL;
    if (rowtide_schema_parse(from_sql, &from) == 0) {
        require(count_changes(from, from) == 0);
        if (rowtide_schema_parse(to_sql, &to) == 0)
            check(from, to, hints);
    }
    rowtide_schema_free(from);
    rowtide_schema_free(to);
    free(from_sql);
    free(to_sql);
    free(hints);
    return 0;
}
