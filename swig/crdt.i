%ignore rowtide_crdt_change;
%ignore rowtide_crdt_pull_options;

%apply int TRUTH { int rowtide_crdt_is_enabled };
%apply int64_t *COUNT {
    int64_t *count_out, int64_t *applied, int64_t *ignored
};
%apply const char **LABEL { const char **table };
%apply (const void *data, size_t size) {
    (const void *site_id, size_t site_id_size), (const void *pk, size_t pk_size)
};

%thread rowtide_crdt_open;
%thread rowtide_crdt_enable;
%thread rowtide_crdt_disable;
%thread rowtide_crdt_is_enabled;
%thread rowtide_crdt_begin_alter;
%thread rowtide_crdt_commit_alter;
%thread rowtide_crdt_rollback_alter;
%thread rowtide_crdt_site_id;
%thread rowtide_crdt_version;
%thread rowtide_crdt_pull_open;
%thread rowtide_crdt_pull_payload;
%thread rowtide_crdt_merge_begin;
%thread rowtide_crdt_merge_end;
%thread rowtide_crdt_merge_payload;
%thread rowtide_crdt_fetch;
%thread rowtide_crdt_sync;
%thread rowtide_crdt_peer_version;
%thread rowtide_crdt_peer_set_version;
%thread rowtide_crdt_collect;
%thread rowtide_crdt_convert;

%include <rowtide/crdt.h>
