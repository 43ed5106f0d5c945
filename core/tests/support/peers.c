#include "support/peers.h"
#include "support/scratch.h"

#include <string.h>

const char PEERS_CHANGES[] =
    "SELECT \"table\", pk, cid, val, col_version, site_id, cl FROM "
    "crsql_changes WHERE NOT (cid = '-1' AND cl = 1) ORDER BY \"table\", pk, "
    "cid";

rowtide_db *peers_db(const char *sql)
{
    rowtide_db *db = scratch_db("CREATE TABLE notes(id INTEGER PRIMARY KEY "
                                "NOT NULL, title TEXT, done INTEGER)");
    assert_ok(rowtide_crdt_enable(db, "notes"));
    if (sql)
        scratch_exec(db, sql);
    return db;
}

static void pull(rowtide_db *db, const rowtide_crdt_pull_options *options,
                 rowtide_buffer *out)
{
    rowtide_sink *sink = NULL;
    assert_ok(rowtide_sink_buffer(out, &sink));
    assert_ok(rowtide_crdt_pull_payload(db, options, sink));
    rowtide_sink_free(sink);
}

void peers_pull(rowtide_db *db, int64_t since, rowtide_db *exclude,
                rowtide_buffer *out)
{
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    unsigned char site[ROWTIDE_SITE_ID_SIZE];
    options.since = since;
    if (exclude) {
        assert_ok(rowtide_crdt_site_id(exclude, site));
        options.exclude = site;
        options.exclude_size = sizeof site;
    }
    pull(db, &options, out);
}

void peers_pull_chunks(rowtide_db *db, size_t chunk_size, rowtide_buffer *out)
{
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    options.chunk_size = chunk_size;
    pull(db, &options, out);
}

int peers_merge(rowtide_db *db, const void *data, size_t size,
                rowtide_crdt_report **out)
{
    rowtide_source *source = NULL;
    assert_ok(rowtide_source_memory(data, size, &source));
    int rc = rowtide_crdt_merge_payload(db, source, out);
    rowtide_source_free(source);
    return rc;
}

int peers_merge_rows(rowtide_db *to, rowtide_db *from,
                     rowtide_crdt_report **out)
{
    rowtide_crdt_change change;
    rowtide_crdt_merge *merge = NULL;
    rowtide_crdt_pull *pull = NULL;
    int rc = rowtide_crdt_pull_open(from, NULL, &pull);
    if (rc == ROWTIDE_OK)
        rc = rowtide_crdt_merge_begin(to, &merge);
    while (rc == ROWTIDE_OK
           && (rc = rowtide_crdt_pull_next(pull, &change)) == ROWTIDE_OK)
        rc = rowtide_crdt_merge_add(merge, &change);
    if (rc == ROWTIDE_DONE)
        rc = rowtide_crdt_merge_end(merge, out);
    rowtide_crdt_merge_free(merge);
    rowtide_crdt_pull_free(pull);
    return rc;
}

int64_t peers_cursor(rowtide_db *db, rowtide_db *from)
{
    unsigned char site[ROWTIDE_SITE_ID_SIZE];
    int64_t version = -1;
    assert_ok(rowtide_crdt_site_id(from, site));
    assert_ok(rowtide_crdt_peer_version(db, site, sizeof site, &version));
    return version;
}

int64_t peers_version(rowtide_db *db)
{
    int64_t version = -1;
    assert_ok(rowtide_crdt_version(db, &version));
    return version;
}

void peers_same(rowtide_db *a, rowtide_db *b)
{
    scratch_same(a, b, "SELECT * FROM notes ORDER BY id");
    scratch_same(a, b, PEERS_CHANGES);
}
