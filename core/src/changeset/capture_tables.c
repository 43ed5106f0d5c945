#include "changeset/capture.h"
#include "base/alloc.h"
#include "base/error.h"
#include "changeset/callback.h"
#include "db/sql.h"

#include <string.h>

static rowtide__capture_table *remember(rowtide_capture *capture,
                                        const char *name, int recorded,
                                        int column_count)
{
    size_t size = strlen(name) + 1;
    rowtide__capture_table *table = rowtide__alloc(sizeof *table + size);
    if (!table)
        return NULL;
    table->next = capture->tables;
    table->recorded = recorded;
    table->column_count = column_count;
    memcpy(table->name, name, size);
    capture->tables = table;
    return table;
}

static rowtide__capture_table *recall(rowtide_capture *capture,
                                      const char *name)
{
    rowtide__capture_table **link = &capture->tables;
    while (*link && sqlite3_stricmp((*link)->name, name) != 0)
        link = &(*link)->next;
    rowtide__capture_table *found = *link;
    if (found) {
        *link = found->next;
        found->next = capture->tables;
        capture->tables = found;
    }
    return found;
}

static void forget_skipped(rowtide_capture *capture)
{
    for (int i = 0; i < capture->skipped_count; i++)
        rowtide__free(capture->skipped[2 * i]);
    rowtide__free(capture->skipped);
    capture->skipped = NULL;
    capture->skipped_count = 0;
}

void rowtide__capture_tables_free(rowtide_capture *capture)
{
    while (capture->tables) {
        rowtide__capture_table *table = capture->tables;
        capture->tables = table->next;
        rowtide__free(table);
    }
    forget_skipped(capture);
}

static int ask_filter(rowtide_capture *capture, const char *name, int *chosen)
{
    int answer = rowtide__call_table_filter(capture->filter,
                                            capture->filter_user, name);
    *chosen = answer > 0;
    return answer < 0 ? answer : ROWTIDE_OK;
}

static int judge(rowtide_capture *capture, const char *name,
                 rowtide__table_info *info, const char **reason)
{
    *reason = NULL;
    int rc = rowtide__table_info_read(capture->db, capture->schema, name, info);
    return rc == ROWTIDE_OK ? rowtide__capture_judge(info, reason) : rc;
}

static int attach_named(rowtide_capture *capture, const char *name)
{
    rowtide__table_info info;
    const char *reason;
    int chosen = 1;
    memset(&info, 0, sizeof info);
    int rc = judge(capture, name, &info, &reason);
    if (rc == ROWTIDE_OK && reason)
        rc = rowtide__fail(ROWTIDE_ESCHEMA, "capture: table \"%s\" %s", name,
                           reason);
    if (rc == ROWTIDE_OK && !recall(capture, info.name)) {
        rc = ask_filter(capture, info.name, &chosen);
        if (rc == ROWTIDE_OK
            && !remember(capture, info.name, chosen, info.column_count))
            rc = ROWTIDE_ENOMEM;
        int code = SQLITE_OK;
        if (rc == ROWTIDE_OK && chosen)
            code = sqlite3session_attach(capture->session, info.name);
        if (code != SQLITE_OK)
            rc = rowtide__db_fail(capture->db, code, "capture: table \"%s\"",
                                  name);
    }
    rowtide__table_info_dispose(&info);
    return rc;
}

int rowtide__capture_attach(rowtide_capture *capture, const char *const *tables,
                            size_t count)
{
    int rc = ROWTIDE_OK;
    for (size_t i = 0; rc == ROWTIDE_OK && i < count; i++) {
        if (!tables[i])
            return rowtide__fail(
                ROWTIDE_EINVAL, "capture: the name of table %zu is missing", i);
        rc = attach_named(capture, tables[i]);
    }
    return rc;
}

static int decide(rowtide_capture *capture, const char *name,
                  rowtide__capture_table **out)
{
    rowtide__table_info info;
    const char *reason = rowtide__capture_judge_name(name);
    int rc = ROWTIDE_OK, chosen = 0;
    memset(&info, 0, sizeof info);
    if (!reason)
        rc = judge(capture, name, &info, &reason);
    if (rc == ROWTIDE_OK && !reason)
        rc = ask_filter(capture, name, &chosen);
    if (rc == ROWTIDE_OK) {
        *out = remember(capture, name, chosen, info.column_count);
        rc = *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    }
    rowtide__table_info_dispose(&info);
    return rc;
}

/* SQLite asks in the middle of a statement, for each row of a table that is
 * not recorded. An error can only be kept for the end of the capture. */
