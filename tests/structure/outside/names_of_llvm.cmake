# Targets with names that are in LLVM's package, as a project of somebody else may call its own: some made before weft is there,
# and some behind.
set(before opt FileCheck intrinsics_gen)
set(behind llc lli llvm-config LLVM LLVMCore LLVMSupport LTO omp_gen)

function(own_targets)
  foreach(name ${ARGV})
    file(GENERATE OUTPUT ${name}.cpp CONTENT "int main() { return 0; }\n")
    add_executable(${name} ${CMAKE_CURRENT_BINARY_DIR}/${name}.cpp)
  endforeach()
endfunction()
