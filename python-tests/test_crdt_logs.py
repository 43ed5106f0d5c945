"""Do the logs of peers agree, and not only their rows?

Two sites that delete the same row have made one and the same change, and each
keeps its own record of it, as cr-sqlite does: a merge that is ignored leaves
no trace. With merge-equal-values the greater site id is told of by both, for a
deletion as for a value. db_version is not part of it: each database counts its
own, and gives what it takes over the next one.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from crdt_peer import Database, Value, changes, opened, sync
from crdt_peer.database import one
from crdt_peer.exchange import pull, site_id
from crdt_peer.histories import bounded
from hypothesis import given
from hypothesis import strategies as st


@contextlib.contextmanager
def peers(*kinds: str, equal: int) -> Iterator[list[Database]]:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(opened(kind)) for kind in kinds]
        for db in made:
            db.run("CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a)")
            db.run("CREATE TABLE s (id INTEGER PRIMARY KEY NOT NULL)")
            db.run("SELECT crsql_as_crr('t'); SELECT crsql_as_crr('s')")
            if db.name == "ours":  # the peer in node is too old for it
                db.run("SELECT crsql_config_set('merge-equal-values', ?1)", equal)
        yield made


def log(db: Database) -> list[tuple[Value, ...]]:
    """All but db_version; a sentinel of the first life says nothing new."""
    return sorted(
        (row.table, row.pk, row.cid, row.col_version, row.cl, row.seq, row.site_id)
        for row in changes(db)
        if not (row.cid == "-1" and row.cl == 1)
    )


def delete_on_both_sides(one_: Database, two: Database) -> None:
    one_.run("INSERT INTO t VALUES (1, 2)")
    sync(one_, two)
    one_.run("DELETE FROM t")
    two.run("UPDATE t SET a = 9")
    two.run("BEGIN; INSERT INTO t VALUES (5, 5); DELETE FROM t WHERE id = 1; COMMIT")


def test_deletions_of_both_sides_become_one() -> None:
    with peers("ours", "ours", equal=1) as (db, other):
        delete_on_both_sides(db, other)
        sync(db, other)
        greater = max(site_id(db), site_id(other))
        assert log(db) == log(other)
        assert {row.site_id for row in changes(db, "cid = '-1'")} == {greater}
        before = [one(each, "SELECT crsql_db_version()") for each in (db, other)]
        sync(db, other)
        assert before == [one(each, "SELECT crsql_db_version()") for each in (db, other)]


def test_it_is_told_to_others() -> None:
    """Who pulls what is new from only one of them learns of it too."""
    with peers("ours", "ours", "ours", equal=1) as (db, other, third):
        delete_on_both_sides(db, other)
        cursor = pull(db, third, pull(db, third))
        pull(other, db)
        pull(db, third, cursor)
        pull(db, other)
        pull(other, third)
        assert log(db) == log(third) == log(other)


def test_it_is_no_change_of_the_row() -> None:
    with peers("ours", "ours", equal=1) as (db, other):
        delete_on_both_sides(db, other)
        tombstones = [changes(each, "cid = '-1'") for each in (db, other)]
        for each, (change,) in zip((other, db), tombstones, strict=True):
            each.run("BEGIN")
            each.run("INSERT INTO crsql_changes VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9)", *change)
            assert one(each, "SELECT crsql_rows_impacted()") == 0
            each.run("COMMIT")


@pytest.mark.parametrize("kind", ["ours", "theirs"])
def test_without_it_each_keeps_its_own(kind: str) -> None:
    """As the peer does: the same merges leave the same log, whoever made them."""
    with peers("ours", kind, equal=0) as (db, other):
        delete_on_both_sides(db, other)
        sync(db, other)
        for each in (db, other):
            (tombstone,) = changes(each, "cid = '-1'")
            assert tombstone.site_id == site_id(each)
            assert tombstone.cl == tombstone.col_version == 2
        assert db.run("SELECT * FROM t") == other.run("SELECT * FROM t") == [(5, 5)]


def test_through_a_peer_that_keeps_its_own() -> None:
    """Rows agree; what the one between does not hand on, it cannot tell."""
    with peers("ours", "theirs", "ours", equal=1) as (db, between, other):
        delete_on_both_sides(db, between)
        pull(db, other)
        for _ in range(3):
            sync(db, between)
            sync(between, other)
        versions = [one(each, "SELECT crsql_db_version()") for each in (db, between, other)]
        sync(db, between)
        sync(between, other)
        assert versions == [
            one(each, "SELECT crsql_db_version()") for each in (db, between, other)
        ]
        assert db.run("SELECT * FROM t") == other.run("SELECT * FROM t")


events = st.tuples(
    st.integers(0, 2),
    st.sampled_from(["put", "delete", "pull", "pull", "set"]),
    st.sampled_from(["t", "s"]),
    st.integers(1, 2),
)
WRITES = {
    ("put", "t"): "INSERT OR IGNORE INTO t VALUES (?1, 1)",
    ("put", "s"): "INSERT OR IGNORE INTO s VALUES (?1)",
    ("delete", "t"): "DELETE FROM t WHERE id = ?1",
    ("delete", "s"): "DELETE FROM s WHERE id = ?1",
    ("set", "t"): "UPDATE t SET a = a + 1 WHERE id = ?1",
    ("set", "s"): "UPDATE s SET id = 3 - id WHERE id = ?1",
}


@bounded(80)
@given(st.lists(events, min_size=1, max_size=14))
def test_all_logs_agree_in_the_end(history: list[tuple[int, str, str, int]]) -> None:
    with peers("ours", "ours", "ours", equal=1) as made:
        for actor, what, table, number in history:
            if what == "pull":
                pull(made[(actor + number) % 3], made[actor])
            else:
                made[actor].run("UPDATE OR IGNORE" + WRITES[what, table][6:]
                                if what == "set" else WRITES[what, table], number)  # fmt: skip
        sync(*made)
        first, *others = made
        for other in others:
            assert other.run("SELECT * FROM t") == first.run("SELECT * FROM t")
            assert log(other) == log(first)
        versions = [one(db, "SELECT crsql_db_version()") for db in made]
        sync(*made)
        assert versions == [one(db, "SELECT crsql_db_version()") for db in made]
