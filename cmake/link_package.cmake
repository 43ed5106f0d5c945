# cmake -Dfrom=<package> -Dto=<directory> -P link_package.cmake
#
# Makes <directory> show every entry of <package> as a link, and drops links
# whose target has gone.

file(MAKE_DIRECTORY ${to})
file(GLOB present ${to}/*)
foreach(path ${present})
    if(IS_SYMLINK ${path} AND NOT EXISTS ${path})
        file(REMOVE ${path})
    endif()
endforeach()
file(GLOB entries ${from}/* ${from}/.[!.]*)
foreach(path ${entries})
    get_filename_component(name ${path} NAME)
    if(NOT name STREQUAL "__pycache__" AND NOT IS_SYMLINK ${to}/${name})
        file(CREATE_LINK ${path} ${to}/${name} SYMBOLIC)
    endif()
endforeach()
