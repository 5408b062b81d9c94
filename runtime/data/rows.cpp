#include "weft/runtime/data/rows.h"

#include <algorithm>
#include <cstring>
#include <numeric>

namespace weft {
namespace {

int64_t longest(const std::vector<int64_t>& lengths) { return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end()); }

void check(const RaggedRows& rows, const char* who) {
  for (size_t i = 0; i < rows.lengths.size(); ++i)
    if (rows.lengths[i] < 0) throw Error(ErrorKind::shape, "row {} has the length {}", i, rows.lengths[i]).of(who);
  const int64_t sum = std::accumulate(rows.lengths.begin(), rows.lengths.end(), int64_t{0});
  if (rows.values.shape().rank() == 0 || rows.values.shape()[0] != sum)
    throw Error(ErrorKind::shape, "rows of {} in all are given as an array {}", sum, to_string(rows.values.shape())).of(who);
}

/// Of one element of a row.
Shape inner(const RaggedRows& rows) { return Shape(Dims(rows.values.shape().begin() + 1, rows.values.shape().end())); }

size_t inner_bytes(const RaggedRows& rows) { return static_cast<size_t>(inner(rows).numel()) * size_of(rows.values.dtype()); }

/// [length, ...]
Shape row_shape(const RaggedRows& rows, int64_t length) {
  Dims dims = rows.values.shape().dims();
  dims.at(0) = length;
  return Shape(std::move(dims));
}

class PaddedRows final : public ExampleSource {
 public:
  PaddedRows(std::vector<RowsColumn> columns, PaddedOptions options) : columns_(std::move(columns)), options_(std::move(options)) {
    if (options_.lengths.empty()) options_.lengths = {longest(lengths())};
    starts_.push_back(0);
    for (const int64_t length : lengths()) starts_.push_back(starts_.back() + length);
  }

  int64_t size() const override { return std::ssize(lengths()); }
  std::vector<SourceColumn> columns() const override {
    constexpr auto padded = SourceColumn::Form::padded;
    const int64_t most = options_.lengths.back();
    std::vector<SourceColumn> all;
    for (const auto& [name, rows, fill] : columns_) all.push_back({name, rows.values.dtype(), row_shape(rows, most), padded, fill});
    if (!options_.mask.empty()) all.push_back({options_.mask, boolean, {most}, padded});
    return all;
  }
  std::vector<int64_t> padded_lengths() const override { return options_.lengths; }
  int64_t length(int64_t example) const override { return lengths()[static_cast<size_t>(example)]; }

  void read(Example& to) const override {
    const auto i = static_cast<size_t>(to.index());
    const auto length = static_cast<size_t>(lengths()[i]);
    for (const auto& [name, rows, fill] : columns_) {
      const size_t bytes = inner_bytes(rows);
      const auto place = to.bytes(name);
      if (length > 0) std::memcpy(place.data(), rows.values.data() + static_cast<size_t>(starts_[i]) * bytes, length * bytes);
    }
    if (options_.mask.empty()) return;
    const auto mask = to.bytes(options_.mask);
    std::fill_n(mask.begin(), length, std::byte{1});
  }

 private:
  const std::vector<int64_t>& lengths() const { return columns_[0].rows.lengths; }

  std::vector<RowsColumn> columns_;
  PaddedOptions options_;
  std::vector<int64_t> starts_;
};

}  // namespace

Array pad_sequence(const RaggedRows& rows, double fill) {
  check(rows, "pad_sequence");
  const int64_t most = longest(rows.lengths);
  Dims dims = rows.values.shape().dims();
  dims[0] = most;
  dims.insert(dims.begin(), std::ssize(rows.lengths));
  Array result(rows.values.dtype(), Shape(std::move(dims)));
  if (fill != 0) result.generate([&](int64_t) { return fill; });
  const size_t bytes = inner_bytes(rows);
  const std::byte* from = rows.values.data();
  for (size_t i = 0; i < rows.lengths.size(); ++i) {
    const size_t count = static_cast<size_t>(rows.lengths[i]) * bytes;
    if (count > 0) std::memcpy(result.data() + i * static_cast<size_t>(most) * bytes, from, count);
    from += count;
  }
  return result;
}

Array padding_mask(const std::vector<int64_t>& lengths) {
  const int64_t most = longest(lengths);
  Array result(boolean, {std::ssize(lengths), std::max<int64_t>(most, 0)});
  for (size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 0) throw Error(ErrorKind::shape, "row {} has the length {}", i, lengths[i]).of("padding_mask");
    for (int64_t k = 0; k < lengths[i]; ++k) result.set(static_cast<int64_t>(i) * most + k, 1);
  }
  return result;
}

std::shared_ptr<const ExampleSource> padded_rows(std::vector<RowsColumn> columns, PaddedOptions options) {
  const char* const who = "padded_rows";
  if (columns.empty()) throw Error("at least one column of rows is needed").of(who);
  for (const RowsColumn& column : columns) {
    check(column.rows, who);
    if (column.rows.lengths != columns[0].rows.lengths)
      throw Error(ErrorKind::shape, "rows of '{}' have other lengths than those of '{}'", column.name, columns[0].name).of(who);
  }
  const std::vector<int64_t>& lengths = options.lengths;
  if (std::adjacent_find(lengths.begin(), lengths.end(), std::greater_equal<>()) != lengths.end())
    throw Error(".lengths must ascend").of(who);
  if (const int64_t most = longest(columns[0].rows.lengths); !lengths.empty() && (lengths.front() < 0 || lengths.back() < most))
    throw Error(".lengths end with {}, but the longest row has {}", lengths.back(), most).of(who);
  return std::make_shared<PaddedRows>(std::move(columns), std::move(options));
}

}  // namespace weft
