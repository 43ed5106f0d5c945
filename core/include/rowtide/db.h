/**
 * @file rowtide/db.h
 * @brief A database connection, opened here or adopted, and small SQL.
 *
 * The connection is SQLite's own: rowtide_db_sqlite() gives the `sqlite3 *`
 * and everything that SQLite can do may be done with it.
 *
 * Link the system's libsqlite3 dynamically. Two copies of SQLite in one
 * process that open the same file drop each other's locks, and committed
 * rows can be lost.
 */
#ifndef ROWTIDE_DB_H
#define ROWTIDE_DB_H

#include <rowtide/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct sqlite3;

typedef struct rowtide_db rowtide_db;
typedef struct rowtide_stmt rowtide_stmt;

/** How to open. */
typedef struct rowtide_open_options {
    size_t size;
    int read_only;       /**< 1: do not write */
    int must_exist;      /**< 1: do not create the file */
    int busy_timeout_ms; /**< how long to wait for a lock, default 5000 */
} rowtide_open_options;

#define ROWTIDE_OPEN_OPTIONS_INIT {sizeof(rowtide_open_options), 0, 0, 5000}

/**
 * Check that the SQLite library which is loaded can serve this one: at least
 * the version that the headers had, and built with SESSION and
 * PREUPDATE_HOOK. Every way to make a handle does this by itself.
 */
ROWTIDE_API int rowtide_check_runtime(void);

/**
 * Open a database file, ":memory:" or a "file:" URI.
 *
 * @param out  the connection; free it with rowtide_db_free()
 */
ROWTIDE_API int rowtide_db_open(const char *path,
                                const rowtide_open_options *options,
                                rowtide_db **out);

/**
 * Use a connection that the caller opened and goes on using.
 *
 * The caller still closes it; when that happens, this handle and everything
 * made from it is closed with it, and answers ::ROWTIDE_ECLOSED. Adopting the
 * same connection again gives the same handle, counted once more.
 *
 * None of its settings is changed; it gets an SQL function `rowtide_adopted()`,
 * whose destructor is how closing is noticed. As with statements of its own,
 * sqlite3_close() refuses while a ::rowtide_stmt is alive, and
 * sqlite3_close_v2() closes when the last one is freed.
 *
 * @param sqlite  the connection, of the same SQLite library
 * @param out  free it with rowtide_db_free(), before or after `sqlite` closes
 */
ROWTIDE_API int rowtide_db_adopt(struct sqlite3 *sqlite, rowtide_db **out);

/** @return SQLite's handle, borrowed; NULL if closed. */
ROWTIDE_API struct sqlite3 *rowtide_db_sqlite(rowtide_db *db);

/** @return 1 while the connection is open, else 0. */
ROWTIDE_API int rowtide_db_is_open(const rowtide_db *db);

/** @return the path of the main database file, "" for one in memory.
 *  Borrowed from `db`. */
ROWTIDE_API const char *rowtide_db_path(rowtide_db *db);

/**
 * Close the connection (an adopted one is only let go). Captures that are
 * open end without a result. Fails with ::ROWTIDE_EMISUSE from inside a
 * callback of a call that uses it, and then nothing is closed. Statements that
 * the caller prepared on rowtide_db_sqlite() keep SQLite's side of it open
 * until they are finalized.
 */
ROWTIDE_API int rowtide_db_close(rowtide_db *db);

/** Release the handle. Once everything made from it is freed too, a connection
 *  that was opened here is closed; in a forked child it is left alone. */
ROWTIDE_API void rowtide_db_free(rowtide_db *db);

/** Make the call that runs on this connection stop and return
 *  ::ROWTIDE_ECANCELLED. The one function that any thread may call at any
 *  time. */
ROWTIDE_API int rowtide_db_interrupt(rowtide_db *db);

/** Run one or more SQL statements, throwing rows away. The offset of an error
 *  counts from the start of `sql`. */
ROWTIDE_API int rowtide_db_exec(rowtide_db *db, const char *sql);

/** @return rows that the last INSERT, UPDATE or DELETE changed, or a negative
 *  code. */
ROWTIDE_API int64_t rowtide_db_changes(rowtide_db *db);

/** @return the rowid of the last row inserted, 0 if there is none. */
ROWTIDE_API int64_t rowtide_db_last_insert_rowid(rowtide_db *db);

/** @return 1 inside a transaction, else 0. */
ROWTIDE_API int rowtide_db_in_transaction(rowtide_db *db);

/**
 * Prepare one statement. SQL behind it is an error.
 *
 * @param out  free it with rowtide_stmt_free()
 */
ROWTIDE_API int rowtide_stmt_prepare(rowtide_db *db, const char *sql,
                                     rowtide_stmt **out);

/** @return the number of parameters that can be bound, or a negative code. */
ROWTIDE_API int rowtide_stmt_parameter_count(rowtide_stmt *stmt);

/** @return the index (from 1) of a named parameter, with or without its
 *  ':', '@' or '$'; 0 if there is none of that name; or a negative code. */
ROWTIDE_API int rowtide_stmt_parameter_index(rowtide_stmt *stmt,
                                             const char *name);

/** Bind a parameter (from 1). The value is copied. A statement that has been
 *  stepped must be reset before. */
ROWTIDE_API int rowtide_stmt_bind(rowtide_stmt *stmt, int index,
                                  const rowtide_value *value);

/** @return ::ROWTIDE_OK with a row, ::ROWTIDE_DONE without, also when called
 *  again then, or an error, after which the statement is at its start. */
ROWTIDE_API int rowtide_stmt_step(rowtide_stmt *stmt);

/** Go back to the start, keeping what is bound. */
ROWTIDE_API int rowtide_stmt_reset(rowtide_stmt *stmt);

/** @return the number of columns of a row, 0 if the statement gives none, or a
 *  negative code. */
ROWTIDE_API int rowtide_stmt_column_count(rowtide_stmt *stmt);

/** @return the name of a column (from 0), borrowed from the statement; NULL on
 *  error. */
ROWTIDE_API const char *rowtide_stmt_column_name(rowtide_stmt *stmt, int index);

/** Read a column (from 0) of the row; the bytes are valid until the next
 *  step, reset or free. */
ROWTIDE_API int rowtide_stmt_column(rowtide_stmt *stmt, int index,
                                    rowtide_value *value);

/** Finish the statement. While a call runs on the connection in another
 *  thread, that is put off until the call ends. */
ROWTIDE_API void rowtide_stmt_free(rowtide_stmt *stmt);

#ifdef __cplusplus
}
#endif

#endif
