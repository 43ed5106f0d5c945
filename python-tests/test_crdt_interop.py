"""Ours and cr-sqlite's own: the same bytes, the same log, the same outcome."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator

import pytest
from crdt_peer import Database, Row, Value, apply, changes, opened
from crdt_peer.database import one
from crdt_peer.exchange import MERGE, pull, site_id, sync
from crdt_peer.histories import (
    TABLES,
    Forged,
    Transaction,
    bounded,
    contents,
    forged,
    perform,
    transactions,
    values,
    winners,
)
from hypothesis import given
from hypothesis import strategies as st

OWN = b"own"


@contextlib.contextmanager
def databases(*kinds: str, schema: str = "") -> Iterator[list[Database]]:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(opened(kind)) for kind in kinds]
        for db in made:
            db.run(schema)
            for table in TABLES if not schema else []:
                table.create(db)
        yield made


def play(db: Database, transaction: Transaction) -> None:
    """Perform it; the peer gives what came to nothing a version until the next commit."""
    perform(db, transaction)
    db.run("PRAGMA user_version = 1")


def seen(db: Database) -> tuple[object, ...]:
    """All that both must show alike; the own site, which is random, as `OWN`."""
    own = site_id(db)
    log = [
        row._replace(site_id=OWN if row.site_id == own else row.site_id) for row in changes(db)
    ]
    order = [(row.db_version, row.seq) for row in log]
    assert order == sorted(order)
    # Merged changes may share a place; which is first of them is nobody's promise.
    log.sort(key=lambda row: (row.db_version, row.seq, row.table, row.pk, row.cid))
    return log, one(db, "SELECT crsql_db_version()"), contents(db)


@bounded(60)
@given(st.lists(transactions(), min_size=1, max_size=6))
def test_same_writes_leave_the_same_log(history: list[Transaction]) -> None:
    with databases("ours", "theirs") as (our, their):
        for transaction in history:
            play(our, transaction)
            play(their, transaction)
            assert seen(our) == seen(their)


@bounded(60)
@given(st.lists(transactions(moves=True), min_size=1, max_size=6))
def test_same_key_updates_leave_the_same_versions(history: list[Transaction]) -> None:
    """Ours also gives what moved a new db_version, so that it is not missed."""
    with databases("ours", "theirs") as (our, their):
        for transaction in history:
            play(our, transaction)
            play(their, transaction)
            assert contents(our) == contents(their)
            assert winners(our) == winners(their)


events = st.lists(forged(), min_size=1, max_size=8) | transactions()


@bounded(60)
@given(st.lists(events, min_size=1, max_size=6))
def test_same_merges_leave_the_same_log(history: list[list[Forged] | Transaction]) -> None:
    """Forged changes among writes of the database's own."""
    with databases("ours", "theirs") as (our, their):
        for event in history:
            if isinstance(event, Transaction):
                play(our, event)
                play(their, event)
            else:
                assert impact(our, event) == impact(their, event)
            assert seen(our) == seen(their)


def impact(db: Database, incoming: list[Forged]) -> tuple[Value, object]:
    """Merge, and say what is seen of it before it is committed."""
    merge = [(MERGE, change.made(db)) for change in incoming]
    db.run_all([("BEGIN", ()), *merge])
    impacted, log = one(db, "SELECT crsql_rows_impacted()"), seen(db)
    db.run("COMMIT")
    return impacted, log


def without_moves(transaction: Transaction) -> Transaction:
    kept = [write for write in transaction.writes if write.kind != "move"]
    return transaction._replace(writes=kept)


@bounded(60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3), transactions(moves=True) | st.integers(0, 3)),
        min_size=2,
        max_size=14,
    )
)
def test_two_of_each_converge(history: list[tuple[int, Transaction | int]]) -> None:
    """Theirs update no keys: whoever wrote the moved cells would not get them back."""
    with databases("ours", "theirs", "ours", "theirs") as peers:
        for actor, event in history:
            if isinstance(event, Transaction):
                perform(peers[actor], without_moves(event) if actor % 2 else event)
            elif event != actor:
                pull(peers[event], peers[actor])
        sync(*peers)
        first, *others = peers
        for other in others:
            assert contents(other) == contents(first)
            assert winners(other) == winners(first)


@pytest.mark.parametrize("seed", range(4))
def test_order_of_merging_does_not_matter(seed: int) -> None:
    """Every database's changes, shuffled, into fresh databases of both kinds."""
    chance = random.Random(seed)
    with (
        databases("ours", "theirs", "ours") as writers,
        databases("ours", "theirs", "ours", "theirs") as readers,
    ):
        for round_ in range(3):
            for number, db in enumerate(writers):
                for id_ in range(1, 6):
                    values_ = (id_, round_ * 3 + number, f"{number}", chance.random())
                    db.run("REPLACE INTO t VALUES (?1, ?2, ?3, ?4)", *values_)
                db.run("DELETE FROM t WHERE id = ?1", chance.randint(1, 5))
                db.run("UPDATE t SET a = ?1 WHERE id = ?2", chance.randint(0, 9), number + 1)
            pull(writers[round_], writers[(round_ + 1) % 3])
        pool = [change for db in writers for change in changes(db)]
        for db in readers:
            chance.shuffle(pool)
            apply(db, pool)
        assert len({repr(contents(db)) for db in readers}) == 1
        assert len({repr(winners(db)) for db in readers}) == 1


