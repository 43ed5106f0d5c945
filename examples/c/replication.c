/* A primary, a directory of numbered changesets, and a replica. */
#include "example.h"

#include <unistd.h>

int main(void)
{
    char directory[] = "outbox-XXXXXX";
    rowtide_db *db = open_users(), *copy = open_users();
    rowtide_primary *primary;
    rowtide_replica *replica;
    int64_t number, applied;

    if (!mkdtemp(directory))
        return 1;
    must(rowtide_primary_open(db, directory, &primary));
    must(rowtide_primary_begin(primary, NULL));
    must(rowtide_db_exec(db, "INSERT INTO users VALUES (3, 'Grace', 85)"));
    must(rowtide_primary_commit(primary, &number));
    printf("published changeset %lld\n", (long long)number);

    must(rowtide_replica_open(copy, directory, &replica));
    must(rowtide_replica_pull(replica, 0, NULL, &applied));
    printf("the replica applied %lld\n", (long long)applied);
    print_users("replica", copy);

    rowtide_replica_free(replica);
    rowtide_primary_free(primary);
    rowtide_db_free(copy);
    rowtide_db_free(db);
    return 0;
}
