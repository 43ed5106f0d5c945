# rowtide/core.so, once per Lua. liblua is never linked: a second copy of the
# virtual machine in one process does not know the first one's values.

include(RowtideLua)
if(NOT SWIG_EXECUTABLE)
    skip_binding(Lua ${ROWTIDE_LUA} "SWIG 4.4 or later was not found (pip install swig)")
    return()
endif()
if(NOT LUA_ABIS)
    skip_binding(Lua ${ROWTIDE_LUA} "no Lua headers were found")
    return()
endif()
if(ROWTIDE_LUA STREQUAL "ON" AND NOT LUA_INCDIR)
    foreach(abi 5.1 5.3 5.4 jit)
        if(NOT abi IN_LIST LUA_ABIS)
            skip_binding(Lua ON "the headers of Lua ${abi} were not found")
        endif()
    endforeach()
endif()

set(lua_out ${CMAKE_CURRENT_BINARY_DIR}/lua)
set(lua_tree ${PROJECT_BINARY_DIR}/lua)
run_swig(lua ${lua_out}/core_wrap.c -module rowtide_core -nomoduleglobal)

file(GLOB lua_support CONFIGURE_DEPENDS lua/*.c)
foreach(abi ${LUA_ABIS})
    set(target rowtide_lua_${abi})
    add_library(${target} MODULE ${lua_out}/core_wrap.c ${lua_support})
    target_include_directories(${target} SYSTEM PRIVATE ${LUA_${abi}_INCLUDE_DIR})
    target_include_directories(${target} PRIVATE lua)
    set_target_properties(${target} PROPERTIES
        PREFIX ""
        OUTPUT_NAME core
        SUFFIX .so
        LIBRARY_OUTPUT_DIRECTORY ${lua_tree}/${abi}/rowtide)
    link_core(${target})
    test_module(${target} luaopen_rowtide_core)
endforeach()
if(IS_DIRECTORY ${PROJECT_SOURCE_DIR}/bindings/lua/rowtide)
    file(MAKE_DIRECTORY ${lua_tree}/share)
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/bindings/lua/rowtide ${lua_tree}/share/rowtide SYMBOLIC)
endif()

# install_lua(<abi> <version>): where the interpreter of that version looks.
# LuaRocks says so itself.
function(install_lua abi version)
    set(module_dir lib/lua/${version})
    set(script_dir share/lua/${version})
    if(LUA_INCDIR)
        set(module_dir ${LUA_LIBDIR})
        set(script_dir ${LUA_LUADIR})
    endif()
    install(TARGETS rowtide_lua_${abi} DESTINATION ${module_dir}/rowtide COMPONENT lua)
    install(DIRECTORY ${PROJECT_SOURCE_DIR}/bindings/lua/rowtide
        DESTINATION ${script_dir} COMPONENT lua FILES_MATCHING PATTERN "*.lua")
endfunction()

foreach(abi ${LUA_ABIS})
    if(NOT abi STREQUAL "jit")
        install_lua(${abi} ${abi})
    elseif(NOT 5.1 IN_LIST LUA_ABIS)
        # LuaJIT loads the modules of 5.1 from the same place.
        install_lua(jit 5.1)
    endif()
endforeach()
# The same specs for each Lua. Sanitizers would have to be in the interpreter.
find_program(BUSTED_EXECUTABLE busted)
mark_as_advanced(BUSTED_EXECUTABLE)
if(ROWTIDE_TESTS AND BUSTED_EXECUTABLE AND NOT ROWTIDE_SANITIZE)
    foreach(abi ${LUA_ABIS})
        if(LUA_${abi}_EXECUTABLE)
            add_test(NAME lua_${abi}
                COMMAND ${LUA_${abi}_EXECUTABLE} ${BUSTED_EXECUTABLE} --output=plainTerminal
                WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
            set(suffix "")
            if(abi MATCHES "^5\\.[34]$")
                string(REPLACE "." "_" suffix "_${abi}")
            endif()
            set_tests_properties(lua_${abi} PROPERTIES LABELS lua ENVIRONMENT
                "LUA_PATH=${lua_tree}/share/?.lua\;${lua_tree}/share/?/init.lua\;\;;LUA_CPATH${suffix}=${lua_tree}/${abi}/?.so\;\;")
        endif()
    endforeach()
endif()

list(JOIN LUA_ABIS ", " abi_list)
message(STATUS "Lua modules: for ${abi_list}")
