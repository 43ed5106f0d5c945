#include "crdt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ## pull */

typedef struct pull_room {
    const char *tables[CLI_MAX_GIVEN + 1];
    unsigned char site[ROWTIDE_SITE_ID_SIZE];
} pull_room;

static int read_exclude(cli_run *cli, pull_room *room,
                        rowtide_crdt_pull_options *options)
{
    const char *digits = cli_value(cli, "exclude");
    size_t length = digits ? strlen(digits) : 0;
    if (!digits)
        return CLI_OK;
    if (length == 0 || length > 2 * sizeof room->site
        || cli_read_hex(digits, length, room->site) < 0)
        return cli_usage(cli,
                         "option --exclude: \"%s\" is not a site in "
                         "hexadecimal",
                         digits);
    options->exclude = room->site;
    options->exclude_size = length / 2;
    return CLI_OK;
}

static int read_pull_options(cli_run *cli, pull_room *room,
                             rowtide_crdt_pull_options *options)
{
    size_t count = cli_values(cli, "table", room->tables, CLI_MAX_GIVEN);
    room->tables[count] = NULL;
    if (count)
        options->tables = room->tables;
    options->only_local = cli_has(cli, "local");
    int status = cli_number(cli, "since", 0, &options->since);
    if (status == CLI_OK)
        status = cli_number(cli, "until", 0, &options->until);
    if (status == CLI_OK)
        status = read_exclude(cli, room, options);
    return status;
}

static int write_line(FILE *line, char **text, size_t *size,
                      const rowtide_crdt_change *change, rowtide_sink *sink)
{
    rewind(line);
    int rc = cli_print_change(line, change);
    if (rc == ROWTIDE_OK && fflush(line) != 0)
        rc = rowtide_error_set(ROWTIDE_ENOMEM, "out of memory");
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_write(sink, *text, *size);
    return rc;
}

static int write_lines(rowtide_db *db, const rowtide_crdt_pull_options *options,
                       rowtide_sink *sink)
{
    rowtide_crdt_pull *pull = NULL;
    rowtide_crdt_change change;
    char *text = NULL;
    size_t size = 0;
    FILE *line = open_memstream(&text, &size);
    if (!line)
        return rowtide_error_set(ROWTIDE_ENOMEM, "out of memory");
    int rc = rowtide_crdt_pull_open(db, options, &pull);
    while (rc == ROWTIDE_OK
           && (rc = rowtide_crdt_pull_next(pull, &change)) == ROWTIDE_OK)
        rc = write_line(line, &text, &size, &change, sink);
    rowtide_crdt_pull_free(pull);
    fclose(line);
    free(text);
    return rc == ROWTIDE_DONE ? ROWTIDE_OK : rc;
}

int cmd_crdt_pull(cli_run *cli)
{
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    pull_room room;
    rowtide_db *db = NULL;
    rowtide_sink *sink = NULL;
    int lines = cli_has(cli, "json");
    int status = read_pull_options(cli, &room, &options);
    if (status == CLI_OK)
        status = cli_open_crdt(cli, cli->arguments[0], &db);
    if (status == CLI_OK)
        status = cli_open_output(cli, !lines, &sink);
    if (status == CLI_OK) {
        int rc = lines ? write_lines(db, &options, sink)
                       : rowtide_crdt_pull_payload(db, &options, sink);
        if (rc == ROWTIDE_OK)
            rc = rowtide_sink_close(sink);
        if (rc != ROWTIDE_OK)
            status = cli_fail(cli);
    }
    rowtide_sink_free(sink);
    rowtide_db_free(db);
    return status == CLI_OK ? cli_report_output(cli) : status;
}

/* ## merge */

typedef struct input {
    const char *path;
    FILE *file;
} input;

static int fail_reading(const input *in)
{
    char message[1000];
    snprintf(message, sizeof message, "%s: %s", in->path, strerror(errno));
    return rowtide_error_set(ROWTIDE_EIO, message);
}

static int read_bytes(void *data, size_t *size, void *user)
{
    input *in = user;
    *size = fread(data, 1, *size, in->file);
    return *size == 0 && ferror(in->file) ? fail_reading(in) : ROWTIDE_OK;
}

static int merge_payload(rowtide_db *db, input *in, rowtide_crdt_report **out)
{
    rowtide_source *source = NULL;
    int rc = rowtide_source_callback(read_bytes, in, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_merge_payload(db, source, out);
    rowtide_source_free(source);
    return rc;
}

static int fail_in_line(int code, int64_t number)
{
    char message[1000], last[960];
    snprintf(last, sizeof last, "%s", rowtide_error_message());
    snprintf(message, sizeof message, "line %lld: %s", (long long)number, last);
    return rowtide_error_set(code, message);
}

static int merge_lines(rowtide_crdt_merge *merge, cli_change_reader *reader,
                       input *in)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    int64_t number = 0;
    int rc = ROWTIDE_OK;
    while (rc == ROWTIDE_OK && (length = getline(&line, &room, in->file)) > 0) {
        number++;
        if (strspn(line, " \t\r\n") == (size_t)length)
            continue;
        rc = cli_change_reader_read(reader, line, (size_t)length);
        if (rc == ROWTIDE_OK)
            rc = rowtide_crdt_merge_add(merge, &reader->change);
        if (rc < 0)
            rc = fail_in_line(rc, number);
    }
    free(line);
    if (rc == ROWTIDE_OK && ferror(in->file))
        rc = fail_reading(in);
    return rc;
}

static int merge_json(rowtide_db *db, input *in, rowtide_crdt_report **out)
{
    cli_change_reader reader;
    rowtide_crdt_merge *merge = NULL;
    int rc = cli_change_reader_open(&reader);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_merge_begin(db, &merge);
    if (rc == ROWTIDE_OK)
        rc = merge_lines(merge, &reader, in);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_merge_end(merge, out);
    /* Undoing keeps the last error. */
    rowtide_crdt_merge_free(merge);
    cli_change_reader_close(&reader);
    return rc;
}

static int merge_either(rowtide_db *db, input *in, rowtide_crdt_report **out)
{
    int first = getc(in->file);
    if (first == EOF && ferror(in->file))
        return fail_reading(in);
    if (first != EOF)
        ungetc(first, in->file);
    if (first == EOF || first == '{' || first == '\n')
        return merge_json(db, in, out);
    return merge_payload(db, in, out);
}

int cmd_crdt_merge(cli_run *cli)
{
    rowtide_db *db = NULL;
    rowtide_crdt_report *report = NULL;
    input in = {cli->arguments[1], stdin};
    if (strcmp(in.path, "-") != 0)
        in.file = fopen(in.path, "rb");
    if (!in.file)
        return cli_fail_with(cli, ROWTIDE_EIO, "%s: %s", in.path,
                             strerror(errno));
    int status = cli_open_crdt(cli, cli->arguments[0], &db);
    if (status == CLI_OK && merge_either(db, &in, &report) != ROWTIDE_OK)
        status = cli_fail(cli);
    if (status == CLI_OK)
        cli_print_merged(cli, NULL, report);
    if (status == CLI_OK && cli_has(cli, "json"))
        putchar('\n');
    rowtide_crdt_report_free(report);
    rowtide_db_free(db);
    if (in.file != stdin)
        fclose(in.file);
    return status;
}
