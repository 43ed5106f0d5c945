#include "cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_OPTIONS = 64 };

/* What getopt_long wants, made of our tables. */
typedef struct getopt_tables {
    struct option longs[MAX_OPTIONS + 1];
    const cli_option *options[MAX_OPTIONS];
    int count;
    char shorts[2 * MAX_OPTIONS + 2];
} getopt_tables;

static void add_options(getopt_tables *tables, const cli_option *option)
{
    for (; option->name && tables->count < MAX_OPTIONS; option++) {
        size_t used = strlen(tables->shorts);
        tables->longs[tables->count] = (struct option){
            option->name, option->value ? required_argument : no_argument, NULL,
            256 + tables->count};
        tables->options[tables->count++] = option;
        if (option->letter) {
            tables->shorts[used] = option->letter;
            tables->shorts[used + 1] = option->value ? ':' : '\0';
        }
    }
}

static const cli_option *find_option(const getopt_tables *tables, int found)
{
    if (found >= 256)
        return tables->options[found - 256];
    for (int i = 0; i < tables->count; i++)
        if (tables->options[i]->letter == found)
            return tables->options[i];
    return NULL;
}

static int refuse_option(const cli_run *cli, int found, char **argv)
{
    char letter[3] = {'-', (char)optopt, '\0'};
    const char *name = optopt > 0 && optopt < 256 ? letter : argv[optind - 1];
    if (found == ':')
        return cli_usage(cli, "option %s needs a value", name);
    return cli_usage(cli, "there is no option %s; see: rowtide help %s", name,
                     cli->command->name);
}

/* So that even the first usage error is in the wanted form. */
static void look_for_json(cli_run *cli, int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--json") == 0 && cli->given_count == 0)
            cli->given[cli->given_count++].option = &cli_common_options[0];
}

/* Before anything is opened: --limit and the like are numbers. */
static int check_numbers(cli_run *cli)
{
    int64_t number;
    int status = CLI_OK;
    for (int i = 0; status == CLI_OK && i < cli->given_count; i++) {
        const cli_option *option = cli->given[i].option;
        if (option->value && strcmp(option->value, "N") == 0)
            status = cli_number(cli, option->name, 0, &number);
    }
    return status;
}

int cli_parse(cli_run *cli, int argc, char **argv)
{
    getopt_tables tables = {.shorts = ":"};
    int found;
    add_options(&tables, cli->command->options);
    add_options(&tables, cli_common_options);
    look_for_json(cli, argc, argv);
    opterr = 0;
    while ((found = getopt_long(argc, argv, tables.shorts, tables.longs, NULL))
           != -1) {
        const cli_option *option = find_option(&tables, found);
        if (!option)
            return refuse_option(cli, found, argv);
        if (cli->given_count == CLI_MAX_GIVEN)
            return cli_usage(cli, "too many options");
        cli->given[cli->given_count].option = option;
        cli->given[cli->given_count++].value = optarg;
    }
    cli->arguments = argv + optind;
    cli->argument_count = argc - optind;
    if (cli_has(cli, "help")) {
        cli_print_help(stdout, cli->command);
        return CLI_OK;
    }
    if (cli->argument_count < cli->command->least
        || cli->argument_count > cli->command->most)
        return cli_usage(cli, "usage: rowtide %s %s", cli->command->name,
                         cli->command->arguments);
    return check_numbers(cli) == CLI_OK ? -1 : CLI_USAGE;
}

int cli_has(const cli_run *cli, const char *option)
{
    for (int i = 0; cli && i < cli->given_count; i++)
        if (strcmp(cli->given[i].option->name, option) == 0)
            return 1;
    return 0;
}

size_t cli_values(const cli_run *cli, const char *option, const char **out,
                  size_t room)
{
    size_t count = 0;
    for (int i = 0; i < cli->given_count && count < room; i++)
        if (strcmp(cli->given[i].option->name, option) == 0)
            out[count++] = cli->given[i].value;
    return count;
}

const char *cli_value(const cli_run *cli, const char *option)
{
    const char *last = NULL;
    for (int i = 0; i < cli->given_count; i++)
        if (strcmp(cli->given[i].option->name, option) == 0)
            last = cli->given[i].value;
    return last;
}

int cli_number(cli_run *cli, const char *option, int64_t otherwise,
               int64_t *out)
{
    const char *text = cli_value(cli, option);
    char *end;
    *out = otherwise;
    if (!text)
        return CLI_OK;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (*text == '\0' || *end != '\0' || errno || number < 0)
        return cli_usage(cli, "option --%s: \"%s\" is not a whole number",
                         option, text);
    *out = number;
    return CLI_OK;
}
