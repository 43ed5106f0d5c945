"""db.crdt, db.merge and rowtide.sync."""

import gc
import io
import itertools
import pickle
import sqlite3
import threading

import pytest
import rowtide
from conftest import rows
from hypothesis import given
from hypothesis import strategies as st

NOTES = """
    CREATE TABLE notes (id TEXT PRIMARY KEY NOT NULL, title TEXT, done INTEGER DEFAULT 0);
    CREATE TABLE tags (note TEXT NOT NULL, tag BLOB NOT NULL, n, PRIMARY KEY (tag, note));
"""


@pytest.fixture(params=["connect", "open"])
def make_notes(request):
    made = []

    def make_notes(path=":memory:"):
        if request.param == "connect":
            db = rowtide.connect(path, isolation_level=None)
        else:
            db = rowtide.open(path)
        made.append(db)
        db.executescript(NOTES)
        db.crdt.enable("notes")
        db.crdt.enable("tags")
        return db

    yield make_notes
    for db in made:
        db.close()


@pytest.fixture
def phone(make_notes):
    return make_notes()


@pytest.fixture
def laptop(make_notes):
    return make_notes()


def note(db, id, title="", done=0):
    db.execute("INSERT INTO notes VALUES (?, ?, ?)", (id, title, done))


def notes(db):
    return rows(db, "notes")


# -- The lines of the manual


def test_pull_and_merge(phone, laptop):
    note(phone, "milk", "Buy milk")
    report = laptop.merge(phone.crdt.pull(since=0))
    assert (report.applied, report.ignored, report.count) == (2, 0, 2)
    assert report.tables == {"notes": (2, 0)}
    assert report.version == phone.crdt.version == 1
    assert notes(laptop) == [("milk", "Buy milk", 0)]
    again = laptop.merge(phone.crdt.pull(since=0))
    assert (again.applied, again.ignored) == (0, 2)
    assert repr(again) == "<rowtide.CrdtReport 0 applied, 2 ignored>"


def test_sync_twice(phone, laptop):
    note(phone, "a", "phone")
    note(laptop, "b", "laptop")
    rowtide.sync(phone, laptop)
    assert notes(phone) == notes(laptop) == [("a", "phone", 0), ("b", "laptop", 0)]
    phone.execute("UPDATE notes SET done = 1 WHERE id = 'b'")
    laptop.execute("UPDATE notes SET title = 'mine' WHERE id = 'b'")
    laptop.execute("DELETE FROM notes WHERE id = 'a'")
    rowtide.sync(phone, laptop)
    assert notes(phone) == notes(laptop) == [("b", "mine", 1)]


def test_both_kinds_of_connection_and_the_standard_librarys(phone):
    plain = sqlite3.connect(":memory:", isolation_level=None)
    plain.executescript(NOTES)
    rowtide.adopt(plain).crdt.enable("notes")
    note(phone, "a")
    rowtide.sync(phone, plain)
    assert plain.execute("SELECT id FROM notes").fetchall() == [("a",)]
    plain.execute("DELETE FROM notes")
    assert phone.crdt.fetch(plain).applied == 1
    assert notes(phone) == []
    plain.close()


def test_payload(phone, laptop, tmp_path):
    note(phone, "milk", "Buy milk")
    data = phone.crdt.payload()
    assert isinstance(data, bytes)
    path, writer = tmp_path / "payload", io.BytesIO()
    assert phone.crdt.payload(to=path) is None
    assert phone.crdt.payload(to=writer, chunk_size=100) is None
    assert path.read_bytes() == data
    assert laptop.merge(data).applied == 2
    with path.open("rb") as file:
        for source in (bytearray(data), memoryview(data), path, str(path), file):
            assert laptop.merge(source).ignored == 2
    writer.seek(0)
    assert laptop.merge(writer).ignored == 2
    assert notes(laptop) == notes(phone)


