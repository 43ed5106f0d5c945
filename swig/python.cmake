# rowtide/_native.abi3.so: one file for every CPython from 3.11 on.

if(NOT SWIG_EXECUTABLE)
    skip_binding(Python ${ROWTIDE_PYTHON} "SWIG 4.4 or later was not found (pip install swig)")
    return()
endif()
set(Python_FIND_VIRTUALENV FIRST)
find_package(Python 3.11 COMPONENTS Interpreter Development.Module)
if(NOT Python_FOUND)
    skip_binding(Python ${ROWTIDE_PYTHON} "Python 3.11 or later with headers was not found")
    return()
endif()

set(python_out ${CMAKE_CURRENT_BINARY_DIR}/python)
set(python_package ${PROJECT_BINARY_DIR}/python/rowtide)
run_swig(python ${python_out}/native_wrap.c -module _native -noproxy)

file(GLOB python_support CONFIGURE_DEPENDS python/*.c)
add_library(rowtide_python MODULE ${python_out}/native_wrap.c ${python_support})
target_compile_definitions(rowtide_python PRIVATE Py_LIMITED_API=0x030b0000)
target_include_directories(rowtide_python SYSTEM PRIVATE ${Python_INCLUDE_DIRS})
target_include_directories(rowtide_python PRIVATE python)
set_target_properties(rowtide_python PROPERTIES
    PREFIX ""
    OUTPUT_NAME _native
    SUFFIX .abi3.so
    LIBRARY_OUTPUT_DIRECTORY ${python_package})
link_core(rowtide_python)
test_module(rowtide_python PyInit__native)

# The package as it is imported from the build tree: links to the sources
# beside the module. Runs always, for files come and go.
add_custom_target(rowtide_python_package ALL
    COMMAND ${CMAKE_COMMAND} -Dfrom=${PROJECT_SOURCE_DIR}/bindings/python/rowtide
        -Dto=${python_package}
        -P ${PROJECT_SOURCE_DIR}/cmake/link_package.cmake
    DEPENDS rowtide_python
    COMMENT "Python package in ${python_package}"
    VERBATIM)

if(DEFINED SKBUILD)
    set(python_destination rowtide)
else()
    set(python_destination lib/python${Python_VERSION_MAJOR}.${Python_VERSION_MINOR}/site-packages/rowtide
        CACHE STRING "Where cmake --install puts the Python package")
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/bindings/python/rowtide/
        DESTINATION ${python_destination} COMPONENT python
        PATTERN __pycache__ EXCLUDE)
endif()
install(TARGETS rowtide_python DESTINATION ${python_destination} COMPONENT python)
message(STATUS "Python module: for CPython 3.11 and later, headers of ${Python_VERSION}")
