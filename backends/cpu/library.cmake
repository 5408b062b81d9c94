# What runs programs, without the IR and LLVM, and what makes them.
weft_library(cpu_exec COMPONENT runtime SOURCES backends/cpu/exec PUBLIC weft_runtime PRIVATE DNNL::dnnl)
weft_backend(cpu SOURCES backends/cpu PUBLIC weft_program weft_codegen weft_cpu_exec PRIVATE weft::llvm)
