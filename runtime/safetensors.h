#pragma once
// Files of named arrays in the safetensors format (https://huggingface.co/docs/safetensors, "Format"), which PyTorch's
// package of that name reads and writes:
//
//   8 bytes          N, the length of the header, little endian
//   N bytes          JSON: {"fc1.weight": {"dtype": "F32", "shape": [512, 784], "data_offsets": [0, 1605632]}, ...,
//                           "__metadata__": {"key": "text", ...}}
//   the rest         the elements, row-major, little endian; offsets count from its beginning

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

struct SafeTensors {
  std::map<std::string, Array, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// What weft has a type for stays what it is; F8_E4M3 and F8_E5M2 become f32, U64 i64, each with its value. Where the metadata has a checksum of weft's, it is verified and left out of the result.
/// Throws weft::Error naming the file and the byte where it is not as it must be: a header that is no such JSON, a name given
/// twice, another element type, a value that its type does not have, tensors whose bytes overlap, leave bytes to nobody or do
/// not fit their shape, a file that ends before its data or goes on after it; and where the checksum is that of other content.
SafeTensors read_safetensors(const std::string& path);

/// Larger elements first, then by name, so that every tensor is aligned to its elements. The file is written beside and
/// put in place at once: see replace_file.h. With `checksum`, the metadata get one of all that the file holds, under
/// "weft.checksum". Throws weft::Error naming what cannot be written, or a name given twice.
void write_safetensors(const std::string& path, std::vector<std::pair<std::string, const Array*>> tensors,
                       const std::map<std::string, std::string, std::less<>>& metadata = {}, bool checksum = false);

}  // namespace weft
