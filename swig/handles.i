/* Every opaque handle, and the function that releases it. A language defines
 * ROWTIDE_HANDLE(noun) in lang.i: typemaps for `rowtide_<noun> *` and
 * `rowtide_<noun> **out`, releasing with rowtide_<noun>_free(). The _free
 * functions themselves are never called by name. */
%define HANDLE(noun)
ROWTIDE_HANDLE(noun)
%ignore rowtide_##noun##_free;
%enddef

HANDLE(source)
HANDLE(sink)
HANDLE(db)
HANDLE(stmt)
HANDLE(changeset)
HANDLE(changeset_iter)
HANDLE(changeset_builder)
HANDLE(capture)
HANDLE(report)
HANDLE(audit)
HANDLE(undo)
HANDLE(primary)
HANDLE(replica)
HANDLE(crdt_pull)
HANDLE(crdt_merge)
HANDLE(crdt_report)
HANDLE(schema)
HANDLE(schema_builder)
HANDLE(schema_difference)
HANDLE(plan)
HANDLE(preflight)
HANDLE(schema_report)
