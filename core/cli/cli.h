#ifndef ROWTIDE_CLI_H
#define ROWTIDE_CLI_H

#include <rowtide.h>

#include <stdio.h>

/* Exit statuses, as docs/cli.md has them. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_CONFLICT = 3 };

enum { CLI_MAX_GIVEN = 128 };

typedef struct cli_option {
    const char *name;  /* NULL ends a list */
    char letter;       /* or 0 */
    const char *value; /* what it takes, such as "FILE"; NULL: nothing */
    const char *help;
} cli_option;

typedef struct cli_run cli_run;

typedef struct cli_command {
    const char *name;      /* one or two words */
    const char *arguments; /* "DB FILE" */
    const char *summary;   /* one line */
    const char *details;   /* paragraphs, or NULL */
    const cli_option *options;
    int least, most; /* how many arguments */
    int (*run)(cli_run *cli);
} cli_command;

/* One run of a command. */
struct cli_run {
    const cli_command *command;
    struct {
        const cli_option *option;
        const char *value;
    } given[CLI_MAX_GIVEN];
    int given_count;
    char **arguments;
    int argument_count;
};

/* The table that everything is made of; ends with name NULL. */
extern const cli_command cli_commands[];

/* Options of every command. */
extern const cli_option cli_common_options[];

/* ## Arguments (args.c) */

/* Exit status, or -1 to go on. */
int cli_parse(cli_run *cli, int argc, char **argv);
int cli_has(const cli_run *cli, const char *option);
/* The last value given, or NULL. */
const char *cli_value(const cli_run *cli, const char *option);
/* All of them; at most `room`. */
size_t cli_values(const cli_run *cli, const char *option, const char **out,
                  size_t room);
/* A whole number that is not negative. CLI_OK or CLI_USAGE. */
int cli_number(cli_run *cli, const char *option, int64_t otherwise,
               int64_t *out);

/* ## Help (help.c) */

const cli_command *cli_find(const char *first, const char *second, int *words);
void cli_print_help(FILE *out, const cli_command *command);
void cli_print_overview(FILE *out, const char *group);
int cli_is_group(const char *word);
void cli_print_man(FILE *out);

/* ## Messages (message.c) */

