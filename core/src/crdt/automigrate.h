#ifndef ROWTIDE_CRDT_AUTOMIGRATE_H
#define ROWTIDE_CRDT_AUTOMIGRATE_H

#include "base/writer.h"
#include "crdt/engine.h"

/* A piece of SQL text. */
typedef struct rowtide__sql_slice {
    const char *data;
    size_t size;
} rowtide__sql_slice;

/* The next word, quoted text or other character; size 0 at the end. Comments
 * and blanks are passed over. *at moves behind it. */
rowtide__sql_slice rowtide__sql_token(const char **at);
/* Does a token, quoted or not, name this? */
int rowtide__sql_is_name(rowtide__sql_slice token, const char *name);
/* Write the text so that it does not depend on blanks, comments and case. */
void rowtide__sql_normalize(const char *sql, rowtide__writer *out);
/* How a CREATE TABLE defines a column, without what is behind it; size 0 if it
 * does not. */
rowtide__sql_slice rowtide__sql_find_column(const char *sql, const char *name);

/* Make the tables, columns and indexes of `engine` those of `wanted`, as far
 * as they have to go or have to change. */
int rowtide__automigrate_tables(rowtide__crdt *engine, rowtide__crdt *wanted);

#endif
