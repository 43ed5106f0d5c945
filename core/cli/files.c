#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Tables that take part in merges can be written to by every command. What
 * cannot be opened as such says so when it is written to. */
static void open_crdt(rowtide_db *db)
{
    rowtide_stmt *stmt = NULL;
    int rc = rowtide_stmt_prepare(db,
                                  "SELECT 1 FROM sqlite_schema "
                                  "WHERE name = 'rowtide_crdt_table'",
                                  &stmt);
    if (rc == ROWTIDE_OK)
        rc = rowtide_stmt_step(stmt);
    rowtide_stmt_free(stmt);
    if (rc == ROWTIDE_OK)
        rowtide_crdt_open(db);
    rowtide_error_clear();
}

/* SQLite looks into the file only when it is used, and does not name it. */
static int check_file(cli_run *cli, const char *path, rowtide_db *db)
{
    if (rowtide_db_exec(db, "PRAGMA schema_version") == ROWTIDE_OK)
        return CLI_OK;
    char reason[256];
    snprintf(reason, sizeof reason, "%s", rowtide_error_message());
    return cli_fail_with(cli, rowtide_error_code(), "cannot read %s: %s", path,
                         reason);
}

int cli_open_db(cli_run *cli, const char *path, int read_only, rowtide_db **out)
{
    rowtide_open_options options = ROWTIDE_OPEN_OPTIONS_INIT;
    options.read_only = read_only;
    options.must_exist = 1;
    if (rowtide_db_open(path, &options, out) != ROWTIDE_OK)
        return cli_fail(cli);
    int status = check_file(cli, path, *out);
    if (status != CLI_OK) {
        rowtide_db_free(*out);
        *out = NULL;
        return status;
    }
    if (!read_only)
        open_crdt(*out);
    return CLI_OK;
}

int cli_open_output(cli_run *cli, int binary, rowtide_sink **out)
{
    const char *path = cli_value(cli, "output");
    if (!path)
        path = "-";
    if (binary && strcmp(path, "-") == 0 && isatty(STDOUT_FILENO))
        return cli_usage(cli, "the output is not text: give -o FILE, or send "
                              "it through a pipe");
    fflush(stdout);
    return rowtide_sink_file(path, out) == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

int cli_read_changeset(cli_run *cli, const char *path, rowtide_changeset **out)
{
    rowtide_source *source = NULL;
    *out = NULL;
    int rc = rowtide_source_file(path, &source);
    if (rc == ROWTIDE_OK)
        rc = rowtide_changeset_read(source, out);
    rowtide_source_free(source);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

int cli_report_output(const cli_run *cli)
{
    struct stat info;
    const char *path = cli_value(cli, "output");
    if (!cli_has(cli, "json") || !path || strcmp(path, "-") == 0)
        return CLI_OK;
    if (stat(path, &info) != 0)
        return cli_fail_with(cli, ROWTIDE_EIO, "%s: %s", path, strerror(errno));
    fputs("{\"output\":", stdout);
    cli_json_string(stdout, path);
    printf(",\"bytes\":%lld}\n", (long long)info.st_size);
    return CLI_OK;
}

int cli_write_changeset(cli_run *cli, rowtide_changeset *changeset)
{
    rowtide_sink *sink = NULL;
    int status = cli_open_output(cli, 1, &sink);
    if (status != CLI_OK)
        return status;
    int rc = rowtide_sink_write(sink, rowtide_changeset_data(changeset),
                                rowtide_changeset_size(changeset));
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    status = rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
    rowtide_sink_free(sink);
    return status;
}

/* A buffer of ours grows with realloc; the library's own hook is not set. */
static int append_stream(FILE *in, rowtide_buffer *out)
{
    size_t got;
    do {
        if (out->capacity - out->size < 65536) {
            size_t capacity = out->capacity ? 2 * out->capacity : 131072;
            char *data = realloc(out->data, capacity);
            if (!data)
                return ROWTIDE_ENOMEM;
            out->data = data;
            out->capacity = capacity;
        }
        got = fread(out->data + out->size, 1, out->capacity - out->size - 1,
                    in);
        out->size += got;
        out->data[out->size] = '\0';
    } while (got > 0);
    return ferror(in) ? ROWTIDE_EIO : ROWTIDE_OK;
}

int cli_read_file(cli_run *cli, const char *path, rowtide_buffer *out)
{
    int is_stdin = strcmp(path, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(path, "rb");
    if (!in)
        return cli_fail_with(cli, ROWTIDE_EIO, "%s: %s", path, strerror(errno));
    int rc = append_stream(in, out);
    if (rc != ROWTIDE_OK)
        rc = cli_fail_with(cli, rc, "%s: %s", path,
                           rc == ROWTIDE_EIO ? strerror(errno)
                                             : "out of memory");
    if (!is_stdin)
        fclose(in);
    return rc;
}

static int append_text(rowtide_buffer *out, const char *text)
{
    size_t length = strlen(text);
    char *data = realloc(out->data, out->size + length + 1);
    if (!data)
        return ROWTIDE_ENOMEM;
    memcpy(data + out->size, text, length + 1);
    out->data = data;
    out->size += length;
    out->capacity = out->size + 1;
    return ROWTIDE_OK;
}

static int join_statements(cli_run *cli, rowtide_buffer *out)
{
    const char *parts[CLI_MAX_GIVEN];
    size_t count = cli_values(cli, "sql", parts, CLI_MAX_GIVEN);
    for (size_t i = 0; i < count; i++)
        if (append_text(out, i > 0 ? "\n;\n" : "") != ROWTIDE_OK
            || append_text(out, parts[i]) != ROWTIDE_OK)
            return cli_fail_with(cli, ROWTIDE_ENOMEM, "out of memory");
    return CLI_OK;
}

int cli_read_sql(cli_run *cli, rowtide_buffer *out)
{
    const char *file = cli_value(cli, "file");
    int status = CLI_OK;
    if (cli_has(cli, "sql"))
        status = join_statements(cli, out);
    if (file && status == CLI_OK)
        status = cli_read_file(cli, file, out);
    if (file || status != CLI_OK || cli_has(cli, "sql"))
        return status;
    if (isatty(STDIN_FILENO))
        return cli_usage(cli, "which SQL? Give --sql, --file or send it to "
                              "standard input");
    return cli_read_file(cli, "-", out);
}

int cli_run_sql(cli_run *cli, rowtide_db *db)
{
    rowtide_buffer sql = {NULL, 0, 0};
    int status = cli_read_sql(cli, &sql);
    if (status == CLI_OK
        && rowtide_db_exec(db, sql.data ? sql.data : "") != ROWTIDE_OK)
        status = cli_fail(cli);
    rowtide_buffer_dispose(&sql);
    return status;
}

int cli_use_color(cli_run *cli, int *out)
{
    const char *when = cli_value(cli, "color"), *none = getenv("NO_COLOR");
    const char *term = getenv("TERM"), *path = cli_value(cli, "output");
    *out = 0;
    if (when && strcmp(when, "always") == 0)
        *out = 1;
    else if (!when || strcmp(when, "auto") == 0)
        *out = (!path || strcmp(path, "-") == 0) && isatty(STDOUT_FILENO)
               && !(none && *none) && !(term && strcmp(term, "dumb") == 0);
    else if (strcmp(when, "never") != 0)
        return cli_usage(cli,
                         "option --color: always, never or auto, not "
                         "\"%s\"",
                         when);
    return CLI_OK;
}
