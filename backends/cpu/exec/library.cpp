#include "weft/backends/cpu/exec/library.h"

#include <mutex>
#include <unordered_map>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/scratch.h"

namespace weft::cpu {

dnnl::engine& engine() {
  static dnnl::engine e = [] {
    limit_library_isa(max_isa_of_environment());
    dnnl::set_primitive_cache_capacity(0);
    return dnnl::engine(dnnl::engine::kind::cpu, 0);
  }();
  return e;
}

dnnl::primitive shared_primitive(const std::string& key, const dnnl::primitive_desc& desc) {
  constexpr size_t most = 1024;  // then all are forgotten; who has one keeps it
  static std::mutex mutex;
  static std::unordered_map<std::string, dnnl::primitive> all;
  const std::lock_guard lock(mutex);
  if (const auto found = all.find(key); found != all.end()) return found->second;
  if (all.size() >= most) all.clear();
  return all.emplace(key, dnnl::primitive(desc)).first->second;
}

dnnl::memory::data_type data_type(DType t) { return t == bf16 ? dnnl::memory::data_type::bf16 : dnnl::memory::data_type::f32; }

bool has_bf16() {
  engine();  // the limit
  static const bool has = [] {
    const auto wanted = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & wanted) == wanted;
  }();
  return has;
}

std::string hint_for(DType dtype) {
  if (dtype != bf16 || has_bf16()) return "";
  return "this machine, or the limit, has no instructions for bf16: compile the step for it with .max_isa = \"avx2\"";
}

int64_t scratch_of(const dnnl::memory::desc& scratchpad) { return whole_lines(static_cast<int64_t>(scratchpad.get_size())); }

void LibraryCall::add(int number, const dnnl::memory::desc& desc, size_t buffer, int64_t offset) {
  arguments_.push_back({number, dnnl::memory(desc, engine(), nullptr), buffer, offset});
  call_.push_back({number, arguments_.back().memory.get()});
}

void LibraryCall::bind(const std::vector<std::byte*>& buffers) {
  for (Argument& a : arguments_) a.memory.set_data_handle(buffers[a.buffer] + a.offset);
}

int LibraryCall::run() const {
  return dnnl_primitive_execute(primitive_.get(), stream_.get(), static_cast<int>(call_.size()), call_.data());
}

}  // namespace weft::cpu
