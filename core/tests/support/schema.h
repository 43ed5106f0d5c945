/*
 * Schemas, and what is in them.
 */
#ifndef ROWTIDE_TESTS_SCHEMA_H
#define ROWTIDE_TESTS_SCHEMA_H

#include "support/scratch.h"

#include <rowtide/schema.h>

/* Free them with rowtide_schema_free(). */
rowtide_schema *schema_of(const char *sql);
rowtide_schema *schema_of_db(rowtide_db *db);

/* free() them. */
char *schema_json(const rowtide_schema *schema);
char *schema_sql(const rowtide_schema *schema);

const rowtide_schema_table *schema_table(const rowtide_schema *schema,
                                         const char *name);
const rowtide_schema_column *schema_column(const rowtide_schema *schema,
                                           const char *table, const char *name);
size_t schema_count(const void *list);

/* Printing it and reading that again gives an equal model. */
void schema_assert_round_trip(const rowtide_schema *schema);

#endif
