#include "weft/backends/cuda/exec/driver.h"

#include <dlfcn.h>

#include <cstdlib>
#include <map>

#include "weft/runtime/threads.h"
#include "weft/support/error.h"
#include "weft/support/memory.h"

namespace weft::cuda {
namespace {

constexpr const char* how_to_install = "install NVIDIA's driver, whose package brings libcuda.so.1 (Debian: libcuda1)";

std::string file_of(const std::string& library) {
  if (!library.empty()) return library;
  const char* set = std::getenv("WEFT_CUDA_DRIVER");
  return set && *set ? set : "libcuda.so.1";
}

template <class Function>
void find(void* library, const std::string& file, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, symbol));
  if (!function)
    throw Error(ErrorKind::device, "CUDA's driver '{}' has no {}: it is older than CUDA 11.4", file, symbol).hint("install a newer driver");
}

Driver load(const std::string& file) {
  void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library) throw Error(ErrorKind::device, "there is no CUDA driver on this machine: {}", dlerror()).hint(how_to_install);
  Driver driver;
#define WEFT_DRIVER_FIND(name, symbol, parameters) find(library, file, #symbol, driver.name);
  WEFT_DRIVER_FUNCTIONS(WEFT_DRIVER_FIND)
#undef WEFT_DRIVER_FIND
  if (const Result result = driver.init(0); result == error_no_device)
    throw Error(ErrorKind::device, "CUDA's driver finds no GPU on this machine").hint("CUDA_VISIBLE_DEVICES may hide it");
  else if (result != success) throw Error(ErrorKind::device, "CUDA's driver does not start: {}", driver.describe(result));
  return driver;
}

ForkSafeMutex& loading() {
  static auto* const mutex = new ForkSafeMutex;
  return *mutex;
}
[[maybe_unused]] const ForkSafeMutex& made_before_main = loading();

}  // namespace

std::string Driver::describe(Result result) const {
  const char *name = nullptr, *text = nullptr;
  if (error_name(result, &name) != success || !name) return fmt::format("error {}", result);
  if (error_text(result, &text) != success || !text) text = "no description";
  return fmt::format("{} ({})", text, name);
}

void Driver::check(Result result, const std::string& what) const {
  if (result == success) return;
  if (result == error_out_of_memory) throw OutOfMemory("{}: {}", what, describe(result));
  throw Error(ErrorKind::device, "{}: {}", what, describe(result));
}

const Driver& driver(const std::string& library) {
  static auto* const loaded = new std::map<std::string, Driver>;  // never unloaded: programs may end after static objects
  const std::lock_guard lock(loading());
  const std::string file = file_of(library);
  auto found = loaded->find(file);
  if (found == loaded->end()) found = loaded->emplace(file, load(file)).first;
  return found->second;
}

}  // namespace weft::cuda
