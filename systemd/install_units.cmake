# SPDX-License-Identifier: MIT
# Run by `cmake --install`: fills in the units for the prefix in force and installs them with what belongs to them.
# Expects source_dir, binary_dir, install_bindir and install_docdir; DESTDIR is honoured by file(INSTALL).

cmake_path(ABSOLUTE_PATH install_bindir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE bindir)
cmake_path(ABSOLUTE_PATH install_docdir BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE docdir)
# The daemons' own default, where the system is installed into; a prefix of somebody's own keeps to itself.
if(CMAKE_INSTALL_PREFIX MATCHES "^/usr(/local)?/?$")
  set(confdir /etc/auralis)
else()
  set(confdir ${CMAKE_INSTALL_PREFIX}/etc/auralis)
endif()

foreach(unit IN ITEMS auralis-synthd.service auralis-streamd.service auralis-metricsd.service)
  configure_file(${source_dir}/${unit}.in ${binary_dir}/${unit} @ONLY)
  file(INSTALL ${binary_dir}/${unit} DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
endforeach()
file(INSTALL ${source_dir}/auralis.target DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
file(INSTALL ${source_dir}/auralis.sysusers DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/sysusers.d RENAME auralis.conf)
file(INSTALL ${source_dir}/auralis.tmpfiles DESTINATION ${CMAKE_INSTALL_PREFIX}/lib/tmpfiles.d RENAME auralis.conf)

# The configuration in use is its owner's: what is there stays. The one of this release lies beside the documentation.
file(INSTALL ${source_dir}/auralis.toml DESTINATION ${docdir})
if(NOT EXISTS $ENV{DESTDIR}${confdir}/auralis.toml)
  file(INSTALL ${source_dir}/auralis.toml DESTINATION ${confdir})
endif()
