# weft_find_llvm(version): LLVM's one shared library as the imported target weft::llvm, with its headers. Sets
# WEFT_LLVM_VERSION, WEFT_LLVM_SONAME and WEFT_LLVM_FOLDER, where the library lies.
#
# LLVM's package makes a target of each of its programs and libraries (opt, llc, FileCheck, LLVMSupport, intrinsics_gen, ...).
# These names belong to whoever has weft's sources as a folder, so that a project of its own reads the package.
function(weft_find_llvm version)
  set(folder ${PROJECT_BINARY_DIR}/llvm)
  set(given "set(WEFT_LLVM_WANTED ${version} CACHE STRING \"\" FORCE)\n")
  foreach(variable LLVM_DIR LLVM_ROOT CMAKE_PREFIX_PATH CMAKE_FIND_ROOT_PATH CMAKE_SYSROOT CMAKE_TOOLCHAIN_FILE CMAKE_MAKE_PROGRAM)
    if(DEFINED ${variable})
      string(APPEND given "set(${variable} [==[${${variable}}]==] CACHE STRING \"\" FORCE)\n")
    endif()
  endforeach()
  file(WRITE ${folder}/given.cmake "${given}")
  execute_process(COMMAND ${CMAKE_COMMAND} -C ${folder}/given.cmake -G ${CMAKE_GENERATOR} -S ${PROJECT_SOURCE_DIR}/cmake/llvm
                          -B ${folder}
                  RESULT_VARIABLE status OUTPUT_QUIET ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "No LLVM ${version} that weft can be built with (Debian: llvm-19-dev; elsewhere -DLLVM_DIR=...):\n${errors}")
  endif()
  include(${folder}/found.cmake)
  if(NOT "NVPTX" IN_LIST targets)
    message(FATAL_ERROR "This LLVM (${library}) was built without the target NVPTX, which weft writes GPU kernels with")
  endif()
  message(STATUS "Found LLVM ${version}: ${library}")
  add_library(weft::llvm SHARED IMPORTED)
  set_target_properties(weft::llvm PROPERTIES IMPORTED_LOCATION "${library}" IMPORTED_SONAME "${soname}"
                                              INTERFACE_INCLUDE_DIRECTORIES "${include_dirs}")
  get_filename_component(library_folder ${library} DIRECTORY)
  set(WEFT_LLVM_VERSION ${version} PARENT_SCOPE)
  set(WEFT_LLVM_SONAME ${soname} PARENT_SCOPE)
  set(WEFT_LLVM_FOLDER ${library_folder} PARENT_SCOPE)
endfunction()
