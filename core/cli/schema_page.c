#include "schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ## Where a schema comes from */

static const char MAGIC[] = "SQLite format 3";

static int is_database(const char *path)
{
    char start[sizeof MAGIC];
    FILE *in = fopen(path, "rb");
    if (!in)
        return 0;
    size_t size = fread(start, 1, sizeof start, in);
    fclose(in);
    return size == sizeof start && memcmp(start, MAGIC, sizeof start) == 0;
}

static int read_database(cli_run *cli, const char *path, rowtide_schema **out)
{
    rowtide_schema_read_options options = ROWTIDE_SCHEMA_READ_OPTIONS_INIT;
    rowtide_db *db = NULL;
    int status = cli_open_db(cli, path, 1, &db);
    options.internal = cli_has(cli, "internal");
    if (status == CLI_OK
        && rowtide_schema_read(db, &options, out) != ROWTIDE_OK)
        status = cli_fail(cli);
    rowtide_db_free(db);
    return status;
}

static int fail_at_path(cli_run *cli, const char *path)
{
    int code = rowtide_error_code();
    return cli_fail_with(cli, code, "%s: %s",
                         strcmp(path, "-") == 0 ? "standard input" : path,
                         rowtide_error_message());
}

static int read_text(cli_run *cli, const char *path, rowtide_schema **out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    int status = cli_read_file(cli, path, &sql);
    if (status == CLI_OK && sql.data && strlen(sql.data) != sql.size)
        status = cli_fail_with(cli, ROWTIDE_EINVAL,
                               "%s is neither a database nor SQL", path);
    if (status == CLI_OK
        && rowtide_schema_parse(sql.data ? sql.data : "", out) != ROWTIDE_OK)
        status = fail_at_path(cli, path);
    free(sql.data);
    return status;
}

int cli_read_schema(cli_run *cli, const char *path, rowtide_schema **out)
{
    *out = NULL;
    if (strcmp(path, "-") != 0 && is_database(path))
        return read_database(cli, path, out);
    return read_text(cli, path, out);
}

/* ## Pages */

int cli_page_begin(cli_run *cli, cli_page *page)
{
    *page = (cli_page){0};
    int status = cli_use_color(cli, &page->color);
    if (status != CLI_OK)
        return status;
    page->out = open_memstream(&page->text, &page->size);
    return page->out ? CLI_OK
                     : cli_fail_with(cli, ROWTIDE_ENOMEM, "out of memory");
}

static int write_page(cli_run *cli, const cli_page *page)
{
    rowtide_sink *sink = NULL;
    int status = cli_open_output(cli, 0, &sink);
    if (status != CLI_OK)
        return status;
    int rc = rowtide_sink_write(sink, page->text, page->size);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    rowtide_sink_free(sink);
    return rc == ROWTIDE_OK ? CLI_OK : cli_fail(cli);
}

int cli_page_end(cli_run *cli, cli_page *page, int status)
{
    if (!page->out)
        return status;
    if (fclose(page->out) != 0 && status == CLI_OK)
        status = cli_fail_with(cli, ROWTIDE_ENOMEM, "out of memory");
    page->out = NULL;
    if (status == CLI_OK)
        status = write_page(cli, page);
    free(page->text);
    page->text = NULL;
    return status;
}

void cli_styled(cli_page *page, cli_style style, const char *text)
{
    static const char *const CODES[] = {"1", "2", "31", "32", "33", "34"};
    if (page->color)
        fprintf(page->out, "\x1b[%sm", CODES[style]);
    cli_print_safe(page->out, text);
    if (page->color)
        fputs("\x1b[0m", page->out);
}

/* Runs of white space become one blank; comments stay. */
static void fold(char *text)
{
    char *to = text;
    for (const char *from = text; *from; from++) {
        int space = strchr(" \t\r\n\f", *from) != NULL;
        if (!space)
            *to++ = *from;
        else if (to > text && to[-1] != ' ')
            *to++ = ' ';
    }
    *to = '\0';
}

void cli_print_sql(FILE *out, const char *sql, size_t most)
{
    size_t cells = 0, at = 0;
    char *text = strdup(sql);
    if (!text)
        return;
    fold(text);
    for (; text[at] && cells < most; at++)
        cells += (text[at + 1] & 0xC0) != 0x80;
    int cut = text[at] != '\0';
    text[at] = '\0';
    cli_print_safe(out, text);
    if (cut)
        fputs("\xE2\x80\xA6", out);
    free(text);
}

size_t cli_width(const char *text)
{
    size_t cells = 0;
    for (; *text; text++)
        cells += (*text & 0xC0) != 0x80;
    return cells;
}

void cli_pad(FILE *out, size_t from, size_t to)
{
    for (; from < to; from++)
        fputc(' ', out);
}

/* ## Options */

void cli_renames(cli_run *cli, const char **renames)
{
    renames[cli_values(cli, "rename", renames, CLI_MAX_GIVEN)] = NULL;
}

int cli_undeclared(cli_run *cli, rowtide_schema_undeclared *out)
{
    const char *word = cli_value(cli, "undeclared");
    *out = ROWTIDE_UNDECLARED_REMOVE;
    if (word && strcmp(word, "ignore") == 0)
        *out = ROWTIDE_UNDECLARED_IGNORE;
    else if (word && strcmp(word, "remove") != 0)
        return cli_usage(cli,
                         "option --undeclared: remove or ignore, not "
                         "\"%s\"",
                         word);
    return CLI_OK;
}

int cli_allow(cli_run *cli, unsigned *out)
{
    const char *words[CLI_MAX_GIVEN];
    size_t count = cli_values(cli, "allow", words, CLI_MAX_GIVEN);
    *out = 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i], "lossy") == 0)
            *out |= ROWTIDE_ALLOW_LOSSY;
        else if (strcmp(words[i], "destructive") == 0)
            *out |= ROWTIDE_ALLOW_DESTRUCTIVE;
        else
            return cli_usage(cli,
                             "option --allow: lossy or destructive, not \"%s\"",
                             words[i]);
    }
    return CLI_OK;
}

/* ## Words */

const char *cli_object_word(rowtide_schema_object object)
{
    static const char *const WORDS[] = {
        "table", "column",  "key",  "check",        "foreign key",
        "index", "trigger", "view", "virtual table"};
    return WORDS[object];
}

const char *cli_effect_word(rowtide_schema_effect effect)
{
    static const char *const WORDS[] = {"additive", "safe", "checked", "lossy",
                                        "destructive"};
    return WORDS[effect];
}

cli_style cli_effect_style(rowtide_schema_effect effect)
{
    static const cli_style STYLES[] = {CLI_GREEN, CLI_GREEN, CLI_YELLOW,
                                       CLI_RED, CLI_RED};
    return STYLES[effect];
}

void cli_print_place(cli_page *page, rowtide_schema_object object,
                     const char *table, const char *name)
{
    if (object == ROWTIDE_OBJECT_COLUMN && table) {
        cli_print_safe(page->out, table);
        fputc('.', page->out);
    }
    cli_print_sql(page->out, name ? name : table ? table : "", 60);
    int inside = object != ROWTIDE_OBJECT_COLUMN
                 && object != ROWTIDE_OBJECT_TABLE
                 && object != ROWTIDE_OBJECT_VIEW
                 && object != ROWTIDE_OBJECT_VIRTUAL_TABLE;
    if (inside && table && name && strcasecmp(table, name) != 0) {
        fputs(" on ", page->out);
        cli_print_safe(page->out, table);
    }
}
