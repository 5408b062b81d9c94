# Kernels as PTX; nothing launches them yet, so it is no backend of Target.
weft_library(cuda SOURCES backends/cuda backends/cuda/kernels PUBLIC weft_codegen PRIVATE weft::llvm)
