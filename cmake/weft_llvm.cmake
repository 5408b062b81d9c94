include(${CMAKE_CURRENT_LIST_DIR}/weft_llvm_targets.cmake)

# weft_find_llvm(version): the target weft::llvm (see weft_llvm_targets.cmake), with LLVM's headers. Sets WEFT_LLVM_VERSION,
# WEFT_LLVM_SONAME, WEFT_LLVM_FOLDER, where the libraries lie, and WEFT_LLVM_STATIC, the names of the static ones.
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
  weft_llvm_targets("${library}" "${soname}" "${static}")
  target_include_directories(weft::llvm INTERFACE ${include_dirs})
  get_filename_component(library_folder ${library} DIRECTORY)
  list(TRANSFORM static REPLACE ".*/" "")
  set(WEFT_LLVM_VERSION ${version} PARENT_SCOPE)
  set(WEFT_LLVM_SONAME ${soname} PARENT_SCOPE)
  set(WEFT_LLVM_FOLDER ${library_folder} PARENT_SCOPE)
  set(WEFT_LLVM_STATIC ${static} PARENT_SCOPE)
  weft_check_static_llvm("${include_dirs}")
endfunction()

# Sets WEFT_STATIC_LLVM_LINKS: can a program be linked with weft::llvm_static? Not every LLVM comes with static libraries, and these
# need others.
function(weft_check_static_llvm include_dirs)
  if(NOT TARGET weft::llvm_static OR WEFT_SANITIZE OR DEFINED WEFT_STATIC_LLVM_LINKS)
    return()
  endif()
  set(folder ${PROJECT_BINARY_DIR}/llvm/static)
  file(WRITE ${folder}/all.cpp "#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
int main() {
  LLVMInitializeNativeTarget();
  LLVMInitializeNativeAsmPrinter();
  LLVMInitializeNVPTXTarget();
  return LLVMRunPasses(nullptr, \"default<O2>\", nullptr, nullptr) != nullptr;
}
")
  try_compile(WEFT_STATIC_LLVM_LINKS ${folder} ${folder}/all.cpp CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${include_dirs}"
              LINK_LIBRARIES weft::llvm_static)
  message(STATUS "LLVM's static libraries can be linked: ${WEFT_STATIC_LLVM_LINKS}")
endfunction()

# weft_start_fast(target): the executable holds the parts of LLVM that it needs, where that can be: it starts without relocating all of
# LLVM's shared library, which takes longer than many a first step.
function(weft_start_fast target)
  if(WEFT_STATIC_LLVM_LINKS)
    set_target_properties(${target} PROPERTIES WEFT_STATIC_LLVM ON)
  endif()
endfunction()
