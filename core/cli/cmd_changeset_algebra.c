#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* From a file to the output in bounded memory. */
typedef struct stream {
    cli_run *cli;
    rowtide_source *source;
    rowtide_sink *sink;
    rowtide_buffer data; /* for rebase */
} stream;

static int run_stream(stream *self, int (*run)(stream *self))
{
    int status = cli_open_output(self->cli, 1, &self->sink);
    if (status != CLI_OK)
        return status;
    int rc = rowtide_source_file(self->cli->arguments[0], &self->source);
    if (rc == ROWTIDE_OK)
        rc = run(self);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(self->sink);
    if (rc != ROWTIDE_OK)
        status = cli_fail(self->cli);
    rowtide_source_free(self->source);
    rowtide_sink_free(self->sink);
    return status == CLI_OK ? cli_report_output(self->cli) : status;
}

static int invert(stream *self)
{
    return rowtide_changeset_invert_stream(self->source, self->sink);
}

int cmd_changeset_invert(cli_run *cli)
{
    stream self = {.cli = cli};
    return run_stream(&self, invert);
}

static int is_wanted(const char *table, void *user)
{
    cli_run *cli = user;
    const char *tables[CLI_MAX_GIVEN];
    size_t count = cli_values(cli, "table", tables, CLI_MAX_GIVEN);
    int named = 0;
    for (size_t i = 0; i < count; i++)
        named |= strcmp(tables[i], table) == 0;
    return cli_has(cli, "exclude") ? !named : named;
}

static int filter(stream *self)
{
    return rowtide_changeset_filter_stream(self->source, is_wanted, self->cli,
                                           self->sink);
}

int cmd_changeset_filter(cli_run *cli)
{
    stream self = {.cli = cli};
    if (!cli_has(cli, "table"))
        return cli_usage(cli, "which tables? Give --table TABLE");
    return run_stream(&self, filter);
}

static int rebase(stream *self)
{
    return rowtide_changeset_rebase_stream(self->source, self->data.data,
                                           self->data.size, self->sink);
}

int cmd_changeset_rebase(cli_run *cli)
{
    stream self = {.cli = cli};
    int status = cli_read_file(cli, cli->arguments[1], &self.data);
    if (status == CLI_OK)
        status = run_stream(&self, rebase);
    rowtide_buffer_dispose(&self.data);
    return status;
}

static int concat(cli_run *cli, rowtide_source **sources, rowtide_sink *sink)
{
    int rc = ROWTIDE_OK;
    for (int i = 0; rc == ROWTIDE_OK && i < cli->argument_count; i++)
        rc = rowtide_source_file(cli->arguments[i], &sources[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_concat_stream(sources,
                                             (size_t)cli->argument_count, sink);
    return rc == ROWTIDE_OK ? rowtide_sink_close(sink) : rc;
}

int cmd_changeset_concat(cli_run *cli)
{
    rowtide_sink *sink = NULL;
    rowtide_source **sources = calloc((size_t)cli->argument_count,
                                      sizeof *sources);
    if (!sources)
        return cli_fail_with(cli, ROWTIDE_ENOMEM, "out of memory");
    int status = cli_open_output(cli, 1, &sink);
    if (status == CLI_OK && concat(cli, sources, sink) != ROWTIDE_OK)
        status = cli_fail(cli);
    for (int i = 0; i < cli->argument_count; i++)
        rowtide_source_free(sources[i]);
    rowtide_sink_free(sink);
    free(sources);
    return status == CLI_OK ? cli_report_output(cli) : status;
}

/* With --exit-code the answer is diff's: 0 the same, 1 different, 2 trouble. */
static int diff_status(cli_run *cli, int status, rowtide_changeset *changeset)
{
    if (!cli_has(cli, "exit-code"))
        return status;
    if (status != CLI_OK)
        return CLI_USAGE;
    return rowtide_changeset_change_count(changeset) ? 1 : 0;
}

static int diff_files(cli_run *cli, rowtide_changeset **out)
{
    rowtide_diff_options options = ROWTIDE_DIFF_OPTIONS_INIT;
    const char *tables[CLI_MAX_GIVEN];
    cli_progress progress;
    options.table_count = cli_values(cli, "table", tables, CLI_MAX_GIVEN);
    if (options.table_count)
        options.tables = tables;
    if (cli_has(cli, "patchset"))
        options.flags |= ROWTIDE_CAPTURE_PATCHSET;
    cli_progress_start(cli, &progress);
    options.progress = cli_progress_draw;
    options.progress_user = &progress;
    int rc = rowtide_changeset_diff_files(cli->arguments[0], cli->arguments[1],
                                          &options, out);
    cli_progress_end(&progress);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

/* With -o the changeset itself is wanted, unless it is to be a page. */
static int wants_bytes(cli_run *cli)
{
    return cli_value(cli, "output") && !cli_has(cli, "html")
           && !cli_has(cli, "json") && !cli_has(cli, "stat");
}

int cmd_changeset_diff(cli_run *cli)
{
    rowtide_changeset *changeset = NULL;
    rowtide_db *names = NULL;
    int status = diff_files(cli, &changeset);
    if (status == CLI_OK && wants_bytes(cli)) {
        status = cli_write_changeset(cli, changeset);
    } else if (status == CLI_OK) {
        status = cli_open_db(cli, cli->arguments[1], 1, &names);
        if (status == CLI_OK)
            status = cli_show(cli, changeset, names);
    }
    status = diff_status(cli, status, changeset);
    rowtide_changeset_free(changeset);
    rowtide_db_free(names);
    return status;
}
