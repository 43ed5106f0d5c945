#include "schema/builder.h"
#include "base/buffer.h"

#include <string.h>

typedef rowtide_schema_builder builder;
typedef rowtide__built_table table;
typedef rowtide__built_column column;
typedef rowtide__built_relation relation;

/* What a piece of the SQL was made from, for messages. */
typedef struct label {
    size_t start, end;
    const char *text;
} label;

typedef struct writing {
    builder *b;
    rowtide_buffer sql;
    rowtide__writer writer;
    rowtide__list labels; /* the narrower ones behind the wider */
} writing;

static int begin_label(writing *w, label **out)
{
    label *l = rowtide__builder_alloc(w->b, sizeof *l);
    *out = l;
    if (!l)
        return ROWTIDE_ENOMEM;
    l->start = w->sql.size;
    l->end = SIZE_MAX;
    return rowtide__list_add(&w->labels, l);
}

static int end_label(writing *w, label *l, const char *text)
{
    l->end = w->sql.size;
    l->text = text;
    return text ? w->writer.rc : ROWTIDE_ENOMEM;
}

/* ## Checking what only the whole table shows */

static int need_column(const table *t, const char *name, const char *what)
{
    if (rowtide__builder_find_column(t, name))
        return ROWTIDE_OK;
    return rowtide__fail(ROWTIDE_ESCHEMA,
                         "table \"%s\": %s \"%s\" is not one of its columns",
                         t->name, what, name);
}

static int count_keys(const table *t)
{
    int count = 0;
    for (const column *c = t->columns; c; c = c->next)
        count += c->options.primary_key != 0;
    return count;
}

static int check_key(const table *t)
{
    const char *const *names = t->options.primary_key;
    int rc = ROWTIDE_OK;
    for (size_t i = 0; names && names[i] && rc == ROWTIDE_OK; i++)
        rc = need_column(t, names[i], "primary key");
    if (rc == ROWTIDE_OK && names && count_keys(t) > 0)
        rc = rowtide__fail(ROWTIDE_EINVAL,
                           "table \"%s\": it has a primary key of its own, and "
                           "a column that is one",
                           t->name);
    return rc;
}

static int check_table(const table *t)
{
    if (!t->columns)
        return rowtide__fail(ROWTIDE_EINVAL, "table \"%s\": it has no columns",
                             t->name);
    if (sqlite3_strnicmp(t->name, "sqlite_", 7) == 0)
        return rowtide__fail(ROWTIDE_EINVAL,
                             "table \"%s\": names that begin with \"sqlite_\" "
                             "are reserved for SQLite",
                             t->name);
    int rc = check_key(t);
    if (rc == ROWTIDE_OK && t->options.soft_delete)
        rc = need_column(t, t->options.soft_delete, "soft delete column");
    for (const column *c = t->columns; c && rc == ROWTIDE_OK; c = c->next)
        if (c->options.autoincrement && count_keys(t) > 1)
            rc = rowtide__fail(ROWTIDE_EINVAL,
                               "table \"%s\", column \"%s\": AUTOINCREMENT is "
                               "not for a key of several columns",
                               t->name, c->name);
    return rc;
}

/* ## Tables */

static const char *label_column(writing *w, const table *t, const char *name)
{
    return rowtide__arena_format(&w->b->arena, "table \"%s\", column \"%s\"",
                                 t->name, name);
}

static int write_columns(writing *w, const table *t)
{
    int rc = ROWTIDE_OK, alone = count_keys(t) == 1;
    for (const column *c = t->columns; c && rc == ROWTIDE_OK; c = c->next) {
        label *l;
        rowtide__write_text(&w->writer, c == t->columns ? "\n  " : ",\n  ");
        rc = begin_label(w, &l);
        rowtide__builder_write_column(&w->writer, c, alone);
        if (rc == ROWTIDE_OK)
            rc = end_label(w, l, label_column(w, t, c->name));
    }
    return rc;
}

static void write_names(rowtide__writer *writer, const char *const *names)
{
    rowtide__write_text(writer, "(");
    for (size_t i = 0; names[i]; i++) {
        rowtide__write_text(writer, i ? ", " : "");
        rowtide__builder_write_name(writer, names[i]);
    }
    rowtide__write_text(writer, ")");
}

static void write_key(writing *w, const table *t)
{
    int several = count_keys(t) > 1;
    const char *before = "(";
    if (!t->options.primary_key && !several)
        return;
    rowtide__write_text(&w->writer, ",\n  PRIMARY KEY ");
    if (t->options.primary_key) {
        write_names(&w->writer, t->options.primary_key);
        return;
    }
    for (const column *c = t->columns; c; c = c->next) {
        if (!c->options.primary_key)
            continue;
        rowtide__write_text(&w->writer, before);
        rowtide__builder_write_name(&w->writer, c->name);
        before = ", ";
    }
    rowtide__write_text(&w->writer, ")");
}

