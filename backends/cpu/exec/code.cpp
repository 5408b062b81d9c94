#include "weft/backends/cpu/exec/code.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>

#include "weft/support/error.h"
#include "weft/support/memory.h"

namespace weft::cpu {
namespace {

struct Import {
  std::string_view name;
  void* address;
};

template <class F>
void* address(F* function) {
  return reinterpret_cast<void*>(function);
}

/// What LLVM makes of loops that copy or fill, and of mathematical functions without a form of ours.
const std::vector<Import>& imports() {
  static const std::vector<Import> all = {
      {"memcpy", address<void*(void*, const void*, size_t)>(std::memcpy)},
      {"memmove", address<void*(void*, const void*, size_t)>(std::memmove)},
      {"memset", address<void*(void*, int, size_t)>(std::memset)},
      {"sin", address<double(double)>(std::sin)},
      {"cos", address<double(double)>(std::cos)},
      {"tan", address<double(double)>(std::tan)},
      {"exp", address<double(double)>(std::exp)},
      {"log", address<double(double)>(std::log)},
      {"pow", address<double(double, double)>(std::pow)},
      {"fma", address<double(double, double, double)>(std::fma)},
      {"fmod", address<double(double, double)>(std::fmod)},
      {"floor", address<double(double)>(std::floor)},
      {"ceil", address<double(double)>(std::ceil)},
      {"trunc", address<double(double)>(std::trunc)},
      {"rint", address<double(double)>(std::rint)},
      {"nearbyint", address<double(double)>(std::nearbyint)},
      {"sinf", address<float(float)>(std::sin)},
      {"cosf", address<float(float)>(std::cos)},
      {"fmaf", address<float(float, float, float)>(std::fma)},
      {"fmodf", address<float(float, float)>(std::fmod)},
      {"floorf", address<float(float)>(std::floor)},
      {"ceilf", address<float(float)>(std::ceil)},
      {"truncf", address<float(float)>(std::trunc)},
      {"rintf", address<float(float)>(std::rint)},
      {"nearbyintf", address<float(float)>(std::nearbyint)},
  };
  return all;
}

const Import* find_import(std::string_view name) {
  const auto found = std::find_if(imports().begin(), imports().end(), [&](const Import& i) { return i.name == name; });
  return found == imports().end() ? nullptr : &*found;
}

size_t whole_pages(size_t bytes) {
  const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return std::max<size_t>(1, (bytes + page - 1) / page) * page;
}

}  // namespace

bool is_importable(std::string_view symbol) { return find_import(symbol) != nullptr; }

Code::Code(const MachineCode& code) : functions_(code.functions), bytes_(whole_pages(code.image.size())) {
  const auto size = static_cast<int64_t>(code.image.size());
  for (const MachineCode::Function& f : functions_)
    if (f.offset < 0 || f.offset >= size)
      throw Error(ErrorKind::file, "the kernel '{}' lies at {} of {} bytes of code", f.name, f.offset, size);
  for (const MachineCode::Slot& s : code.slots)
    if (s.offset < 0 || s.offset > size - 8 || (s.symbol.empty() && (s.addend < 0 || s.addend > size)))
      throw Error(ErrorKind::file, "the code has an address at {} which it has no room for, or which lies outside of its {} bytes",
                  s.offset, size);
  void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw OutOfMemory("no memory for {} bytes of generated code: {}", bytes_, std::strerror(errno));
  memory_ = static_cast<std::byte*>(memory);
  std::copy(code.image.begin(), code.image.end(), memory_);
  try {
    fill(code.slots);
    if (mprotect(memory_, bytes_, PROT_READ | PROT_EXEC) != 0)
      throw Error(ErrorKind::device, "the system does not let generated code run: {}", std::strerror(errno));
    symbols_.emplace(functions_, memory_, code.image.size());
  } catch (...) {
    munmap(memory_, bytes_);
    throw;
  }
}

Code::~Code() {
  symbols_.reset();
  munmap(memory_, bytes_);
}

void Code::fill(const std::vector<MachineCode::Slot>& slots) {
  for (const MachineCode::Slot& s : slots) {
    const void* target = memory_;
    if (!s.symbol.empty()) {
      const Import* import = find_import(s.symbol);
      if (!import) throw Error(ErrorKind::file, "the code calls '{}', which generated code may not", s.symbol);
      target = import->address;
    }
    const uint64_t value = reinterpret_cast<uint64_t>(target) + static_cast<uint64_t>(s.addend);
    std::memcpy(memory_ + s.offset, &value, sizeof value);
  }
}

Code::Function Code::find(std::string_view kernel) const {
  const auto found = std::find_if(functions_.begin(), functions_.end(), [&](const auto& f) { return f.name == kernel; });
  if (found == functions_.end()) throw Error(ErrorKind::file, "there is no code of the kernel '{}'", kernel);
  return reinterpret_cast<Function>(memory_ + found->offset);
}

}  // namespace weft::cpu