static int choose_table(void *user, const char *name)
{
    rowtide_capture *capture = user;
    rowtide__capture_table *table = recall(capture, name);
    if (!table && !capture->failed) {
        rowtide__error_state error;
        rowtide__error_save(&error);
        capture->failed = decide(capture, name, &table);
        if (capture->failed)
            rowtide__error_save(&capture->error);
        rowtide__error_restore(&error);
    }
    return table && table->recorded;
}

/* With a filter the tables that exist are decided about now, so that what it
 * has to say comes out here. */
static int ask_about_all(rowtide_capture *capture)
{
    char **names = NULL;
    int count = 0;
    int rc = rowtide__table_names(capture->db, capture->schema, &names, &count);
    for (int i = 0; rc == ROWTIDE_OK && i < count; i++) {
        rowtide__capture_table *table;
        rc = decide(capture, names[i], &table);
    }
    rowtide__table_names_free(names);
    return rc;
}

int rowtide__capture_attach_all(rowtide_capture *capture)
{
    int rc = capture->filter ? ask_about_all(capture) : ROWTIDE_OK;
    if (rc != ROWTIDE_OK)
        return rc;
    sqlite3session_table_filter(capture->session, choose_table, capture);
    int code = sqlite3session_attach(capture->session, NULL);
    return code == SQLITE_OK ? ROWTIDE_OK
                             : rowtide__db_fail(capture->db, code, "capture");
}

static int is_altered(rowtide_capture *capture,
                      const rowtide__capture_table *table, const char **how)
{
    rowtide__table_info info;
    memset(&info, 0, sizeof info);
    *how = NULL;
    int rc = rowtide__table_info_read(capture->db, capture->schema, table->name,
                                      &info);
    if (rc == ROWTIDE_OK && info.kind == ROWTIDE__TABLE_MISSING)
        *how = "was dropped or renamed";
    else if (rc == ROWTIDE_OK && info.column_count != table->column_count)
        *how = info.column_count > table->column_count ? "has got a column"
                                                       : "has lost a column";
    rowtide__table_info_dispose(&info);
    return rc == ROWTIDE_OK && *how != NULL;
}

int rowtide__capture_fail_altered(rowtide_capture *capture)
{
    const char *how;
    for (const rowtide__capture_table *table = capture->tables; table;
         table = table->next)
        if (table->recorded && is_altered(capture, table, &how))
            return rowtide__fail(ROWTIDE_ESCHEMA,
                                 "capture: table \"%s\" %s while its changes "
                                 "were recorded",
                                 table->name, how);
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "capture: a table was altered, dropped or renamed "
                         "while its changes were recorded");
}

static int add_skipped(rowtide_capture *capture, const char *name,
                       const char *reason)
{
    size_t at = 2 * (size_t)capture->skipped_count;
    size_t name_size = strlen(name) + 1, reason_size = strlen(reason) + 1;
    char **grown = rowtide__realloc(capture->skipped, (at + 2) * sizeof *grown);
    if (!grown)
        return ROWTIDE_ENOMEM;
    capture->skipped = grown;
    grown[at] = rowtide__alloc(name_size + reason_size);
    if (!grown[at])
        return ROWTIDE_ENOMEM;
    memcpy(grown[at], name, name_size);
    grown[at + 1] = memcpy(grown[at] + name_size, reason, reason_size);
    capture->skipped_count++;
    return ROWTIDE_OK;
}

static int list_if_skipped(rowtide_capture *capture, const char *name)
{
    rowtide__table_info info;
    const char *reason = rowtide__capture_judge_name(name);
    int rc = ROWTIDE_OK;
    memset(&info, 0, sizeof info);
    if (reason)
        return ROWTIDE_OK;
    rc = judge(capture, name, &info, &reason);
    if (rc == ROWTIDE_OK && reason)
        rc = add_skipped(capture, name, reason);
    rowtide__table_info_dispose(&info);
    return rc;
}

int rowtide__capture_list_skipped(rowtide_capture *capture)
{
    sqlite3_stmt *stmt = NULL;
    forget_skipped(capture);
    int rc = rowtide__sql_prepare(
        capture->db, &stmt,
        "SELECT name FROM \"%w\".sqlite_schema WHERE type='table'"
        " ORDER BY name",
        capture->schema);
    while (rc == ROWTIDE_OK
           && (rc = rowtide__sql_step(capture->db, stmt)) == ROWTIDE_OK) {
        const char *name = (const char *)sqlite3_column_text(stmt, 0);
        rc = name ? list_if_skipped(capture, name) : rowtide__nomem();
    }
    sqlite3_finalize(stmt);
    if (rc == ROWTIDE_DONE)
        return ROWTIDE_OK;
    forget_skipped(capture);
    return rc;
}
