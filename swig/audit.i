%ignore rowtide_audit_entry;

%apply int64_t *COUNT { int64_t *id, int64_t *pruned };

%thread rowtide_audit_begin;
%thread rowtide_audit_commit;
%thread rowtide_audit_rollback;
%thread rowtide_audit_append;
%thread rowtide_audit_prune;

%include <rowtide/audit.h>
