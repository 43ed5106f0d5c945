#include "crdt.h"

#include <string.h>

/* ## Shared */

int cli_open_crdt(cli_run *cli, const char *path, rowtide_db **out)
{
    int status = cli_open_db(cli, path, 0, out);
    if (status == CLI_OK && rowtide_crdt_open(*out) != ROWTIDE_OK)
        status = cli_fail(cli);
    return status;
}

static void print_merged_json(const char *database,
                              const rowtide_crdt_report *report)
{
    size_t count = rowtide_crdt_report_table_count(report);
    putchar('{');
    if (database) {
        fputs("\"database\":", stdout);
        cli_json_string(stdout, database);
        putchar(',');
    }
    printf("\"count\":%lld,\"applied\":%lld,\"ignored\":%lld,"
           "\"version\":%lld,\"tables\":[",
           (long long)rowtide_crdt_report_count(report),
           (long long)rowtide_crdt_report_applied(report),
           (long long)rowtide_crdt_report_ignored(report),
           (long long)rowtide_crdt_report_version(report));
    for (size_t i = 0; i < count; i++) {
        const char *table = "";
        int64_t applied = 0, ignored = 0;
        rowtide_crdt_report_table(report, i, &table, &applied, &ignored);
        fputs(i ? ",{\"table\":" : "{\"table\":", stdout);
        cli_json_string(stdout, table);
        printf(",\"applied\":%lld,\"ignored\":%lld}", (long long)applied,
               (long long)ignored);
    }
    fputs("]}", stdout);
}

void cli_print_merged(cli_run *cli, const char *database,
                      const rowtide_crdt_report *report)
{
    if (cli_has(cli, "json")) {
        print_merged_json(database, report);
        return;
    }
    if (cli_has(cli, "quiet"))
        return;
    if (database) {
        cli_print_safe(stdout, database);
        fputs(": ", stdout);
    }
    printf("%lld applied, %lld ignored, up to version %lld\n",
           (long long)rowtide_crdt_report_applied(report),
           (long long)rowtide_crdt_report_ignored(report),
           (long long)rowtide_crdt_report_version(report));
}

/* ## enable and disable */

/* All of the tables or none. */
static int change_tables(cli_run *cli, int (*verb)(rowtide_db *, const char *))
{
    rowtide_db *db = NULL;
    int status = cli_open_crdt(cli, cli->arguments[0], &db);
    if (status == CLI_OK
        && rowtide_db_exec(db, "BEGIN IMMEDIATE") != ROWTIDE_OK)
        status = cli_fail(cli);
    for (int i = 1; status == CLI_OK && i < cli->argument_count; i++)
        if (verb(db, cli->arguments[i]) != ROWTIDE_OK)
            status = cli_fail(cli);
    if (status == CLI_OK && rowtide_db_exec(db, "COMMIT") != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK && cli_has(cli, "json"))
        puts("{}");
    rowtide_db_free(db);
    return status;
}

int cmd_crdt_enable(cli_run *cli)
{
    return change_tables(cli, rowtide_crdt_enable);
}

int cmd_crdt_disable(cli_run *cli)
{
    return change_tables(cli, rowtide_crdt_disable);
}

/* ## alter */

/* What is not committed ends with the connection. */
int cmd_crdt_alter(cli_run *cli)
{
    const char *table = cli->arguments[1];
    rowtide_db *db = NULL;
    int status = cli_open_crdt(cli, cli->arguments[0], &db);
    if (status == CLI_OK
        && (rowtide_db_exec(db, "BEGIN IMMEDIATE") != ROWTIDE_OK
            || rowtide_crdt_begin_alter(db, table) != ROWTIDE_OK))
        status = cli_fail(cli);
    if (status == CLI_OK)
        status = cli_run_sql(cli, db);
    if (status == CLI_OK && !rowtide_db_in_transaction(db))
        status = cli_fail_with(cli, ROWTIDE_EMISUSE,
                               "the SQL has ended the transaction that the "
                               "table is altered in");
    if (status == CLI_OK
        && (rowtide_crdt_commit_alter(db, table) != ROWTIDE_OK
            || rowtide_db_exec(db, "COMMIT") != ROWTIDE_OK))
        status = cli_fail(cli);
    if (status == CLI_OK && cli_has(cli, "json"))
        puts("{}");
    rowtide_db_free(db);
    return status;
}

