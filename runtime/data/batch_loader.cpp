#include "weft/runtime/data/batch_loader.h"

#include <algorithm>
#include <cstring>

namespace weft::detail {
namespace {

/// The workers share the processor with the training step. The blocks of fixed length are what a compiler
/// turns into vector instructions without being asked for more than -O2.
template <class T>
void divide(const T* __restrict from, size_t count, float divisor, float* __restrict to) {
  constexpr size_t block = 16;
  size_t i = 0;
  for (; i + block <= count; i += block) {
    for (size_t j = 0; j < block; ++j) to[i + j] = static_cast<float>(from[i + j]) / divisor;
  }
  for (; i < count; ++i) to[i] = static_cast<float>(from[i]) / divisor;
}

/// A shuffled example is in no cache, and no hardware guesses where it starts; from there on it does.
void prefetch(const std::byte* from, size_t bytes) {
  for (size_t b = 0; b < std::min<size_t>(bytes, 4096); b += 64) __builtin_prefetch(from + b);
}

Shape of_one(const Shape& shape) { return Shape(Dims(shape.begin() + 1, shape.end())); }

}  // namespace

BatchLoader::BatchLoader(const Dataset& dataset, const BatchOptions& options)
    : dataset_(dataset), options_(options), columns_(dataset.columns()) {
  if (!dataset.source) return;
  source_columns_ = dataset.source->columns();
  padded_lengths_ = dataset.source->padded_lengths();
  for (const SourceColumn& column : source_columns_)
    if (column.form == SourceColumn::Form::padded && padded_lengths_.empty()) padded_lengths_ = {column.shape[0]};
}

void BatchLoader::fill(std::vector<Array>& arrays, Batch& batch, const Which& which, Scratch& scratch) const {
  const int64_t size = std::ssize(which.examples), length = padded_length(which);
  if (dataset_.source) read(arrays, length, which, scratch);
  for (size_t c = 0; c < columns_.size(); ++c)
    if (columns_[c].from) gather(columns_[c], arrays[c], which, scratch);
  if (dataset_.mixup) blend(arrays, length, which);
  batch = {.size = size, .index = which.index, .padded_length = length};
  for (size_t c = 0; c < columns_.size(); ++c) {
    const Dataset::Column& column = columns_[c];
    const View view(std::as_const(arrays[c]).data(), static_cast<size_t>(column.batch(size, length).numel()), column.dtype);
    batch.arrays.push_back({column.name, view});
    if (column.name == "x") batch.inputs = view;
    if (column.name == "y") batch.targets = view;
  }
}

void BatchLoader::gather(const Dataset::Column& column, Array& to, const Which& which, Scratch& scratch) const {
  const Array& from = *column.from;
  const Shape shape = of_one(from.shape());
  const size_t bytes = static_cast<size_t>(column.example.numel()) * size_of(column.dtype),
               from_bytes = static_cast<size_t>(shape.numel()) * size_of(from.dtype());
  const auto place_of = [&](int64_t example) { return from.data() + static_cast<size_t>(example) * from_bytes; };
  for (int64_t i = 0; i < std::ssize(which.examples); ++i) {
    const int64_t example = which.examples[static_cast<size_t>(i)];
    if (i + 1 < std::ssize(which.examples)) prefetch(place_of(which.examples[static_cast<size_t>(i) + 1]), from_bytes);
    std::byte* const place = to.data() + static_cast<size_t>(i) * bytes;
    const std::span labels(reinterpret_cast<const int64_t*>(place_of(example)), static_cast<size_t>(shape.numel()));
    if (column.name == "y" && from.dtype() == i64) check_labels(example, labels);
    if (column.name == "x") deliver(place_of(example), from.dtype(), shape, column.example, place, which, i, scratch);
    else if (column.name == "y" && dataset_.mixup) write_probabilities(labels, reinterpret_cast<float*>(place));
    else std::memcpy(place, place_of(example), from_bytes);
  }
}

void BatchLoader::read(std::vector<Array>& arrays, int64_t padded_length, const Which& which, Scratch& scratch) const {
  ExamplePlaces& places = scratch.places_;
  places.set_padded_length(padded_length);
  std::vector<Shape> shapes;  // of an example, in the batch
  std::vector<size_t> bytes;
  const size_t first =
      static_cast<size_t>(std::find_if(columns_.begin(), columns_.end(), [](const auto& c) { return !c.from; }) - columns_.begin());
  for (size_t c = first; c < first + source_columns_.size(); ++c) {
    shapes.push_back(of_one(columns_[c].batch(1, padded_length)));
    bytes.push_back(static_cast<size_t>(shapes.back().numel()) * size_of(columns_[c].dtype));
  }
  for (int64_t i = 0; i < std::ssize(which.examples); ++i) {
    const int64_t example = which.examples[static_cast<size_t>(i)];
    const auto place_in = [&](size_t c) { return arrays[first + c].data() + static_cast<size_t>(i) * bytes[c]; };
    for (size_t c = 0; c < source_columns_.size(); ++c) places.set(c, is_direct(source_columns_[c]) ? place_in(c) : nullptr);
    places.read(*dataset_.source, example, options_.seed, which.epoch, drawn_by(which, i));
    for (size_t c = 0; c < source_columns_.size(); ++c) {
      const SourceColumn& column = source_columns_[c];
      const std::span labels(reinterpret_cast<const int64_t*>(places.data(c)), static_cast<size_t>(places.shape(c).numel()));
      if (column.name == "y" && column.dtype == i64) check_labels(example, labels);
      if (is_direct(column)) continue;
      if (column.name == "y") write_probabilities(labels, reinterpret_cast<float*>(place_in(c)));
      else deliver(places.data(c), column.dtype, places.shape(c), shapes[c], place_in(c), which, i, scratch);
    }
  }
}

bool BatchLoader::is_direct(const SourceColumn& column) const {
  if (column.name == "y") return !dataset_.mixup;
  if (column.name != "x" || column.dtype == i64) return true;
  return column.dtype == f32 && column.form != SourceColumn::Form::varies && dataset_.divisor == 1 && dataset_.transforms.empty();
}

void BatchLoader::deliver(const std::byte* from, DType dtype, const Shape& shape, const Shape& wanted, std::byte* to, const Which& which,
                          int64_t place, Scratch& scratch) const {
  const auto elements = static_cast<size_t>(shape.numel());
  const size_t transforms = dataset_.transforms.size();
  const int64_t example = which.examples[static_cast<size_t>(place)];
  if (transforms == 0 && shape != wanted) fail_shape(example, shape, wanted);
  if (transforms > 0) scratch.to_.resize(elements);
  float* const loaded = transforms > 0 ? scratch.to_.data() : reinterpret_cast<float*>(to);
  if (dtype == u8) divide(reinterpret_cast<const uint8_t*>(from), elements, dataset_.divisor, loaded);
  else if (dtype == f32 && dataset_.divisor != 1.0f) divide(reinterpret_cast<const float*>(from), elements, dataset_.divisor, loaded);
  else std::memcpy(loaded, from, elements * size_of(dtype));

  Shape now = shape;
  for (size_t t = 0; t < transforms; ++t) {
    const Transform& transform = dataset_.transforms[t];
    const bool last = t + 1 == transforms;
    Shape then = transform.shape(now);
    if (last && then != wanted) fail_shape(example, then, wanted);
    std::swap(scratch.from_, scratch.to_);
    const auto count = static_cast<size_t>(then.numel());
    if (!last) scratch.to_.resize(count);
    float* const result = last ? reinterpret_cast<float*>(to) : scratch.to_.data();
    Draw draw(options_.seed, which.epoch, drawn_by(which, place), t);
    transform.apply({scratch.from_.data(), static_cast<size_t>(now.numel())}, now, {result, count}, draw);
    now = std::move(then);
  }
}

void BatchLoader::fail_shape(int64_t example, const Shape& shape, const Shape& wanted) const {
  throw Error(ErrorKind::shape, "{} is {}{}, but the first is {}", example_text(example), to_string(shape),
              dataset_.transforms.empty() ? "" : " behind the transforms", to_string(wanted))
      .hint("transforms::resize, center_crop or random_resized_crop give all images one shape");
}

std::string BatchLoader::example_text(int64_t example) const {
  const std::string own = dataset_.source ? dataset_.source->describe(example) : "";
  return fmt::format("example {} of {}{}", example, dataset_.title(), own.empty() ? "" : ", " + own + ",");
}

void BatchLoader::check_labels(int64_t example, std::span<const int64_t> labels) const {
  if (dataset_.class_names.empty() && !dataset_.mixup) return;
  const int64_t classes = dataset_.mixup ? dataset_.mixup_classes() : std::ssize(dataset_.class_names);
  for (const int64_t label : labels)
    if ((label < 0 || label >= classes) && (label != ignored_label || dataset_.mixup))
      throw Error("{} has the class {}, but there are {} classes", example_text(example), label, classes);
}

void BatchLoader::write_probabilities(std::span<const int64_t> label, float* to) const {
  std::fill_n(to, dataset_.mixup_classes(), 0.0f);
  to[label[0]] = 1;
}

void BatchLoader::blend(std::vector<Array>& arrays, int64_t padded_length, const Which& which) const {
  const auto share = static_cast<float>(mixup_share(dataset_.mixup->alpha, options_.seed, which.epoch, which.index));
  const auto size = which.examples.size();
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (columns_[c].name != "x" && columns_[c].name != "y") continue;
    const auto each = static_cast<size_t>(columns_[c].batch(1, padded_length).numel());
    const auto all = arrays[c].values<float>();
    const std::vector<float> last(all.begin() + static_cast<ptrdiff_t>((size - 1) * each),
                                  all.begin() + static_cast<ptrdiff_t>(size * each));
    for (size_t i = size; i-- > 0;)
      for (size_t k = 0; k < each; ++k) {
        const float before = i > 0 ? all[(i - 1) * each + k] : last[k];
        all[i * each + k] = share * all[i * each + k] + (1 - share) * before;
      }
  }
}

int64_t BatchLoader::padded_length(const Which& which) const {
  if (padded_lengths_.empty()) return 0;
  if (padded_lengths_.size() == 1) return padded_lengths_[0];
  int64_t longest = 0;
  for (const int64_t example : which.examples) longest = std::max(longest, dataset_.source->length(example));
  const auto found = std::lower_bound(padded_lengths_.begin(), padded_lengths_.end(), longest);
  return found == padded_lengths_.end() ? padded_lengths_.back() : *found;
}

int64_t BatchLoader::drawn_by(const Which& which, int64_t place) const {
  return options_.sampler ? which.first + place : which.examples[static_cast<size_t>(place)];
}

}  // namespace weft::detail