def test_the_table_works_as_ever(phone, laptop):
    note(phone, "milk", "Buy milk")
    columns = "[table], pk, cid, val, col_version, db_version, site_id, cl, seq"
    changes = phone.execute(f"SELECT {columns} FROM crsql_changes").fetchall()
    assert changes == [tuple(change) for change in phone.crdt.pull()]
    assert all(change.site_id == phone.crdt.site_id for change in phone.crdt.pull())
    laptop.executemany(
        f"INSERT INTO crsql_changes ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        phone.crdt.pull(),
    )
    assert notes(laptop) == notes(phone)
    assert laptop.execute("SELECT crsql_site_id()").fetchone() == (laptop.crdt.site_id,)


def test_open(make_notes, tmp_path):
    note(make_notes(tmp_path / "a.db"), "a")
    db = rowtide.connect(tmp_path / "a.db")
    with pytest.raises(sqlite3.OperationalError, match="no such"):
        note(db, "b")
    db.rollback()
    db.crdt.open()
    db.crdt.open()
    note(db, "b")
    db.commit()
    assert [change.primary_key for change in db.crdt.pull()][::2] == [("a",), ("b",)]
    db.close()


# -- Tables


def test_enable_and_disable(phone):
    crdt = phone.crdt
    assert crdt.is_enabled("notes") is True
    crdt.enable("notes")
    note(phone, "a")
    crdt.disable("notes")
    crdt.disable("notes")
    assert crdt.is_enabled("notes") is False and list(crdt.pull()) == []
    assert len(notes(phone)) == 1
    crdt.enable("notes")
    assert {change.primary_key for change in crdt.pull()} == {("a",)}


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("CREATE TABLE t (a PRIMARY KEY)", "null"),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY NOT NULL, b UNIQUE)", "(?i)unique"),
        ("CREATE TABLE t (a INTEGER PRIMARY KEY NOT NULL, b NOT NULL)", "(?i)default"),
    ],
)
def test_what_cannot_take_part(make, schema, reason):
    db = make(schema + "; CREATE TABLE u (a)")
    db.execute("INSERT INTO u VALUES (1)")
    with pytest.raises(rowtide.SchemaError, match=reason):
        db.crdt.enable("t")
    assert db.in_transaction and rows(db, "u") == [(1,)]
    with pytest.raises(rowtide.SchemaError):
        db.crdt.enable("nowhere")


def test_alter(phone, laptop):
    note(phone, "a", "x")
    with phone.crdt.alter("notes"):
        phone.execute("ALTER TABLE notes ADD COLUMN color TEXT")
        phone.execute("UPDATE notes SET color = 'red'")
    assert not phone.in_transaction
    with laptop.crdt.alter("notes"):
        laptop.execute("ALTER TABLE notes ADD COLUMN color TEXT")
    rowtide.sync(phone, laptop)
    assert notes(laptop) == [("a", "x", 0, "red")]


def test_alter_that_raises(phone):
    note(phone, "a", "x")
    with pytest.raises(ZeroDivisionError), phone.crdt.alter("notes"):
        phone.execute("ALTER TABLE notes ADD COLUMN color TEXT")
        raise ZeroDivisionError
    assert not phone.in_transaction and notes(phone) == [("a", "x", 0)]
    note(phone, "b")
    assert len(list(phone.crdt.pull(1))) == 2
    with pytest.raises(rowtide.Error), phone.crdt.alter("nowhere"):
        pass
    assert not phone.in_transaction


def test_alter_inside_a_transaction(phone):
    phone.execute("BEGIN")
    note(phone, "a")
    with pytest.raises(ZeroDivisionError), phone.crdt.alter("notes"):
        phone.execute("ALTER TABLE notes ADD COLUMN color TEXT")
        raise ZeroDivisionError
    assert phone.in_transaction and notes(phone) == [("a", "", 0)]
    with phone.crdt.alter("notes"):
        phone.execute("ALTER TABLE notes ADD COLUMN color TEXT")
    assert phone.in_transaction
    phone.execute("COMMIT")
    assert notes(phone) == [("a", "", 0, None)]


