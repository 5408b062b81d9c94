#include "weft/runtime/data/example_source.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <utility>

#include "weft/runtime/array.h"
#include "weft/runtime/data/example_places.h"
#include "weft/runtime/threads.h"

namespace weft {
namespace {

void fill(const SourceColumn& column, std::byte* to, size_t elements) {
  if (column.fill == 0) {
    std::fill_n(to, elements * size_of(column.dtype), std::byte{0});
    return;
  }
  for (size_t i = 0; i < elements; ++i) store_element(column.dtype, to, static_cast<int64_t>(i), column.fill);
}

class FunctionSource final : public ExampleSource {
 public:
  FunctionSource(int64_t size, std::vector<SourceColumn> columns, std::function<void(Example&)> read)
      : size_(size), columns_(std::move(columns)), read_(std::move(read)) {}
  int64_t size() const override { return size_; }
  std::vector<SourceColumn> columns() const override { return columns_; }
  void read(Example& to) const override { read_(to); }

 private:
  int64_t size_;
  std::vector<SourceColumn> columns_;
  std::function<void(Example&)> read_;
};

/// Lends the other source's examples under numbers of its own.
class ChosenSource final : public ExampleSource {
 public:
  ChosenSource(std::shared_ptr<const ExampleSource> from, std::vector<int64_t> examples)
      : from_(std::move(from)), examples_(std::move(examples)) {}
  int64_t size() const override { return std::ssize(examples_); }
  std::vector<SourceColumn> columns() const override { return from_->columns(); }
  void read(Example& to) const override { ExamplePlaces::read_as(*from_, number(to.index()), to); }
  std::vector<int64_t> padded_lengths() const override { return from_->padded_lengths(); }
  int64_t length(int64_t example) const override { return from_->length(number(example)); }
  std::string describe(int64_t example) const override { return from_->describe(number(example)); }

 private:
  int64_t number(int64_t example) const { return examples_[static_cast<size_t>(example)]; }

  std::shared_ptr<const ExampleSource> from_;
  std::vector<int64_t> examples_;
};

class StreamSource final : public ExampleSource {
 public:
  StreamSource(int64_t epoch_size, std::vector<SourceColumn> columns, std::function<ReadNext(int64_t)> open)
      : epoch_size_(epoch_size), columns_(std::move(columns)), open_(std::move(open)) {}
  StreamSource(const StreamSource&) = delete;
  StreamSource& operator=(const StreamSource&) = delete;
  ~StreamSource() override {
    const State* const last = state_.load();
    if (last->born == fork_count()) delete last;
  }
  int64_t size() const override { return epoch_size_; }
  std::vector<SourceColumn> columns() const override { return columns_; }
  bool is_stream() const override { return true; }

  void read(Example& to) const override {
    State& s = state();
    const std::lock_guard lock(s.mutex);
    if (to.epoch() != s.epoch || to.index() < s.next) {
      s.read_next = nullptr;
      s.next = 0;
      s.epoch = to.epoch();
    }
    for (const int64_t wanted = to.index(); s.next <= wanted; ++s.next) read_one(s, to);
  }

 private:
  /// Where it is. One thread reads at a time, but it need not be the same one.
  struct State {
    std::mutex mutex;
    ReadNext read_next;
    int64_t epoch = -1, next = 0;
    const uint64_t born = fork_count();
  };

  /// In a child of this process a new one: the old one stays behind with the thread that may be in it.
  State& state() const {
    State* now = state_.load();
    if (now->born == fork_count()) return *now;
    auto fresh = std::make_unique<State>();
    return state_.compare_exchange_strong(now, fresh.get()) ? *fresh.release() : *now;
  }

  void read_one(State& s, Example& to) const {
    ExamplePlaces::begin(to, s.next);
    if (s.read_next && s.read_next(to)) return;
    ExamplePlaces::begin(to, s.next);
    s.read_next = open_(s.epoch);
    if (!s.read_next || !s.read_next(to)) throw Error("the stream has no example, not even where it begins");
  }

