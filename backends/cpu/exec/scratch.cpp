#include "weft/backends/cpu/exec/scratch.h"

#include "weft/support/memory.h"

namespace weft::cpu {

Scratch::Scratch(Follows follows, const std::string& what, int64_t wanted, int64_t planned) : is_planned_(planned > 0) {
  if (wanted <= planned) return;
  if (is_planned_ && follows == Follows::from_call)
    throw Error(ErrorKind::device, "{} needs {} bytes of scratch here, but its plan has {}", what, wanted, planned)
        .hint("run the passes from 'partition' on again");
  try {
    own_ = Array(u8, {wanted}, std::source_location());
  } catch (const OutOfMemory&) {
    throw out_of_memory("the scratch memory of " + what, static_cast<uint64_t>(wanted));
  }
}

const std::vector<std::byte*>& Scratch::behind(const std::vector<std::byte*>& buffers) {
  if (own_bytes() == 0) return buffers;
  all_.assign(buffers.begin(), buffers.end());
  if (is_planned_) all_.back() = own_.data();
  else all_.push_back(own_.data());
  return all_;
}

}  // namespace weft::cpu
