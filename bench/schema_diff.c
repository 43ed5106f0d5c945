/* Compares schemas of some thousand objects, and prints how long that took as
 * a table. Reading them is on top of it, and is shown beside it. */
#include "workload.h"

#include <rowtide.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS_PER_TABLE = 4, ROUNDS = 5 };

static void ok(int rc, const char *what)
{
    if (rc != ROWTIDE_OK)
        fprintf(stderr, "bench: %s\n", rowtide_error_message());
    check(rc == ROWTIDE_OK, what);
}

/* Tables with two indexes and a trigger or a view each. In the changed ones
 * every tenth has another type, a new column, another index and view. */
static char *write_schema(int objects, int changed)
{
    size_t size = 0;
    char *sql = NULL;
    FILE *file = open_memstream(&sql, &size);
    check(file != NULL, "memory");
    for (int i = 0; i < objects / OBJECTS_PER_TABLE; i++) {
        int other = changed && i % 10 == 0;
        fprintf(file,
                "CREATE TABLE table_%d (id INTEGER PRIMARY KEY, name %s NOT "
                "NULL COLLATE NOCASE, size REAL DEFAULT 1 CHECK (size >= 0), "
                "at TEXT DEFAULT CURRENT_TIMESTAMP%s, parent_id INTEGER "
                "REFERENCES table_%d (id) ON DELETE CASCADE, UNIQUE (name, "
                "parent_id));",
                i, other ? "BLOB" : "TEXT", other ? ", more TEXT" : "", i / 2);
        fprintf(file, "CREATE INDEX parent_%d ON table_%d (parent_id%s);", i, i,
                other ? ", at" : "");
        fprintf(file,
                "CREATE INDEX lower_%d ON table_%d (lower(name)) WHERE size > "
                "1;",
                i, i);
        if (i % 2)
            fprintf(file,
                    "CREATE TRIGGER trigger_%d AFTER UPDATE OF name ON "
                    "table_%d BEGIN UPDATE table_%d SET at = datetime() WHERE "
                    "id = new.id; END;",
                    i, i, i);
        else
            fprintf(file,
                    "CREATE VIEW view_%d AS SELECT a.name, b.size FROM "
                    "table_%d a JOIN table_%d b ON b.id = a.parent_id WHERE "
                    "a.size > %d;",
                    i, i, i / 2, other);
    }
    check(fclose(file) == 0, "memory");
    return sql;
}

static rowtide_schema *read_schema(const char *sql, double *seconds)
{
    rowtide_schema *schema;
    double start = cpu_seconds();
    ok(rowtide_schema_parse(sql, &schema), "parse");
    *seconds = cpu_seconds() - start;
    return schema;
}

static double least(double a, double b)
{
    return a > 0 && a < b ? a : b;
}

static double measure(const rowtide_schema *from, const rowtide_schema *to,
                      const char *const *renames, size_t *changes)
{
    rowtide_schema_diff_options options = ROWTIDE_SCHEMA_DIFF_OPTIONS_INIT;
    double best = 0;
    options.renames = renames;
    for (int round = 0; round < ROUNDS; round++) {
        rowtide_schema_difference *difference;
        double start = cpu_seconds();
        ok(rowtide_schema_diff(from, to, &options, &difference), "diff");
        best = least(best, cpu_seconds() - start);
        const rowtide_schema_changes *found = rowtide_schema_difference_changes(
            difference);
        for (*changes = 0; found->changes[*changes]; ++*changes)
            ;
        rowtide_schema_difference_free(difference);
    }
    return best;
}

static void bench(int objects)
{
    static const char *const renames[] = {"table_1.at=at", NULL};
    char *old_sql = write_schema(objects, 0);
    char *new_sql = write_schema(objects, 1);
    double old_seconds, new_seconds, same_seconds;
    rowtide_schema *old = read_schema(old_sql, &old_seconds);
    rowtide_schema *same = read_schema(old_sql, &same_seconds);
    rowtide_schema *now = read_schema(new_sql, &new_seconds);
    size_t none, some, hinted;
    double equal = measure(old, same, NULL, &none);
    double changed = measure(old, now, NULL, &some);
    /* A hint makes every text be looked at. */
    double renamed = measure(old, now, renames, &hinted);
    check(none == 0 && some > 0 && some == hinted, "changes");
    printf("| %d | %.2f | %.2f | %zu | %.2f | %.0f |\n", objects, equal * 1e3,
           changed * 1e3, some, renamed * 1e3, new_seconds * 1e3);
    rowtide_schema_free(old);
    rowtide_schema_free(same);
    rowtide_schema_free(now);
    free(old_sql);
    free(new_sql);
}

int main(void)
{
    printf("\n### Compare two schemas, ms\n\n"
           "| objects | equal ones | with changes | changes | with a hint | to "
           "parse one |\n"
           "| --- | --- | --- | --- | --- | --- |\n");
    bench(500);
    bench(2000);
    bench(8000);
    return 0;
}