def test_alter_and_the_standard_librarys_transactions(make):
    """executescript() commits first; what was altered is taken in all the same."""
    db = make(NOTES)
    db.crdt.enable("notes")
    note(db, "a")
    with db.crdt.alter("notes"):
        db.execute("ALTER TABLE notes ADD COLUMN color")
    assert db.in_transaction
    db.rollback()
    note(db, "a")
    db.commit()
    with db.crdt.alter("notes"):
        db.executescript("ALTER TABLE notes ADD COLUMN color")
    assert not db.in_transaction
    db.execute("UPDATE notes SET color = 3")
    db.commit()
    (change,) = db.crdt.pull(1)
    assert (change.column, change.value) == ("color", 3)
    with pytest.raises(rowtide.ClosedError), db.crdt.alter("notes"):
        db.close()


# -- Who and when


def test_site_and_version(phone, laptop):
    assert len(phone.crdt.site_id) == 16 and phone.crdt.site_id != laptop.crdt.site_id
    assert phone.crdt.version == 0
    note(phone, "a")
    assert phone.crdt.version == 1
    assert repr(phone.crdt) == f"<rowtide.Crdt of site {phone.crdt.site_id.hex()} at 1>"


# -- Changes


def test_what_to_pull(phone, laptop):
    note(phone, "a")
    phone.execute("INSERT INTO tags VALUES ('a', x'01', 5)")
    note(laptop, "b")
    rowtide.sync(phone, laptop)
    crdt, site, other = phone.crdt, phone.crdt.site_id, laptop.crdt.site_id

    def pulled(*args, **options):
        changes = list(crdt.pull(*args, **options))
        data = crdt.payload(*args, **options)
        assert laptop.merge(data).count == len(changes)
        return [(change.table, change.primary_key[0]) for change in changes]

    everything = [("notes", "a")] * 2 + [("tags", b"\1")] + [("notes", "b")] * 2
    assert pulled() == everything
    assert pulled(since=1) == everything[2:]
    assert pulled(0, until=1) == everything[:2]
    assert pulled(until=0) == [] == pulled(tables=())
    assert pulled(exclude=site) == everything[3:] == pulled(exclude=bytearray(site))
    assert pulled(exclude=other) == everything[:3] == pulled(only_local=True)
    assert pulled(tables="tags") == [("tags", b"\1")]
    assert pulled(tables=["TAGS", "notes"]) == everything
    assert pulled(only_local=True, exclude=site) == []


def test_a_change(phone):
    phone.execute("INSERT INTO tags VALUES ('é', x'00ff', 2.5)")
    (change,) = phone.crdt.pull()
    assert change == (
        "tags", change.pk, "n", 2.5, 1, 1, phone.crdt.site_id, 1, 0
    )  # fmt: skip
    assert (change.table, change.column, change.value) == ("tags", "n", 2.5)
    assert (
        change.column_version,
        change.db_version,
        change.causal_length,
        change.sequence,
    ) == (1, 1, 1, 0)
    assert change.primary_key == (b"\x00\xff", "é") and not change.is_row
    assert type(change) is rowtide.CrdtChange
    assert pickle.loads(pickle.dumps(change)) == change
    assert hash(change) == hash(tuple(change))
    assert repr(change).startswith("CrdtChange(table='tags', pk=b'")
    phone.execute("DELETE FROM tags")
    (gone,) = phone.crdt.pull(1)
    assert (gone.column, gone.value, gone.causal_length, gone.is_row) == ("-1", None, 2, True)


def test_values_come_back(phone, laptop):
    values = [None, 0, -1, 2**63 - 1, -(2**63), 2.5, -0.0, float("inf"), "", "a\0b", "é",
              b"", b"\0", b"\xff" * 300]  # fmt: skip
    for number, value in enumerate(values):
        phone.execute("INSERT INTO tags VALUES (?, x'', ?)", (str(number), value))
    changes = list(phone.crdt.pull())
    assert [repr(change.value) for change in changes] == [repr(value) for value in values]
    laptop.merge(changes)
    found = laptop.execute("SELECT n FROM tags ORDER BY CAST(note AS INT)").fetchall()
    assert [repr(value) for (value,) in found] == [repr(value) for value in values]


