/* Two databases that were apart: directly, and through a file. */
#include "example.h"

#include <unistd.h>

static rowtide_db *open_notes(void)
{
    rowtide_db *db;
    must(rowtide_db_open(":memory:", NULL, &db));
    must(rowtide_db_exec(db, "CREATE TABLE notes(id INTEGER PRIMARY KEY NOT "
                             "NULL, title TEXT, done INTEGER)"));
    must(rowtide_crdt_enable(db, "notes"));
    return db;
}

static void print_notes(const char *name, rowtide_db *db)
{
    rowtide_stmt *stmt;
    rowtide_value title, done;
    printf("%s:\n", name);
    must(rowtide_stmt_prepare(db, "SELECT title, done FROM notes ORDER BY id",
                              &stmt));
    while (rowtide_stmt_step(stmt) == ROWTIDE_OK) {
        must(rowtide_stmt_column(stmt, 0, &title));
        must(rowtide_stmt_column(stmt, 1, &done));
        printf("  [%c] %.*s\n", done.integer ? 'x' : ' ', (int)title.size,
               (const char *)title.data);
    }
    rowtide_stmt_free(stmt);
}

/* What `reader` has not seen of `writer` yet, into a file. */
static void write_news(rowtide_db *writer, rowtide_db *reader, const char *path)
{
    rowtide_crdt_pull_options options = ROWTIDE_CRDT_PULL_OPTIONS_INIT;
    unsigned char from[ROWTIDE_SITE_ID_SIZE], to[ROWTIDE_SITE_ID_SIZE];
    rowtide_sink *sink;

    must(rowtide_crdt_site_id(writer, from));
    must(rowtide_crdt_site_id(reader, to));
    must(rowtide_crdt_peer_version(reader, from, sizeof from, &options.since));
    options.exclude = to;
    options.exclude_size = sizeof to;
    must(rowtide_sink_file(path, &sink));
    must(rowtide_crdt_pull_payload(writer, &options, sink));
    must(rowtide_sink_close(sink));
    rowtide_sink_free(sink);
}

static void read_news(rowtide_db *reader, const char *path)
{
    rowtide_source *source;
    rowtide_crdt_report *report;

    must(rowtide_source_file(path, &source));
    must(rowtide_crdt_merge_payload(reader, source, &report));
    printf("%lld changes applied, %lld ignored\n",
           (long long)rowtide_crdt_report_applied(report),
           (long long)rowtide_crdt_report_ignored(report));
    rowtide_crdt_report_free(report);
    rowtide_source_free(source);
}

int main(void)
{
    rowtide_db *phone = open_notes(), *laptop = open_notes();

    must(rowtide_db_exec(phone, "INSERT INTO notes VALUES(1, 'milk', 0)"));
    must(rowtide_db_exec(laptop, "INSERT INTO notes VALUES(2, 'bread', 0)"));
    must(rowtide_crdt_sync(phone, laptop));
    print_notes("after meeting", phone);

    /* Both change the same row, in different columns, while apart. */
    must(rowtide_db_exec(phone, "UPDATE notes SET done = 1 WHERE id = 2"));
    must(rowtide_db_exec(laptop, "UPDATE notes SET title = 'rye' "
                                 "WHERE id = 2"));
    write_news(phone, laptop, "news.payload");
    read_news(laptop, "news.payload");
    print_notes("laptop", laptop);

    unlink("news.payload");
    rowtide_db_free(phone);
    rowtide_db_free(laptop);
    return 0;
}
