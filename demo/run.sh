#!/usr/bin/env bash
# The main job on a real database: PROJ's catalogue of coordinate systems.
# Changes it from C, Python and Lua, ships the changesets, applies them to
# replicas with conflicts, takes them back, changes the schema of one, and
# compares all row by row.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
python=$(dirname "$here")/build/venv/bin/python
source=${1:-/usr/share/proj/proj.db}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

bold='' plain=''
if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; fi
say() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }
run() { printf '$ %s\n' "$*"; "$@"; }

say "A real database: $source"
for name in original primary replica edited follower; do cp "$source" $name.db; chmod u+w $name.db; done
sqlite3 original.db "SELECT count(*) || ' tables' FROM sqlite_schema WHERE type = 'table'"

say "Change it from C, Python and Lua; capture what changed"
cc -o change "$here/change.c" $(pkg-config --cflags --libs rowtide)
run ./change primary.db c.changeset
run "$python" "$here/change.py" primary.db python.changeset
run lua5.4 "$here/change.lua" primary.db lua.changeset
run rowtide changeset concat c.changeset python.changeset lua.changeset -o all.changeset
run rowtide changeset show all.changeset --stat
run rowtide changeset show lua.changeset --db primary.db --limit 4

say "Ship it: a replica becomes what the primary is"
run rowtide changeset apply replica.db all.changeset
"$python" "$here/compare.py" primary.db replica.db

say "A replica with edits of its own: conflicts"
cat >edits.sql <<'SQL'
UPDATE unit_of_measure SET name = 'my metre' WHERE auth_name = 'EPSG' AND code = 9001;
DELETE FROM extent WHERE code = 1024 AND auth_name = 'EPSG';
UPDATE scope SET scope = 'mine' WHERE code = 1024;
SQL
run rowtide changeset record edited.db --file edits.sql -o edits.changeset
echo "without a policy, the first conflict undoes everything:"
run rowtide changeset apply edited.db all.changeset || echo "(exit status $?)"
run rowtide changeset apply edited.db all.changeset --on-data omit --on-not-found omit --rebase-out decided
echo "its own edits, rebased onto what it received, go back to the primary:"
run rowtide changeset rebase edits.changeset decided -o rebased.changeset
run rowtide changeset apply primary.db rebased.changeset
run rowtide changeset apply replica.db rebased.changeset
"$python" "$here/compare.py" primary.db replica.db edited.db

say "Undo: everything, on the replica"
run rowtide changeset apply replica.db rebased.changeset --invert
run rowtide changeset invert all.changeset -o undo.changeset
run rowtide changeset apply replica.db undo.changeset
"$python" "$here/compare.py" original.db replica.db

say "Two files, one difference"
run rowtide diff original.db primary.db -o difference.changeset
run rowtide changeset apply follower.db difference.changeset
"$python" "$here/compare.py" primary.db follower.db

say "Its schema: edit it as text, bring the database there"
cp primary.db before.db
rowtide schema show primary.db --sql >catalogue.sql
sed -e "s/'scale', 'time'))/'scale', 'time', 'mass'))/" \
    -e '0,/    name TEXT NOT NULL/s//    name TEXT NOT NULL COLLATE NOCASE/' catalogue.sql >wanted.sql
run rowtide schema diff primary.db wanted.sql
run rowtide schema plan primary.db wanted.sql
run rowtide schema apply primary.db wanted.sql
run rowtide schema diff primary.db wanted.sql
"$python" "$here/compare.py" before.db primary.db

say "Done: every database compared row by row"