static int write_checks(writing *w, const table *t)
{
    int rc = ROWTIDE_OK;
    const rowtide__built_check *check = t->checks;
    for (; check && rc == ROWTIDE_OK; check = check->next) {
        label *l;
        rowtide__write_text(&w->writer, ",\n  ");
        rc = begin_label(w, &l);
        if (check->name) {
            rowtide__write_text(&w->writer, "CONSTRAINT ");
            rowtide__builder_write_name(&w->writer, check->name);
            rowtide__write_text(&w->writer, " ");
        }
        rowtide__write_text(&w->writer, "CHECK (");
        rowtide__write_text(&w->writer, check->expression);
        rowtide__write_text(&w->writer, ")");
        if (rc == ROWTIDE_OK)
            rc = end_label(w, l,
                           rowtide__arena_format(
                               &w->b->arena, "table \"%s\", check \"%s\"",
                               t->name,
                               check->name ? check->name : check->expression));
    }
    return rc;
}

static void write_foreign_key(rowtide__writer *writer, const relation *r)
{
    rowtide__write_text(writer, ",\n  FOREIGN KEY (");
    rowtide__builder_write_name(writer, r->column);
    rowtide__write_text(writer, ") REFERENCES ");
    rowtide__builder_write_name(writer, r->table);
    if (r->target) {
        rowtide__write_text(writer, " (");
        rowtide__builder_write_name(writer, r->target);
        rowtide__write_text(writer, ")");
    }
    if (r->options.on_delete) {
        rowtide__write_text(writer, " ON DELETE ");
        rowtide__write_text(writer, r->options.on_delete);
    }
    if (r->options.on_update) {
        rowtide__write_text(writer, " ON UPDATE ");
        rowtide__write_text(writer, r->options.on_update);
    }
}

static const char *options_text(const rowtide_schema_table_options *options)
{
    if (options->strict)
        return options->without_rowid ? " STRICT, WITHOUT ROWID" : " STRICT";
    return options->without_rowid ? " WITHOUT ROWID" : "";
}

static int write_table(writing *w, const table *t)
{
    label *l;
    int rc = check_table(t);
    if (rc == ROWTIDE_OK)
        rc = begin_label(w, &l);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__write_text(&w->writer, "CREATE TABLE ");
    rowtide__builder_write_name(&w->writer, t->name);
    rowtide__write_text(&w->writer, " (");
    rc = write_columns(w, t);
    write_key(w, t);
    if (rc == ROWTIDE_OK)
        rc = write_checks(w, t);
    for (const relation *r = t->relations; r; r = r->next)
        if (r->options.foreign_key && !r->many)
            write_foreign_key(&w->writer, r);
    rowtide__write_text(&w->writer, "\n)");
    rowtide__write_text(&w->writer, options_text(&t->options));
    rowtide__write_text(&w->writer, ";\n");
    if (rc != ROWTIDE_OK)
        return rc;
    return end_label(
        w, l, rowtide__arena_format(&w->b->arena, "table \"%s\"", t->name));
}

/* ## Indexes and the rest */

static int write_index(writing *w, const rowtide__built_index *index)
{
    label *l;
    int rc = begin_label(w, &l);
    if (rc != ROWTIDE_OK)
        return rc;
    rowtide__write_text(&w->writer, index->unique ? "CREATE UNIQUE INDEX "
                                                  : "CREATE INDEX ");
    rowtide__builder_write_name(&w->writer, index->name);
    rowtide__write_text(&w->writer, " ON ");
    rowtide__write_text(&w->writer, index->sql);
    rowtide__write_text(&w->writer, ";\n");
    return end_label(w, l,
                     rowtide__arena_format(&w->b->arena,
                                           "table \"%s\", index \"%s\"",
                                           index->table->name, index->name));
}

static int write_statements(writing *w)
{
    int rc = ROWTIDE_OK;
    const rowtide__built_sql *s = w->b->statements;
    for (; s && rc == ROWTIDE_OK; s = s->next) {
        label *l;
        rc = begin_label(w, &l);
        rowtide__write_text(&w->writer, s->sql);
        rowtide__write_text(&w->writer, "\n;\n");
        if (rc == ROWTIDE_OK)
            rc = end_label(w, l, "SQL that was added");
    }
    return rc;
}