def test_a_damaged_key():
    for pk in (b"", b"\1", b"\2\11\1", b"\1\7", b"\1\x0b\5a"):
        change = rowtide.CrdtChange("notes", pk, "title", "x", 1, 1, None, 1, 0)
        with pytest.raises(rowtide.CorruptError):
            assert change.primary_key


def test_the_iterator(phone):
    for number in range(5):
        note(phone, str(number))
    changes = phone.crdt.pull()
    assert iter(changes) is changes and next(changes).primary_key == ("0",)
    assert len(list(itertools.islice(changes, 3))) == 3
    changes.close()
    changes.close()
    assert list(changes) == []
    with phone.crdt.pull() as changes:
        next(changes)
    assert next(changes, None) is None


def test_the_rest_of_an_iterator(phone, laptop):
    note(phone, "a")
    note(phone, "b")
    changes = phone.crdt.pull()
    next(changes), next(changes)
    assert laptop.merge(changes).applied == 2
    assert [id for id, *_ in notes(laptop)] == ["b"]
    assert laptop.merge(changes).count == 0


def test_names_that_are_many(make_notes):
    db = make_notes()
    names = [f"column {number} é" for number in range(40)]
    columns = ", ".join(f'"{name}"' for name in names)
    db.executescript(f'CREATE TABLE "wide é" (id INTEGER PRIMARY KEY NOT NULL, {columns})')
    db.crdt.enable("wide é")
    db.execute('INSERT INTO "wide é" (id) VALUES (1), (2)')
    changes = list(db.crdt.pull())
    assert [change.column for change in changes] == names * 2
    assert {change.table for change in changes} == {"wide é"}


def test_what_is_not_committed(make):
    """crsql_changes shows it; what is pulled and synced could not be taken back."""
    db, other = make(NOTES), make(NOTES)
    db.crdt.enable("notes")
    other.crdt.enable("notes")
    note(db, "a")
    assert db.execute("SELECT db_version FROM crsql_changes").fetchall() == [(1,), (1,)]
    assert list(db.crdt.pull()) == []
    assert db.crdt.version == 0
    rowtide.sync(db, other)
    assert db.in_transaction and not other.in_transaction and notes(other) == []
    db.commit()
    rowtide.sync(db, other)
    assert notes(other) == [("a", "", 0)]


# -- Merging


def test_rows_of_any_kind(phone, laptop):
    note(phone, "a", "x")
    note(phone, "b", "y")
    changes = list(phone.crdt.pull())
    lists = [[bytearray(field) if isinstance(field, bytes) else field for field in change]
             for change in changes]  # fmt: skip
    for given_rows in (changes, tuple(changes), iter(changes), (c for c in changes), lists,
                       reversed(changes)):  # fmt: skip
        laptop.execute("SELECT 1").fetchall()
        assert laptop.merge(given_rows).count == 4
    assert notes(laptop) == notes(phone)
    assert laptop.merge([]).count == 0


def test_more_rows_than_one_batch(phone, laptop):
    phone.execute(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "INSERT INTO notes SELECT i, i, i FROM n"
    ).fetchall()
    assert laptop.merge(list(phone.crdt.pull())).applied == 2000
    assert laptop.merge(phone.crdt.pull()).ignored == 2000
    assert notes(laptop) == notes(phone)


