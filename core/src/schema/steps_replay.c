#include "schema/steps.h"
#include "base/buffer.h"

int rowtide__schema_replay(const rowtide_schema *from,
                           const char *const *statements, rowtide_schema **out)
{
    rowtide_buffer sql = ROWTIDE_BUFFER_INIT;
    *out = NULL;
    int rc = rowtide_schema_print(from, &sql);
    for (size_t i = 0; rc == ROWTIDE_OK && statements[i]; i++)
        rc = rowtide__buffer_append_format(&sql, "%s\n;\n", statements[i]);
    if (rc == ROWTIDE_OK)
        rc = rowtide_schema_parse(sql.data ? sql.data : "", out);
    rowtide_buffer_dispose(&sql);
    return rc;
}
