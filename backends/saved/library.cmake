# Steps from files, for programs without the compiler, and their face in C.
weft_library(saved COMPONENT runtime SOURCES backends/saved PUBLIC weft_cpu_exec)
