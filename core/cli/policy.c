#include "cli.h"

#include <string.h>

static int find_action(const char *word)
{
    for (int action = ROWTIDE_ACTION_OMIT; action <= ROWTIDE_ACTION_ABORT;
         action++)
        if (strcmp(word, rowtide_conflict_action_name(action)) == 0)
            return action;
    return -1;
}

/* The member of a policy that a kind of conflict has. */
static rowtide_conflict_action *find_kind(rowtide_policy *policy,
                                          const char *word, size_t length)
{
    rowtide_conflict_action *members[] = {
        &policy->data, &policy->not_found, &policy->conflict,
        &policy->constraint, &policy->foreign_key};
    for (int i = 0; i < 5; i++) {
        const char *name = rowtide_conflict_kind_name(i
                                                      + ROWTIDE_CONFLICT_DATA);
        if (strlen(name) == length && strncmp(name, word, length) == 0)
            return members[i];
    }
    return NULL;
}

static int set_kind(cli_run *cli, rowtide_policy *policy, const char *kind,
                    size_t length, const char *word)
{
    rowtide_conflict_action *member = find_kind(policy, kind, length);
    int action = find_action(word);
    if (!member)
        return cli_usage(cli,
                         "option --on-conflict: there is no kind \"%.*s\" of "
                         "conflict",
                         (int)length, kind);
    if (action < 0)
        return cli_usage(cli, "omit, replace or abort expected, not \"%s\"",
                         word);
    if (action == ROWTIDE_ACTION_REPLACE && member != &policy->data
        && member != &policy->conflict)
        return cli_usage(cli, "replace is not possible for %.*s", (int)length,
                         kind);
    *member = (rowtide_conflict_action)action;
    return CLI_OK;
}

static int set_all(cli_run *cli, rowtide_policy *policy, const char *word)
{
    static const rowtide_policy omit = ROWTIDE_POLICY_OMIT;
    static const rowtide_policy replace = ROWTIDE_POLICY_REPLACE;
    static const rowtide_policy abort_all = ROWTIDE_POLICY_ABORT;
    int action = find_action(word);
    if (action < 0)
        return cli_usage(cli, "omit, replace or abort expected, not \"%s\"",
                         word);
    *policy = action == ROWTIDE_ACTION_OMIT      ? omit
              : action == ROWTIDE_ACTION_REPLACE ? replace
                                                 : abort_all;
    return CLI_OK;
}

/* Options work in the order in which they are given. */
static int set_policy(cli_run *cli, rowtide_policy *policy)
{
    static const struct {
        const char *option, *kind;
    } shorts[] = {{"on-data", "data"},
                  {"on-not-found", "not_found"},
                  {"on-constraint", "constraint"},
                  {"on-foreign-key", "foreign_key"}};
    int status = CLI_OK;
    for (int i = 0; status == CLI_OK && i < cli->given_count; i++) {
        const char *name = cli->given[i].option->name;
        const char *value = cli->given[i].value;
        const char *equals = value ? strchr(value, '=') : NULL;
        if (strcmp(name, "on-conflict") == 0)
            status = equals ? set_kind(cli, policy, value,
                                       (size_t)(equals - value), equals + 1)
                            : set_all(cli, policy, value);
        for (size_t j = 0; j < sizeof shorts / sizeof *shorts; j++)
            if (strcmp(name, shorts[j].option) == 0)
                status = set_kind(cli, policy, shorts[j].kind,
                                  strlen(shorts[j].kind), value);
    }
    return status;
}

int cli_apply_options(cli_run *cli, rowtide_apply_options *options)
{
    static const struct {
        const char *option;
        unsigned flag;
    } flags[] = {{"invert", ROWTIDE_APPLY_INVERT},
                 {"ignore-noop", ROWTIDE_APPLY_IGNORE_NOOP},
                 {"no-triggers", ROWTIDE_APPLY_NO_TRIGGERS},
                 {"fk-no-action", ROWTIDE_APPLY_FK_NO_ACTION},
                 {"skip-indirect", ROWTIDE_APPLY_SKIP_INDIRECT},
                 {"skip-misfits", ROWTIDE_APPLY_SKIP_MISFITS}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (cli_has(cli, flags[i].option))
            options->flags |= flags[i].flag;
    return set_policy(cli, &options->policy);
}
