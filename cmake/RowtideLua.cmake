# Finds the headers and interpreter of each Lua that modules are built for.
# Sets LUA_ABIS to those present out of 5.1 5.3 5.4 jit, and for each of them
# LUA_<abi>_INCLUDE_DIR and LUA_<abi>_EXECUTABLE. No liblua: a module takes
# Lua's functions from the program that loads it.

set(LUA_ABIS "")
foreach(abi 5.1 5.3 5.4 jit)
    set(suffixes lua${abi} lua/${abi} lua-${abi})
    set(names lua${abi} lua-${abi})
    if(abi STREQUAL "jit")
        set(suffixes luajit-2.1 luajit-2.0)
        set(names luajit)
    endif()
    find_path(LUA_${abi}_INCLUDE_DIR lauxlib.h PATH_SUFFIXES ${suffixes} NO_CACHE
        PATHS /usr/include /usr/local/include NO_DEFAULT_PATH)
    find_program(LUA_${abi}_EXECUTABLE NAMES ${names})
    mark_as_advanced(LUA_${abi}_EXECUTABLE)
    if(LUA_${abi}_INCLUDE_DIR)
        list(APPEND LUA_ABIS ${abi})
    endif()
endforeach()

# LuaRocks names one set of headers, for the Lua it runs on.
if(LUA_INCDIR)
    file(STRINGS ${LUA_INCDIR}/lua.h version_line REGEX "^#define[ \t]+LUA_VERSION_NUM[ \t]")
    string(REGEX REPLACE ".*[ \t]([0-9])0([0-9]).*" "\\1.\\2" LUA_ABIS "${version_line}")
    if(EXISTS ${LUA_INCDIR}/luajit.h)
        set(LUA_ABIS jit)
    endif()
    set(LUA_${LUA_ABIS}_INCLUDE_DIR ${LUA_INCDIR})
endif()
