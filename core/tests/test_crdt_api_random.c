#include "support/peers.h"
#include "support/recording.h"
#include "support/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Peers that change the same few rows, hear of each other now and then in
 * every way there is, and end with the same rows and the same changes. */

enum { PEERS = 3, KEYS = 6, KEPT = 8 };

typedef struct world {
    rowtide_db *peers[PEERS];
    random_state random;
    rowtide_buffer kept[KEPT]; /* payloads that come late, or twice */
} world;

static const char TABLES[] =
    "CREATE TABLE notes(id INTEGER PRIMARY KEY NOT NULL, title TEXT, done "
    "INTEGER);"
    "CREATE TABLE tags(note TEXT NOT NULL, tag NOT NULL, weight DEFAULT 1, "
    "PRIMARY KEY(note, tag)) WITHOUT ROWID;"
    "CREATE TABLE sets(item BLOB PRIMARY KEY NOT NULL)";

static unsigned below(world *all, unsigned limit)
{
    return random_below(&all->random, limit);
}

static rowtide_db *any_peer(world *all)
{
    return all->peers[below(all, PEERS)];
}

static void open_world(world *all, unsigned seed)
{
    memset(all, 0, sizeof *all);
    all->random.state = seed * 7919u + 1;
    for (int i = 0; i < PEERS; i++) {
        all->peers[i] = scratch_db(TABLES);
        assert_ok(rowtide_crdt_enable(all->peers[i], "notes"));
        assert_ok(rowtide_crdt_enable(all->peers[i], "tags"));
        assert_ok(rowtide_crdt_enable(all->peers[i], "sets"));
    }
}

static void close_world(world *all)
{
    for (int i = 0; i < PEERS; i++)
        rowtide_db_free(all->peers[i]);
    for (int i = 0; i < KEPT; i++)
        rowtide_buffer_dispose(&all->kept[i]);
}

static void sync_all(world *all)
{
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < PEERS; i++)
            for (int j = 0; j < i; j++)
                assert_ok(rowtide_crdt_sync(all->peers[i], all->peers[j]));
}

#define MOVE_TAG                                                               \
    "UPDATE OR REPLACE tags SET weight = weight + 1, tag = %3$u + 0.5 WHERE "  \
    "note = 'note %1$u'"

static void change_something(world *all)
{
    static const char *const statements[] = {
        "INSERT OR IGNORE INTO notes VALUES(%u, 'new %u', %u)",
        "INSERT OR REPLACE INTO notes VALUES(%u, 'replaced %u', %u)",
        "UPDATE notes SET title = 'title %2$u' WHERE id = %1$u",
        "UPDATE notes SET done = %3$u, title = 'both %2$u' WHERE id = %1$u",
        "UPDATE OR REPLACE notes SET id = %3$u WHERE id = %1$u",
        "DELETE FROM notes WHERE id = %u",
        "INSERT OR IGNORE INTO tags VALUES('note %u', %3$u, %2$u)",
        MOVE_TAG,
        "DELETE FROM tags WHERE note = 'note %u'",
        "INSERT OR IGNORE INTO sets VALUES(x'0%u')",
        "DELETE FROM sets WHERE item = x'0%u'",
    };
    char sql[200];
    unsigned which = below(all, sizeof statements / sizeof *statements);
    unsigned key = below(all, KEYS), text = below(all, 1000);
    unsigned other = below(all, KEYS);
    snprintf(sql, sizeof sql, statements[which], key, text, other);
    scratch_exec(any_peer(all), sql);
}

static void change_in_a_transaction(world *all)
{
    rowtide_db *db = any_peer(all);
    char sql[300];
    snprintf(sql, sizeof sql,
             "BEGIN; DELETE FROM notes WHERE id = %u; SAVEPOINT s; INSERT OR "
             "REPLACE INTO notes VALUES(%u, 'inner', 0); %s RELEASE s; UPDATE "
             "notes SET done = done + 1; %s",
             below(all, KEYS), below(all, KEYS),
             below(all, 2) ? "ROLLBACK TO s;" : "",
             below(all, 3) ? "COMMIT" : "ROLLBACK");
    scratch_exec(db, sql);
}

/* A payload that may be lost, or kept to come again. */
static void send_something(world *all, int late)
{
    rowtide_db *from = any_peer(all), *to = any_peer(all);
    rowtide_buffer payload = ROWTIDE_BUFFER_INIT;
    if (from == to)
        return;
    peers_pull(from, peers_cursor(to, from), to, &payload);
    if (below(all, 4))
        assert_ok(peers_merge(to, payload.data, payload.size, NULL));
    if (late) {
        rowtide_buffer *kept = &all->kept[below(all, KEPT)];
        rowtide_buffer_dispose(kept);
        *kept = payload;
        return;
    }
    rowtide_buffer_dispose(&payload);
}

static void deliver_again(world *all)
{
    rowtide_buffer *kept = &all->kept[below(all, KEPT)];
    if (kept->size)
        assert_ok(peers_merge(any_peer(all), kept->data, kept->size, NULL));
}

#define CELLS                                                                  \
    "SELECT [table], pk, cid, col_version, cl FROM crsql_changes WHERE cid "   \
    "<> '-1' ORDER BY 1, 2, 3"

static void expect_same(world *all, unsigned seed)
{
    static const char *const queries[] = {
        "SELECT * FROM notes ORDER BY id", "SELECT * FROM tags ORDER BY 1, 2",
        "SELECT * FROM sets ORDER BY item", CELLS};
    for (int i = 1; i < PEERS; i++)
        for (int q = 0; q < 4; q++) {
            char *a = scratch_rows(all->peers[0], queries[q]);
            char *b = scratch_rows(all->peers[i], queries[q]);
            if (strcmp(a, b))
                print_error("seed %u\n", seed);
            assert_string_equal(a, b);
            free(a);
            free(b);
        }
}

/* How many deletions were forgotten. */
static int64_t run(unsigned seed, int collecting)
{
    world all;
    int64_t count, forgotten = 0;
    open_world(&all, seed);
    sync_all(&all);
    for (int step = 0; step < 150; step++) {
        switch (below(&all, 10)) {
        case 0: {
            unsigned i = below(&all, PEERS), j = below(&all, PEERS);
            if (i != j)
                assert_ok(rowtide_crdt_sync(all.peers[i], all.peers[j]));
            break;
        }
        case 1:
            send_something(&all, !collecting);
            break;
        case 2:
            if (!collecting) {
                deliver_again(&all);
                break;
            }
            assert_ok(rowtide_crdt_collect(any_peer(&all), 0, &count));
            forgotten += count;
            break;
        case 3:
            change_in_a_transaction(&all);
            break;
        default:
            change_something(&all);
        }
    }
    sync_all(&all);
    expect_same(&all, seed);
    close_world(&all);
    return forgotten;
}

static void lost_doubled_late(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 25; seed++)
        run(seed, 0);
}

static void while_deletions_are_forgotten(void **state)
{
    (void)state;
    int64_t forgotten = 0;
    for (unsigned seed = 1; seed <= 25; seed++)
        forgotten += run(seed, 1);
    assert_true(forgotten > 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lost_doubled_late),
        cmocka_unit_test(while_deletions_are_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
