/* What all examples share: stop with the message if a call fails. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <rowtide.h>

#include <stdio.h>
#include <stdlib.h>

static inline void must(int rc)
{
    if (rc == ROWTIDE_OK || rc == ROWTIDE_DONE)
        return;
    fprintf(stderr, "%s: %s\n", rowtide_error_name(rc),
            rowtide_error_message());
    exit(1);
}

/* A database in memory with a table of users. */
static inline rowtide_db *open_users(void)
{
    rowtide_db *db;
    must(rowtide_db_open(":memory:", NULL, &db));
    must(rowtide_db_exec(db, "CREATE TABLE users(id INTEGER PRIMARY KEY,"
                             " name TEXT NOT NULL, age INTEGER);"
                             "INSERT INTO users VALUES"
                             " (1, 'Ada', 36), (2, 'Alan', 41)"));
    return db;
}

/* Capture what `sql` changes. */
static inline rowtide_changeset *record(rowtide_db *db, const char *sql)
{
    rowtide_capture *capture;
    rowtide_changeset *change;
    must(rowtide_capture_begin(db, NULL, &capture));
    must(rowtide_db_exec(db, sql));
    must(rowtide_capture_end(capture, &change));
    rowtide_capture_free(capture);
    return change;
}

static inline void print_users(const char *title, rowtide_db *db)
{
    rowtide_stmt *stmt;
    rowtide_value id, name;
    printf("%s:", title);
    must(rowtide_stmt_prepare(db, "SELECT id, name FROM users", &stmt));
    while (rowtide_stmt_step(stmt) == ROWTIDE_OK) {
        must(rowtide_stmt_column(stmt, 0, &id));
        must(rowtide_stmt_column(stmt, 1, &name));
        printf(" %lld=%.*s", (long long)id.integer, (int)name.size,
               (const char *)name.data);
    }
    printf("\n");
    rowtide_stmt_free(stmt);
}

#endif
