#include "cli.h"

#include <string.h>

/* ## Tables */

static int is_wanted(const char *table, void *user)
{
    const char *tables[CLI_MAX_GIVEN];
    size_t count = cli_values(user, "table", tables, CLI_MAX_GIVEN);
    for (size_t i = 0; i < count; i++)
        if (strcmp(tables[i], table) == 0)
            return 1;
    return 0;
}

int cli_filter_tables(cli_run *cli, rowtide_changeset **changeset)
{
    rowtide_changeset *kept;
    if (!cli_has(cli, "table"))
        return CLI_OK;
    int rc = rowtide_changeset_filter(*changeset, is_wanted, cli, &kept);
    if (rc != ROWTIDE_OK)
        return cli_fail(cli);
    rowtide_changeset_free(*changeset);
    *changeset = kept;
    return CLI_OK;
}

void cli_capture_tables(cli_run *cli, const char **tables,
                        rowtide_capture_options *options)
{
    options->table_count = cli_values(cli, "table", tables, CLI_MAX_GIVEN);
    if (options->table_count)
        options->tables = tables;
}

/* ## Counts */

void cli_print_counts_json(FILE *out, rowtide_changeset *changeset)
{
    int tables = rowtide_changeset_table_count(changeset);
    fprintf(out, "{\"kind\":\"%s\",\"bytes\":%zu,\"changes\":%lld,\"tables\":[",
            rowtide_changeset_is_patchset(changeset) ? "patchset" : "changeset",
            rowtide_changeset_size(changeset),
            (long long)rowtide_changeset_change_count(changeset));
    for (int i = 0; i < tables; i++) {
        rowtide_change_counts counts = {0, 0, 0, 0};
        rowtide_changeset_table_counts(changeset, i, &counts);
        fputs(i ? ",{\"table\":" : "{\"table\":", out);
        cli_json_string(out, rowtide_changeset_table_name(changeset, i));
        fprintf(out,
                ",\"inserts\":%lld,\"updates\":%lld,\"deletes\":%lld,"
                "\"indirect\":%lld}",
                (long long)counts.inserts, (long long)counts.updates,
                (long long)counts.deletes, (long long)counts.indirect);
    }
    fputc(']', out);
}

void cli_print_size(FILE *out, rowtide_changeset *changeset)
{
    int64_t changes = rowtide_changeset_change_count(changeset);
    int tables = rowtide_changeset_table_count(changeset);
    fprintf(out, "%lld change%s in %d table%s, %zu bytes", (long long)changes,
            changes == 1 ? "" : "s", tables, tables == 1 ? "" : "s",
            rowtide_changeset_size(changeset));
}

static void print_stat(rowtide_changeset *changeset)
{
    int tables = rowtide_changeset_table_count(changeset);
    for (int i = 0; i < tables; i++) {
        rowtide_change_counts counts = {0, 0, 0, 0};
        rowtide_changeset_table_counts(changeset, i, &counts);
        printf("%8lld inserted %8lld updated %8lld deleted  ",
               (long long)counts.inserts, (long long)counts.updates,
               (long long)counts.deletes);
        cli_print_safe(stdout, rowtide_changeset_table_name(changeset, i));
        putchar('\n');
    }
    cli_print_size(stdout, changeset);
    putchar('\n');
}

static int show_counts(cli_run *cli, rowtide_changeset *changeset)
{
    if (cli_has(cli, "json")) {
        cli_print_counts_json(stdout, changeset);
        puts("}");
    } else {
        print_stat(changeset);
    }
    return CLI_OK;
}

/* ## Contents */

typedef int (*renderer)(rowtide_source *, const rowtide_render_options *,
                        rowtide_sink *);

static renderer choose_renderer(cli_run *cli)
{
    if (cli_has(cli, "html"))
        return rowtide_changeset_to_html;
    if (cli_has(cli, "json"))
        return rowtide_changeset_to_json;
    return rowtide_changeset_to_text;
}

static int render(cli_run *cli, rowtide_changeset *changeset,
                  const rowtide_render_options *options)
{
    rowtide_source *source = NULL;
    rowtide_sink *sink = NULL;
    int status = cli_open_output(cli, 0, &sink);
    if (status != CLI_OK)
        return status;
    int rc = rowtide_source_memory(rowtide_changeset_data(changeset),
                                   rowtide_changeset_size(changeset), &source);
    if (rc == ROWTIDE_OK)
        rc = choose_renderer(cli)(source, options, sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    status = rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
    rowtide_source_free(source);
    rowtide_sink_free(sink);
    return status;
}

/* More than a browser likes to show is not wanted by accident. */
enum { PAGE_LIMIT = 2000 };

int cli_show(cli_run *cli, rowtide_changeset *changeset, rowtide_db *names)
{
    rowtide_render_options options = ROWTIDE_RENDER_OPTIONS_INIT;
    const char *path = cli_value(cli, "db");
    rowtide_db *db = NULL;
    int color;
    int status = cli_use_color(cli, &color);
    if (status == CLI_OK)
        status = cli_number(cli, "limit", cli_has(cli, "html") ? PAGE_LIMIT : 0,
                            &options.limit);
    if (status == CLI_OK && path)
        status = cli_open_db(cli, path, 1, &db);
    if (status == CLI_OK) {
        options.names = db ? db : names;
        options.title = cli_value(cli, "title");
        options.flags = color ? ROWTIDE_RENDER_COLOR : 0;
        status = cli_has(cli, "stat") ? show_counts(cli, changeset)
                                      : render(cli, changeset, &options);
    }
    rowtide_db_free(db);
    return status;
}
