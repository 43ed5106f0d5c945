/* An audit log in the same database, and in the same transaction. */
#include "example.h"

int main(void)
{
    rowtide_db *db = open_users();
    rowtide_audit *log;
    rowtide_audit_entry entry = {.author = "ada", .label = "birthday"};
    rowtide_stmt *stmt;
    rowtide_value value;
    int64_t id;

    must(rowtide_audit_open(db, &log));
    must(rowtide_audit_begin(log, NULL));
    must(rowtide_db_exec(db, "UPDATE users SET age = 37 WHERE id = 1"));
    must(rowtide_audit_commit(log, &entry, &id));

    must(rowtide_stmt_prepare(
        db,
        "SELECT author || ': ' || kind || ' of ' || table_name || ' '"
        " || primary_key || ', ' || old_values || ' -> ' || new_values"
        " FROM rowtide_audit JOIN rowtide_audit_change ON entry = id",
        &stmt));
    while (rowtide_stmt_step(stmt) == ROWTIDE_OK) {
        must(rowtide_stmt_column(stmt, 0, &value));
        printf("%.*s\n", (int)value.size, (const char *)value.data);
    }

    rowtide_stmt_free(stmt);
    rowtide_audit_free(log);
    rowtide_db_free(db);
    return 0;
}
