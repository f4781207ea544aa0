# Debian packages: `cpack` in a release build makes one for each service, one with the tool, the configuration and what all
# need, and one that depends on all of them. What they need is found by dpkg-shlibdeps, so that they fit the Debian on
# which they are built.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME ctibus)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "ctibus maintainers <maintainers@ctibus.org>")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SECTION comm)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)

set(debian ${CMAKE_SOURCE_DIR}/deploy/debian)
set(made ${CMAKE_BINARY_DIR}/debian)
configure_file(${debian}/changelog.in ${made}/changelog @ONLY)
execute_process(COMMAND gzip -9nc ${made}/changelog OUTPUT_FILE ${made}/changelog.gz)

# component, package, its unit (or ""), its data in /var/lib (or ""), what it is
function(debian_package component package unit data about)
  string(TOUPPER ${component} key)
  set(scripts)
  foreach(script postinst prerm postrm)
    configure_file(${debian}/${script}.in ${made}/${component}/${script} @ONLY
                   FILE_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
    list(APPEND scripts ${made}/${component}/${script})
  endforeach()
  if(unit) # for /usr/bin
    string(REPLACE "@*" "@" file ${unit})
    file(READ ${CMAKE_SOURCE_DIR}/deploy/systemd/${file} text)
    string(REPLACE /usr/local/bin/ /usr/bin/ text "${text}")
    file(WRITE ${made}/units/${file} "${text}")
    install(FILES ${made}/units/${file} DESTINATION /usr/lib/systemd/system COMPONENT ${component} EXCLUDE_FROM_ALL)
  endif()
  install(FILES ${debian}/copyright DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  install(FILES ${made}/changelog.gz DESTINATION share/doc/${package} RENAME changelog.gz COMPONENT ${component}
          EXCLUDE_FROM_ALL)
  set(CPACK_DEBIAN_${key}_PACKAGE_NAME ${package} PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_EXTRA "${scripts}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${key}_PACKAGE_CONTROL_STRICT_PERMISSION ON PARENT_SCOPE)
  set(CPACK_COMPONENT_${key}_DESCRIPTION "${about}" PARENT_SCOPE)
  if(NOT component STREQUAL "tools")
    set(CPACK_DEBIAN_${key}_PACKAGE_DEPENDS "ctibus-tools (= ${PROJECT_VERSION})" PARENT_SCOPE)
  endif()
endfunction()

set(what "ctibus lets the people of a company see and drive their telephones,
which an Asterisk has, from their computers.")
debian_package(tools ctibus-tools "" "" "administrator's tool of ctibus, a CTI server for Asterisk
${what}
This package has the tool, the configuration and what all services
need.")
debian_package(state ctibus-state ctibus-state.service ctibus "bus and state of ctibus, a CTI server for Asterisk
${what}
This package has the service that knows the state of every phone, call
and user.")
debian_package(ami_gw ctibus-ami-gw "ctibus-ami-gw@*.service" "" "gateway of ctibus to an Asterisk
${what}
This package has the service that speaks AMI, one for each Asterisk.")
debian_package(fagi_gw ctibus-fagi-gw ctibus-fagi-gw.service "" "gateway of ctibus for scripts of the dialplan
${what}
This package has the service that answers FastAGI.")
debian_package(cti_gw ctibus-cti-gw ctibus-cti-gw.service ctibus-cti-gw "gateway of ctibus for clients and browsers
${what}
This package has the service that CTI clients and browsers connect to,
with the web client.")
debian_package(http_gw ctibus-http-gw ctibus-http-gw.service ctibus-http-gw "HTTP API and webhooks of ctibus
${what}
This package has the service that programs use.")
debian_package(federation ctibus-federation ctibus-federation.service "" "links of ctibus to other sites
${what}
This package has the service that shows other sites here, and this one there.")
debian_package(whole ctibus "" "" "CTI server for Asterisk, all on one machine
${what}
This is a metapackage: it depends on all services.")
set(CPACK_DEBIAN_WHOLE_PACKAGE_DEPENDS
    "ctibus-tools, ctibus-state, ctibus-ami-gw, ctibus-fagi-gw, ctibus-cti-gw, ctibus-http-gw, ctibus-federation")
set(CPACK_DEBIAN_WHOLE_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_CTI_GW_PACKAGE_RECOMMENDS ghostscript)
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "ca-certificates, tzdata, openssl")
set(CPACK_COMPONENTS_ALL tools state ami_gw fagi_gw cti_gw http_gw federation whole)

# A configuration without anybody in it, which `ctibus setup` completes; it stays the administrator's.
file(GLOB site ${CMAKE_SOURCE_DIR}/config/*.json ${CMAKE_SOURCE_DIR}/config/*.csv)
install(FILES ${site} DESTINATION /etc/ctibus COMPONENT tools EXCLUDE_FROM_ALL)
set(conffiles)
foreach(file ${site})
  get_filename_component(name ${file} NAME)
  string(APPEND conffiles "/etc/ctibus/${name}\n")
endforeach()
file(WRITE ${made}/tools/conffiles "${conffiles}")
list(APPEND CPACK_DEBIAN_TOOLS_PACKAGE_CONTROL_EXTRA ${made}/tools/conffiles)
install(FILES ${debian}/sysusers.conf DESTINATION lib/sysusers.d RENAME ctibus.conf COMPONENT tools EXCLUDE_FROM_ALL)
install(FILES ${debian}/tmpfiles.conf DESTINATION lib/tmpfiles.d RENAME ctibus.conf COMPONENT tools EXCLUDE_FROM_ALL)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/deploy/systemd/ctibus-.service.d DESTINATION /usr/lib/systemd/system
        COMPONENT tools EXCLUDE_FROM_ALL)

include(CPack)
