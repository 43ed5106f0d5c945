#ifndef ROWTIDE_DB_TABLE_H
#define ROWTIDE_DB_TABLE_H

#include "db/connection.h"

typedef enum rowtide__table_kind {
    ROWTIDE__TABLE_MISSING,
    ROWTIDE__TABLE_ORDINARY,
    ROWTIDE__TABLE_VIEW,
    ROWTIDE__TABLE_VIRTUAL,
    ROWTIDE__TABLE_SHADOW
} rowtide__table_kind;

typedef struct rowtide__column {
    char *name;
    char *declared_type; /* "" if none */
    char *collation;     /* "BINARY" unless declared otherwise */
    int primary_key;     /* 0, or its place in the key from 1 on */
    int generated;       /* 0, 2 virtual, 3 stored */
} rowtide__column;

/* Ordinary columns are those that are not generated: what changesets hold. */
typedef struct rowtide__table_info {
    rowtide__table_kind kind;
    char *name; /* as it is written in the schema */
    int without_rowid;
    int strict;
    int column_count;   /* all, generated ones too; hidden ones not */
    int ordinary_count; /* not generated */
    int key_count;      /* columns in the primary key, 0: none */
    rowtide__column *columns;
} rowtide__table_info;

/* Why a table of this kind has no rows of its own to record or write: a phrase
 * that goes behind its name; NULL for an ordinary one. */
const char *rowtide__table_kind_fault(rowtide__table_kind kind);

/* A table that does not exist is kind MISSING and OK. `schema` "main", ... */
int rowtide__table_info_read(rowtide_db *db, const char *schema,
                             const char *table, rowtide__table_info *out);
void rowtide__table_info_dispose(rowtide__table_info *info);

/* Names of all ordinary tables of the schema, without sqlite_* ones, in order
 * of name; a NULL-terminated array to be freed with the function below. */
int rowtide__table_names(rowtide_db *db, const char *schema, char ***out,
                         int *count_out);
void rowtide__table_names_free(char **names);

#endif
