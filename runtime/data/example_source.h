#pragma once
// Examples that are read or made when a batch needs them: torch.utils.data.Dataset.
//
//   struct Squares : ExampleSource {
//     int64_t size() const override { return 1000; }
//     std::vector<SourceColumn> columns() const override { return {{.name = "x", .shape = {1}}, {.name = "y", .shape = {1}}}; }
//     void read(Example& to) const override {
//       to.values<float>("x")[0] = static_cast<float>(to.index());
//       to.values<float>("y")[0] = static_cast<float>(to.index() * to.index());
//     }
//   };
//   Dataset data{.source = std::make_shared<Squares>()};

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/runtime/data/transform.h"
#include "weft/support/dtype.h"
#include "weft/support/error.h"
#include "weft/support/shape.h"

namespace weft {

/// What the examples of a source have under one name. "x" and "y" are what inputs and targets are in a Dataset: its divisor, transforms
/// and class names count for them.
struct SourceColumn {
  enum class Form {
    fixed,   // every example has this shape
    varies,  // an example may have another one, which the data set's transforms make one: images of several sizes. "x" alone
    padded   // axis 0 is the longest that there is; an example may have fewer rows, behind which `fill` stands
  };

  std::string name;
  DType dtype = f32;
  Shape shape = {};  // of one example
  Form form = Form::fixed;
  double fill = 0;
};

/// The place of an example in a batch, to be filled by a source.
class Example {
 public:
  /// Its number in the source.
  int64_t index() const { return index_; }
  int64_t epoch() const { return epoch_; }
  /// Random numbers that are a function of (seed, epoch, example), always the same ones: a source that draws no others gives the same
  /// for any number of workers, and after a resumed training.
  Draw draw() const;

  /// The elements under this name, to be written. Those of a column that is padded are as many as the batch's padded length wants, and
  /// hold its fill; all others hold what was there. Throws weft::Error for another name or element type.
  template <class T>
  std::span<T> values(std::string_view name) {
    return elements<T>(place(name, dtype_of<T>));
  }
  /// The same for a column whose shape varies: so this example's is.
  template <class T>
  std::span<T> values(std::string_view name, Shape shape) {
    return elements<T>(reshaped(name, dtype_of<T>, std::move(shape)));
  }
  /// The bytes of the elements, whatever their type.
  std::span<std::byte> bytes(std::string_view name);
  /// Rows of this batch's padded columns.
  int64_t padded_length() const { return length_; }

 private:
  friend class ExamplePlaces;
  struct Place {
    const SourceColumn* column;
    Shape shape;    // of this example
    std::byte* to;  // null: `room`
    size_t elements;
    std::vector<std::byte> room;
    bool given = false;
  };

  Place& place(std::string_view name);
  Place& place(std::string_view name, DType dtype);
  Place& reshaped(std::string_view name, DType dtype, Shape shape);
  template <class T>
  std::span<T> elements(Place& p) {
    return {reinterpret_cast<T*>(p.to ? p.to : p.room.data()), p.elements};
  }

  std::vector<Place> places_;
  int64_t index_ = 0, epoch_ = 0, length_ = 0, drawn_by_ = 0;
  uint64_t seed_ = 0;
};

class ExampleSource {
 public:
  virtual ~ExampleSource() = default;

  /// How many examples there are. Neither this nor what follows may change while a batcher uses the source.
  virtual int64_t size() const = 0;
  virtual std::vector<SourceColumn> columns() const = 0;
  /// Writes example to.index() under all names. Called from several threads at once, each with an example of its own; what it throws
  /// comes out of Batcher::next() in the place of the batch.
  virtual void read(Example& to) const = 0;

  /// The lengths that batches of padded columns may have, ascending, and at last the longest: a batch has the smallest one that holds
  /// its examples. Without them all batches have the longest.
  virtual std::vector<int64_t> padded_lengths() const { return {}; }
  /// How many rows the padded columns of an example have.
  virtual int64_t length(int64_t /*example*/) const { return 0; }
  /// Must it be read in order, by one worker?
  virtual bool is_stream() const { return false; }
  /// For messages: an example's file, or "".
  virtual std::string describe(int64_t /*example*/) const { return ""; }
};

/// A source of a function: `read` is ExampleSource::read.
///
///   Dataset data{.source = source_of(1000, {{.name = "x", .shape = {1}}}, [](Example& to) { to.values<float>("x")[0] = f(to.index()); })};
std::shared_ptr<const ExampleSource> source_of(int64_t size, std::vector<SourceColumn> columns, std::function<void(Example&)> read);

/// Some of a source's examples, in this order; one may come twice. Throws weft::Error naming one outside the source, and for a stream.
std::shared_ptr<const ExampleSource> chosen(std::shared_ptr<const ExampleSource> source, std::vector<int64_t> examples);

/// Gives example after example; false where there are no more.
using ReadNext = std::function<bool(Example&)>;

/// Examples that come one after the other and are not counted: torch.utils.data.IterableDataset. An epoch takes `epoch_size` of
/// them, since training must know where it ends. `open` is called at the beginning of every epoch, with its number, and again where the
/// examples end before the epoch does: a stream that gives none at all is an error. A training that resumes in the middle of an epoch
/// reads past those that it had. Batches are not shuffled, and one worker loads them.
///
///   Dataset lines{.source = stream_of(10'000, {{.name = "x", .dtype = i64, .shape = {64}}}, [](int64_t epoch) -> ReadNext {
///     return [log = std::make_shared<Log>("today.log")](Example& to) { return log->next(to.values<int64_t>("x")); };
///   })};
std::shared_ptr<const ExampleSource> stream_of(int64_t epoch_size, std::vector<SourceColumn> columns,
                                               std::function<ReadNext(int64_t epoch)> open);

}  // namespace weft
