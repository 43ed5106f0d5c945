#include "schema/read.h"
#include "base/error.h"

#include <string.h>

void *rowtide__arena_zero(rowtide__arena *arena, size_t size)
{
    void *memory = rowtide__arena_alloc(arena, size);
    if (memory)
        memset(memory, 0, size);
    return memory;
}

int rowtide__span_copy(rowtide__arena *arena, const rowtide__ddl *ddl,
                       rowtide__span span, const char **out)
{
    *out = NULL;
    if (span.size == 0)
        return ROWTIDE_OK;
    return rowtide__name_copy(arena, ddl->text + span.at, span.size, out);
}

static int copy_text(rowtide__arena *arena, const char **text)
{
    if (!*text)
        return ROWTIDE_OK;
    return rowtide__name_copy(arena, *text, strlen(*text), text);
}

static int copy_texts(rowtide__arena *arena, const char *const **texts)
{
    size_t count = 0;
    while (*texts && (*texts)[count])
        count++;
    const char **copy = rowtide__arena_zero(arena, (count + 1) * sizeof *copy);
    int rc = copy ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++) {
        copy[i] = (*texts)[i];
        rc = copy_text(arena, &copy[i]);
    }
    *texts = copy;
    return rc;
}

int rowtide__foreign_key_copy(rowtide__arena *arena,
                              const rowtide_schema_foreign_key *key,
                              rowtide_schema_foreign_key **out)
{
    rowtide_schema_foreign_key *copy = rowtide__arena_alloc(arena,
                                                            sizeof *copy);
    *out = copy;
    if (!copy)
        return ROWTIDE_ENOMEM;
    *copy = *key;
    int rc = copy_texts(arena, &copy->columns);
    if (rc == ROWTIDE_OK)
        rc = copy_texts(arena, &copy->table_columns);
    const char **texts[] = {&copy->name,      &copy->table, &copy->on_delete,
                            &copy->on_update, &copy->match, &copy->deferral};
    for (size_t i = 0; i < sizeof texts / sizeof *texts && rc == ROWTIDE_OK;
         i++)
        rc = copy_text(arena, texts[i]);
    return rc;
}

int rowtide__read_ddl(rowtide__arena *arena, const char *sql,
                      const rowtide__ddl **out)
{
    rowtide__ddl *ddl = NULL;
    int rc = rowtide__ddl_parse(sql, strlen(sql), arena, &ddl);
    *out = rc == ROWTIDE_OK ? ddl : NULL;
    return rc == ROWTIDE_ENOMEM ? rc : ROWTIDE_OK;
}

static int read_part(rowtide__arena *arena, const rowtide__ddl *ddl,
                     const rowtide__ddl_part *part,
                     rowtide_schema_indexed_column *out)
{
    out->name = part->name;
    out->collation = part->collation;
    out->descending = part->descending;
    if (part->name)
        return ROWTIDE_OK;
    return rowtide__span_copy(arena, ddl, part->expression, &out->expression);
}

int rowtide__read_parts(rowtide__arena *arena, const rowtide__ddl *ddl,
                        const rowtide__ddl_part *parts, size_t count,
                        const rowtide_schema_indexed_column *const **out)
{
    const rowtide_schema_indexed_column **list = rowtide__arena_zero(
        arena, (count + 1) * sizeof(void *));
    rowtide_schema_indexed_column *columns = rowtide__arena_zero(
        arena, count * sizeof *columns);
    int rc = list && columns ? ROWTIDE_OK : ROWTIDE_ENOMEM;
    for (size_t i = 0; i < count && rc == ROWTIDE_OK; i++) {
        rc = read_part(arena, ddl, &parts[i], &columns[i]);
        list[i] = &columns[i];
    }
    *out = list;
    return rc;
}

int rowtide__read_index(rowtide__arena *arena, const rowtide__row *row,
                        rowtide__index *out)
{
    out->view.name = row->name;
    out->view.table = row->table;
    out->view.sql = row->sql;
    int rc = rowtide__read_ddl(arena, row->sql, &out->ddl);
    if (rc != ROWTIDE_OK)
        return rc;
    if (out->ddl && out->ddl->kind != ROWTIDE__DDL_INDEX)
        out->ddl = NULL;
    if (!out->ddl)
        return rowtide__read_parts(arena, NULL, NULL, 0, &out->view.columns);
    out->view.unique = out->ddl->unique;
    rc = rowtide__read_parts(arena, out->ddl, out->ddl->parts,
                             out->ddl->part_count, &out->view.columns);
    if (rc == ROWTIDE_OK)
        rc = rowtide__span_copy(arena, out->ddl, out->ddl->where,
                                &out->view.where);
    return rc;
}

int rowtide__read_trigger(rowtide__arena *arena, const rowtide__row *row,
                          rowtide__trigger *out)
{
    out->view.name = row->name;
    out->view.table = row->table;
    out->view.sql = row->sql;
    out->view.timing = out->view.event = "";
    int rc = rowtide__read_ddl(arena, row->sql, &out->ddl);
    if (out->ddl && out->ddl->kind != ROWTIDE__DDL_TRIGGER)
        out->ddl = NULL;
    if (rc == ROWTIDE_OK && out->ddl) {
        out->view.timing = out->ddl->timing;
        out->view.event = out->ddl->event;
    }
    return rc;
}
