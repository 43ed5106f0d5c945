"""Whatever the schema, the writes and the network: in the end all peers agree."""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Sequence

from crdt_peer import Change, Database, Value, apply, changes, opened
from crdt_peer.exchange import pull, site_id
from crdt_peer.histories import (
    Table,
    Transaction,
    bounded,
    contents,
    perform,
    quoted,
    transactions,
    winners,
)
from hypothesis import given
from hypothesis import strategies as st

KEY_KINDS: dict[str, st.SearchStrategy[Value]] = {
    "INTEGER": st.sampled_from([1, 2, 255, -1, 2**63 - 1, -(2**63)]),
    "INT": st.sampled_from([0, 256, -(2**31)]),
    "TEXT": st.sampled_from(["", "a", "A", "a\0", "a\0b", "é"]),
    "BLOB": st.sampled_from([b"", b"\0", b"a", "a", 1]),
    "REAL": st.sampled_from([0.5, 1.0, -1e300, 5e-324, float("inf")]),
    "": st.sampled_from([1, "1", b"1", -(2**63)]),
}
CELL_KINDS = [
    "",
    "TEXT",
    "INTEGER",
    "REAL",
    "NUMERIC",
    "BLOB",
    "COLLATE NOCASE",
    "TEXT COLLATE RTRIM",
    "DEFAULT 7",
    "TEXT DEFAULT 'it''s'",
    "NUMERIC NOT NULL DEFAULT ''",
]
# "-1" is what the log calls a row; a column may have that name too.
NAMES = [
    "a",
    "B",
    "order",
    "ä b",
    'quo"te',
    "it's",
    "-1x",
    "col_name",
    "key",
    "site_id",
    "rowid_",
]
TABLE_NAMES = ["t", "a table", 'T"x', "group", "it's", "log__crsql", "_"]


@st.composite
def tables(draw: st.DrawFn) -> list[Table]:
    names = draw(st.lists(st.sampled_from(TABLE_NAMES), min_size=1, max_size=3, unique=True))
    return [draw(table(name)) for name in names]


@st.composite
def table(draw: st.DrawFn, name: str) -> Table:
    columns = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=6, unique=True))
    width = draw(st.integers(1, min(2, len(columns))))
    keys, cells = columns[:width], columns[width:]
    kinds = draw(st.lists(st.sampled_from(list(KEY_KINDS)), min_size=width, max_size=width))
    parts = [f"{quoted(key)} {kind} NOT NULL" for key, kind in zip(keys, kinds, strict=True)]
    parts += [f"{quoted(cell)} {draw(st.sampled_from(CELL_KINDS))}" for cell in cells]
    stored = draw(st.sampled_from(["", "", "VIRTUAL", "STORED"]))
    if cells and stored:
        parts.insert(width, f'"generated" AS (length({quoted(cells[0])})) {stored}')
    order = list(draw(st.permutations(range(width))))
    parts.append(f"PRIMARY KEY ({', '.join(quoted(keys[index]) for index in order)})")
    tail = draw(st.sampled_from(["", " WITHOUT ROWID"]))
    ddl = f"CREATE TABLE {quoted(name)} ({', '.join(parts)}){tail}"
    return Table(name, ddl, keys, cells, st.tuples(*[KEY_KINDS[kind] for kind in kinds]), order)


@dataclasses.dataclass(frozen=True)
class Delivery:
    """Some of what `source` has goes to the actor, in some state."""

    source: int
    how: str
    seed: int

    def of(self, found: Sequence[Change]) -> list[list[Change]]:
        """Make messages, each merged in a transaction of its own."""
        chance = random.Random(self.seed)
        sent = list(found)
        match self.how:
            case "reordered":
                chance.shuffle(sent)
            case "doubled":
                sent = [*sent, *chance.choices(sent, k=len(sent))] if sent else []
            case "lossy":
                sent = [change for change in sent if chance.random() < 0.5]
            case "one by one":
                return [[change] for change in sent]
            case "mangled":
                sent = chance.choices(sent, k=len(sent)) if sent else []
        half = len(sent) // 2
        return [sent[:half], sent[half:]] if self.how == "in halves" else [sent]


HOW = ["whole", "reordered", "doubled", "lossy", "one by one", "mangled", "in halves", "new"]
deliveries = st.builds(Delivery, st.integers(0, 4), st.sampled_from(HOW), st.integers(0, 2**16))