static int write_all(writing *w)
{
    int rc = ROWTIDE_OK;
    const table *t;
    for (t = w->b->tables; t && rc == ROWTIDE_OK; t = t->next)
        rc = write_table(w, t);
    for (t = w->b->tables; t && rc == ROWTIDE_OK; t = t->next)
        for (const rowtide__built_index *i = t->indexes; i && rc == ROWTIDE_OK;
             i = i->next)
            rc = write_index(w, i);
    return rc == ROWTIDE_OK ? write_statements(w) : rc;
}

/* ## Relations that are no constraints */

static int list_columns(builder *b, const char *name, const char *const **out)
{
    const char **list = rowtide__builder_alloc(b, 2 * sizeof *list);
    *out = list;
    if (!list)
        return ROWTIDE_ENOMEM;
    list[0] = name;
    return ROWTIDE_OK;
}

static int fill(builder *b, const table *t, const relation *r,
                rowtide__relation *out)
{
    out->table = t->name;
    out->key.table = r->table;
    out->key.on_delete = r->options.on_delete;
    out->key.on_update = r->options.on_update;
    out->key.relation = 1;
    int rc = list_columns(b, r->column, &out->key.columns);
    if (rc == ROWTIDE_OK)
        rc = list_columns(b, r->target, &out->key.table_columns);
    return rc;
}

static int is_listed(const relation *r)
{
    return !r->many && !r->options.foreign_key;
}

static int list_relations(builder *b, rowtide__relation **out, size_t *count)
{
    const table *t;
    const relation *r;
    size_t room = 0;
    int rc = ROWTIDE_OK;
    for (t = b->tables; t; t = t->next)
        for (r = t->relations; r; r = r->next)
            room += (size_t)is_listed(r);
    *count = 0;
    *out = rowtide__builder_alloc(b, (room + 1) * sizeof **out);
    if (!*out)
        return ROWTIDE_ENOMEM;
    for (t = b->tables; t; t = t->next)
        for (r = t->relations; r && rc == ROWTIDE_OK; r = r->next)
            if (is_listed(r))
                rc = fill(b, t, r, *out + (*count)++);
    return rc;
}

/* ## Finishing */

/* SQL that SQLite refused is looked up by its place: the narrowest label. */
static int explain(const writing *w)
{
    rowtide__error_state error;
    rowtide__error_save(&error);
    const char *text = NULL, *message = error.message;
    for (size_t i = 0; i < w->labels.count && error.offset >= 0; i++) {
        const label *l = w->labels.items[i];
        size_t at = (size_t)error.offset;
        if (l->start <= at && at <= l->end)
            text = l->text;
    }
    if (!text)
        return error.code;
    /* Nobody wrote these lines. */
    if (strncmp(message, "line ", 5) == 0 && strchr(message, ':'))
        message = strchr(message, ':') + 2;
    rowtide__fail(error.code, "%s: %s", text, message);
    rowtide__error_sqlite_code(error.sqlite_code);
    return error.code;
}

static int make(writing *w, rowtide_schema **out)
{
    rowtide__relation *relations;
    size_t count;
    builder *b = w->b;
    int rc = rowtide__builder_relate(b);
    if (rc == ROWTIDE_OK)
        rc = rowtide__builder_index(b);
    if (rc == ROWTIDE_OK)
        rc = write_all(w);
    if (rc == ROWTIDE_OK)
        rc = w->writer.rc;
    if (rc == ROWTIDE_OK)
        rc = rowtide__buffer_reserve(&w->sql, 0);
    if (rc == ROWTIDE_OK)
        rc = list_relations(b, &relations, &count);
    if (rc != ROWTIDE_OK)
        return rc;
    rc = rowtide__schema_parse_with(w->sql.data, relations, count, out);
    return rc < 0 ? explain(w) : rc;
}

static void empty(builder *b)
{
    rowtide__arena_dispose(&b->arena);
    memset(b, 0, sizeof *b);
    b->tables_end = &b->tables;
    b->statements_end = &b->statements;
}

int rowtide_schema_builder_finish(builder *b, rowtide_schema **out)
{
    ROWTIDE__CHECK_ARG(out, "schema_builder_finish");
    *out = NULL;
    ROWTIDE__CHECK_ARG(b, "schema_builder_finish");
    if (b->error.code != ROWTIDE_OK) {
        rowtide__error_restore(&b->error);
        return b->error.code;
    }
    writing w = {.b = b, .labels = {.arena = &b->arena}};
    w.writer.buffer = &w.sql;
    int rc = make(&w, out);
    if (rc == ROWTIDE_OK)
        empty(b);
    else
        rowtide__error_save(&b->error);
    rowtide_buffer_dispose(&w.sql);
    return rc;
}
