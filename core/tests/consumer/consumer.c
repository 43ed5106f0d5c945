#include <rowtide.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    rowtide_db *db = NULL;
    if (rowtide_db_open(":memory:", NULL, &db) != ROWTIDE_OK) {
        fprintf(stderr, "consumer: %s\n", rowtide_error_message());
        return 1;
    }
    rowtide_db_free(db);
    puts(rowtide_version());
    return strcmp(rowtide_version(), ROWTIDE_VERSION) == 0 ? 0 : 1;
}
