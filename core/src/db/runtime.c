#include "db/connection.h"
#include "base/error.h"

int rowtide_check_runtime(void)
{
    if (sqlite3_libversion_number() < SQLITE_VERSION_NUMBER)
        return rowtide__fail(
            ROWTIDE_EUNSUPPORTED,
            "SQLite %s is loaded, but this library was built for %s or later",
            sqlite3_libversion(), SQLITE_VERSION);
    if (!sqlite3_compileoption_used("ENABLE_SESSION")
        || !sqlite3_compileoption_used("ENABLE_PREUPDATE_HOOK"))
        return rowtide__fail(ROWTIDE_EUNSUPPORTED,
                             "SQLite %s is loaded, but it was built without "
                             "SESSION and PREUPDATE_HOOK",
                             sqlite3_libversion());
    if (!sqlite3_threadsafe())
        return rowtide__fail(ROWTIDE_EUNSUPPORTED,
                             "SQLite %s is loaded, but it was built without "
                             "support for threads",
                             sqlite3_libversion());
    return ROWTIDE_OK;
}
