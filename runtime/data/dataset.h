#pragma once
// Examples, in memory or of a source: what the readers return, what the batcher delivers, what a Trainer fits.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/data/example_source.h"
#include "weft/runtime/data/mixup.h"
#include "weft/runtime/data/transform.h"

namespace weft {

/// A label that is no class and no mistake: cross_entropy(x, y, {.ignore_index = ignored_label}) leaves it out.
inline constexpr int64_t ignored_label = -100;

/// Examples lie along axis 0 of all arrays. Images are [N, channels, height, width].
///
///   Dataset pairs{.arrays = {{"left", a}, {"right", b}, {"mask", present}, {"y", distances}}};
struct Dataset {
  /// [N, ...]: u8 or f32, delivered as f32; or i64 (token ids), delivered as they are. Batches call them "x".
  Array inputs = {};
  /// [N, ...]: i64 (class indices) or f32. Batches call them "y".
  Array targets = {};
  /// A u8 or f32 input is delivered as `static_cast<float>(value) / divisor`. It is a divisor and not a scale
  /// because that is what PyTorch's ToTensor computes: x / 255.0f and x * (1 / 255.0f) differ in the last bit
  /// for many x. The readers of images set 255.
  float divisor = 1.0f;
  /// One name per class, or empty. If given, a class index outside of them is an error when its batch is
  /// loaded (except ignored_label).
  std::vector<std::string> class_names = {};
  std::string name = {};
  /// Applied to every example as it is delivered, after the division; u8 and f32 inputs only.
  std::vector<Transform> transforms = {};
  /// Further arrays [N, ...] of any element type, each under a name of its own and delivered as it is: second inputs, masks, weights
  /// of the samples. Where there are some, `inputs` and `targets` may be left out; where there are inputs, the targets may.
  std::vector<std::pair<std::string, Array>> arrays = {};
  /// Examples that are read or made when a batch needs them (example_source.h), beside what there is in memory or in the place of all
  /// of it: what the source calls "x" and "y" stands for inputs and targets, which then are left out.
  std::shared_ptr<const ExampleSource> source = {};
  /// Blends the examples of every batch, at last. Inputs must be delivered as f32, and targets be one class index each.
  std::optional<Mixup> mixup = {};

  /// Converts what the fields cannot hold and checks. Throws weft::Error as check() does.
  static Dataset from(Array inputs, Array targets);
  /// What inputs and targets of a type are held as: floating ones f32, integers i64, but for inputs of u8, which stay; bool stays bool.
  static DType held_as_input(DType given);
  static DType held_as_target(DType given);

  /// Throws weft::Error for other element types, rank 0, counts that differ, a name that is empty or given twice, a divisor that is
  /// not a positive finite number (or not 1 with i64 inputs), a transform that does not fit, a source whose columns are not as
  /// SourceColumn says, and a mixup of what it does not take.
  void check() const;

  /// An array as batches deliver it: inputs, targets and the others, without those that are left out.
  struct Column {
    std::string name;
    const Array* from;  // null: the source
    DType dtype;
    Shape example;        // of one example, transformed
    bool padded = false;  // SourceColumn::Form::padded

    /// Of so many. Padded rows have this length; -1: the longest.
    Shape batch(int64_t size, int64_t padded_length = -1) const;
  };
  std::vector<Column> columns() const;

  /// The number of examples.
  int64_t size() const;

  /// What a batch of `batch` examples looks like to the program: f32 or i64, and [batch, ...], transformed.
  /// Throw weft::Error where there are no inputs, or no targets.
  DType input_dtype() const { return column("x").dtype; }
  DType target_dtype() const { return column("y").dtype; }
  Shape input_shape(int64_t batch) const { return column("x").batch(batch); }
  Shape target_shape(int64_t batch) const { return column("y").batch(batch); }

  /// For messages: "data set 'flowers'"; "the data set" where it has no name.
  std::string title() const;

  /// Was this one of `inputs` and `targets` never set, where something else was?
  bool is_left_out(const Array& array) const;
  /// How many classes mixup's targets have.
  int64_t mixup_classes() const { return mixup->classes > 0 ? mixup->classes : static_cast<int64_t>(class_names.size()); }

 private:
  Column column(std::string_view wanted) const;
  Shape transformed(Shape example) const;
  void check_counts() const;
  void check_inputs(DType dtype) const;
  void check_source() const;
  void check_mixup() const;
};

}  // namespace weft
