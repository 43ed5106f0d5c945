%ignore rowtide_render_options;
%ignore rowtide_change_to_json;

%thread rowtide_changeset_to_json;
%thread rowtide_changeset_from_json;
%thread rowtide_changeset_to_sql;
%thread rowtide_changeset_to_text;
%thread rowtide_changeset_to_html;

%include <rowtide/render.h>
