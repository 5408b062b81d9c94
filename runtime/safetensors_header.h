#pragma once
// The header of a safetensors file, as text.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace weft::detail {

/// What a header says; nothing of it is checked but that it is said once, and in the right form.
struct SafeTensorsHeader {
  struct Tensor {
    std::string name, dtype;
    std::vector<uint64_t> shape, offsets;
  };
  std::vector<Tensor> tensors;  // in the file's order
  std::map<std::string, std::string, std::less<>> metadata;
};

/// In time linear in the text, whatever is in it; what a tensor has besides is skipped, to a depth of 64. `path` and `byte`,
/// where the text begins in the file, are for the weft::Error that is thrown where it is no such header.
SafeTensorsHeader parse_safetensors_header(std::string_view text, const std::string& path, uint64_t byte);

std::string print_safetensors_header(const SafeTensorsHeader& header);

}  // namespace weft::detail
