"""Models of SQLAlchemy are models."""

from __future__ import annotations

import datetime
import subprocess
import sys

import pytest
import rowtide
import sqlalchemy
from rowtide.schema import Schema
from sqlalchemy import DDL, CheckConstraint, ForeignKey, Index, String, event
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Account(Base):
    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("balance >= 0", name="solvent"),
        Index("by_owner", "owner", sqlite_where=sqlalchemy.text("owner <> ''")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(String(40, collation="NOCASE"), unique=True)
    balance: Mapped[float] = mapped_column(server_default="0")
    opened: Mapped[datetime.datetime]
    entries: Mapped[list[Entry]] = relationship(back_populates="account")


class Entry(Base):
    __tablename__ = "entry"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id", ondelete="CASCADE"))
    note: Mapped[str | None]
    account: Mapped[Account] = relationship(back_populates="entries")


event.listen(
    Entry.__table__,
    "after_create",
    DDL("CREATE TRIGGER noted AFTER INSERT ON entry BEGIN SELECT 1; END"),
)


@pytest.fixture
def created(tmp_path):
    """The schema that SQLAlchemy itself makes."""
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'made.db'}")
    Base.metadata.create_all(engine)
    engine.dispose()
    with rowtide.open(tmp_path / "made.db") as db:
        yield db.schema()


@pytest.mark.parametrize("model", [Base, Base.metadata])
def test_it_is_what_create_all_makes(created, model):
    assert Schema(model) == created


def test_one_table_of_them():
    assert Schema(Entry).tables.names == ("entry",)
    assert Schema(Account.__table__).tables["account"].checks.names == ("solvent",)


def test_auto_migrate_with_its_models(make, created):
    db = make("")
    report = db.auto_migrate(Base)
    assert report.done and not report.refused
    assert db.schema() == created
    assert not db.auto_migrate(Base)
    assert not db.plan(Base)


def test_together_with_a_class(make):
    class Note:
        id: int
        entry_id: int

    db = make("")
    db.auto_migrate(Note, Base.metadata)
    assert set(db.schema().tables.names) == {"notes", "account", "entry"}


def test_nothing_is_imported_for_it():
    code = "import rowtide, sys; rowtide.Schema('CREATE TABLE t (a)', 'CREATE TABLE u (a)'); " \
           "assert 'sqlalchemy' not in sys.modules"  # fmt: skip
    subprocess.run([sys.executable, "-c", code], check=True)
