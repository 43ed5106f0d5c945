#include "support/difference.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const OPERATIONS[] = {"add", "remove", "change", "rename"};
static const char *const OBJECTS[] = {
    "table", "column",  "key",  "check",        "foreign_key",
    "index", "trigger", "view", "virtual_table"};
static const char *const ASPECTS[] = {
    "",           " type",          " not_null",      " default",
    " collation", " generated",     " autoincrement", " on_conflict",
    " strict",    " without_rowid", " order",         " sql"};
static const char *const EFFECTS[] = {"additive", "safe", "checked", "lossy",
                                      "destructive"};

rowtide_schema_difference *
difference_of(const char *from, const char *to,
              const rowtide_schema_diff_options *options)
{
    rowtide_schema *a = schema_of(from), *b = schema_of(to);
    rowtide_schema_difference *difference = NULL;
    assert_ok(rowtide_schema_diff(a, b, options, &difference));
    rowtide_schema_free(a);
    rowtide_schema_free(b);
    return difference;
}

char *difference_text(const rowtide_schema_difference *difference)
{
    const rowtide_schema_change *const *changes =
        rowtide_schema_difference_changes(difference)->changes;
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    assert_non_null(file);
    for (; *changes; changes++) {
        const rowtide_schema_change *change = *changes;
        assert_non_null(change->note);
        fprintf(file, "%s %s %s.%s%s %s%s\n", OPERATIONS[change->operation],
                OBJECTS[change->object], change->table, change->name,
                ASPECTS[change->aspect], EFFECTS[change->effect],
                change->unknown ? "?" : "");
    }
    fclose(file);
    return text;
}
