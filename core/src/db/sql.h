#ifndef ROWTIDE_DB_SQL_H
#define ROWTIDE_DB_SQL_H

#include "db/connection.h"

/* `format` is of sqlite3_mprintf: %w inside "..." for identifiers, %Q for
 * literals. All fail with a message that has SQLite's. */
int rowtide__sql_exec(rowtide_db *db, const char *format, ...);
int rowtide__sql_prepare(rowtide_db *db, sqlite3_stmt **out, const char *format,
                         ...);
/* Step; ROWTIDE_OK with a row, ROWTIDE_DONE without. */
int rowtide__sql_step(rowtide_db *db, sqlite3_stmt *stmt);
/* Step a statement that gives no rows, and reset it. */
int rowtide__sql_run(rowtide_db *db, sqlite3_stmt *stmt);
/* First column of the first row as an integer; `otherwise` without a row. */
int rowtide__sql_integer(rowtide_db *db, int64_t *out, int64_t otherwise,
                         const char *format, ...);

/* Bind from 1; text and blobs are bound without a copy and must live until
 * the statement is reset or bound again. */
int rowtide__sql_bind(sqlite3_stmt *stmt, int index,
                      const rowtide_value *value); /* SQLite's code */
/* Valid until the next step or reset. Fails only with ROWTIDE_ENOMEM. */
int rowtide__sql_column(sqlite3_stmt *stmt, int index, rowtide_value *out);

/* Run all statements of a text that the caller wrote; the offset of an error
 * counts from its start. */
int rowtide__sql_script(rowtide_db *db, const char *sql);

#endif
