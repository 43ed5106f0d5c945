/* Decide about conflicts: by a table of rules, then row by row. */
#include "example.h"

/* The older of two ages wins. */
static int older_wins(const rowtide_conflict *conflict, void *user)
{
    (void)user;
    printf("asked: %s\n", conflict->message);
    if (conflict->kind != ROWTIDE_CONFLICT_DATA)
        return ROWTIDE_ACTION_OMIT;
    return conflict->change->new_values[2].integer
                   > conflict->conflicting[2].integer
               ? ROWTIDE_ACTION_REPLACE
               : ROWTIDE_ACTION_OMIT;
}

static void apply_and_print(rowtide_db *db, rowtide_changeset *change,
                            const rowtide_apply_options *options)
{
    rowtide_report *report;
    must(rowtide_changeset_apply(db, change, options, &report));
    rowtide_report_table total = rowtide_report_total(report);
    printf("%lld applied, %lld omitted, %lld replaced\n",
           (long long)total.applied, (long long)total.omitted,
           (long long)total.replaced);
    rowtide_report_free(report);
}

int main(void)
{
    rowtide_db *db = open_users(), *replica = open_users();
    rowtide_apply_options options = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_changeset *change = record(db, "UPDATE users SET age = age + 1");
    must(rowtide_db_exec(replica, "UPDATE users SET age = 90 WHERE id = 1;"
                                  "DELETE FROM users WHERE id = 2"));

    if (rowtide_changeset_apply(replica, change, NULL, NULL) != ROWTIDE_OK)
        printf("without rules: %s\n", rowtide_error_message());

    options.on_conflict = older_wins;
    apply_and_print(replica, change, &options);

    options.on_conflict = NULL;
    options.policy.data = ROWTIDE_ACTION_REPLACE;
    options.policy.not_found = ROWTIDE_ACTION_OMIT;
    apply_and_print(replica, change, &options);

    rowtide_changeset_free(change);
    rowtide_db_free(replica);
    rowtide_db_free(db);
    return 0;
}
