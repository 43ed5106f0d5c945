/* Capture what changed, look at it, apply it elsewhere, take it back. */
#include "example.h"

static void look(rowtide_changeset *change)
{
    rowtide_changeset_iter *iter;
    const rowtide_change *op;
    must(rowtide_changeset_iter_new(change, 0, &iter));
    while (rowtide_changeset_iter_next(iter, &op) == ROWTIDE_OK)
        printf("%s in %s\n", rowtide_change_kind_name(op->kind), op->table);
    rowtide_changeset_iter_free(iter);
}

int main(void)
{
    rowtide_db *db = open_users(), *replica = open_users();
    rowtide_changeset *change = record(db, "UPDATE users SET name = 'Countess'"
                                           " WHERE id = 1;"
                                           "DELETE FROM users WHERE id = 2");
    rowtide_changeset *undo;

    look(change);
    must(rowtide_changeset_apply(replica, change, NULL, NULL));
    print_users("replica", replica);

    must(rowtide_changeset_invert(change, &undo));
    must(rowtide_changeset_apply(db, undo, NULL, NULL));
    print_users("undone", db);

    rowtide_changeset_free(undo);
    rowtide_changeset_free(change);
    rowtide_db_free(replica);
    rowtide_db_free(db);
    return 0;
}
