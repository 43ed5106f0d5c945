/* Undo and redo, with labels for the menu. */
#include "example.h"

static void step(rowtide_undo *undo, rowtide_db *db, const char *label,
                 const char *sql)
{
    must(rowtide_undo_begin(undo, NULL));
    must(rowtide_db_exec(db, sql));
    must(rowtide_undo_commit(undo, label, NULL));
}

int main(void)
{
    rowtide_db *db = open_users();
    rowtide_undo *undo;
    const char *label;

    must(rowtide_undo_open(db, NULL, &undo));
    step(undo, db, "rename", "UPDATE users SET name = 'Lady' WHERE id = 1");
    step(undo, db, "remove", "DELETE FROM users WHERE id = 2");

    while (rowtide_undo_undo(undo, NULL, &label) == ROWTIDE_OK)
        printf("undid \"%s\"\n", label);
    print_users("at the start again", db);
    must(rowtide_undo_redo(undo, NULL, &label));
    print_users("after one redo", db);

    rowtide_undo_free(undo);
    rowtide_db_free(db);
    return 0;
}
