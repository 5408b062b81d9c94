#include "weft/backends/cuda/exec/dnn_object.h"

#include <algorithm>
#include <utility>

#include "weft/support/error.h"

namespace weft::cuda {
namespace {

constexpr int number(DnnKind kind) { return static_cast<int>(kind); }
constexpr int number(DnnAttribute attribute) { return static_cast<int>(attribute); }
constexpr int number(DnnType type) { return static_cast<int>(type); }

}  // namespace

DnnObject::DnnObject(DnnKind kind) {
  cudnn().check(cudnn().create_descriptor(number(kind), &pointer_), fmt::format("cuDNN makes a descriptor of kind {}", number(kind)));
}

DnnObject& DnnObject::operator=(DnnObject&& other) noexcept {
  std::swap(pointer_, other.pointer_);
  return *this;
}

DnnObject::~DnnObject() {
  if (pointer_) cudnn().destroy_descriptor(pointer_);
}

void DnnObject::set(DnnAttribute attribute, DnnType type, int64_t count, const void* values) {
  cudnn().check(cudnn().set(pointer_, number(attribute), number(type), count, values),
                fmt::format("cuDNN is told attribute {}", number(attribute)));
}

void DnnObject::finalize() { cudnn().check(cudnn().finalize(pointer_), "cuDNN finalizes a descriptor"); }

bool DnnObject::try_finalize() { return cudnn().finalize(pointer_) == dnn_success; }

int64_t DnnObject::get_integer(DnnAttribute attribute) const {
  int64_t value = 0, count = 0;
  cudnn().check(cudnn().get(pointer_, number(attribute), number(DnnType::int64), 1, &count, &value),
                fmt::format("cuDNN is asked for attribute {}", number(attribute)));
  return value;
}

std::vector<int> DnnObject::get_list(DnnAttribute attribute, DnnType type, int64_t most) const {
  std::vector<int> values(static_cast<size_t>(most));
  int64_t count = 0;
  cudnn().check(cudnn().get(pointer_, number(attribute), number(type), most, &count, values.data()),
                fmt::format("cuDNN is asked for attribute {}", number(attribute)));
  values.resize(static_cast<size_t>(count));
  return values;
}

int64_t DnnObject::count(DnnAttribute attribute) const {
  int64_t count = 0;
  cudnn().check(cudnn().get(pointer_, number(attribute), number(DnnType::descriptor), 0, &count, nullptr),
                fmt::format("cuDNN is asked how many it has of attribute {}", number(attribute)));
  return count;
}

std::vector<DnnObject> DnnObject::get_objects(DnnAttribute attribute, DnnKind kind, int64_t most) const {
  std::vector<DnnObject> objects;
  std::vector<DnnPointer> pointers;
  for (int64_t i = 0; i < most; ++i) pointers.push_back(objects.emplace_back(kind).get());
  int64_t count = 0;
  cudnn().check(cudnn().get(pointer_, number(attribute), number(DnnType::descriptor), most, &count, pointers.data()),
                fmt::format("cuDNN is asked for attribute {}", number(attribute)));
  objects.erase(objects.begin() + std::min(count, most), objects.end());
  return objects;
}

}  // namespace weft::cuda
