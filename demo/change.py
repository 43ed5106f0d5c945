"""Corrects ellipsoids of PROJ's database and adds one, from Python."""

import sys

import rowtide

path, output = sys.argv[1:]
with rowtide.connect(path) as db, db.capture("ellipsoid", "scope") as change:
    db.execute("UPDATE ellipsoid SET description = 'checked' WHERE deprecated = 0")
    db.execute(
        "INSERT INTO ellipsoid SELECT 'DEMO', code, name, description,"
        " celestial_body_auth_name, celestial_body_code, semi_major_axis, uom_auth_name,"
        " uom_code, inv_flattening, semi_minor_axis, deprecated"
        " FROM ellipsoid WHERE code = 7030 AND auth_name = 'EPSG'"
    )
    db.execute("UPDATE scope SET scope = 'Not known: ü → ?' WHERE code = 1024")
change.write(output)
print(f"from Python: {change!r}")