@bounded(60)
@given(st.lists(values, max_size=5))
def test_packed_keys_are_the_same_bytes(row: list[Value]) -> None:
    holes = ", ".join(f"?{index + 1}" for index in range(len(row)))
    with opened("ours") as our, opened("theirs") as their:
        package = one(our, f"SELECT crsql_pack_columns({holes})", *row)
        assert package == one(their, f"SELECT crsql_pack_columns({holes})", *row)
        for db in (our, their):
            query = "SELECT cell FROM crsql_unpack_columns WHERE package = ?1"
            found = [repr(value) for (value,) in db.run(query, package)]
            # SQLite has no NaN: it becomes NULL.
            assert found == [repr(value if value == value else None) for value in row]


@pytest.mark.parametrize("seed", range(3))
def test_fractional_keys_are_the_same(seed: int) -> None:
    chance = random.Random(seed)
    with opened("ours") as our, opened("theirs") as their:
        order: list[Value] = []
        for _ in range(120):
            place = chance.choice([0, len(order), chance.randint(0, len(order))])
            before = order[place - 1] if place else None
            after = order[place] if place < len(order) else None
            key = one(our, "SELECT crsql_fract_key_between(?1, ?2)", before, after)
            assert key == one(their, "SELECT crsql_fract_key_between(?1, ?2)", before, after)
            order.insert(place, key)
        assert order == sorted(order, key=str)


def list_rows(db: Database) -> list[Row]:
    return db.run("SELECT id, pos FROM items ORDER BY pos, id")


def test_ordered_lists_travel() -> None:
    schema = """
        CREATE TABLE items (id INTEGER PRIMARY KEY NOT NULL, pos, list);
        SELECT crsql_as_crr('items'); SELECT crsql_fract_as_ordered('items', 'pos', 'list');
    """
    with databases("ours", "theirs", schema=schema) as (our, their):
        our.run("INSERT INTO items VALUES (1, 1, 0), (2, 1, 0)")
        sync(our, their)
        our.run("INSERT INTO items_fractindex (id, list, after_id) VALUES (3, 0, 1)")
        their.run("INSERT INTO items_fractindex (id, list, after_id) VALUES (4, 0, 1)")
        sync(our, their)
        assert list_rows(our) == list_rows(their)
        # Both put a row between the same two; the next to come there parts them.
        their.run("INSERT INTO items_fractindex (id, list, after_id) VALUES (5, 0, 3)")
        our.run("UPDATE items_fractindex SET after_id = 2 WHERE id = 1")
        sync(our, their)
        assert list_rows(our) == list_rows(their)
        positions = [pos for _, pos in list_rows(our)]
        assert len(set(positions)) == len(positions)


def test_a_peer_that_pulls_what_is_new() -> None:
    """A cursor for each direction, nothing of one's own comes back."""
    with databases("ours", "theirs") as (our, their):
        here = there = 0
        for number in range(5):
            our.run("REPLACE INTO t (id, a) VALUES (?1, 'our')", number)
            their.run("REPLACE INTO t (id, b) VALUES (?1, 'their')", number + 3)
            here, there = pull(our, their, here), pull(their, our, there)
        assert contents(our) == contents(their)
        assert {row.site_id for row in changes(our)} == {site_id(our), site_id(their)}
        assert {row.site_id for row in changes(their)} == {site_id(our), site_id(their)}


def test_alter_on_both_sides() -> None:
    with databases("ours", "theirs") as (our, their):
        our.run("INSERT INTO t (id, a) VALUES (1, 'x'), (2, 'y'); DELETE FROM t WHERE id = 2")
        sync(our, their)
        for db in (our, their):
            db.run("SELECT crsql_begin_alter('t'); ALTER TABLE t ADD COLUMN d DEFAULT 4")
            db.run("ALTER TABLE t DROP COLUMN b; SELECT crsql_commit_alter('t')")
        our.run("UPDATE t SET d = 5; INSERT INTO t (id, d) VALUES (2, 6)")
        sync(our, their)
        assert our.run("SELECT * FROM t") == [(1, "x", 1.5, 5), (2, None, 1.5, 6)]
        assert contents(our) == contents(their)
        assert winners(our) == winners(their)


ALTERS = [
    ["ALTER TABLE t ADD COLUMN {new}"],
    ["ALTER TABLE t ADD COLUMN {new} DEFAULT 'd'"],
    ["ALTER TABLE t ADD COLUMN {new} NOT NULL DEFAULT 1", "UPDATE t SET {new} = id % 2"],
    ["ALTER TABLE t DROP COLUMN b", "ALTER TABLE t ADD COLUMN b TEXT"],
    ["ALTER TABLE t DROP COLUMN a", "ALTER TABLE t ADD COLUMN a DEFAULT 5"],
    ["INSERT OR IGNORE INTO t (id, a) VALUES (1, 'fresh'), (3, 'fresh')"],
]


@bounded(40)
@given(
    st.lists(transactions() | st.sampled_from(ALTERS), min_size=2, max_size=7),
)
def test_same_alters_leave_the_same_versions(history: list[Transaction | list[str]]) -> None:
    """Ours also gives what an alter brings a new db_version, so that it is not missed."""
    with databases("ours", "theirs") as (our, their):
        for number, event in enumerate(history):
            for db in (our, their):
                if isinstance(event, Transaction):
                    play(db, event)
                    continue
                db.run("SELECT crsql_begin_alter('t')")
                for sql in event:
                    db.run(sql.format(new=f"new{number}"))
                db.run("SELECT crsql_commit_alter('t')")
            assert contents(our) == contents(their)
            assert winners(our) == winners(their)
