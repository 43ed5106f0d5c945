# Headers, libraries, find_package(rowtide) and pkg-config. A wheel takes none
# of this: it installs the "python" component only.

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rowtide)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/core/include/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT core
    FILES_MATCHING PATTERN "*.h")
install(TARGETS rowtide_shared rowtide_static EXPORT rowtide-targets COMPONENT core)
install(EXPORT rowtide-targets NAMESPACE rowtide:: DESTINATION ${package_dir} COMPONENT core)

configure_package_config_file(${CMAKE_CURRENT_LIST_DIR}/rowtide-config.cmake.in
    ${PROJECT_BINARY_DIR}/rowtide-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/rowtide-config-version.cmake
    COMPATIBILITY SameMajorVersion)
install(FILES ${PROJECT_BINARY_DIR}/rowtide-config.cmake
    ${PROJECT_BINARY_DIR}/rowtide-config-version.cmake
    DESTINATION ${package_dir} COMPONENT core)

# One .pc for the installed tree, one for use from the build tree.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}")
    set(pc_libdir ${CMAKE_INSTALL_LIBDIR})
else()
    set(pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
endif()
if(IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(pc_includedir ${CMAKE_INSTALL_INCLUDEDIR})
else()
    set(pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
set(pc_prefix ${CMAKE_INSTALL_PREFIX})
configure_file(${CMAKE_CURRENT_LIST_DIR}/rowtide.pc.in ${PROJECT_BINARY_DIR}/rowtide.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/rowtide.pc
    DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT core)

set(pc_prefix ${PROJECT_BINARY_DIR})
set(pc_libdir ${PROJECT_BINARY_DIR}/core)
set(pc_includedir ${PROJECT_SOURCE_DIR}/core/include)
configure_file(${CMAKE_CURRENT_LIST_DIR}/rowtide.pc.in
    ${PROJECT_BINARY_DIR}/pkgconfig/rowtide.pc @ONLY)

file(GLOB man_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/man/*.1
    ${PROJECT_SOURCE_DIR}/docs/man/*.3)
foreach(page ${man_pages})
    string(REGEX REPLACE ".*\\.([13])$" "\\1" man_section ${page})
    install(FILES ${page} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${man_section} COMPONENT core)
endforeach()
