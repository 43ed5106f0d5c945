"""The public face: names, types, errors, documentation, and nothing of what is behind."""

import doctest
import inspect
import os
import pickle
import re
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
import rowtide
from rowtide import _native, errors, schema, stream

LEAKS = re.compile(r"swig|thisown|_wrap_|proxy of <", re.IGNORECASE)
PUBLIC = [getattr(rowtide, name) for name in rowtide.__all__]
PUBLIC += [getattr(schema, name) for name in schema.__all__]
CLASSES = [thing for thing in PUBLIC if isinstance(thing, type)]


def test_errors_are_the_table():
    table = _native.error_table()
    assert len(table) == len(errors.BY_CODE) == 23
    for symbol, code, name, cls, base, text in table:
        error = getattr(rowtide, cls)
        assert errors.BY_CODE[code] is error and symbol
        assert (error.code, error.name) == (code, name)
        assert error.__doc__.lower().startswith(text.lower().split(";")[0][:40])
        assert issubclass(error, rowtide.Error)
        assert base == "Exception" or issubclass(error, getattr(__builtins__, base, None) or
                                                 __builtins__[base])  # fmt: skip


def test_errors_are_values():
    error = rowtide.CorruptError("bad", sqlite_code=11, offset=7)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.sqlite_code, again.offset) == ("bad", 11, 7)
    assert type(again) is rowtide.CorruptError
    assert str(rowtide.FullError("no space")) == "no space"


def names_and_texts(thing, name):
    """Everything a user can see of it."""
    yield name
    yield inspect.getdoc(thing) or ""
    if isinstance(thing, type):
        for member in dir(thing):
            yield member
            yield inspect.getdoc(getattr(thing, member, None)) or ""


def things_of_schemas(db):
    here, other = db.schema(), rowtide.Schema("CREATE TABLE users (id INTEGER, name INTEGER)")
    difference, plan = here.diff(other), db.plan(other)
    report = db.auto_migrate("CREATE TABLE one (x)")
    return [here, difference, difference[0], plan, plan[0], report, report[0], here.tables,
            here.tables[0], here.tables[0].columns[0], schema.column, schema.index("x"),
            *plan.preflight()]  # fmt: skip


def test_nothing_shows_through(db, rename):
    seen = [text for name in dir(rowtide) if not name.startswith("_")
            for text in names_and_texts(getattr(rowtide, name), name)]  # fmt: skip
    capture, log, undo = db.capture(), db.audit_log(), db.undo_log()
    objects = [db, rename, capture, log, undo, next(iter(rename)), iter(rename),
               rowtide.UNDEFINED, rename.tables, stream.iterate(rename), log.entry(),
               undo.step("x"), db.apply(~rename), rowtide.Builder(),
               *things_of_schemas(db)]  # fmt: skip
    for thing in objects:
        seen += [repr(thing), str(thing), *dir(thing)]
    assert [text for text in seen if LEAKS.search(text)] == []


@pytest.mark.parametrize(
    "mistake",
    [lambda db: db.apply(5), lambda db: rowtide.Changeset("x"),
     lambda db: db.capture(5).__enter__(),
     lambda db: db.diff(1, 2), lambda db: stream.invert(b"", 5), lambda db: rowtide.open(5),
     lambda db: db.apply(b"", tables=5), lambda db: db.apply(b"", on_conflict=5),
     lambda db: db.apply(b"", progress=5), lambda db: db.undo_log(limit="x"),
     lambda db: rowtide.Builder().table("t", 2, [0]) or rowtide.Builder().add(5),
     lambda db: db.capture(filter=5).__enter__(), lambda db: db.primary(5),
     lambda db: rowtide.ChangeIterator(5, 5), lambda db: db.apply(b"", 1, 2, 3),
     lambda db: rowtide.Schema(5), lambda db: db.schema(5), lambda db: db.plan(5),
     lambda db: db.auto_migrate(5), lambda db: db.rebuild(5),
     lambda db: db.schema().diff(5), lambda db: db.plan("", renames=5),
     lambda db: db.plan("", allow=5), lambda db: db.plan("").apply(progress=5)],
)  # fmt: skip
def test_mistakes_are_type_errors(db, mistake):
    with pytest.raises((TypeError, AttributeError)) as caught:
        mistake(db)
    assert not LEAKS.search(str(caught.value))
    for frame in caught.traceback:
        assert not LEAKS.search(f"{frame.path} {frame.name}")


