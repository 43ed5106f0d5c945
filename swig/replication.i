%apply int64_t *COUNT { int64_t *number, int64_t *written, int64_t *applied };
%apply int64_t POSITION {
    int64_t rowtide_primary_position, int64_t rowtide_replica_position
};

%thread rowtide_primary_begin;
%thread rowtide_primary_commit;
%thread rowtide_primary_rollback;
%thread rowtide_primary_append;
%thread rowtide_primary_publish;
%thread rowtide_replica_pull;

%include <rowtide/replication.h>
