/* Renames the units of length of PROJ's database, adds a celestial body, and
 * writes what changed. */
#include <rowtide.h>

#include <stdio.h>

static const char SQL[] = "UPDATE unit_of_measure SET name = upper(name) "
                          "WHERE type = 'length' AND deprecated = 0;"
                          "INSERT INTO celestial_body "
                          "VALUES ('DEMO', 'ceres', 'Ceres', 469730.0)";

static int run(const char *path, const char *output)
{
    rowtide_db *db = NULL;
    rowtide_capture *capture = NULL;
    rowtide_sink *sink = NULL;
    int rc = rowtide_db_open(path, NULL, &db);
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_begin(db, NULL, &capture);
    if (rc == ROWTIDE_OK)
        rc = rowtide_db_exec(db, SQL);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_file(output, &sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_capture_end_stream(capture, sink);
    if (rc == ROWTIDE_OK)
        rc = rowtide_sink_close(sink);
    if (rc != ROWTIDE_OK)
        fprintf(stderr, "change: %s\n", rowtide_error_message());
    rowtide_sink_free(sink);
    rowtide_capture_free(capture);
    rowtide_db_free(db);
    return rc == ROWTIDE_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: change DATABASE CHANGESET\n");
        return 2;
    }
    return run(argv[1], argv[2]);
}
