#include "db/transaction.h"
#include "db/sql.h"
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static int in_autocommit(const rowtide__transaction *transaction)
{
    sqlite3 *sqlite = rowtide_db_sqlite(transaction->db);
    return !sqlite || sqlite3_get_autocommit(sqlite);
}

static void finish(rowtide__transaction *transaction)
{
    sqlite3_finalize(transaction->set_guard);
    sqlite3_finalize(transaction->lift_guard);
    transaction->set_guard = transaction->lift_guard = NULL;
    transaction->guarded = 0;
    transaction->open = 0;
}

/* Such a statement would keep our commit from happening, and our rollback would
 * be its end. */
static int check_no_writer(rowtide_db *db)
{
    sqlite3 *sqlite = rowtide_db_sqlite(db);
    if (!sqlite || sqlite3_txn_state(sqlite, NULL) != SQLITE_TXN_WRITE)
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_EMISUSE,
                         "a statement that writes is not finished yet");
}

int rowtide__transaction_begin(rowtide_db *db, rowtide__transaction *out)
{
    memset(out, 0, sizeof *out);
    out->db = db;
    out->nested = !in_autocommit(out);
    snprintf(out->name, sizeof out->name, "rowtide_%lu",
             rowtide__db_next_number(db));
    int rc = out->nested ? ROWTIDE_OK : check_no_writer(db);
    if (rc == ROWTIDE_OK)
        rc = out->nested ? rowtide__sql_exec(db, "SAVEPOINT %s", out->name)
                         : rowtide__sql_exec(db, "BEGIN IMMEDIATE");
    out->open = rc == ROWTIDE_OK;
    return rc;
}

int rowtide__transaction_commit(rowtide__transaction *transaction)
{
    if (!transaction->open)
        return rowtide__fail(ROWTIDE_EMISUSE, "commit: no transaction is open");
    int rc = rowtide__transaction_check(transaction);
    if (rc == ROWTIDE_OK)
        rc = transaction->nested
                 ? rowtide__sql_exec(transaction->db, "RELEASE %s",
                                     transaction->name)
                 : rowtide__sql_exec(transaction->db, "COMMIT");
    if (rc == ROWTIDE_OK)
        finish(transaction);
    else
        rowtide__transaction_rollback(transaction);
    return rc;
}

void rowtide__transaction_rollback(rowtide__transaction *transaction)
{
    rowtide__error_state error;
    if (!transaction->open)
        return;
    rowtide__error_save(&error);
    /* SQLite may have rolled back by itself: then there is nothing to do. */
    if (!in_autocommit(transaction)
        && rowtide__transaction_check(transaction) == ROWTIDE_OK) {
        if (!transaction->nested)
            rowtide__sql_exec(transaction->db, "ROLLBACK");
        else if (rowtide__sql_exec(transaction->db, "ROLLBACK TO %s",
                                   transaction->name)
                 == ROWTIDE_OK)
            rowtide__sql_exec(transaction->db, "RELEASE %s", transaction->name);
    }
    finish(transaction);
    rowtide__error_restore(&error);
}

static int run_guard(rowtide__transaction *transaction, sqlite3_stmt **stmt,
                     const char *verb)
{
    int rc = ROWTIDE_OK;
    if (!*stmt)
        rc = rowtide__sql_prepare(transaction->db, stmt, "%s %s_guard", verb,
                                  transaction->name);
    if (rc == ROWTIDE_OK)
        rc = rowtide__sql_run(transaction->db, *stmt);
    return rc;
}

int rowtide__transaction_guard(rowtide__transaction *transaction)
{
    if (!transaction->open || transaction->guarded)
        return ROWTIDE_OK;
    int rc = run_guard(transaction, &transaction->set_guard, "SAVEPOINT");
    transaction->guarded = rc == ROWTIDE_OK;
    return rc;
}

static int fail_ended(rowtide__transaction *transaction)
{
    finish(transaction);
    return rowtide__fail(ROWTIDE_EMISUSE,
                         "the transaction was ended by the callback, or by "
                         "other code that ran meanwhile");
}

int rowtide__transaction_check(rowtide__transaction *transaction)
{
    if (!transaction->open)
        return rowtide__fail(ROWTIDE_EMISUSE, "no transaction is open");
    if (in_autocommit(transaction))
        return fail_ended(transaction);
    if (!transaction->guarded)
        return ROWTIDE_OK;
    transaction->guarded = 0;
    int rc = run_guard(transaction, &transaction->lift_guard, "RELEASE");
    /* Only a missing savepoint is a plain SQLITE_ERROR here. */
    return rc == ROWTIDE_ESQL ? fail_ended(transaction) : rc;
}
