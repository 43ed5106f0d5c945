#include "crdt/api.h"

#include "base/alloc.h"
#include "base/error.h"

#include <string.h>

int rowtide__pull_options_read(const rowtide_crdt_pull_options *options,
                               rowtide_crdt_pull_options *out)
{
    *out = (rowtide_crdt_pull_options)ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    if (!options)
        return ROWTIDE_OK;
    if (options->size
        < offsetof(rowtide_crdt_pull_options, since) + sizeof options->since)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crdt_pull: options->size is %zu: start with "
                             "ROWTIDE_CRDT_PULL_OPTIONS_INIT",
                             options->size);
    memcpy(out, options,
           options->size < sizeof *out ? options->size : sizeof *out);
    out->size = sizeof *out;
    if (out->since < 0 || out->until < 0)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crdt_pull: a version is not below 0");
    if (!out->exclude && out->exclude_size)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crdt_pull: exclude_size without exclude");
    if (out->exclude_size > ROWTIDE_SITE_ID_SIZE)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "crdt_pull: exclude has %zu bytes, a site_id at "
                             "most %d",
                             out->exclude_size, ROWTIDE_SITE_ID_SIZE);
    if (out->exclude_size == 0)
        out->exclude = NULL;
    return ROWTIDE_OK;
}

/* ## Which tables */

static void free_tables(char **tables)
{
    for (char **name = tables; name && *name; name++)
        rowtide__free(*name);
    rowtide__free(tables);
}

static int copy_table(rowtide__crdt *engine, const char *name, char **out)
{
    rowtide__crdt_table *table = NULL;
    int rc = rowtide__crdt_table_find(engine, name, &table);
    if (rc != ROWTIDE_OK)
        return rc;
    *out = rowtide__strdup(table ? table->name : name);
    return *out ? ROWTIDE_OK : ROWTIDE_ENOMEM;
}

static int copy_tables(rowtide__crdt *engine, const char *const *names,
                       char ***out)
{
    size_t count = 0;
    int rc = ROWTIDE_OK;
    while (names[count])
        count++;
    char **tables = rowtide__alloc_array(count + 1, sizeof *tables);
    if (!tables)
        return ROWTIDE_ENOMEM;
    for (size_t i = 0; rc == ROWTIDE_OK && i < count; i++)
        rc = copy_table(engine, names[i], &tables[i]);
    if (rc == ROWTIDE_OK)
        *out = tables;
    else
        free_tables(tables);
    return rc;
}

static int has_table(char **tables, const char *name)
{
    for (; *tables; tables++)
        if (sqlite3_stricmp(*tables, name) == 0)
            return 1;
    return 0;
}

/* ## The puller */

/* The reader knows one rule about sites. */
static int choose_sites(rowtide__puller *puller, rowtide__filter *filter,
                        const rowtide_crdt_pull_options *options)
{
    if (options->only_local) {
        filter->site_mode = 1;
        if (!options->exclude)
            return ROWTIDE_OK;
        puller->exclude = rowtide__memdup(options->exclude,
                                          options->exclude_size);
        puller->exclude_size = options->exclude_size;
        return puller->exclude ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    }
    if (options->exclude) {
        filter->site_mode = 2;
        filter->site = options->exclude;
        filter->site_size = options->exclude_size;
    }
    return ROWTIDE_OK;
}

static int choose_tables(rowtide__puller *puller, rowtide__filter *filter,
                         const rowtide_crdt_pull_options *options)
{
    if (!options->tables)
        return ROWTIDE_OK;
    int rc = copy_tables(puller->engine, options->tables, &puller->tables);
    if (rc == ROWTIDE_OK && puller->tables[0] && !puller->tables[1])
        filter->table = puller->tables[0];
    return rc;
}

int rowtide__puller_open(rowtide__crdt *engine,
                         const rowtide_crdt_pull_options *options,
                         rowtide__puller *out)
{
    rowtide__filter filter = ROWTIDE__FILTER_INIT;
    memset(out, 0, sizeof *out);
    out->engine = engine;
    filter.since = options->since;
    filter.until = options->until;
    int rc = choose_sites(out, &filter, options);
    if (rc == ROWTIDE_OK && !options->until)
        rc = rowtide__crdt_db_version(engine, &filter.until);
    if (rc == ROWTIDE_OK)
        rc = choose_tables(out, &filter, options);
    if (rc == ROWTIDE_OK)
        rc = rowtide__reader_open(engine, &filter, &out->reader);
    if (rc != ROWTIDE_OK)
        rowtide__puller_close(out);
    return rc;
}

