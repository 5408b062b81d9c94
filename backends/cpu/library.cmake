# What runs programs, without the IR and LLVM, and what makes them.
weft_library(cpu_exec COMPONENT runtime FAST SOURCES backends/cpu/exec PUBLIC weft_runtime PRIVATE DNNL::dnnl)
# One code for each instruction set (backends/cpu/exec/isa.h).
foreach(isa sse4:-msse4.2 avx2:-mavx2,-mfma avx512:-mavx512f,-mavx512bw,-mavx512cd,-mavx512dq,-mavx512vl)
  string(REGEX MATCH "^([^:]+):(.*)$" matched ${isa})
  string(REPLACE "," ";" options ${CMAKE_MATCH_2})
  foreach(code attention_rows dots machine_speed thin winograd_tiles)
    set_source_files_properties(backends/cpu/exec/${code}_${CMAKE_MATCH_1}.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON
      COMPILE_OPTIONS "${options};-ffp-contract=fast;-Wno-psabi")
  endforeach()
endforeach()
weft_backend(cpu SOURCES backends/cpu PUBLIC weft_program weft_codegen weft_cpu_exec PRIVATE weft::llvm)
