# What runs programs, without the IR and LLVM, and what makes them.
weft_library(cuda_exec COMPONENT runtime SOURCES backends/cuda/exec PUBLIC weft_runtime PRIVATE ${CMAKE_DL_LIBS})
weft_backend(cuda SOURCES backends/cuda backends/cuda/kernels PUBLIC weft_program weft_cuda_exec PRIVATE weft_codegen weft::llvm)
