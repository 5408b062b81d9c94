# weft_library(name SOURCES folder... PUBLIC lib... PRIVATE lib...): the static library weft_<name> of the .cpp files
# that stand directly in the folders.
function(weft_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wno-missing-field-initializers
    $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # false alarms of g++ 12 about std::string
    # Source lines in the IR, in errors and in debug information never hold this machine's paths.
    -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -ffile-prefix-map=${PROJECT_BINARY_DIR}/include/weft/=)
  if(WEFT_SANITIZE)
    list(JOIN WEFT_SANITIZE "," sanitizers)
    target_compile_options(${target} PRIVATE -fsanitize=${sanitizers} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${sanitizers})
  endif()
endfunction()

function(weft_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(files)
  foreach(folder ${ARG_SOURCES})
    file(GLOB found CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
    list(APPEND files ${found})
  endforeach()
  if(NOT files)
    return()
  endif()
  add_library(weft_${name} STATIC ${files})
  target_include_directories(weft_${name} PUBLIC $<BUILD_INTERFACE:${WEFT_INCLUDE}>)
  target_compile_features(weft_${name} PUBLIC cxx_std_20)
  target_link_libraries(weft_${name} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  weft_options(weft_${name})
endfunction()

# LLVM as one target: its headers are system headers, and it links the one shared library.
add_library(weft_llvm INTERFACE)
function(weft_setup_llvm)
  target_include_directories(weft_llvm SYSTEM INTERFACE ${LLVM_INCLUDE_DIRS})
  target_link_libraries(weft_llvm INTERFACE LLVM)
endfunction()
