#include "cli.h"

#include <string.h>

static int print_version(void)
{
    printf("rowtide %s\n", rowtide_version());
    return CLI_OK;
}

static int help(int argc, char **argv)
{
    int words;
    if (argc > 0 && strcmp(argv[0], "--man") == 0) {
        cli_print_man(stdout);
        return CLI_OK;
    }
    if (argc == 0 || (argc == 1 && cli_is_group(argv[0]))) {
        cli_print_overview(stdout, argc ? argv[0] : NULL);
        return CLI_OK;
    }
    const cli_command *command = cli_find(argv[0], argc > 1 ? argv[1] : NULL,
                                          &words);
    if (!command || words != argc)
        return cli_usage(NULL, "help: there is no command \"%s%s%s\"", argv[0],
                         argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
    cli_print_help(stdout, command);
    return CLI_OK;
}

static int unknown_command(int argc, char **argv)
{
    if (cli_is_group(argv[1]) && argc == 2)
        return cli_usage(NULL, "%s: which command? See: rowtide help %s",
                         argv[1], argv[1]);
    if (cli_is_group(argv[1]))
        return cli_usage(NULL,
                         "there is no command \"%s %s\"; see: rowtide help %s",
                         argv[1], argv[2], argv[1]);
    return cli_usage(NULL, "there is no command \"%s\"; see: rowtide help",
                     argv[1]);
}

static int run(int argc, char **argv)
{
    cli_run cli = {0};
    int words = 0;
    const char *first = argc > 1 ? argv[1] : "help";
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0)
        return print_version();
    if (strcmp(first, "help") == 0 || strcmp(first, "--help") == 0
        || strcmp(first, "-h") == 0)
        return help(argc > 2 ? argc - 2 : 0, argv + 2);
    if (argc > 2 && cli_is_group(first)
        && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0))
        return help(1, argv + 1);
    cli.command = cli_find(first, argc > 2 ? argv[2] : NULL, &words);
    if (!cli.command)
        return unknown_command(argc, argv);
    int status = cli_parse(&cli, argc - words, argv + words);
    return status >= 0 ? status : cli.command->run(&cli);
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);
    if (fflush(stdout) != 0 && status == CLI_OK) {
        fputs("rowtide: standard output cannot be written\n", stderr);
        status = CLI_FAILED;
    }
    return status;
}
