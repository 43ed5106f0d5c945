#ifndef ROWTIDE_DB_TRANSACTION_H
#define ROWTIDE_DB_TRANSACTION_H

#include "db/connection.h"

/* All or nothing, whether the caller has a transaction open or not: outside
 * one it is BEGIN IMMEDIATE, inside one a savepoint with a name of its own. */
typedef struct rowtide__transaction {
    rowtide_db *db;
    int nested;
    int open;
    int guarded;
    sqlite3_stmt *set_guard, *lift_guard;
    char name[48];
} rowtide__transaction;

int rowtide__transaction_begin(rowtide_db *db, rowtide__transaction *out);
/* If the commit fails, everything is rolled back and nothing stays open. */
int rowtide__transaction_commit(rowtide__transaction *transaction);
/* Keeps the last error. Safe if it is not open. */
void rowtide__transaction_rollback(rowtide__transaction *transaction);
/* Around code that is not ours, such as a callback: guard before it, check
 * after it. Check gives ROWTIDE_EMISUSE if the transaction or savepoint was
 * ended meanwhile, even if another one was begun; rolling back then leaves
 * that one alone. No statement that writes may be running at either. Without
 * a guard, check sees only that there is no transaction at all any more. */
int rowtide__transaction_guard(rowtide__transaction *transaction);
int rowtide__transaction_check(rowtide__transaction *transaction);

#endif
