# Eigen3::Eigen, 3.4 or 5.x: the parent project's, the system's, or fetched.

if(NOT TARGET Eigen3::Eigen)
  # Without a version: `find_package(Eigen3 3.4)` refuses Eigen 5, and the range 3.4...5 refuses 3.4.0 itself.
  find_package(Eigen3 CONFIG GLOBAL)
  if(Eigen3_FOUND AND (Eigen3_VERSION VERSION_LESS 3.4 OR Eigen3_VERSION VERSION_GREATER_EQUAL 6))
    message(FATAL_ERROR "stlm: expected Eigen >= 3.4 and < 6, found ${Eigen3_VERSION} in ${Eigen3_DIR}. "
                        "Give another with -D Eigen3_DIR=..., or -D CMAKE_DISABLE_FIND_PACKAGE_Eigen3=ON to fetch one.")
  endif()
endif()

if(NOT TARGET Eigen3::Eigen)
  message(STATUS "stlm: Eigen3 not found, fetching Eigen 3.4.0")
  include(FetchContent)
  # SOURCE_SUBDIR names a folder without a CMakeLists.txt: the headers are all we need, not Eigen's own build.
  FetchContent_Declare(eigen
    GIT_REPOSITORY https://gitlab.com/libeigen/eigen.git
    GIT_TAG 3147391d946bb4b6c68edd901f2add6ac1f31f8c  # 3.4.0
    SOURCE_SUBDIR Eigen/src)
  FetchContent_MakeAvailable(eigen)
  if(NOT EXISTS "${eigen_SOURCE_DIR}/Eigen/Core")
    message(FATAL_ERROR "stlm: Eigen3 is neither installed nor could it be fetched. "
                        "Install it (Debian: libeigen3-dev), or give -D FETCHCONTENT_SOURCE_DIR_EIGEN=<folder>.")
  endif()
  # Imported, so that it is a system include and not a part of our export set.
  add_library(Eigen3::Eigen INTERFACE IMPORTED GLOBAL)
  target_include_directories(Eigen3::Eigen INTERFACE "${eigen_SOURCE_DIR}")
endif()
