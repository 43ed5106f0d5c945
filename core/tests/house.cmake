# Tests of the house itself: headers, rooms, symbols, install.

# Every public header stands alone, in strict C11 and in C++.
file(GLOB headers RELATIVE ${PROJECT_SOURCE_DIR}/core/include CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/core/include/*.h
    ${PROJECT_SOURCE_DIR}/core/include/rowtide/*.h)
set(strict -pedantic -Wall -Wextra -Wundef -Werror -fsyntax-only
    -I${PROJECT_SOURCE_DIR}/core/include)
foreach(header ${headers})
    string(MAKE_C_IDENTIFIER ${header} name)
    set(c_file ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.c)
    set(cxx_file ${CMAKE_CURRENT_BINARY_DIR}/headers/${name}.cpp)
    set(twice "#include <${header}>\n#include <${header}>\nint main(void)\n{\n    return 0;\n}\n")
    file(CONFIGURE OUTPUT ${c_file} CONTENT "${twice}")
    file(CONFIGURE OUTPUT ${cxx_file} CONTENT "${twice}")
    add_test(NAME header_c_${name}
        COMMAND ${CMAKE_C_COMPILER} -std=c11 -Wstrict-prototypes ${strict} ${c_file})
    add_test(NAME header_cxx_${name}
        COMMAND ${CMAKE_CXX_COMPILER} -std=c++11 ${strict} ${cxx_file})
    set_tests_properties(header_c_${name} header_cxx_${name} PROPERTIES LABELS house)
endforeach()

# A room cannot include what it may not know.
set(known "")
foreach(room ${ROWTIDE_ROOM_NAMES})
    list(JOIN ROWTIDE_KNOWN_TO_${room} "," rooms)
    list(APPEND known ${room}=${rooms})
endforeach()
add_test(NAME rooms COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_SOURCE_DIR}/check_rooms.py
    --compiler ${CMAKE_C_COMPILER} --source ${PROJECT_SOURCE_DIR}/core
    --rooms ${ROWTIDE_ROOMS_DIR} ${known})

set_tests_properties(rooms PROPERTIES LABELS house)

# Instrumented builds export what their runtime needs, and their consumers
# would have to be instrumented too.
if(NOT ROWTIDE_SANITIZE AND NOT ROWTIDE_COVERAGE)
    # What the shared library exports is what the headers declare.
    find_program(NM_EXECUTABLE nm REQUIRED)
    add_test(NAME symbols COMMAND ${Python_EXECUTABLE}
        ${CMAKE_CURRENT_SOURCE_DIR}/check_symbols.py
        --nm ${NM_EXECUTABLE} --library $<TARGET_FILE:rowtide_shared>
        --include ${PROJECT_SOURCE_DIR}/core/include)

    # An installed Rowtide is found by CMake and by pkg-config.
    add_test(NAME install COMMAND ${CMAKE_COMMAND}
        -Dbuild=${PROJECT_BINARY_DIR} -Dwork=${CMAKE_CURRENT_BINARY_DIR}/install
        -Dconsumer=${CMAKE_CURRENT_SOURCE_DIR}/consumer -Dgenerator=${CMAKE_GENERATOR}
        -Dcompiler=${CMAKE_C_COMPILER} -Dlibdir=${CMAKE_INSTALL_LIBDIR}
        -Dversion=${PROJECT_VERSION} -P ${CMAKE_CURRENT_SOURCE_DIR}/check_install.cmake)
    set_tests_properties(symbols install PROPERTIES LABELS house TIMEOUT 180)
endif()
