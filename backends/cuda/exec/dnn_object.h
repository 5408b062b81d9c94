#pragma once
// One of cuDNN's descriptors, destroyed with its owner.

#include <string>
#include <vector>

#include "weft/backends/cuda/exec/cudnn.h"

namespace weft::cuda {

class DnnObject {
 public:
  /// Throws weft::Error where the library makes none.
  explicit DnnObject(DnnKind kind);
  DnnObject(DnnObject&& other) noexcept : pointer_(other.pointer_) { other.pointer_ = nullptr; }
  DnnObject& operator=(DnnObject&& other) noexcept;
  ~DnnObject();

  DnnPointer get() const { return pointer_; }

  // Each throws weft::Error where the library refuses it.
  void set(DnnAttribute attribute, DnnType type, int64_t count, const void* values);
  void set(DnnAttribute attribute, int64_t value) { set(attribute, DnnType::int64, 1, &value); }
  void set(DnnAttribute attribute, const std::vector<int64_t>& values) {
    set(attribute, DnnType::int64, static_cast<int64_t>(values.size()), values.data());
  }
  void set(DnnAttribute attribute, DnnType type, int value) { set(attribute, type, 1, &value); }
  void set(DnnAttribute attribute, const DnnObject& other) { set(attribute, DnnType::descriptor, 1, &other.pointer_); }
  /// From here on it stays as it is.
  void finalize();
  /// The same, where the library may have nothing for what it says: then false.
  bool try_finalize();

  int64_t get_integer(DnnAttribute attribute) const;
  /// The enumerators that the library gives, no more than `most`.
  std::vector<int> get_list(DnnAttribute attribute, DnnType type, int64_t most) const;
  /// How many descriptors the library has there.
  int64_t count(DnnAttribute attribute) const;
  /// Lets the library fill in descriptors of a kind; as many as it did.
  std::vector<DnnObject> get_objects(DnnAttribute attribute, DnnKind kind, int64_t most) const;

 private:
  DnnPointer pointer_ = nullptr;
};

}  // namespace weft::cuda