/* ## status and peers */

static int print_site(cli_run *cli, rowtide_db *db)
{
    unsigned char site[ROWTIDE_SITE_ID_SIZE];
    int64_t version;
    if (rowtide_crdt_site_id(db, site) != ROWTIDE_OK
        || rowtide_crdt_version(db, &version) != ROWTIDE_OK)
        return cli_fail(cli);
    fputs(cli_has(cli, "json") ? "{\"site_id\":\"" : "site ", stdout);
    cli_print_hex(stdout, site, sizeof site);
    printf(cli_has(cli, "json") ? "\",\"version\":%lld" : "\nversion %lld\n",
           (long long)version);
    return CLI_OK;
}

static void print_table(cli_run *cli, const char *name, int first)
{
    if (cli_has(cli, "json")) {
        fputs(first ? "" : ",", stdout);
        cli_json_string(stdout, name);
        return;
    }
    fputs("table ", stdout);
    cli_print_safe(stdout, name);
    putchar('\n');
}

static int print_if_enabled(cli_run *cli, rowtide_db *db, rowtide_stmt *stmt,
                            int *count)
{
    rowtide_value name;
    char text[1024];
    int rc = rowtide_stmt_column(stmt, 0, &name);
    if (rc != ROWTIDE_OK || name.size >= sizeof text)
        return rc;
    memcpy(text, name.data, name.size);
    text[name.size] = '\0';
    rc = rowtide_crdt_is_enabled(db, text);
    if (rc > 0)
        print_table(cli, text, (*count)++ == 0);
    return rc < 0 ? rc : ROWTIDE_OK;
}

static int print_tables(cli_run *cli, rowtide_db *db)
{
    rowtide_stmt *stmt = NULL;
    int count = 0;
    int rc = rowtide_stmt_prepare(
        db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
        &stmt);
    while (rc == ROWTIDE_OK && (rc = rowtide_stmt_step(stmt)) == ROWTIDE_OK)
        rc = print_if_enabled(cli, db, stmt, &count);
    rowtide_stmt_free(stmt);
    return rc < 0 ? cli_fail(cli) : CLI_OK;
}

static void print_peer(cli_run *cli, const rowtide_value *row, int first)
{
    long long received = (long long)row[1].integer;
    long long acknowledged = (long long)row[2].integer;
    if (cli_has(cli, "json")) {
        fputs(first ? "{\"site_id\":\"" : ",{\"site_id\":\"", stdout);
        cli_print_hex(stdout, row[0].data, row[0].size);
        printf("\",\"received\":%lld,\"acknowledged\":%lld}", received,
               acknowledged);
        return;
    }
    fputs("peer ", stdout);
    cli_print_hex(stdout, row[0].data, row[0].size);
    printf(" received %lld acknowledged %lld\n", received, acknowledged);
}

static int print_peers(cli_run *cli, rowtide_db *db)
{
    rowtide_stmt *stmt = NULL;
    rowtide_value row[3];
    int count = 0;
    int rc = rowtide_stmt_prepare(
        db,
        "SELECT site_id, max(CASE event WHEN 0 THEN version ELSE 0 END), "
        "max(CASE event WHEN 2 THEN version ELSE 0 END) "
        "FROM crsql_tracked_peers WHERE tag = 0 AND event IN (0, 2) "
        "GROUP BY site_id ORDER BY site_id",
        &stmt);
    while (rc == ROWTIDE_OK && (rc = rowtide_stmt_step(stmt)) == ROWTIDE_OK) {
        for (int i = 0; rc == ROWTIDE_OK && i < 3; i++)
            rc = rowtide_stmt_column(stmt, i, &row[i]);
        if (rc == ROWTIDE_OK)
            print_peer(cli, row, count++ == 0);
    }
    rowtide_stmt_free(stmt);
    return rc < 0 ? cli_fail(cli) : CLI_OK;
}

