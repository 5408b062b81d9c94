#include "weft/backends/cpu/exec/scratch.h"

#include "weft/support/memory.h"

namespace weft::cpu {

Scratch::Scratch(const std::string& what, int64_t wanted, int64_t planned) {
  if (planned > 0 && wanted > planned)
    throw Error(ErrorKind::device,
                "{} needs {} bytes of scratch here, but its plan has {}: it was made for another instruction set or library", what, wanted,
                planned)
        .hint("run the passes from 'partition' on again");
  if (planned > 0 || wanted == 0) return;
  try {
    own_ = Array(u8, {wanted}, std::source_location());
  } catch (const OutOfMemory&) {
    throw out_of_memory("the scratch memory of " + what, static_cast<uint64_t>(wanted));
  }
}

const std::vector<std::byte*>& Scratch::behind(const std::vector<std::byte*>& buffers) {
  if (own_.shape().numel() == 0) return buffers;
  all_.assign(buffers.begin(), buffers.end());
  all_.push_back(own_.data());
  return all_;
}

}  // namespace weft::cpu
