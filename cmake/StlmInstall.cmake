# Headers, licence, and the package that find_package(stlm) reads.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir "${CMAKE_INSTALL_DATADIR}/cmake/stlm")

configure_package_config_file(cmake/stlmConfig.cmake.in "${PROJECT_BINARY_DIR}/stlmConfig.cmake"
  INSTALL_DESTINATION "${package_dir}")
# Before 1.0 a minor version may break its users. Headers fit every architecture.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/stlmConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)

install(DIRECTORY include/stlm DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/stlm")
install(FILES "${PROJECT_BINARY_DIR}/stlmConfig.cmake" "${PROJECT_BINARY_DIR}/stlmConfigVersion.cmake"
  cmake/StlmCuda.cmake DESTINATION "${package_dir}")
install(TARGETS stlm stlm_headers EXPORT stlmTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT stlmTargets NAMESPACE stlm:: DESTINATION "${package_dir}")
