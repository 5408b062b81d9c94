#include "weft/backends/cuda/exec/cudnn.h"

#include <dlfcn.h>

#include <array>
#include <mutex>

#include "weft/backends/cuda/exec/library_file.h"
#include "weft/runtime/threads.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

const LibraryNames& names() {
  static const LibraryNames all{"WEFT_CUDNN", {"libcudnn.so.9"}, {"nvidia/cudnn/lib"}};
  return all;
}

template <class Function>
void find(Cudnn& library, const LibraryFile& file, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(file.handle, symbol));
  if (!function && library.why.empty()) library.why = fmt::format("{} has no {}", file.file, symbol);
}

Cudnn load() {
  Cudnn library;
  const LibraryFile file = open_library(names());
  library.why = file.why;
  if (!file.handle) return library;
#define WEFT_CUDNN_FIND(result, name, symbol, parameters) find(library, file, #symbol, library.name);
  WEFT_CUDNN_FUNCTIONS(WEFT_CUDNN_FIND)
#undef WEFT_CUDNN_FIND
  return library;
}

ForkSafeMutex& loading() {
  static auto* const mutex = new ForkSafeMutex;
  return *mutex;
}
[[maybe_unused]] const ForkSafeMutex& made_before_main = loading();

}  // namespace

void Cudnn::check(DnnStatus status, const std::string& what) const {
  if (status == dnn_success) return;
  std::array<char, 512> more = {};
  last_error(more.data(), more.size());
  more.back() = '\0';
  throw Error(ErrorKind::device, "{}: {}{}{}", what, status_text(status), more.front() ? ", " : "", more.data());
}

const Cudnn& cudnn() {
  static const Cudnn* loaded = nullptr;  // never unloaded: programs may end after static objects
  const std::lock_guard lock(loading());
  if (!loaded) loaded = new Cudnn(load());
  return *loaded;
}

}  // namespace weft::cuda
