#include "support/traps.h"

#include <stdlib.h>
#include <string.h>

const trap_change TRAP_CHANGES[TRAP_CHANGE_COUNT] = {
    {"type", "amount TEXT", "amount INTEGER", "rebuild table parent lossy\n"},
    {"type of the same affinity", "spare VARCHAR(20)", "spare TEXT",
     "alter table parent safe\n"},
    {"not null", "born TEXT DEFAULT", "born TEXT NOT NULL DEFAULT",
     "alter table parent checked\n"},
    {"null", "size INTEGER NOT NULL", "size INTEGER",
     "alter table parent safe\n"},
    {"default", "NOT NULL DEFAULT 1", "NOT NULL DEFAULT 2",
     "rebuild table parent safe\n"},
    {"check", "spare VARCHAR(20)", "spare VARCHAR(20) CHECK (spare <> 'x')",
     "alter table parent checked\n"},
    {"collation", "spare VARCHAR(20)", "spare VARCHAR(20) COLLATE NOCASE",
     "rebuild table parent safe\n"},
    {"another column", "spare VARCHAR(20)", "spare VARCHAR(20), more",
     "add_column column more additive\n"},
    {"another column with an expression", "spare VARCHAR(20)",
     "spare VARCHAR(20), more DEFAULT (1 + 1)",
     "rebuild table parent additive\n"},
    {"a column less", "spare VARCHAR(20), -- nothing depends on this one\n", "",
     "alter column spare destructive\n"},
    {"reference", "ON DELETE SET NULL DEFERRABLE",
     "ON DELETE SET NULL ON UPDATE CASCADE DEFERRABLE",
     "alter table parent safe\n"},
    {"unique", "spare VARCHAR(20)", "spare VARCHAR(20) UNIQUE",
     "rebuild table parent checked\n"},
    {"key", "b INTEGER, c TEXT, PRIMARY KEY (a, b)",
     "b INTEGER, c TEXT, PRIMARY KEY (b, a)", "rebuild table pairs checked\n"},
    {"without rowid", "PRIMARY KEY (a, b)) WITHOUT ROWID",
     "PRIMARY KEY (a, b))", NULL},
    {"strict", "name TEXT, note TEXT)", "name TEXT, note TEXT) STRICT",
     "rebuild table plain checked\n"},
    {"type without a key", "note TEXT)", "note INTEGER)",
     "rebuild table plain lossy\n"},
    {"type in a STRICT table", "r REAL", "r ANY", "rebuild table firm safe\n"},
};

/* These have to be the same whatever changed. */
static const char *const FACTS[] = {
    "SELECT id, code, \"the name\", born, word, up, owner_id, size, twice, "
    "thrice FROM parent ORDER BY id",
    "SELECT seq FROM sqlite_sequence",
    "SELECT * FROM child",
    "SELECT * FROM guest",
    "SELECT rowid, name FROM plain",
    "SELECT k, v FROM firm",
    "SELECT a, b, c FROM pairs ORDER BY a, b",
    "SELECT * FROM large ORDER BY id",
    "SELECT * FROM largest",
    "SELECT rowid FROM words WHERE words MATCH 'fox'",
    "SELECT rowid FROM codes WHERE codes MATCH 'gamma'",
    "SELECT * FROM sqlite_stat1 WHERE idx NOT LIKE 'sqlite%' AND "
    "tbl <> 'pairs' ORDER BY tbl, idx",
    "SELECT type, name, tbl_name FROM sqlite_schema WHERE name NOT LIKE "
    "'sqlite%' ORDER BY name",
    "SELECT sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL "
    "ORDER BY name",
    "SELECT instr(sql, '-- numbers are never given twice') > 0 FROM "
    "sqlite_schema WHERE name = 'parent'",
    "PRAGMA foreign_key_check",
    "PRAGMA integrity_check",
    "PRAGMA foreign_key_list(child)"};

enum { FACT_COUNT = sizeof FACTS / sizeof FACTS[0] };

rowtide_plan *traps_plan(rowtide_db *db, const trap_change *which)
{
    char *to = plans_replaced(db, which->old, which->replacement);
    rowtide_plan *plan = plans_make(db, to, PLANS_ALL);
    free(to);
    return plan;
}

void traps_assert(rowtide_db *was, rowtide_db *is, const char *name)
{
    for (int i = 0; i < FACT_COUNT; i++) {
        char *before = scratch_rows(was, FACTS[i]);
        char *now = scratch_rows(is, FACTS[i]);
        if (strcmp(before, now) != 0)
            fail_msg("%s: %s\nbefore: %s\nnow: %s", name, FACTS[i], before,
                     now);
        free(before);
        free(now);
    }
}