  int64_t epoch_size_;
  std::vector<SourceColumn> columns_;
  std::function<ReadNext(int64_t)> open_;
  mutable std::atomic<State*> state_ = new State;  // owned
};

}  // namespace

Draw Example::draw() const { return {seed_, epoch_, drawn_by_, detail::source_draws}; }

Example::Place& Example::place(std::string_view name, DType dtype) {
  Place& p = place(name);
  if (p.column->dtype != dtype)
    throw Error(ErrorKind::shape, "'{}' of the source has {} elements, but it is written as {}", name, name_of(p.column->dtype),
                name_of(dtype));
  return p;
}

std::span<std::byte> Example::bytes(std::string_view name) {
  Place& p = place(name);
  return {p.to ? p.to : p.room.data(), p.elements * size_of(p.column->dtype)};
}

Example::Place& Example::place(std::string_view name) {
  for (Place& p : places_) {
    if (p.column->name != name) continue;
    if (p.column->form == SourceColumn::Form::padded && !p.given) fill(*p.column, p.to ? p.to : p.room.data(), p.elements);
    p.given = true;
    return p;
  }
  std::vector<std::string> names;
  for (const Place& p : places_) names.push_back(p.column->name);
  throw Error("the source has no column '{}'; it has '{}'", name, fmt::join(names, "', '")).hint(did_you_mean(name, names));
}

Example::Place& Example::reshaped(std::string_view name, DType dtype, Shape shape) {
  Place& p = place(name, dtype);
  if (p.column->form != SourceColumn::Form::varies && shape != p.shape)
    throw Error(ErrorKind::shape, "'{}' of the source is {}, but an example gives {}", name, to_string(p.shape), to_string(shape))
        .hint("a column whose shape varies has .form = SourceColumn::Form::varies");
  p.shape = std::move(shape);
  p.elements = static_cast<size_t>(p.shape.numel());
  if (!p.to) p.room.resize(p.elements * size_of(dtype));
  return p;
}

ExamplePlaces::ExamplePlaces(const std::vector<SourceColumn>& columns) {
  for (const SourceColumn& column : columns) example_.places_.push_back({&column, column.shape, nullptr, 0, {}});
}

void ExamplePlaces::read(const ExampleSource& source, int64_t index, uint64_t seed, int64_t epoch, int64_t drawn_by) {
  example_.seed_ = seed, example_.epoch_ = epoch, example_.drawn_by_ = drawn_by;
  for (Example::Place& p : example_.places_) {
    p.shape = p.column->form == SourceColumn::Form::padded ? padded_shape(*p.column, example_.length_) : p.column->shape;
    p.elements = static_cast<size_t>(p.shape.numel());
    if (!p.to) p.room.resize(p.elements * size_of(p.column->dtype));
  }
  begin(example_, index);
  source.read(example_);
  for (const Example::Place& p : example_.places_)
    if (!p.given) throw Error("the source writes nothing under '{}'", p.column->name);
}

void ExamplePlaces::begin(Example& example, int64_t index) {
  example.index_ = index;
  for (Example::Place& p : example.places_) p.given = false;
}

void ExamplePlaces::read_as(const ExampleSource& source, int64_t index, Example& to) {
  const int64_t own = std::exchange(to.index_, index);
  source.read(to);
  to.index_ = own;
}

const std::byte* ExamplePlaces::data(size_t column) const {
  const Example::Place& p = example_.places_[column];
  return p.to ? p.to : p.room.data();
}

Shape padded_shape(const SourceColumn& column, int64_t length) {
  Dims dims = column.shape.dims();
  dims.at(0) = length;
  return Shape(std::move(dims));
}

std::shared_ptr<const ExampleSource> source_of(int64_t size, std::vector<SourceColumn> columns, std::function<void(Example&)> read) {
  if (size < 0) throw Error("a source has no {} examples", size);
  if (!read) throw Error("the function of a source is a null function");
  return std::make_shared<FunctionSource>(size, std::move(columns), std::move(read));
}

std::shared_ptr<const ExampleSource> chosen(std::shared_ptr<const ExampleSource> source, std::vector<int64_t> examples) {
  if (source->is_stream()) throw Error("of a stream no examples can be chosen");
  for (const int64_t i : examples)
    if (i < 0 || i >= source->size()) throw Error("the source has no example {}: it has {}, counted from 0", i, source->size());
  return std::make_shared<ChosenSource>(std::move(source), std::move(examples));
}

std::shared_ptr<const ExampleSource> stream_of(int64_t epoch_size, std::vector<SourceColumn> columns,
                                               std::function<ReadNext(int64_t epoch)> open) {
  if (epoch_size < 1) throw Error("an epoch of a stream needs at least 1 example, not {}", epoch_size);
  if (!open) throw Error("the function that opens a stream is a null function");
  return std::make_shared<StreamSource>(epoch_size, std::move(columns), std::move(open));
}

}  // namespace weft
