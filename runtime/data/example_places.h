#pragma once
// Lends a source the places of examples, one after the other.

#include "weft/runtime/data/example_source.h"

namespace weft {

class ExamplePlaces {
 public:
  /// `columns` must outlive it.
  explicit ExamplePlaces(const std::vector<SourceColumn>& columns);

  /// Where column number `column` of the next example goes; null: into memory of its own.
  void set(size_t column, std::byte* to) { example_.places_[column].to = to; }
  /// Of the batch.
  void set_padded_length(int64_t length) { example_.length_ = length; }
  /// Has the source write the example. `drawn_by` is the number that random numbers are a function of. Throws weft::Error when it
  /// leaves a column out.
  void read(const ExampleSource& source, int64_t index, uint64_t seed, int64_t epoch, int64_t drawn_by);

  /// Begins anew with an example: nothing is written of it yet.
  static void begin(Example& example, int64_t index);
  /// Has another source write an example under the number that it has there.
  static void read_as(const ExampleSource& source, int64_t index, Example& to);

  const std::byte* data(size_t column) const;
  const Shape& shape(size_t column) const { return example_.places_[column].shape; }

 private:
  Example example_;
};

/// A column's shape where its rows are padded to `length`.
Shape padded_shape(const SourceColumn& column, int64_t length);

}  // namespace weft
