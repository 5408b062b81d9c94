# weft_llvm_targets(shared soname static): LLVM for what links weft.
#
#   weft::llvm           for an executable whose property WEFT_STATIC_LLVM is ON, llvm_static; for all else, llvm_shared
#   weft::llvm_shared    LLVM's one shared library: `shared`, its path
#   weft::llvm_static    `static`, the paths of its static libraries; there if all of them are
#
# The shared library has some 400,000 addresses that are filled in whenever a process starts, 20 ms; linked statically, at addresses
# that stand in the file, LLVM costs nothing until it compiles. Such an executable is larger by 55 MB, takes seconds to link, and is no
# position-independent one.
function(weft_llvm_targets shared soname static)
  add_library(weft::llvm_shared SHARED IMPORTED)
  set_target_properties(weft::llvm_shared PROPERTIES IMPORTED_LOCATION "${shared}" IMPORTED_SONAME "${soname}")
  set(missing ${static})
  list(FILTER missing EXCLUDE REGEX "^/.*")
  if(static AND NOT missing)
    # What LLVM's libraries may need, if they were built with it.
    set(others)
    foreach(name z zstd z3 xml2 tinfo)
      find_library(weft_llvm_needs_${name} ${name})
      mark_as_advanced(weft_llvm_needs_${name})
      if(weft_llvm_needs_${name})
        list(APPEND others ${weft_llvm_needs_${name}})
      endif()
    endforeach()
    add_library(weft::llvm_static INTERFACE IMPORTED)
    target_link_libraries(weft::llvm_static INTERFACE -Wl,--start-group ${static} -Wl,--end-group -Wl,--as-needed ${others}
                                                      -Wl,--no-as-needed ${CMAKE_DL_LIBS} m)
    target_link_options(weft::llvm_static INTERFACE -no-pie)
  endif()
  add_library(weft::llvm INTERFACE IMPORTED)
  target_link_libraries(weft::llvm INTERFACE $<IF:$<BOOL:$<TARGET_PROPERTY:WEFT_STATIC_LLVM>>,weft::llvm_static,weft::llvm_shared>)
endfunction()
