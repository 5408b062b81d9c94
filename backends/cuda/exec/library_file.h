#pragma once
// Where NVIDIA's libraries lie on a machine that has them. weft needs none of them and brings none.

#include <string>
#include <vector>

namespace weft::cuda {

/// How a library is looked for: first by an environment variable, which names its file, or "none" where it is not wanted; then as the
/// loader finds it; then in the folders of a CUDA toolkit; then in the packages of Python's registry.
struct LibraryNames {
  const char* variable;               // "WEFT_CUBLASLT"
  std::vector<std::string> files;     // "libcublasLt.so.13", the best first
  std::vector<std::string> packages;  // folders inside site-packages: "nvidia/cublas/lib"
};

struct LibraryFile {
  void* handle = nullptr;  // of dlopen; null: there is none
  std::string file;
  std::string why;  // there is none
};

/// Opens the first that can be. Throws weft::Error where the variable names a file that cannot.
LibraryFile open_library(const LibraryNames& names);

}  // namespace weft::cuda
