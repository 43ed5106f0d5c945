#include "schema/auto_migrate.h"
#include "base/error.h"
#include "db/sql.h"
#include "db/transaction.h"

#include <string.h>

typedef rowtide__migration migration;

/* ## Tables */

static int forget(migration *it, const char *name)
{
    return rowtide__map_set(&it->refused, name, "refused");
}

static int refuse_table(migration *it, const rowtide__addition *addition,
                        const char *type)
{
    int rc = forget(it, addition->name);
    if (rc != ROWTIDE_OK)
        return rc;
    return rowtide__migration_refuse(it, addition, "a%s %s has that name",
                                     strcmp(type, "index") == 0 ? "n" : "",
                                     type);
}

/* Without a table, nothing that belongs to it can be made: that is an error. */
static int create_table(migration *it, const rowtide__table *want,
                        const rowtide__addition *addition)
{
    if (it->looking)
        return rowtide__migration_defer(it);
    int rc = rowtide__sql_exec(it->db, "%s", want->view.sql);
    if (rc != ROWTIDE_OK)
        return rowtide__fail_context("table \"%s\"", want->view.name);
    rc = rowtide__migration_did(it, addition, want->view.sql);
    return rc == ROWTIDE_OK ? rowtide__migration_indexes(it, want, NULL) : rc;
}

static int complete_table(migration *it, const rowtide__table *want,
                          const rowtide__table *have,
                          const rowtide__addition *addition)
{
    if (have->view.kind != want->view.kind)
        return refuse_table(it, addition,
                            have->view.kind == ROWTIDE_TABLE_ORDINARY
                                ? "table that is not virtual"
                                : "virtual table");
    if (want->view.kind != ROWTIDE_TABLE_ORDINARY)
        return ROWTIDE_OK;
    int rc = want->ddl ? rowtide__migration_columns(it, want, have)
                       : ROWTIDE_OK;
    return rc == ROWTIDE_OK ? rowtide__migration_indexes(it, want, have) : rc;
}

static int migrate_table(migration *it, const rowtide__table *want)
{
    rowtide__addition addition = {want->view.kind == ROWTIDE_TABLE_VIRTUAL
                                      ? ROWTIDE_OBJECT_VIRTUAL_TABLE
                                      : ROWTIDE_OBJECT_TABLE,
                                  want->view.name, want->view.name};
    const rowtide__table *have = rowtide__schema_table(it->now,
                                                       want->view.name);
    const char *type, *table;
    if (want->view.kind == ROWTIDE_TABLE_SHADOW)
        return ROWTIDE_OK;
    if (have)
        return complete_table(it, want, have, &addition);
    int rc = rowtide__migration_find(it, 0, want->view.name, &type, &table);
    if (rc != ROWTIDE_OK)
        return rc;
    return type ? refuse_table(it, &addition, type)
                : create_table(it, want, &addition);
}

static int migrate_tables(migration *it)
{
    const rowtide_schema_table *const *tables;
    int rc = rowtide__schema_order(it->creating->contents.tables, &it->arena,
                                   &tables);
    for (; rc == ROWTIDE_OK && *tables; tables++) {
        rc = migrate_table(it, (const rowtide__table *)*tables);
        rc = rc < 0 ? rc : ROWTIDE_OK;
    }
    return rc;
}

/* ## Views and triggers */

