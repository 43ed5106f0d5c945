/* Two databases changed the same row; rebase makes them agree. */
#include "example.h"

int main(void)
{
    rowtide_db *server = open_users(), *laptop = open_users();
    rowtide_apply_options mine_wins = ROWTIDE_APPLY_OPTIONS_INIT;
    rowtide_changeset *remote, *local, *rebased;
    rowtide_report *report;
    size_t size;

    remote = record(server, "UPDATE users SET name = 'from the server'");
    local = record(laptop, "UPDATE users SET name = 'from the laptop'"
                           " WHERE id = 1");

    mine_wins.policy.data = ROWTIDE_ACTION_OMIT;
    must(rowtide_changeset_apply(laptop, remote, &mine_wins, &report));
    const void *decisions = rowtide_report_rebase(report, &size);
    must(rowtide_changeset_rebase(local, decisions, size, &rebased));
    must(rowtide_changeset_apply(server, rebased, NULL, NULL));

    print_users("laptop", laptop);
    print_users("server", server);

    rowtide_report_free(report);
    rowtide_changeset_free(rebased);
    rowtide_changeset_free(local);
    rowtide_changeset_free(remote);
    rowtide_db_free(laptop);
    rowtide_db_free(server);
    return 0;
}
