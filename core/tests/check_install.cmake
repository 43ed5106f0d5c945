# Installs to an empty prefix and builds two programs against it, one through
# find_package(rowtide) and one through pkg-config.

function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE text ERROR_VARIABLE text)
    if(NOT status EQUAL 0)
        list(JOIN ARGN " " line)
        message(FATAL_ERROR "${line}\n${text}")
    endif()
    set(output "${text}" PARENT_SCOPE)
endfunction()

function(expect_version program)
    run(${program})
    string(STRIP "${output}" said)
    if(NOT said STREQUAL version)
        message(FATAL_ERROR "${program} says \"${said}\", not \"${version}\"")
    endif()
endfunction()

set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})
run(${CMAKE_COMMAND} --install ${build} --prefix ${prefix} --component core)

run(${CMAKE_COMMAND} -S ${consumer} -B ${work}/consumer -G ${generator}
    -DCMAKE_C_COMPILER=${compiler} -DCMAKE_PREFIX_PATH=${prefix})
run(${CMAKE_COMMAND} --build ${work}/consumer)
expect_version(${work}/consumer/consumer_shared)
expect_version(${work}/consumer/consumer_static)

set(ENV{PKG_CONFIG_PATH} ${prefix}/${libdir}/pkgconfig)
set(ENV{LD_LIBRARY_PATH} ${prefix}/${libdir})
run(pkg-config --define-prefix --modversion rowtide)
run(pkg-config --define-prefix --cflags --libs rowtide)
separate_arguments(flags UNIX_COMMAND "${output}")
run(${compiler} -std=c11 -o ${work}/by_pkg_config ${consumer}/consumer.c ${flags})
expect_version(${work}/by_pkg_config)