/* One line on stderr; with --json an object. Returns CLI_USAGE. */
int cli_usage(const cli_run *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The library's last error. Returns the exit status that it stands for. */
int cli_fail(const cli_run *cli);
/* An error of our own. */
int cli_fail_with(const cli_run *cli, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A line on stdout unless --quiet or --json. */
void cli_say(const cli_run *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void cli_json_string(FILE *out, const char *text);
/* Text for a terminal: control characters made visible. */
void cli_print_safe(FILE *out, const char *text);

/* ## Files and databases (files.c) */

int cli_open_db(cli_run *cli, const char *path, int read_only,
                rowtide_db **out);
/* Where output goes: the value of --output, else "-". Refuses to write bytes
 * to a terminal. */
int cli_open_output(cli_run *cli, int binary, rowtide_sink **out);
int cli_read_changeset(cli_run *cli, const char *path, rowtide_changeset **out);
/* With --json and -o: what was written, as {"output": .., "bytes": ..}. */
int cli_report_output(const cli_run *cli);
int cli_write_changeset(cli_run *cli, rowtide_changeset *changeset);
/* The whole of a file; "-" is standard input. */
int cli_read_file(cli_run *cli, const char *path, rowtide_buffer *out);
/* What --sql, --file or standard input say. */
int cli_read_sql(cli_run *cli, rowtide_buffer *out);
/* And run it. */
int cli_run_sql(cli_run *cli, rowtide_db *db);
int cli_use_color(cli_run *cli, int *out);

/* ## Shared by commands */

/* Keep the tables that --table names. CLI_OK also without any. */
int cli_filter_tables(cli_run *cli, rowtide_changeset **changeset);
/* Tables that --table names, for recording. `tables` must live as long. */
void cli_capture_tables(cli_run *cli, const char **tables,
                        rowtide_capture_options *options);
/* Show a changeset as the options of `show` say. */
int cli_show(cli_run *cli, rowtide_changeset *changeset, rowtide_db *names);
/* {"bytes": .., "changes": .., "tables": [..]} without the last brace. */
void cli_print_counts_json(FILE *out, rowtide_changeset *changeset);
/* "3 changes in 1 table" */
void cli_print_size(FILE *out, rowtide_changeset *changeset);
/* How to apply, from --on-conflict and its like. */
int cli_apply_options(cli_run *cli, rowtide_apply_options *options);

/* ## Progress (progress.c) */

typedef struct cli_progress {
    int64_t started; /* milliseconds */
    int shown;
    int wanted;
} cli_progress;

void cli_progress_start(const cli_run *cli, cli_progress *progress);
int cli_progress_draw(const rowtide_progress *at, void *progress);
void cli_progress_end(cli_progress *progress);

/* ## Options that several commands have */

#define CLI_OUTPUT                                                             \
    {"output", 'o', "FILE",                                                    \
     "write to FILE, which is complete or not there; - is standard "           \
     "output"}
#define CLI_TABLE {"table", 't', "TABLE", "only this table; may be given again"}
#define CLI_SQL                                                                \
    {"sql", 0, "SQL", "the statements; may be given again"},                   \
        {"file", 'f', "FILE",                                                  \
         "read the statements from FILE; without --sql and --file they "       \
         "come from standard input"}
#define CLI_COLOR                                                              \
    {"color", 0, "WHEN",                                                       \
     "colours: always, never, or auto (on a terminal, unless "                 \
     "NO_COLOR is set)"}
#define CLI_SCHEMA                                                             \
    {"rename", 0, "OLD=NEW",                                                   \
     "a table that was renamed, or with TABLE.OLD=NEW a column; may be given " \
     "again. Without it a new name is a new thing"},                           \
        {"undeclared", 0, "WHAT",                                              \
         "tables, views and triggers that the new schema does not have: "      \
         "remove (the default) or ignore"}
#define CLI_ALLOW                                                              \
    {"allow", 0, "WHAT",                                                       \
     "also steps that are lossy or destructive; may be given again"}
#define CLI_SHOW                                                               \
    {"db", 0, "DB", "take column names from this database"},                   \
        {"html", 0, NULL, "make one HTML page, old and new side by side"},     \
        {"stat", 0, NULL, "only count the changes of each table"},             \
        {"limit", 'n', "N",                                                    \
         "show at most N changes, 0 for all; an HTML page has at most 2000 "   \
         "if "                                                                 \
         "this is not given"},                                                 \
        {"title", 0, "TEXT", "title of the HTML page"}, CLI_COLOR
#define CLI_APPLY                                                              \
    {"on-conflict", 0, "ACTION",                                               \
     "for every conflict: abort (the default), omit, or replace where that "   \
     "is possible and else omit; KIND=ACTION is for one kind: data, "          \
     "not_found, conflict, constraint, foreign_key"},                          \
        {"on-data", 0, "ACTION", "as --on-conflict data=ACTION"},              \
        {"on-not-found", 0, "ACTION", "as --on-conflict not_found=ACTION"},    \
        {"on-constraint", 0, "ACTION", "as --on-conflict constraint=ACTION"},  \
        {"on-foreign-key", 0, "ACTION",                                        \
         "as --on-conflict foreign_key=ACTION"},                               \
        {"ignore-noop", 0, NULL,                                               \
         "what the database already has is no conflict"},                      \
        {"no-triggers", 0, NULL, "triggers do not fire"},                      \
        {"fk-no-action", 0, NULL, "foreign key actions do not run"},           \
        {"skip-indirect", 0, NULL,                                             \
         "leave out what triggers and foreign key actions did"},               \
        {"skip-misfits", 0, NULL,                                              \
         "leave out tables that do not fit the schema instead of failing"}

/* ## The commands */

int cmd_changeset_record(cli_run *cli);
int cmd_changeset_show(cli_run *cli);
int cmd_changeset_apply(cli_run *cli);
int cmd_changeset_invert(cli_run *cli);
int cmd_changeset_concat(cli_run *cli);
int cmd_changeset_rebase(cli_run *cli);
int cmd_changeset_filter(cli_run *cli);
int cmd_changeset_diff(cli_run *cli);
int cmd_changeset_from_json(cli_run *cli);
int cmd_changeset_to_json(cli_run *cli);
int cmd_changeset_to_sql(cli_run *cli);
int cmd_audit_record(cli_run *cli);
int cmd_audit_log(cli_run *cli);
int cmd_audit_show(cli_run *cli);
int cmd_audit_prune(cli_run *cli);
int cmd_undo_record(cli_run *cli);
int cmd_undo_list(cli_run *cli);
int cmd_undo_undo(cli_run *cli);
int cmd_undo_redo(cli_run *cli);
int cmd_undo_clear(cli_run *cli);
int cmd_replicate_publish(cli_run *cli);
int cmd_replicate_pull(cli_run *cli);
int cmd_replicate_status(cli_run *cli);
int cmd_crdt_enable(cli_run *cli);
int cmd_crdt_disable(cli_run *cli);
int cmd_crdt_status(cli_run *cli);
int cmd_crdt_alter(cli_run *cli);
int cmd_crdt_pull(cli_run *cli);
int cmd_crdt_merge(cli_run *cli);
int cmd_crdt_sync(cli_run *cli);
int cmd_crdt_peers(cli_run *cli);
int cmd_crdt_collect(cli_run *cli);
int cmd_crdt_convert(cli_run *cli);
int cmd_schema_show(cli_run *cli);
int cmd_schema_diff(cli_run *cli);
int cmd_schema_plan(cli_run *cli);
int cmd_schema_apply(cli_run *cli);
int cmd_schema_generate(cli_run *cli);

#endif
