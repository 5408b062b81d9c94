#include "weft/backends/cuda/exec/cublaslt.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

#include "weft/backends/cuda/exec/library_file.h"
#include "weft/runtime/threads.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

const LibraryNames& names() {
  static const LibraryNames all{
      "WEFT_CUBLASLT", {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"}, {"nvidia/cu13/lib", "nvidia/cublas/lib"}};
  return all;
}

template <class Function>
void find(CublasLt& library, const LibraryFile& file, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(file.handle, symbol));
  if (!function && library.why.empty()) library.why = fmt::format("{} has no {}", file.file, symbol);
}

CublasLt load() {
  CublasLt library;
  const LibraryFile file = open_library(names());
  library.why = file.why;
  if (!file.handle) return library;
#define WEFT_CUBLASLT_FIND(result, name, symbol, parameters) find(library, file, #symbol, library.name);
  WEFT_CUBLASLT_FUNCTIONS(WEFT_CUBLASLT_FIND)
#undef WEFT_CUBLASLT_FIND
  return library;
}

ForkSafeMutex& loading() {
  static auto* const mutex = new ForkSafeMutex;
  return *mutex;
}
[[maybe_unused]] const ForkSafeMutex& made_before_main = loading();

}  // namespace

void CublasLt::check(BlasStatus status, const std::string& what) const {
  if (status != blas_success) throw Error(ErrorKind::device, "{}: {}", what, status_text(status));
}

const CublasLt& cublaslt() {
  static const CublasLt* loaded = nullptr;  // never unloaded: programs may end after static objects
  const std::lock_guard lock(loading());
  if (!loaded) loaded = new CublasLt(load());
  return *loaded;
}

}  // namespace weft::cuda
