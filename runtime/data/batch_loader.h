#pragma once
// Fills the memory of a batch with examples: gathers or has them read, converts, transforms, pads and blends.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/runtime/data/batcher.h"
#include "weft/runtime/data/example_places.h"

namespace weft::detail {

class BatchLoader {
 public:
  /// A thread's memory for what lies between an example and its place in the batch.
  class Scratch {
   public:
    explicit Scratch(const BatchLoader& loader) : places_(loader.source_columns_) {}

   private:
    friend class BatchLoader;
    ExamplePlaces places_;
    std::vector<float> from_, to_;
  };

  /// Which batch it is.
  struct Which {
    int64_t epoch, index;  // its number in the epoch
    std::span<const int64_t> examples;
    int64_t first;  // place in the epoch of the first of them
  };

  /// `dataset` must outlive it.
  BatchLoader(const Dataset& dataset, const BatchOptions& options);

  const std::vector<Dataset::Column>& columns() const { return columns_; }
  /// Writes into `arrays`, which are as columns() with room for the examples, and says in `batch` what is there.
  void fill(std::vector<Array>& arrays, Batch& batch, const Which& which, Scratch& scratch) const;

 private:
  void gather(const Dataset::Column& column, Array& to, const Which& which, Scratch& scratch) const;
  void read(std::vector<Array>& arrays, int64_t padded_length, const Which& which, Scratch& scratch) const;
  /// Does a source write where the batch has it?
  bool is_direct(const SourceColumn& column) const;
  /// Divides and transforms an input of this shape, which must become `wanted`.
  void deliver(const std::byte* from, DType dtype, const Shape& shape, const Shape& wanted, std::byte* to, const Which& which,
               int64_t place, Scratch& scratch) const;
  void check_labels(int64_t example, std::span<const int64_t> labels) const;
  void write_probabilities(std::span<const int64_t> label, float* to) const;
  void blend(std::vector<Array>& arrays, int64_t padded_length, const Which& which) const;
  int64_t padded_length(const Which& which) const;
  /// What an example's random numbers are a function of: where a sampler may bring it twice, its place in the epoch.
  int64_t drawn_by(const Which& which, int64_t place) const;
  std::string example_text(int64_t example) const;
  [[noreturn]] void fail_shape(int64_t example, const Shape& shape, const Shape& wanted) const;

  const Dataset& dataset_;
  const BatchOptions& options_;
  std::vector<SourceColumn> source_columns_;
  std::vector<int64_t> padded_lengths_;
  std::vector<Dataset::Column> columns_;
};

}  // namespace weft::detail
