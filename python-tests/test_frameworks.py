"""Programs that already use SQLite through a framework lose nothing."""

import sqlite3

import django
import pandas
import pytest
import rowtide
import sqlalchemy
from django.conf import settings
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


@pytest.fixture(scope="module")
def article():
    settings.configure(
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
        USE_TZ=True,
    )
    django.setup()
    from django.db import connection, models

    class Article(models.Model):
        title = models.TextField()

        class Meta:
            app_label = "tests"
            db_table = "article"

    with connection.schema_editor() as editor:
        editor.create_model(Article)
    yield Article
    connection.close()


def test_django_saves_are_captured_and_undone(article):
    from django.db import connection

    kept = article.objects.create(title="kept")
    db = rowtide.adopt(connection.connection)
    with db.capture("article") as change:
        article.objects.create(title="new")
        kept.title = "changed"
        kept.save()
    assert sorted(op.kind for op in change) == ["insert", "update"]
    db.apply(~change)
    assert list(article.objects.values_list("title", flat=True)) == ["kept"]


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "note"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


def test_sqlalchemy_orm_session(tmp_path):
    path = tmp_path / "notes.db"
    engine = sqlalchemy.create_engine("sqlite://", creator=lambda: rowtide.connect(path))
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        db = session.connection().connection.dbapi_connection
        with db.capture("note") as change:
            session.add_all([Note(id=1, text="one"), Note(id=2, text="two")])
            session.commit()
        assert [op.new for op in change] == [(1, "one"), (2, "two")]
        db.apply(~change)
        assert session.query(Note).count() == 0
    engine.dispose()


def test_pandas_reads_and_writes():
    with rowtide.connect(":memory:") as db:
        db.execute("CREATE TABLE reading (id INTEGER PRIMARY KEY, celsius REAL)")
        frame = pandas.DataFrame({"id": [1, 2], "celsius": [20.5, 21.25]})
        with db.capture("reading") as change:
            frame.to_sql("reading", db, if_exists="append", index=False)
        assert len(change) == 2
        found = pandas.read_sql_query("SELECT * FROM reading ORDER BY id", db)
        assert found.equals(frame)
        assert isinstance(db, sqlite3.Connection)