def good(phone):
    note(phone, "a", "x")
    return next(phone.crdt.pull())


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"table": "nowhere"}, rowtide.SchemaError),
        ({"table": None}, rowtide.Error),
        ({"table": 5}, TypeError),
        ({"table": "no\0tes"}, ValueError),
        ({"pk": b""}, rowtide.Error),
        ({"pk": b"\1"}, rowtide.CorruptError),
        ({"pk": "text"}, TypeError),
        ({"column": None}, rowtide.Error),
        ({"column": b"\xff\0"}, ValueError),
        ({"value": object()}, TypeError),
        ({"value": rowtide.UNDEFINED}, TypeError),
        ({"value": 2**70}, OverflowError),
        ({"column_version": "1"}, TypeError),
        ({"db_version": 2**70}, OverflowError),
        ({"db_version": 2**62}, rowtide.Error),
        ({"site_id": 5}, TypeError),
        ({"causal_length": None}, TypeError),
        ({"sequence": 1.5}, TypeError),
    ],
    ids=lambda value: next(iter(value.items()), "")[0] if isinstance(value, dict) else "",
)
def test_bad_rows_merge_nothing(phone, laptop, fields, error):
    change = good(phone)
    with pytest.raises(error):
        laptop.merge([change, change._replace(**fields)])
    assert notes(laptop) == [] and not laptop.in_transaction
    assert list(laptop.crdt.pull()) == []
    assert laptop.merge([change]).applied == 1
    note(laptop, "tracked still")
    assert len(list(laptop.crdt.pull(only_local=True))) == 2


@pytest.mark.parametrize("source", [5, None, 2.5, object(), [5], ["x"], [()], [(1, 2)]])
def test_what_cannot_be_merged(laptop, source):
    with pytest.raises((TypeError, ValueError)):
        laptop.merge(source)
    assert not laptop.in_transaction


def test_an_iterable_that_raises(phone, laptop):
    change = good(phone)

    def failing():
        yield change
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as caught:
        laptop.merge(failing())
    assert not laptop.in_transaction and notes(laptop) == []
    assert caught.value is not None  # and so is its traceback
    assert laptop.merge([change]).applied == 1


def test_inside_the_callers_transaction(phone, laptop):
    change = good(phone)
    laptop.execute("BEGIN")
    note(laptop, "mine")
    with pytest.raises(rowtide.Error):
        laptop.merge([change, change._replace(pk=b"\1")])
    assert laptop.in_transaction and len(notes(laptop)) == 1
    laptop.merge([change])
    laptop.merge(phone.crdt.payload())
    assert laptop.in_transaction and len(notes(laptop)) == 2
    laptop.execute("ROLLBACK")
    assert notes(laptop) == []


def test_damaged_payloads(phone, laptop):
    note(phone, "a", "x" * 100)
    data = phone.crdt.payload()
    for size in range(len(data)):
        with pytest.raises(rowtide.CorruptError):
            laptop.merge(data[:size])
    for place in range(len(data)):
        broken = bytearray(data)
        broken[place] ^= 0x41
        with pytest.raises(rowtide.Error):
            laptop.merge(bytes(broken))
    assert notes(laptop) == [] and not laptop.in_transaction


@given(st.binary(max_size=100))
def test_any_bytes(data):
    with rowtide.open(":memory:") as db, pytest.raises(rowtide.CorruptError):
        db.merge(data)


def test_a_reader_that_raises(laptop):
    class Failing:
        def read(self, size):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        laptop.merge(Failing())

    class Full:
        def write(self, data):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        laptop.crdt.payload(to=Full())


# -- Peers


def test_peers(phone, laptop):
    peers, site = laptop.crdt.peers, phone.crdt.site_id
    assert dict(peers) == {} and len(peers) == 0
    assert peers[site] == 0 and site not in peers
    note(phone, "a")
    assert laptop.crdt.fetch(phone).applied == 2
    assert laptop.crdt.fetch(phone).count == 0
    assert dict(peers) == {site: 1} and site in peers
    peers[site] = 7
    peers[site] = 3
    assert peers[site] == 7
    assert repr(peers) == "<rowtide.CrdtPeers 1 known>"
    for bad, error in ((5, TypeError), ("x", TypeError), (b"", rowtide.InvalidError)):
        with pytest.raises(error):
            peers[bad]
    with pytest.raises(rowtide.InvalidError):
        peers[site] = -1


def test_a_payload_notes_how_far_it_reaches(phone, laptop):
    note(phone, "a")
    note(phone, "b")
    site = phone.crdt.site_id
    for until in (1, 2):
        seen = laptop.crdt.peers[site]
        laptop.merge(phone.crdt.payload(seen, until=until, exclude=laptop.crdt.site_id))
        assert laptop.crdt.peers[site] == until


