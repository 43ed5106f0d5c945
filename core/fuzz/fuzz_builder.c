/* Declarations from outside: whatever is said about them, tables and columns
 * that a builder accepts are there, and nothing else is. Each byte of the input
 * chooses what comes next. */
#include <rowtide/error.h>
#include <rowtide/schema_build.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST = 8 };

typedef struct declared {
    const char *table;
    const char *columns[MOST];
    size_t count;
} declared;

typedef struct input {
    const uint8_t *data;
    size_t size, at;
} input;

static const char *const NAMES[] = {
    "users", "posts",  "a",      "b_c", "a_b",   "c",      "x y",
    "q\"q",  "select", "status", "id",  "a)",    "--",     "tags",
    "x'",    "[k]",    "boxes",  "ID",  "rowid", "deleted"};
static const char *const SQL[] = {
    NULL,
    "",
    "1",
    "'x'",
    "a > 1",
    "1) CHECK (1",
    "(1)",
    "-1",
    "a, b",
    "lower(a)",
    "x -- y",
    "/*",
    "'",
    "NULL",
    "\"a\"",
    "a DESC",
    ";",
    "INT",
    "TEXT",
    "INT, z",
    "INT) --",
    "VARCHAR (10)",
    "INTEGER",
    "a COLLATE nocase DESC",
    "CASCADE",
    "set null",
    "CREATE VIEW v AS SELECT 1",
    "DROP TABLE users",
    "CREATE TRIGGER r AFTER INSERT ON users BEGIN SELECT 1; END"};

static void require(int condition)
{
    if (!condition)
        abort();
}

static unsigned next(input *in, size_t limit)
{
    unsigned byte = in->at < in->size ? in->data[in->at++] : 0;
    return byte % (unsigned)limit;
}

static const char *name(input *in)
{
    return NAMES[next(in, sizeof NAMES / sizeof *NAMES)];
}

static const char *sql(input *in)
{
    return SQL[next(in, sizeof SQL / sizeof *SQL)];
}

static const char *rarely(input *in)
{
    return next(in, 4) == 0 ? sql(in) : NULL;
}

static int declare_table(rowtide_schema_builder *builder, input *in,
                         declared *out)
{
    rowtide_schema_table_options options = ROWTIDE_SCHEMA_TABLE_OPTIONS_INIT;
    const char *key[] = {name(in), name(in), NULL};
    unsigned bits = next(in, 256);
    options.strict = bits & 1;
    options.without_rowid = (bits & 6) == 6;
    options.primary_key = (bits & 24) == 24 ? key : NULL;
    options.soft_delete = (bits & 96) == 96 ? "deleted" : NULL;
    out->table = name(in);
    out->count = 0;
    return rowtide_schema_builder_table(builder, out->table, &options);
}

static int declare_column(rowtide_schema_builder *builder, input *in,
                          declared *out)
{
    rowtide_schema_column_options options = ROWTIDE_SCHEMA_COLUMN_OPTIONS_INIT;
    unsigned bits = next(in, 256);
    options.primary_key = (bits & 3) == 3;
    options.autoincrement = (bits & 7) == 7;
    options.not_null = (bits & 8) != 0;
    options.unique = (bits & 16) != 0;
    options.indexed = (bits & 32) != 0;
    options.default_sql = rarely(in);
    options.check = rarely(in);
    options.collation = (bits & 192) == 192 ? name(in) : NULL;
    options.generated_as = next(in, 8) == 0 ? sql(in) : NULL;
    const char *column = name(in);
    if (out->count < MOST)
        out->columns[out->count++] = column;
    return rowtide_schema_builder_column(builder, column, sql(in), &options);
}

static int declare_other(rowtide_schema_builder *builder, input *in,
                         unsigned what)
{
    rowtide_schema_relation_options relation =
        ROWTIDE_SCHEMA_RELATION_OPTIONS_INIT;
    rowtide_schema_index_options index = ROWTIDE_SCHEMA_INDEX_OPTIONS_INIT;
    const char *columns[] = {next(in, 2) ? name(in) : sql(in), name(in), NULL};
    relation.column = next(in, 2) ? name(in) : NULL;
    relation.table_column = next(in, 4) == 0 ? name(in) : NULL;
    relation.on_delete = rarely(in);
    relation.foreign_key = (int)next(in, 2);
    index.unique = relation.foreign_key;
    index.where = rarely(in);
    index.name = next(in, 4) == 0 ? name(in) : NULL;
    switch (what) {
    case 0:
        return rowtide_schema_builder_belongs_to(builder, name(in), &relation);
    case 1:
        return rowtide_schema_builder_many_to_many(builder, name(in),
                                                   &relation);
    case 2:
        return rowtide_schema_builder_index(builder, columns, &index);
    case 3:
        return rowtide_schema_builder_check(builder, rarely(in), sql(in));
    default:
        return rowtide_schema_builder_sql(builder, sql(in));
    }
}

/* SQL that was added may take away what was declared, so it isn't asked then. */
static void check(const rowtide_schema *schema, const declared *all,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const rowtide_schema_table *table = rowtide_schema_find_table(
            schema, all[i].table);
        require(table != NULL);
        for (size_t j = 0; j < all[i].count; j++) {
            size_t found = 0;
            for (size_t k = 0; table->columns[k]; k++)
                found += strcmp(table->columns[k]->name, all[i].columns[j])
                         == 0;
            require(found == 1);
        }
    }
}

static int declare(rowtide_schema_builder *builder, input *in, declared *all,
                   size_t *count, int *added)
{
    int rc = ROWTIDE_OK;
    while (in->at < in->size && rc == ROWTIDE_OK) {
        unsigned what = next(in, 12);
        if (what < 2 && *count < MOST) {
            rc = declare_table(builder, in, &all[(*count)++]);
        } else if (what < 7 && *count > 0) {
            rc = declare_column(builder, in, &all[*count - 1]);
        } else {
            rc = declare_other(builder, in, what % 5);
            *added |= what % 5 == 4;
        }
    }
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size, 0};
    declared all[MOST];
    size_t count = 0;
    int added = 0;
    rowtide_schema_builder *builder;
    rowtide_schema *schema = NULL;
    require(rowtide_schema_builder_new(&builder) == ROWTIDE_OK);
    int rc = declare(builder, &in, all, &count, &added);
    int finished = rowtide_schema_builder_finish(builder, &schema);
    require(rc >= 0 || finished == rc);
    if (finished == ROWTIDE_OK && !added)
        check(schema, all, count);
    if (finished != ROWTIDE_OK)
        require(*rowtide_error_message() != '\0');
    rowtide_schema_free(schema);
    rowtide_schema_builder_free(builder);
    return 0;
}
