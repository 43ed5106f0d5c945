-- One table with everything that a rebuild can lose, and what is around it.
PRAGMA foreign_keys=OFF;
CREATE TABLE owner (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE parent (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- numbers are never given twice
    /* a comment, with ( and ' and ; in it */
    code TEXT NOT NULL COLLATE NOCASE,
    "the name" TEXT DEFAULT ('x' || 'y'),
    amount TEXT CONSTRAINT amount_short CHECK (amount IS NULL OR length(amount) < 30),
    born TEXT DEFAULT CURRENT_TIMESTAMP,
    word TEXT DEFAULT 'CURRENT_TIMESTAMP',
    [up] INTEGER REFERENCES parent (id) ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED,
    owner_id INTEGER,
    size INTEGER NOT NULL DEFAULT 1 CHECK (size > 0),
    `twice` INTEGER GENERATED ALWAYS AS (size * 2) VIRTUAL,
    thrice INTEGER AS (size * 3) STORED,
    spare VARCHAR(20), -- nothing depends on this one
    CONSTRAINT code_once UNIQUE (code, size) ON CONFLICT IGNORE,
    CONSTRAINT not_both CHECK (NOT (word = 'never' AND size = 99)),
    FOREIGN KEY (owner_id) REFERENCES owner
);
CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INTEGER NOT NULL REFERENCES parent ON DELETE CASCADE);
CREATE TABLE guest (id INTEGER PRIMARY KEY, parent_id INTEGER REFERENCES parent (id) ON DELETE SET NULL);
CREATE TABLE plain (name TEXT, note TEXT);
CREATE TABLE firm (k INTEGER PRIMARY KEY, v TEXT NOT NULL, r REAL) STRICT;
CREATE TABLE pairs (a TEXT, b INTEGER, c TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE log (what TEXT);

CREATE INDEX parent_owner ON parent (owner_id);
CREATE INDEX parent_lower ON parent (lower(code), "the name");
CREATE INDEX parent_large ON parent (size) WHERE size > 10;
CREATE INDEX parent_order ON parent (code COLLATE RTRIM DESC, id);
CREATE INDEX plain_name ON plain (name);

CREATE VIEW large AS SELECT id, code, size FROM parent WHERE size > 1;
CREATE VIEW largest AS SELECT max(size) AS size FROM large;
CREATE TRIGGER large_insert INSTEAD OF INSERT ON large BEGIN
    INSERT INTO log VALUES ('large ' || new.code);
END;
CREATE TRIGGER parent_changed AFTER UPDATE OF size ON parent BEGIN
    INSERT INTO log VALUES ('size ' || old.size || ' -> ' || new.size); -- kept
END;
CREATE TRIGGER child_added AFTER INSERT ON child BEGIN
    UPDATE parent SET "the name" = "the name" || '!' WHERE id = new.parent_id;
END;

CREATE VIRTUAL TABLE words USING fts5(name, content='plain', content_rowid='rowid');
CREATE TRIGGER plain_insert AFTER INSERT ON plain BEGIN
    INSERT INTO words (rowid, name) VALUES (new.rowid, new.name);
END;
CREATE TRIGGER plain_delete AFTER DELETE ON plain BEGIN
    INSERT INTO words (words, rowid, name) VALUES ('delete', old.rowid, old.name);
END;
CREATE VIRTUAL TABLE codes USING fts5(code, content='parent', content_rowid='id');
CREATE TRIGGER parent_insert AFTER INSERT ON parent BEGIN
    INSERT INTO codes (rowid, code) VALUES (new.id, new.code);
END;
CREATE TRIGGER parent_delete BEFORE DELETE ON parent BEGIN
    INSERT INTO codes (codes, rowid, code) VALUES ('delete', old.id, old.code);
END;

INSERT INTO owner VALUES (1, 'Ada'), (2, 'Bob');
INSERT INTO parent (id, code, amount, born, owner_id, size, spare) VALUES
    (1, 'Alpha', '10', '2020-01-01', 1, 1, 'a'), (2, 'beta', '20', '2020-01-02', 2, 2, NULL),
    (5, 'Gamma', NULL, '2020-01-05', NULL, 30, 'c'), (9, 'delta', '40', '2020-01-09', 1, 12, 'd'),
    (90, 'last', '5', '2020-02-09', 2, 1, NULL);
UPDATE parent SET up = 1 WHERE id IN (2, 9);
DELETE FROM parent WHERE id = 90;
INSERT INTO child (id, parent_id) VALUES (10, 1), (11, 2), (12, 2), (13, 9);
INSERT INTO guest VALUES (1, 1), (2, NULL), (3, 5);
INSERT INTO plain (rowid, name, note) VALUES (5, 'red fox', '1'), (9, 'blue fox', '2'), (-3, 'green owl', NULL);
INSERT INTO firm VALUES (1, 'one', 1.5), (2, 'two', 2.0);
INSERT INTO pairs VALUES ('x', 2, 'q'), ('a', 1, 'p'), ('x', 1, NULL);
DELETE FROM log;
ANALYZE;
