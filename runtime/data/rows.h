#pragma once
// Rows of different lengths (sentences, say) as batches of one shape: torch.nn.utils.rnn.pad_sequence.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/data/example_source.h"

namespace weft {

/// Rows one behind the other: values [sum of lengths, ...].
struct RaggedRows {
  Array values;
  std::vector<int64_t> lengths;

  template <class T>
  static RaggedRows of(const std::vector<std::vector<T>>& rows) {
    RaggedRows result;
    std::vector<T> all;
    for (const auto& row : rows) {
      all.insert(all.end(), row.begin(), row.end());
      result.lengths.push_back(static_cast<int64_t>(row.size()));
    }
    result.values = Array::of({static_cast<int64_t>(all.size())}, all);
    return result;
  }
};

/// [number of rows, the longest one's length, ...], with `fill` behind the shorter ones (batch_first = True). Throws weft::Error unless
/// the lengths are not negative and add up to the values' first axis.
Array pad_sequence(const RaggedRows& rows, double fill = 0);

/// bool [number of rows, the longest one's length]: is this an element of the row, and not of what is behind it?
Array padding_mask(const std::vector<int64_t>& lengths);

/// A column of rows, and what stands behind the shorter ones.
struct RowsColumn {
  std::string name;
  RaggedRows rows;
  double fill = 0;
};

struct PaddedOptions {
  /// The lengths that batches may have, ascending, the last one at least the longest row's: a batch has the smallest one that holds its
  /// rows. A program is compiled for each. None: all have the longest row's.
  std::vector<int64_t> lengths = {};
  std::string mask = "mask";  // a column bool [length]: is this an element of the row? "": none
};

/// Examples that are rows, padded when a batch has them. All columns have rows of the same lengths. An order in which batches have rows
/// of about one length is length_grouped_sampler's. Throws weft::Error for rows as pad_sequence() does, for columns that differ, and for
/// lengths that do not ascend or do not hold the longest row.
///
///   Dataset data{.source = padded_rows({{"x", RaggedRows::of(tokens)}, {"y", RaggedRows::of(tags), ignored_label}}, {.lengths = {32, 64, 128}})};
///   trainer.fit(data, {.data = {.sampler = length_grouped_sampler(lengths, {.batch = 64})}});
std::shared_ptr<const ExampleSource> padded_rows(std::vector<RowsColumn> columns, PaddedOptions options = {});

}  // namespace weft
