#include "support/plans.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *traps_sql(void)
{
    size_t size;
    return scratch_read(ROWTIDE_TESTS_DIR "/traps.sql", &size);
}

rowtide_db *plans_traps(void)
{
    char *sql = traps_sql();
    rowtide_db *db = scratch_db(sql);
    free(sql);
    return db;
}

rowtide_db *plans_copy(rowtide_db *db)
{
    rowtide_db *copy = scratch_db(NULL);
    sqlite3_backup *backup = sqlite3_backup_init(
        rowtide_db_sqlite(copy), "main", rowtide_db_sqlite(db), "main");
    assert_non_null(backup);
    assert_int_equal(sqlite3_backup_step(backup, -1), SQLITE_DONE);
    assert_int_equal(sqlite3_backup_finish(backup), SQLITE_OK);
    return copy;
}

char *plans_replaced(rowtide_db *db, const char *old, const char *replacement)
{
    rowtide_schema *schema = schema_of_db(db);
    char *sql = schema_sql(schema);
    rowtide_schema_free(schema);
    const char *at = strstr(sql, old);
    if (!at)
        fail_msg("\"%s\" is not in the schema", old);
    char *out = malloc(strlen(sql) + strlen(replacement) + 1);
    assert_non_null(out);
    sprintf(out, "%.*s%s%s", (int)(at - sql), sql, replacement,
            at + strlen(old));
    free(sql);
    return out;
}

static rowtide_plan *make(rowtide_db *db, const char *to,
                          const rowtide_plan_options *options)
{
    rowtide_plan *plan;
    rowtide_schema *schema = schema_of(to);
    assert_ok(rowtide_schema_plan(db, schema, options, &plan));
    rowtide_schema_free(schema);
    return plan;
}

rowtide_plan *plans_make(rowtide_db *db, const char *to, unsigned allow)
{
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    options.allow = allow;
    return make(db, to, &options);
}

rowtide_plan *plans_make_renaming(rowtide_db *db, const char *to,
                                  const char *const *renames)
{
    rowtide_plan_options options = ROWTIDE_PLAN_OPTIONS_INIT;
    options.allow = PLANS_ALL;
    options.renames = renames;
    return make(db, to, &options);
}

int plans_apply(rowtide_db *db, const char *to, unsigned allow)
{
    rowtide_plan *plan = plans_make(db, to, allow);
    int rc = rowtide_plan_apply(db, plan, NULL, NULL);
    rowtide_plan_free(plan);
    return rc;
}

static char *append(char *text, const char *more)
{
    size_t size = text ? strlen(text) : 0;
    text = realloc(text, size + strlen(more) + 1);
    assert_non_null(text);
    strcpy(text + size, more);
    return text;
}

static const char *word_of(const rowtide_shape *shape, const char *field,
                           int value)
{
    const rowtide_field *found = shape->fields;
    while (strcmp(found->name, field) != 0)
        found++;
    return found->names[value];
}

char *plans_text(const rowtide_plan *plan)
{
    const rowtide_shape *shape = rowtide_plan_shape()->fields[0].shape;
    char *text = append(NULL, "");
    char line[1000];
    const rowtide_plan_step *const *steps = rowtide_plan_steps_of(plan)->steps;
    for (; *steps; steps++) {
        const rowtide_plan_step *step = *steps;
        snprintf(line, sizeof line, "%s %s %s %s%s\n",
                 word_of(shape, "method", (int)step->method),
                 word_of(shape, "object", (int)step->object), step->name,
                 word_of(shape, "effect", (int)step->effect),
                 step->refused ? " refused" : "");
        text = append(text, line);
    }
    return text;
}

char *plans_findings(rowtide_db *db, const rowtide_plan *plan)
{
    const rowtide_shape *shape = rowtide_preflight_shape()->fields[0].shape;
    rowtide_preflight *preflight;
    char *text = append(NULL, "");
    char line[1000];
    assert_ok(rowtide_plan_preflight(db, plan, NULL, &preflight));
    const rowtide_finding *const *list =
        rowtide_preflight_findings(preflight)->findings;
    for (; *list; list++) {
        const rowtide_finding *found = *list;
        snprintf(line, sizeof line, "%s %s ",
                 word_of(shape, "kind", (int)found->kind), found->table);
        text = append(text, line);
        for (size_t i = 0; found->columns[i]; i++)
            text = append(append(text, found->columns[i]), " ");
        snprintf(line, sizeof line, "%lld%s:", (long long)found->count,
                 found->fatal ? " fatal" : "");
        text = append(text, line);
        for (size_t i = 0; found->samples[i]; i++)
            text = append(append(text, i ? ", " : " "), found->samples[i]);
        text = append(text, "\n");
    }
    rowtide_preflight_free(preflight);
    return text;
}

static char *append_rows(char *text, rowtide_db *db, const char *sql)
{
    char *rows = scratch_rows(db, sql);
    text = append(append(append(text, sql), "\n"), rows);
    free(rows);
    return append(text, "\n");
}

static char *append_tables(char *text, rowtide_db *db)
{
    char sql[1000];
    rowtide_stmt *stmt;
    rowtide_value name, rowid;
    assert_ok(rowtide_stmt_prepare(
        db,
        "SELECT name, wr = 0 FROM pragma_table_list WHERE schema = 'main' AND "
        "type IN ('table', 'shadow') AND name <> 'sqlite_schema' ORDER BY name",
        &stmt));
    while (rowtide_stmt_step(stmt) == ROWTIDE_OK) {
        assert_ok(rowtide_stmt_column(stmt, 0, &name));
        assert_ok(rowtide_stmt_column(stmt, 1, &rowid));
        snprintf(sql, sizeof sql, "SELECT %s* FROM \"%.*s\"",
                 rowid.integer ? "rowid, " : "", (int)name.size,
                 (const char *)name.data);
        text = append_rows(text, db, sql);
    }
    rowtide_stmt_free(stmt);
    return text;
}

char *plans_dump(rowtide_db *db)
{
    static const char *const questions[] = {
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY 1, 2",
        "SELECT type, name, tbl_name, sql FROM sqlite_temp_schema",
        "PRAGMA foreign_keys",
        "PRAGMA legacy_alter_table",
        "PRAGMA writable_schema",
        "PRAGMA defer_foreign_keys",
        "PRAGMA recursive_triggers",
        "PRAGMA ignore_check_constraints",
        "PRAGMA trusted_schema"};
    char *text = append(NULL, rowtide_db_in_transaction(db) ? "transaction\n"
                                                            : "none\n");
    for (size_t i = 0; i < sizeof questions / sizeof questions[0]; i++)
        text = append_rows(text, db, questions[i]);
    return append_tables(text, db);
}