def test_everything_public_is_documented():
    missing = []
    for thing in PUBLIC:
        if not callable(thing):
            continue
        members = [thing]
        if isinstance(thing, type):
            members += [m for n, m in vars(thing).items() if not n.startswith("_")
                        and (inspect.isfunction(m) or isinstance(m, property))]  # fmt: skip
        missing += [m for m in members if not inspect.getdoc(m)]
    assert missing == []


def test_everything_public_is_annotated():
    for cls in CLASSES:
        for name, member in vars(cls).items():
            if inspect.isfunction(member) and not name.startswith("_"):
                signature = inspect.signature(member)
                bare = [
                    parameter
                    for parameter in signature.parameters.values()
                    if parameter.name not in ("self", "cls", "_")
                    and parameter.annotation is parameter.empty
                ]
                assert not bare and signature.return_annotation is not signature.empty, member
    assert resources.files(rowtide).joinpath("py.typed").is_file()


def test_stub_is_complete():
    stub = resources.files(rowtide).joinpath("_native.pyi").read_text()
    declared = set(re.findall(r"^(?:def|class) (\w+)|^(\w+): int$", stub, re.MULTILINE))
    declared = {name or constant for name, constant in declared}
    there = {name for name in dir(_native) if not name.startswith("_")}
    used = set()
    for module in Path(resources.files(rowtide)).glob("*.py"):
        used |= set(re.findall(r"_native\.([a-z_]\w*|[A-Z]+_\w+)", module.read_text()))
    assert {"Handle", "Change"} <= declared
    assert declared - there == {"Text", "Callback", "Buffer"} & (declared - there)
    assert {name for name in used if name in there} <= declared


def test_public_names_say_rowtide():
    assert all(cls.__module__ in ("rowtide", "rowtide.schema") for cls in CLASSES)
    assert rowtide.Schema.__module__ == "rowtide"
    assert repr(rowtide.CorruptError) == "<class 'rowtide.CorruptError'>"


def test_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+", rowtide.__version__)


def test_module_runs_the_command(tmp_path):
    """With a command of ours beside the interpreter's scripts."""
    command = tmp_path / "rowtide"
    command.write_text('#!/bin/sh\necho "ran $*"\nexit 3\n')
    command.chmod(0o755)
    environment = {**os.environ, "PATH": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-c",
         "import shutil, sysconfig, sys\n"
         "from pathlib import Path\n"
         "import rowtide.__main__ as main\n"
         f"main.sys.executable = {str(command)!r}\n"
         "sys.argv = ['rowtide', 'one', 'two']\n"
         "sys.exit(main.main())"],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert (result.returncode, result.stdout) == (3, "ran one two\n"), result.stderr


def test_docstring_of_the_module_works():
    assert doctest.DocTestParser().get_examples(rowtide.__doc__)


def test_stubs_say_what_is_there():
    pytest.importorskip("mypy")
    result = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "rowtide", "--ignore-missing-stub"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_imported_again():
    code = """
import sys, rowtide
change = rowtide.Change
for name in [name for name in sys.modules if name.startswith("rowtide")]:
    del sys.modules[name]
import rowtide
assert rowtide.Change is change
db = rowtide.connect(":memory:")
db.execute("CREATE TABLE t (id INTEGER PRIMARY KEY)")
with db.capture() as change:
    db.execute("INSERT INTO t VALUES (1)")
assert [op.kind for op in change] == [rowtide.ChangeKind.INSERT]
db.close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_one_interpreter_only():
    interpreters = pytest.importorskip("_xxsubinterpreters")
    here = interpreters.create()
    code = """
try:
    import rowtide
except ImportError:
    pass
else:
    raise AssertionError("imported twice")
"""
    try:
        assert interpreters.run_string(here, code) is None
    finally:
        interpreters.destroy(here)