@dataclasses.dataclass(frozen=True)
class Alter:
    """The same change of a table, made by all peers at the same time."""

    table: int
    drop: bool
    default: str

    def apply(self, peers: list[Database], schema: list[Table], number: int) -> list[Table]:
        place = self.table % len(schema)
        old = schema[place]
        if self.drop and not any(cell.startswith("new") for cell in old.cells):
            return schema
        if self.drop:
            name = next(cell for cell in old.cells if cell.startswith("new"))
            change = f"DROP COLUMN {name}"
            cells = [cell for cell in old.cells if cell != name]
        else:
            name = f"new{number}"
            change = f"ADD COLUMN {name} {self.default}"
            cells = [*old.cells, name]
        for db in peers:
            db.run("SELECT crsql_begin_alter(?1)", old.name)
            db.run(f"ALTER TABLE {quoted(old.name)} {change}")
            db.run("SELECT crsql_commit_alter(?1)", old.name)
        new = dataclasses.replace(old, cells=cells)
        return [*schema[:place], new, *schema[place + 1 :]]


DEFAULTS = ["", "DEFAULT 7", "TEXT DEFAULT 'x'"]
alters = st.builds(
    Alter,
    st.integers(0, 2),
    st.booleans(),
    st.sampled_from(DEFAULTS),
)


class Network:
    """Peers, and how far each has pulled from each of the others."""

    def __init__(self, peers: list[Database]) -> None:
        self.peers = peers
        self.cursors = {(a, b): 0 for a in range(len(peers)) for b in range(len(peers))}

    def pull(self, target: int, source: int) -> bool:
        """Bring what is new; say whether anything was."""
        before = self.cursors[target, source]
        after = pull(self.peers[source], self.peers[target], before)
        self.cursors[target, source] = after
        return after > before

    def deliver(self, target: int, delivery: Delivery) -> None:
        source = delivery.source % len(self.peers)
        if source == target:
            return
        if delivery.how == "new":
            self.pull(target, source)
            return
        theirs = "site_id IS NOT ?1"
        found = changes(self.peers[source], theirs, site_id(self.peers[target]))
        for message in delivery.of(found):
            apply(self.peers[target], message)

    def settle(self) -> None:
        """Pull what is new until there is nothing: cursors have to be enough."""
        several = range(len(self.peers))
        for _ in range(20):
            moved = [self.pull(a, b) for a in several for b in several if a != b]
            if not any(moved):
                return
        raise AssertionError("the peers keep sending each other changes")


AUDIT = """
    CREATE TABLE IF NOT EXISTS audit (kind, bit);
    CREATE TRIGGER {trigger} AFTER {event} ON {table} BEGIN
        INSERT INTO audit VALUES ('{event}', crsql_internal_sync_bit());
    END
"""


def watch(db: Database, schema: list[Table]) -> None:
    """Triggers of the user's, which fire in merges too."""
    for number, one in enumerate(schema):
        for event in ("INSERT", "UPDATE", "DELETE"):
            name = f"audit_{event}_{number}"
            db.run(AUDIT.format(trigger=name, event=event, table=quoted(one.name)))


def converge(
    kinds: list[str], schema: list[Table], history: list[tuple[int, object]], triggers: bool
) -> None:
    with contextlib.ExitStack() as stack:
        peers = [stack.enter_context(opened(kind)) for kind in kinds]
        for db in peers:
            for one in schema:
                one.create(db)
            if triggers:
                watch(db, schema)
        network = Network(peers)
        for number, (actor, event) in enumerate(history):
            actor %= len(peers)
            if isinstance(event, Transaction):
                perform(peers[actor], event)
            elif isinstance(event, Delivery):
                network.deliver(actor, event)
            elif isinstance(event, Alter):
                schema = event.apply(peers, schema, number)
        network.settle()
        first, *others = peers
        for other in others:
            assert contents(other, schema) == contents(first, schema)
            assert winners(other, schema) == winners(first, schema)


@st.composite
def worlds(draw: st.DrawFn, alter: bool) -> tuple[list[Table], list[tuple[int, object]]]:
    schema = draw(tables())
    event: st.SearchStrategy[object] = (
        deliveries | transactions(schema, moves=True) | transactions(schema, moves=True)
    )
    if alter:
        event |= alters
    steps = st.lists(st.tuples(st.integers(0, 4), event), min_size=2, max_size=20)
    return schema, draw(steps)


@bounded(150)
@given(st.integers(2, 5), worlds(alter=False), st.booleans())
def test_peers_converge(
    count: int, world: tuple[list[Table], list[tuple[int, object]]], triggers: bool
) -> None:
    converge(["ours"] * count, *world, triggers)


@bounded(80)
@given(st.integers(2, 4), worlds(alter=True))
def test_peers_converge_through_alters(
    count: int, world: tuple[list[Table], list[tuple[int, object]]]
) -> None:
    converge(["ours"] * count, *world, triggers=False)