/* Opening it would make its tables, and looking should not. */
static int open_prepared(cli_run *cli, rowtide_db **db)
{
    rowtide_stmt *stmt = NULL;
    int status = cli_open_db(cli, cli->arguments[0], 1, db);
    if (status != CLI_OK)
        return status;
    int rc = rowtide_stmt_prepare(*db,
                                  "SELECT 1 FROM sqlite_schema "
                                  "WHERE name = 'crsql_site_id'",
                                  &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_step(stmt);
    rowtide_stmt_free(stmt);
    if (rc == ROWTIDE_DONE)
        return cli_fail_with(cli, ROWTIDE_ENOTFOUND,
                             "%s: no table has been enabled yet",
                             cli->arguments[0]);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_open(*db);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

int cmd_crdt_status(cli_run *cli)
{
    rowtide_db *db = NULL;
    int json = cli_has(cli, "json");
    int status = open_prepared(cli, &db);
    if (status == CLI_OK)
        status = print_site(cli, db);
    if (status == CLI_OK && json)
        fputs(",\"tables\":[", stdout);
    if (status == CLI_OK)
        status = print_tables(cli, db);
    if (status == CLI_OK && json)
        fputs("],\"peers\":[", stdout);
    if (status == CLI_OK)
        status = print_peers(cli, db);
    if (status == CLI_OK && json)
        puts("]}");
    rowtide_db_free(db);
    return status;
}

int cmd_crdt_peers(cli_run *cli)
{
    rowtide_db *db = NULL;
    int json = cli_has(cli, "json");
    int status = open_prepared(cli, &db);
    if (status == CLI_OK && json)
        putchar('[');
    if (status == CLI_OK)
        status = print_peers(cli, db);
    if (status == CLI_OK && json)
        puts("]");
    rowtide_db_free(db);
    return status;
}

/* ## sync */

/* Each direction with its report, which sync() by itself does not give; it
 * tells both how far the other has come. */
static int exchange(rowtide_db **db, rowtide_crdt_report **reports)
{
    int rc = rowtide_crdt_fetch(db[0], db[1], &reports[0]);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_fetch(db[1], db[0], &reports[1]);
    return rc == ROWTIDE_OK ? rowtide_crdt_sync(db[0], db[1]) : rc;
}

static void print_both(cli_run *cli, rowtide_crdt_report **reports)
{
    int json = cli_has(cli, "json");
    for (int i = 0; i < 2; i++) {
        if (json)
            putchar(i ? ',' : '[');
        cli_print_merged(cli, cli->arguments[i], reports[i]);
    }
    if (json)
        puts("]");
}

int cmd_crdt_sync(cli_run *cli)
{
    rowtide_db *db[2] = {NULL, NULL};
    rowtide_crdt_report *reports[2] = {NULL, NULL};
    int status = CLI_OK;
    for (int i = 0; status == CLI_OK && i < 2; i++)
        status = cli_open_crdt(cli, cli->arguments[i], &db[i]);
    if (status == CLI_OK && exchange(db, reports) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK)
        print_both(cli, reports);
    for (int i = 0; i < 2; i++) {
        rowtide_crdt_report_free(reports[i]);
        rowtide_db_free(db[i]);
    }
    return status;
}

/* ## collect */

int cmd_crdt_collect(cli_run *cli)
{
    rowtide_db *db = NULL;
    int64_t until = 0, count = 0;
    int status = cli_number(cli, "until", 0, &until);
    if (status == CLI_OK)
        status = cli_open_crdt(cli, cli->arguments[0], &db);
    if (status == CLI_OK
        && rowtide_crdt_collect(db, until, &count) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK && cli_has(cli, "json"))
        printf("{\"collected\":%lld}\n", (long long)count);
    else if (status == CLI_OK)
        cli_say(cli, "%lld deletion%s forgotten\n", (long long)count,
                count == 1 ? "" : "s");
    rowtide_db_free(db);
    return status;
}

/* ## convert */

int cmd_crdt_convert(cli_run *cli)
{
    rowtide_db *db = NULL;
    int64_t count = 0;
    int status = cli_open_db(cli, cli->arguments[0], 0, &db);
    if (status == CLI_OK && rowtide_crdt_convert(db, &count) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK && cli_has(cli, "json"))
        printf("{\"converted\":%lld}\n", (long long)count);
    else if (status == CLI_OK)
        cli_say(cli, "%lld table%s taken over\n", (long long)count,
                count == 1 ? "" : "s");
    rowtide_db_free(db);
    return status;
}
