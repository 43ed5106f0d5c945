#include "cli.h"

#include <string.h>

static int is_wanted(const char *table, void *user)
{
    const char *tables[CLI_MAX_GIVEN];
    size_t count = cli_values(user, "table", tables, CLI_MAX_GIVEN);
    for (size_t i = 0; i < count; i++)
        if (strcmp(tables[i], table) == 0)
            return 1;
    return 0;
}

/* ## The report */

static void print_numbers_json(const rowtide_report_table *line)
{
    printf("\"applied\":%lld,\"omitted\":%lld,\"replaced\":%lld,"
           "\"skipped\":%lld",
           (long long)line->applied, (long long)line->omitted,
           (long long)line->replaced, (long long)line->skipped);
}

static void print_report_json(cli_run *cli, const rowtide_report *report)
{
    rowtide_report_table line = rowtide_report_total(report);
    int count = rowtide_report_table_count(report);
    putchar('{');
    print_numbers_json(&line);
    printf(",\"dry_run\":%s,\"tables\":[",
           cli_has(cli, "dry-run") ? "true" : "false");
    for (int i = 0; i < count; i++) {
        if (rowtide_report_table_at(report, i, &line) != ROWTIDE_OK)
            continue;
        fputs(i ? ",{\"table\":" : "{\"table\":", stdout);
        cli_json_string(stdout, line.table);
        putchar(',');
        print_numbers_json(&line);
        if (line.skip_reason) {
            fputs(",\"skip_reason\":", stdout);
            cli_json_string(stdout, line.skip_reason);
        }
        putchar('}');
    }
    puts("]}");
}

static void print_numbers(const rowtide_report_table *line)
{
    printf("%lld applied", (long long)line->applied);
    if (line->replaced)
        printf(" (%lld replaced)", (long long)line->replaced);
    if (line->omitted)
        printf(", %lld omitted", (long long)line->omitted);
    if (line->skipped)
        printf(", %lld skipped", (long long)line->skipped);
}

static void print_report(cli_run *cli, const rowtide_report *report)
{
    rowtide_report_table line;
    int count = rowtide_report_table_count(report);
    for (int i = 0; i < count; i++) {
        if (rowtide_report_table_at(report, i, &line) != ROWTIDE_OK)
            continue;
        cli_print_safe(stdout, line.table);
        fputs(": ", stdout);
        print_numbers(&line);
        if (line.skip_reason) {
            fputs(": ", stdout);
            cli_print_safe(stdout, line.skip_reason);
        }
        putchar('\n');
    }
    line = rowtide_report_total(report);
    if (count != 1) {
        fputs("total: ", stdout);
        print_numbers(&line);
        putchar('\n');
    }
    if (cli_has(cli, "dry-run"))
        puts("nothing was written: this was a dry run");
}

static int write_rebase(cli_run *cli, const rowtide_report *report)
{
    const char *path = cli_value(cli, "rebase-out");
    rowtide_sink *sink = NULL;
    size_t size = 0;
    if (!path)
        return CLI_OK;
    const void *data = rowtide_report_rebase(report, &size);
    int rc = rowtide_sink_file(path, &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_write(sink, data, size);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    rowtide_sink_free(sink);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

/* ## Applying */

static int apply_file(cli_run *cli, rowtide_db *db,
                      const rowtide_apply_options *options,
                      rowtide_report **report)
{
    rowtide_source *source = NULL;
    int rc = rowtide_source_file(cli->arguments[1], &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_apply_stream(db, source, options, report);
    rowtide_source_free(source);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

/* The rebase data must be on disk before the commit: without it, local work
 * could not be rebased any more. */
static int apply_in_transaction(cli_run *cli, rowtide_db *db,
                                const rowtide_apply_options *options,
                                rowtide_report **report)
{
    if (rowtide_db_exec(db, "BEGIN IMMEDIATE") != ROWTIDE_OK)
        return cli_fail(cli);
    int status = apply_file(cli, db, options, report);
    int keep = status == CLI_OK && !cli_has(cli, "dry-run");
    if (status == CLI_OK)
        status = write_rebase(cli, *report);
    if (status != CLI_OK || !keep) {
        rowtide_db_exec(db, "ROLLBACK");
        return status;
    }
    if (rowtide_db_exec(db, "COMMIT") == ROWTIDE_OK)
        return CLI_OK;
    status = cli_fail(cli);
    rowtide_db_exec(db, "ROLLBACK");
    return status;
}

static int apply(cli_run *cli, rowtide_db *db, rowtide_apply_options *options,
                 rowtide_report **report)
{
    cli_progress progress;
    if (cli_has(cli, "table")) {
        options->filter = is_wanted;
        options->filter_user = cli;
    }
    cli_progress_start(cli, &progress);
    options->progress = cli_progress_draw;
    options->progress_user = &progress;
    int status = cli_has(cli, "dry-run") || cli_has(cli, "rebase-out")
                     ? apply_in_transaction(cli, db, options, report)
                     : apply_file(cli, db, options, report);
    cli_progress_end(&progress);
    options->progress = NULL;
    options->progress_user = NULL;
    return status;
}

int cmd_changeset_apply(cli_run *cli)
{
    rowtide_db *db = NULL;
    rowtide_report *report = NULL;
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    int status = cli_apply_options(cli, &options);
    if (status == CLI_OK)
        status = cli_open_db(cli, cli->arguments[0], 0, &db);
    if (status == CLI_OK)
        status = apply(cli, db, &options, &report);
    if (status == CLI_OK && cli_has(cli, "json"))
        print_report_json(cli, report);
    else if (status == CLI_OK && !cli_has(cli, "quiet"))
        print_report(cli, report);
    rowtide_report_free(report);
    rowtide_db_free(db);
    return status;
}
