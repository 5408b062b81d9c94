#pragma once
// The descriptors of the cuDNN that there is not: what they may be told, and what they answer.

#include <cstring>
#include <map>
#include <memory>
#include <variant>

#include "weft/backends/cuda/exec/cudnn.h"
#include "weft/tests/fake_cuda/attentions.h"

namespace weft::test::fake_cuda {

using Attribute = cuda::DnnAttribute;
using cuda::DnnKind;
using cuda::DnnNote;
using cuda::DnnPointer;
using cuda::DnnStatus;
using cuda::DnnType;

inline constexpr DnnStatus bad_param = 2000, misaligned = 2003, not_finalized = 2004, shape_mismatch = 2008, wrong_type = 2010,
                           not_supported = 3000, execution_failed = 5000;

using Operation = std::variant<Convolution, Attention, Band>;
/// Those that a pack must name.
std::vector<const Tensor*> tensors_of(const Operation& operation);

struct Engine {
  std::vector<DnnNote> notes;
  enum class Kind { right, wrong, unsupported, greedy } kind = Kind::right;
};

/// Those that weft must not take compute something else.
const std::vector<Engine>& engines();

struct Value {
  int64_t count = 0;
  std::vector<std::byte> bytes;
};

struct Descriptor {
  DnnKind kind;
  bool finalized = false;
  std::map<Attribute, Value> values = {};
  std::map<Attribute, std::shared_ptr<Descriptor>> parts = {};
  Tensor tensor = {};        // of tensors
  Operation operation = {};  // of what is one, and of what is made of one
  size_t engine = 0;         // of an engine, and what is made of one

  template <class T>
  std::vector<T> list(Attribute attribute) const {
    const auto found = values.find(attribute);
    if (found == values.end()) return {};
    std::vector<T> all(static_cast<size_t>(found->second.count));
    std::memcpy(all.data(), found->second.bytes.data(), found->second.bytes.size());
    return all;
  }
  template <class T>
  T one(Attribute attribute, T otherwise = {}) const {
    const std::vector<T> all = list<T>(attribute);
    return all.empty() ? otherwise : all.front();
  }
  bool has(Attribute attribute) const { return values.contains(attribute); }
};

/// Those that are alive.
std::map<DnnPointer, std::shared_ptr<Descriptor>>& descriptors();
/// Null: there is none.
std::shared_ptr<Descriptor> find_descriptor(DnnPointer pointer);

// Each refuses what the library refuses.
DnnStatus set(Descriptor& d, Attribute attribute, DnnType type, int64_t count, const void* values);
DnnStatus finalize(Descriptor& d);
DnnStatus get(const Descriptor& d, Attribute attribute, DnnType type, int64_t room, int64_t* count, void* values);

/// Of a plan.
int64_t workspace_of(const Descriptor& plan);

}  // namespace weft::test::fake_cuda
