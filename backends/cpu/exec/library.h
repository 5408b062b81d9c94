#pragma once
// What every call of oneDNN shares. Included only by the files that call it.

#include <dnnl.hpp>

#include <string>

#include "weft/support/dtype.h"

namespace weft::cpu {

/// The one engine; making it limits the library to the instruction sets that the environment allows, and turns its cache of
/// primitives off: that takes descs for equal which are not, so that what a call is, and the scratch it needs, would follow
/// from what the process has made before.
dnnl::engine& engine();

/// The primitive that a desc describes, shared by all calls with this key, which says all that the desc follows from.
dnnl::primitive shared_primitive(const std::string& key, const dnnl::primitive_desc& desc);

dnnl::memory::data_type data_type(DType t);

/// Has the machine, within the limit, instructions that the library multiplies bf16 with? Without them it has loops for them, on
/// AVX-512, which are several times slower than those for f32, or nothing.
bool has_bf16();

/// What to try where the library refuses a call of this element type.
std::string hint_for(DType dtype);

/// Bytes of scratch memory that a primitive asks for, in whole cache lines.
int64_t scratch_of(const dnnl::memory::desc& scratchpad);

/// A primitive with its arguments, run by the calling thread. The C interface takes the arguments as they are; the C++ one
/// builds a map on every call.
class LibraryCall {
 public:
  explicit LibraryCall(const dnnl::primitive& primitive) : primitive_(primitive), stream_(engine()) {}

  /// An argument in a task's buffer, so many bytes into it.
  void add(int number, const dnnl::memory::desc& desc, size_t buffer, int64_t offset);
  void bind(const std::vector<std::byte*>& buffers);
  int run() const;

 private:
  struct Argument {
    int number;
    dnnl::memory memory;
    size_t buffer;
    int64_t offset;
  };

  dnnl::primitive primitive_;
  dnnl::stream stream_;
  std::vector<Argument> arguments_;
  std::vector<dnnl_exec_arg_t> call_;
};

}  // namespace weft::cpu
