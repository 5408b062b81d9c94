include(CMakePackageConfigHelpers)
include(GNUInstallDirs)
include(weft_headers)

# Source lines in the IR, in errors and in debug information never hold this machine's paths. Of several that fit, the
# last one counts.
set(weft_paths -ffile-prefix-map=${PROJECT_SOURCE_DIR}/=)
cmake_path(IS_PREFIX PROJECT_SOURCE_DIR "${PROJECT_BINARY_DIR}" weft_built_inside)
if(NOT weft_built_inside)
  list(APPEND weft_paths -ffile-prefix-map=${PROJECT_BINARY_DIR}=.)
endif()
list(APPEND weft_paths -ffile-prefix-map=${PROJECT_BINARY_DIR}/include/weft/=)

function(weft_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-missing-field-initializers
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false alarms of g++ 12 about std::string
    $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>  # and of clang about libstdc++'s std::stable_sort
    ${weft_paths})
  if(WEFT_SANITIZE)
    list(JOIN WEFT_SANITIZE "," sanitizers)
    target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${sanitizers})
  endif()
endfunction()

# Puts a target into the package's part `component`: runtime, or when empty what only the whole has.
function(weft_export target component)
  if(WEFT_INSTALL AND component)
    install(TARGETS ${target} EXPORT weft_${component})
  elseif(WEFT_INSTALL)
    install(TARGETS ${target} EXPORT weft_whole)
  endif()
endfunction()

# weft_library(name [COMPONENT runtime] [PRECOMPILED standard|ir] [FAST] SOURCES folder... PUBLIC lib... PRIVATE lib...): the static library
# weft_<name> of the .cpp files that stand directly in the folders. COMPONENT: see weft_export. PRECOMPILED: which headers
# (cmake/precompiled_*.h) are read once for all of them; by default the IR's, but for what is of the component runtime. FAST: it is what
# computes in a step, so a release is optimized for speed alone. With WEFT_LIBRARIES_FROM it lies in that folder
# already, unless it is one of WEFT_LIBRARIES_BUILT.
function(weft_library name)
  cmake_parse_arguments(ARG "FAST" "COMPONENT;PRECOMPILED" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  if(NOT ARG_PRECOMPILED)
    set(ARG_PRECOMPILED ir)
    if(ARG_COMPONENT STREQUAL runtime)
      set(ARG_PRECOMPILED standard)
    endif()
  endif()
  if(WEFT_LIBRARIES_FROM AND NOT name IN_LIST WEFT_LIBRARIES_BUILT)
    add_library(weft_${name} STATIC IMPORTED)
    set_target_properties(weft_${name} PROPERTIES IMPORTED_LOCATION ${WEFT_LIBRARIES_FROM}/libweft_${name}.a)
    target_include_directories(weft_${name} INTERFACE ${WEFT_INCLUDE})
    target_link_libraries(weft_${name} INTERFACE ${ARG_PUBLIC} ${ARG_PRIVATE})
    return()
  endif()
  set(files)
  foreach(folder ${ARG_SOURCES})
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND files ${found})
  endforeach()
  add_library(weft_${name} STATIC ${files})
  target_include_directories(weft_${name} PUBLIC $<BUILD_INTERFACE:${WEFT_INCLUDE}>
                             $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(weft_${name} PUBLIC cxx_std_20)
  target_link_libraries(weft_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  weft_options(weft_${name})
  target_precompile_headers(weft_${name} PRIVATE ${PROJECT_SOURCE_DIR}/cmake/precompiled_${ARG_PRECOMPILED}.h)
  if(ARG_FAST)
    target_compile_options(weft_${name} PRIVATE $<$<CONFIG:Release>:-O3>)
  endif()
  weft_export(weft_${name} "${ARG_COMPONENT}")
endfunction()

# weft_backend(name ...): a library, as weft_library makes it, that Target knows (frontend/program/target.cpp).
macro(weft_backend name)
  weft_library(${name} ${ARGN})
  list(APPEND WEFT_BACKENDS weft_${name})
endmacro()

# weft_face(name EXPORT_AS name [COMPONENT runtime] LINKS lib...): a target weft::<export name> for users.
function(weft_face name)
  cmake_parse_arguments(ARG "" "EXPORT_AS;COMPONENT" "LINKS" ${ARGN})
  add_library(${name} INTERFACE)
  add_library(weft::${ARG_EXPORT_AS} ALIAS ${name})
  target_link_libraries(${name} INTERFACE ${ARG_LINKS})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${ARG_EXPORT_AS})
  weft_export(${name} "${ARG_COMPONENT}")
endfunction()

# What find_package(weft) reads: see weftConfig.cmake.in.
function(weft_install_package)
  set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/weft)
  install(EXPORT weft_runtime FILE weftRuntime.cmake NAMESPACE weft:: DESTINATION ${folder})
  install(EXPORT weft_whole FILE weftWhole.cmake NAMESPACE weft:: DESTINATION ${folder})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/weftConfig.cmake.in weftConfig.cmake
                                INSTALL_DESTINATION ${folder} NO_SET_AND_CHECK_MACRO)
  write_basic_package_version_file(weftConfigVersion.cmake COMPATIBILITY SameMinorVersion)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/weftConfig.cmake ${CMAKE_CURRENT_BINARY_DIR}/weftConfigVersion.cmake
                ${PROJECT_SOURCE_DIR}/cmake/weft_llvm_targets.cmake
          DESTINATION ${folder})
  weft_install_headers()
endfunction()
