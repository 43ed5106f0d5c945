%ignore rowtide_undo_options;
%ignore rowtide_undo_step;

%apply int64_t *COUNT { int64_t *undoable, int64_t *redoable };
%apply const char **LABEL { const char **label };

%thread rowtide_undo_begin;
%thread rowtide_undo_commit;
%thread rowtide_undo_rollback;
%thread rowtide_undo_undo;
%thread rowtide_undo_redo;
%thread rowtide_undo_clear;

%include <rowtide/undo.h>
