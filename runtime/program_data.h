#pragma once
// A program as plain data: what a backend's compiler makes, what a file holds, and what is loaded to run.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weft/runtime/call_descriptor.h"
#include "weft/runtime/launch_list.h"

namespace weft {

/// Generated kernels, compiled for one kind of machine.
struct MachineCode {
  /// "avx2", say: the backend knows what it needs. Empty: the machine that compiled it.
  std::string isa;
  /// An image that runs wherever it lies, but for its slots.
  std::vector<std::byte> image;
  struct Function {
    std::string name;
    int64_t offset;
  };
  std::vector<Function> functions;
  /// 8 bytes of the image that hold an address: that of a function of the C library, or, without a name, of the image, so many
  /// bytes on.
  struct Slot {
    int64_t offset;
    std::string symbol = {};
    int64_t addend = 0;
  };
  std::vector<Slot> slots;
};

struct ProgramData {
  std::string backend;
  LaunchList list;
  /// What carries each launch out.
  std::vector<CallDescriptor> calls;
  /// The same kernels, once for each kind of machine.
  std::vector<MachineCode> code;
};

}  // namespace weft
