# SPDX-License-Identifier: MIT
# Run by `cmake --install`: fills in the units for the current prefix and installs them with the related files. Expects
# source_dir, binary_dir, install_bindir and install_docdir; DESTDIR is honoured by file(INSTALL).

cmake_path(ABSOLUTE_PATH install_bindir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE bindir)
cmake_path(ABSOLUTE_PATH install_docdir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE docdir)
# The default path of the daemons if installed system-wide; a private prefix has its own.
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(confdir /etc/auralis)
else()
  set(confdir ${CMAKE_INSTALL_PREFIX}/etc/auralis)
endif()

# A folder for each prefix: installations of one build may run at the same time.
string(MD5 prefix_hash "${CMAKE_INSTALL_PREFIX}")
foreach(unit IN ITEMS auralis-synthd.service auralis-streamd.service auralis-metricsd.service auralis-probe.service)
  configure_file(${source_dir}/${unit}.in ${binary_dir}/${prefix_hash}/${unit} @ONLY)
  file(INSTALL ${binary_dir}/${prefix_hash}/${unit} DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
endforeach()
configure_file(${source_dir}/auralis-generator.in ${binary_dir}/${prefix_hash}/auralis-generator @ONLY)
file(INSTALL ${binary_dir}/${prefix_hash}/auralis-generator DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system-generators
  PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
file(INSTALL ${source_dir}/auralis.target ${source_dir}/auralis-probe.timer ${source_dir}/auralis-streamd.socket
  DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
file(INSTALL ${source_dir}/auralis.sysusers DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/sysusers.d RENAME auralis.conf)
file(INSTALL ${source_dir}/auralis.tmpfiles DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/tmpfiles.d RENAME auralis.conf)

# Keep an existing configuration. This release's default is installed with the documentation.
file(INSTALL ${source_dir}/auralis.toml DESTINATION ${docdir})
if(NOT EXISTS $ENV{DESTDIR}${confdir}/auralis.toml)
  file(INSTALL ${source_dir}/auralis.toml DESTINATION ${confdir})
endif()
