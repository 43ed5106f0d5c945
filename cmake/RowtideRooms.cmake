# rowtide_room(<name> [KNOWS <room>...])
#
# One object library per directory of core/src. Its include path holds the
# public headers and a directory of links to the rooms it may know, so that an
# include of any other room does not compile. A room without sources is left out.

set(ROWTIDE_ROOMS_DIR ${PROJECT_BINARY_DIR}/rooms)
set(ROWTIDE_ROOM_NAMES "")
set(ROWTIDE_ROOM_OBJECTS "")

function(link_rooms dir)
    file(MAKE_DIRECTORY ${dir})
    file(GLOB present RELATIVE ${dir} ${dir}/*)
    foreach(name ${present})
        if(IS_SYMLINK ${dir}/${name} AND NOT name IN_LIST ARGN)
            file(REMOVE ${dir}/${name})
        endif()
    endforeach()
    foreach(name ${ARGN})
        set(target ${PROJECT_SOURCE_DIR}/core/src/${name})
        if(IS_DIRECTORY ${target} AND NOT IS_SYMLINK ${dir}/${name})
            file(CREATE_LINK ${target} ${dir}/${name} SYMBOLIC)
        endif()
    endforeach()
endfunction()

# base has no business with SQLite: its sqlite3.h is a refusal.
function(forbid_sqlite dir)
    foreach(header sqlite3.h sqlite3ext.h)
        file(CONFIGURE OUTPUT ${dir}/${header} CONTENT "#error \"base never sees ${header}\"\n")
    endforeach()
endfunction()

macro(rowtide_room name)
    cmake_parse_arguments(ROOM "" "" "KNOWS" ${ARGN})
    list(APPEND ROWTIDE_ROOM_NAMES ${name})
    set(ROWTIDE_KNOWN_TO_${name} ${name} ${ROOM_KNOWS})
    link_rooms(${ROWTIDE_ROOMS_DIR}/${name} ${ROWTIDE_KNOWN_TO_${name}})
    file(GLOB room_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/core/src/${name}/*.c)
    if(room_sources)
        add_library(room_${name} OBJECT ${room_sources})
        rowtide_warnings(room_${name})
        target_include_directories(room_${name} PRIVATE
            ${ROWTIDE_ROOMS_DIR}/${name}
            ${PROJECT_SOURCE_DIR}/core/include)
        target_compile_definitions(room_${name} PRIVATE _POSIX_C_SOURCE=200809L)
        list(APPEND ROWTIDE_ROOM_OBJECTS $<TARGET_OBJECTS:room_${name}>)
    endif()
    if(NOT "${name}" STREQUAL "base")
        if(TARGET room_${name})
            target_include_directories(room_${name} PRIVATE ${SQLite3_INCLUDE_DIRS})
            target_compile_definitions(room_${name} PRIVATE ${sqlite_definitions})
        endif()
    else()
        forbid_sqlite(${ROWTIDE_ROOMS_DIR}/base)
    endif()
endmacro()

# A directory that nobody declared would silently not be built.
function(rowtide_rooms_complete)
    file(GLOB found RELATIVE ${PROJECT_SOURCE_DIR}/core/src CONFIGURE_DEPENDS
        ${PROJECT_SOURCE_DIR}/core/src/*)
    foreach(name ${found})
        if(NOT name IN_LIST ROWTIDE_ROOM_NAMES)
            message(FATAL_ERROR "core/src/${name} is not declared in core/CMakeLists.txt")
        endif()
    endforeach()
    if(NOT ROWTIDE_ROOM_OBJECTS)
        message(FATAL_ERROR "core/src has no sources")
    endif()
endfunction()