static int migrate_view(migration *it, const rowtide_schema_view *view)
{
    rowtide__addition addition = {ROWTIDE_OBJECT_VIEW, view->name, view->name};
    const char *type, *table;
    if (rowtide__schema_view(it->now, view->name))
        return ROWTIDE_OK;
    int rc = rowtide__migration_find(it, 0, view->name, &type, &table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (type)
        return refuse_table(it, &addition, type);
    rc = rowtide__migration_create(it, &addition, NULL, view->sql);
    return rc == ROWTIDE_DONE ? forget(it, view->name) : rc;
}

static int has_trigger(const migration *it, const rowtide_schema_trigger *want)
{
    const rowtide__table *table = rowtide__schema_table(it->now, want->table);
    const rowtide__view *view = rowtide__schema_view(it->now, want->table);
    const rowtide_schema_trigger *const *have = table ? table->view.triggers
                                                      : NULL;
    if (view)
        have = view->view.triggers;
    for (; have && *have; have++)
        if (rowtide__name_equal((*have)->name, want->name))
            return 1;
    return 0;
}

static int migrate_trigger(migration *it, const rowtide__trigger *trigger)
{
    rowtide__addition addition = {ROWTIDE_OBJECT_TRIGGER, trigger->view.table,
                                  trigger->view.name};
    const char *type, *table;
    if (has_trigger(it, &trigger->view))
        return ROWTIDE_OK;
    int rc = rowtide__migration_find(it, 1, addition.name, &type, &table);
    if (rc != ROWTIDE_OK)
        return rc;
    if (!type)
        return rowtide__migration_create(it, &addition, trigger->ddl,
                                         trigger->view.sql);
    return rowtide__migration_refuse(
        it, &addition, "a trigger of \"%s\" has that name", table);
}

static int migrate_triggers(migration *it, const char *name,
                            const rowtide_schema_trigger *const *triggers)
{
    int rc = ROWTIDE_OK;
    if (rowtide__map_get(&it->refused, name))
        return ROWTIDE_OK;
    for (; *triggers && rc >= 0; triggers++)
        rc = migrate_trigger(it, (const rowtide__trigger *)*triggers);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int migrate_rest(migration *it)
{
    const rowtide_schema_contents *all = &it->model->contents;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; all->views[i] && rc >= 0; i++)
        rc = migrate_view(it, all->views[i]);
    for (size_t i = 0; all->tables[i] && rc >= 0; i++)
        rc = migrate_triggers(it, all->tables[i]->name,
                              all->tables[i]->triggers);
    for (size_t i = 0; all->views[i] && rc >= 0; i++)
        rc = migrate_triggers(it, all->views[i]->name, all->views[i]->triggers);
    return rc < 0 ? rc : ROWTIDE_OK;
}

/* ## All of it */

static int migrate(migration *it)
{
    rowtide_schema *now = NULL;
    rowtide_schema_read_options options = ROWTIDE_SCHEMA_READ_OPTIONS_INIT;
    options.internal = 1;
    int rc = rowtide__schema_read_sqlite(rowtide_db_sqlite(it->db), &options,
                                         &now);
    it->now = now;
    if (rc == ROWTIDE_OK)
        rc = migrate_tables(it);
    if (rc == ROWTIDE_OK)
        rc = migrate_rest(it);
    if (rc == ROWTIDE_OK && !it->needed)
        rc = rowtide__migration_differences(it);
    it->now = NULL;
    rowtide_schema_free(now);
    return rc;
}

static void forget_all(migration *it)
{
    rowtide_schema_report_free(it->report);
    it->report = NULL;
    rowtide__arena_dispose(&it->arena);
    it->refused = (rowtide__map){.arena = &it->arena};
    it->columns = (rowtide__list){.arena = &it->arena};
    it->needed = 0;
}

static int begin(migration *it, int looking)
{
    forget_all(it);
    it->looking = looking;
    it->report = rowtide__schema_report_new();
    return it->report ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

/* Where nothing is missing, nothing is locked: many programs migrate whenever
 * they start, and a database may be read-only. */
static int look(migration *it)
{
    int rc = begin(it, 1);
    return rc == ROWTIDE_OK ? migrate(it) : rc;
}

static int run(migration *it, int dry_run)
{
    rowtide__transaction transaction;
    int rc = begin(it, 0);
    if (rc == ROWTIDE_OK)
        rc = rowtide__transaction_begin(it->db, &transaction);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = migrate(it);
    if (rc == ROWTIDE_OK && !dry_run)
        return rowtide__transaction_commit(&transaction);
    rowtide__transaction_rollback(&transaction);
    return rc;
}

static int start(migration *it, const rowtide_auto_migrate_options *options)
{
    rowtide_schema *with_keys = NULL;
    int rc = ROWTIDE_OK;
    it->creating = it->model;
    if (options->foreign_keys) {
        rc = rowtide__schema_with_foreign_keys(it->model, &with_keys);
        it->creating = with_keys;
    }
    if (rc == ROWTIDE_OK)
        rc = look(it);
    if (rc == ROWTIDE_OK && it->needed)
        rc = run(it, options->dry_run);
    rowtide_schema_free(with_keys);
    rowtide__arena_dispose(&it->arena);
    return rc;
}

int rowtide_schema_auto_migrate(rowtide_db *db, const rowtide_schema *model,
                                const rowtide_auto_migrate_options *options,
                                rowtide_schema_report **out)
{
    rowtide_auto_migrate_options chosen = ROWTIDE_AUTO_MIGRATE_OPTIONS_INIT;
    migration it = {.db = db, .model = model};
    if (out)
        *out = NULL;
    ROWTIDE__CHECK_ARG(model, "schema_auto_migrate");
    if (options) {
        ROWTIDE__CHECK_ARG(options->size >= sizeof options->size
                               && options->size <= sizeof chosen,
                           "schema_auto_migrate");
        memcpy(&chosen, options, options->size);
    }
    int rc = rowtide__db_enter(db, "schema_auto_migrate");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = start(&it, &chosen);
    rowtide__db_leave(db);
    if (rc == ROWTIDE_OK && out)
        *out = it.report;
    else
        rowtide_schema_report_free(it.report);
    return rc;
}
