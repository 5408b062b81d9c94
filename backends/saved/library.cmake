# Steps from files, for programs without the compiler.
weft_library(saved COMPONENT runtime SOURCES backends/saved PUBLIC weft_cpu_exec weft_cuda_exec)
# Their face in C: all that it needs of weft is inside, and nothing of that can be seen from outside.
if(NOT WEFT_LIBRARIES_FROM)
  add_library(weft_step_c SHARED backends/saved/c/weft_step.cpp)
  add_library(weft::step_c ALIAS weft_step_c)
  target_link_libraries(weft_step_c PRIVATE weft_saved)
  target_link_options(weft_step_c PRIVATE -Wl,--exclude-libs,ALL -Wl,--gc-sections)
  target_include_directories(weft_step_c PUBLIC $<BUILD_INTERFACE:${WEFT_INCLUDE}> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(weft_step_c PROPERTIES OUTPUT_NAME weft_step EXPORT_NAME step_c VERSION ${PROJECT_VERSION} SOVERSION 0
                        CXX_VISIBILITY_PRESET hidden)
  weft_options(weft_step_c)
  weft_export(weft_step_c runtime)
endif()
