# The system's SQLite, linked dynamically, with the two options the library
# stands on.

include(CheckSourceCompiles)

find_package(SQLite3 3.40 REQUIRED)
if(NOT TARGET SQLite3::SQLite3)
    # The target's name before CMake 4.
    add_library(SQLite3::SQLite3 ALIAS SQLite::SQLite3)
endif()
set(sqlite_definitions SQLITE_ENABLE_SESSION SQLITE_ENABLE_PREUPDATE_HOOK)

function(check_sqlite_sessions)
    set(CMAKE_REQUIRED_INCLUDES ${SQLite3_INCLUDE_DIRS})
    set(CMAKE_REQUIRED_LIBRARIES ${SQLite3_LIBRARIES})
    list(TRANSFORM sqlite_definitions PREPEND -D OUTPUT_VARIABLE CMAKE_REQUIRED_DEFINITIONS)
    # Only the library is in question here, so no sanitizer takes part.
    set(CMAKE_C_FLAGS "")
    check_source_compiles(C "
        #include <sqlite3.h>
        int main(void)
        {
            sqlite3_session *session = 0;
            return sqlite3session_create(0, \"main\", &session) + sqlite3_preupdate_count(0);
        }" ROWTIDE_SQLITE_HAS_SESSIONS)
endfunction()

check_sqlite_sessions()
if(NOT ROWTIDE_SQLITE_HAS_SESSIONS)
    unset(ROWTIDE_SQLITE_HAS_SESSIONS CACHE)
    message(FATAL_ERROR "SQLite ${SQLite3_VERSION} at ${SQLite3_LIBRARIES} was built without "
        "SQLITE_ENABLE_SESSION and SQLITE_ENABLE_PREUPDATE_HOOK, which Rowtide needs; "
        "Debian's and Ubuntu's libsqlite3-dev has both")
endif()
