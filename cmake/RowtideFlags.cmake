# rowtide_warnings(target): the warnings that hand-written C answers to.

set(warning_flags -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes
    -Wpointer-arith -Wwrite-strings -Wvla -Wundef -Wformat-security)
# A variable may have the name of its type.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND warning_flags -Wshadow=local)
else()
    list(APPEND warning_flags -Wshadow)
endif()
if(ROWTIDE_WERROR)
    list(APPEND warning_flags -Werror)
endif()

function(rowtide_warnings target)
    target_compile_options(${target} PRIVATE ${warning_flags})
endfunction()

if(ROWTIDE_SANITIZE)
    add_compile_options(-fsanitize=${ROWTIDE_SANITIZE} -fno-omit-frame-pointer
        -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${ROWTIDE_SANITIZE})
endif()
if(ROWTIDE_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "ROWTIDE_FUZZ needs clang: configure with -DCMAKE_C_COMPILER=clang")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(ROWTIDE_COVERAGE)
    add_compile_options(--coverage -O0)
    add_link_options(--coverage)
endif()
