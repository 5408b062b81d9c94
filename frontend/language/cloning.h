#pragma once
// A deep copy of what consists of handles. While one is made, copies of a handle name a copy of what it names, once for all of them:
// the memo of Python's copy.deepcopy.

#include <memory>
#include <unordered_map>

namespace weft::detail {

class Cloning {
 public:
  /// Begins on this thread; it ends with this object.
  Cloning();
  ~Cloning();
  Cloning(const Cloning&) = delete;
  Cloning& operator=(const Cloning&) = delete;

  /// The innermost that this thread makes, or null.
  static Cloning* current();

  /// What stands in the copy for what `original` names: null as long as there is nothing. What a copy has stands for itself.
  template <class T>
  std::shared_ptr<T> find(const std::shared_ptr<T>& original) const {
    const auto found = known_.find(original.get());
    return found == known_.end() ? nullptr : std::static_pointer_cast<T>(found->second.twin);
  }
  template <class T>
  void add(const std::shared_ptr<T>& original, const std::shared_ptr<T>& twin) {
    known_[original.get()] = {original, twin};
    known_[twin.get()] = {twin, twin};
  }
  /// find(), or what `make()` makes the first time; nothing for nothing.
  template <class T, class Make>
  std::shared_ptr<T> twin(const std::shared_ptr<T>& original, const Make& make) {
    if (!original) return nullptr;
    if (auto known = find(original)) return known;
    std::shared_ptr<T> made = make();
    add(original, made);
    return made;
  }

 private:
  struct Pair {
    std::shared_ptr<const void> original;  // which keeps its address
    std::shared_ptr<void> twin;
  };
  std::unordered_map<const void*, Pair> known_;
  Cloning* outer_;
};

}  // namespace weft::detail