def test_collect(phone, laptop):
    note(phone, "a")
    phone.execute("DELETE FROM notes")
    assert phone.crdt.collect() == 0
    rowtide.sync(phone, laptop)
    rowtide.sync(phone, laptop)
    assert len(list(phone.crdt.pull())) == 1
    assert phone.crdt.collect(until=1) == 0
    assert phone.crdt.collect() == 1
    assert list(phone.crdt.pull()) == []
    assert laptop.crdt.collect(until=laptop.crdt.version) == 1


# -- Wrong use


@pytest.mark.parametrize(
    "mistake",
    [
        lambda db: db.crdt.enable(5),
        lambda db: db.crdt.is_enabled(b"a\0b"),
        lambda db: db.crdt.pull("1"),
        lambda db: db.crdt.pull(0, 5),
        lambda db: db.crdt.pull(since=-1),
        lambda db: db.crdt.pull(until=-1),
        lambda db: db.crdt.pull(until="1"),
        lambda db: db.crdt.pull(exclude="site"),
        lambda db: db.crdt.pull(exclude=5),
        lambda db: db.crdt.pull(exclude=db.crdt.site_id + b"x"),
        lambda db: db.crdt.pull(tables=5),
        lambda db: db.crdt.pull(tables=[5]),
        lambda db: db.crdt.payload(to=5),
        lambda db: db.crdt.payload(chunk_size=-1),
        lambda db: db.crdt.payload(chunk_size="x"),
        lambda db: db.crdt.fetch(5),
        lambda db: db.crdt.fetch(db),
        lambda db: db.crdt.collect(-1),
        lambda db: db.crdt.collect("x"),
        lambda db: rowtide.sync(db, None),
        lambda db: rowtide.sync(db, db),
        lambda db: rowtide.CrdtChanges(5, 5),
        lambda db: rowtide.CrdtChanges(None, 5).__next__(5),
    ],
)
def test_mistakes(phone, mistake):
    with pytest.raises((TypeError, ValueError)):
        mistake(phone)
    assert not phone.in_transaction
    note(phone, "a")


def test_none_for_a_table(phone):
    for call in (phone.crdt.enable, phone.crdt.disable, phone.crdt.is_enabled):
        with pytest.raises(rowtide.InvalidError):
            call(None)


def test_closed(phone):
    note(phone, "a")
    crdt, changes, peers = phone.crdt, phone.crdt.pull(), phone.crdt.peers
    phone.close()
    for use in (crdt.open, lambda: crdt.version, crdt.pull, crdt.payload, lambda: len(peers),
                lambda: phone.merge([]), lambda: phone.merge(b"")):  # fmt: skip
        with pytest.raises(rowtide.ClosedError):
            use()
    with pytest.raises(rowtide.ClosedError):
        next(changes)


def test_nothing_is_kept(make_notes, tmp_path):
    """An iterator that was forgotten locks nothing."""
    db = make_notes(tmp_path / "a.db")
    note(db, "a")
    changes = db.crdt.pull()
    next(changes)
    del changes
    gc.collect()
    db.executescript("DROP TABLE tags; VACUUM")


def test_another_thread_works_meanwhile(phone, laptop):
    for number in range(300):
        note(phone, str(number))
    ran = []
    thread = threading.Thread(target=lambda: ran.append(sum(range(1000))))
    changes = list(phone.crdt.pull())

    def slowly():
        for number, change in enumerate(changes):
            if number == 100:
                thread.start()
                thread.join()
            yield change

    assert laptop.merge(slowly()).applied == 600 and ran


def test_a_merge_inside_a_merge(phone, laptop):
    """Whatever it does, both databases go on working."""
    changes = [good(phone)]

    def nested():
        yield from changes
        laptop.merge(changes)

    try:
        laptop.merge(nested())
    except rowtide.Error:
        assert notes(laptop) == []
    assert not laptop.in_transaction
    laptop.merge(changes)
    assert len(notes(laptop)) == 1