static int is_wanted(const rowtide__puller *puller,
                     const rowtide_crdt_change *change)
{
    if (puller->tables && !has_table(puller->tables, change->table))
        return 0;
    return !puller->exclude || puller->exclude_size != change->site_id_size
           || memcmp(puller->exclude, change->site_id, change->site_id_size);
}

int rowtide__puller_next(rowtide__puller *puller, rowtide_crdt_change *change)
{
    int rc;
    do {
        rc = rowtide__reader_next(puller->reader, change);
        if (rc != ROWTIDE_OK)
            return rc;
    } while (!is_wanted(puller, change));
    return rowtide__reader_value(puller->reader, &change->value);
}

void rowtide__puller_close(rowtide__puller *puller)
{
    if (puller->reader)
        rowtide__reader_free(puller->reader);
    free_tables(puller->tables);
    rowtide__free(puller->exclude);
    memset(puller, 0, sizeof *puller);
}

/* ## The iterator */

struct rowtide_crdt_pull {
    rowtide__db_child child; /* first: children are cast back */
    rowtide_db *db;
    rowtide__puller puller;
    int open;
    int done;
};

static void close_pull(rowtide__db_child *child)
{
    rowtide_crdt_pull *self = (rowtide_crdt_pull *)child;
    self->open = 0;
    rowtide__puller_close(&self->puller);
}

static void dispose_pull(rowtide__db_child *child)
{
    rowtide_crdt_pull *self = (rowtide_crdt_pull *)child;
    if (!rowtide__db_is_forked(self->db))
        close_pull(child);
    rowtide__db_release(self->db);
    rowtide__free(self);
}

static int make_pull(rowtide_db *db, const rowtide_crdt_pull_options *options,
                     rowtide_crdt_pull **out)
{
    rowtide__crdt *engine;
    int rc = rowtide__crdt_of(db, &engine);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide_crdt_pull *pull = rowtide__alloc_zero(sizeof *pull);
    if (!pull)
        return ROWTIDE_ENOMEM;
    rc = rowtide__puller_open(engine, options, &pull->puller);
    if (rc != ROWTIDE_OK) {
        rowtide__free(pull);
        return rc;
    }
    pull->open = 1;
    pull->db = rowtide__db_retain(db);
    pull->child.closed = close_pull;
    rowtide__db_attach_child(db, &pull->child);
    *out = pull;
    return ROWTIDE_OK;
}

int rowtide_crdt_pull_open(rowtide_db *db,
                           const rowtide_crdt_pull_options *options,
                           rowtide_crdt_pull **out)
{
    rowtide_crdt_pull_options chosen;
    ROWTIDE__CHECK_ARG(out, "crdt_pull_open");
    *out = NULL;
    int rc = rowtide__pull_options_read(options, &chosen);
    if (rc == ROWTIDE_OK)
        rc = rowtide__db_enter(db, "crdt_pull_open");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = make_pull(db, &chosen, out);
    rowtide__db_leave(db);
    return rc;
}

static int next_change(rowtide_crdt_pull *pull, rowtide_crdt_change *change)
{
    if (!pull->open)
        return rowtide__fail(ROWTIDE_ECLOSED,
                             "crdt_pull_next: the iterator is closed");
    if (pull->done)
        return ROWTIDE_DONE;
    int rc = rowtide__puller_next(&pull->puller, change);
    /* As SQLite puts it when the owner of the connection has closed it. */
    if (rc == ROWTIDE_EMISUSE)
        rc = rowtide__db_fail(pull->db, SQLITE_MISUSE, "crdt_pull_next");
    pull->done = rc == ROWTIDE_DONE;
    return rc;
}

int rowtide_crdt_pull_next(rowtide_crdt_pull *pull, rowtide_crdt_change *change)
{
    ROWTIDE__CHECK_ARG(pull && change, "crdt_pull_next");
    memset(change, 0, sizeof *change);
    int rc = rowtide__db_enter(pull->db, "crdt_pull_next");
    if (rc != ROWTIDE_OK)
        return rc;
    rc = next_change(pull, change);
    rowtide__db_leave(pull->db);
    return rc;
}

void rowtide_crdt_pull_free(rowtide_crdt_pull *pull)
{
    if (pull)
        rowtide__db_discard(pull->db, &pull->child, dispose_pull);
}
