#include "weft/runtime/data/dataset.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "weft/runtime/float_mode.h"

namespace weft {
namespace {

Array converted(const Array& from, DType dtype) {
  Array result(dtype, from.shape(), std::source_location());
  for (int64_t i = 0; i < from.shape().numel(); ++i) result.set(i, from.at(i));
  return result;
}

Shape several(const Shape& example, int64_t count) {
  Dims dims = example.dims();
  dims.insert(dims.begin(), count);
  return Shape(std::move(dims));
}

void check_padding(const Dataset& data) {
  std::vector<int64_t> lengths = data.source->padded_lengths();
  const bool ascends = std::adjacent_find(lengths.begin(), lengths.end(), std::greater_equal<>()) == lengths.end();
  for (const SourceColumn& c : data.source->columns())
    if (c.form == SourceColumn::Form::padded) {
      if (lengths.empty()) lengths = {c.shape[0]};
      if (ascends && lengths.front() >= 0 && lengths.back() == c.shape[0]) continue;
      throw Error("padded lengths ascend and end with the longest, {}, which is that of '{}' of {}, but they do not", c.shape[0], c.name,
                  data.title());
    }
}

}  // namespace

DType Dataset::held_as_input(DType given) { return given == u8 ? u8 : held_as_target(given); }

DType Dataset::held_as_target(DType given) { return is_floating(given) ? f32 : is_integer(given) ? i64 : given; }

Dataset Dataset::from(Array inputs, Array targets) {
  const FloatMode mode;
  Dataset result;
  if (const DType dtype = held_as_input(inputs.dtype()); dtype != inputs.dtype()) inputs = converted(inputs, dtype);
  if (const DType dtype = held_as_target(targets.dtype()); dtype != targets.dtype()) targets = converted(targets, dtype);
  result.inputs = std::move(inputs);
  result.targets = std::move(targets);
  result.check();
  return result;
}

Shape Dataset::Column::batch(int64_t size, int64_t padded_length) const {
  Shape all = several(example, size);
  if (!padded || padded_length < 0) return all;
  Dims dims = all.dims();
  dims.at(1) = padded_length;
  return Shape(std::move(dims));
}

bool Dataset::is_left_out(const Array& array) const { return array.shape() == Shape{0} && (size() > 0 || source); }

std::vector<Dataset::Column> Dataset::columns() const {
  std::vector<Column> all;
  const auto delivered = [](DType dtype) { return dtype == i64 ? i64 : f32; };
  const auto add = [&](std::string column, const Array& array) {
    const Dims& dims = array.shape().dims();
    all.push_back({std::move(column), &array, array.dtype(), Shape(Dims(dims.begin() + 1, dims.end()))});
  };
  if (!is_left_out(inputs)) add("x", inputs);
  if (!is_left_out(targets)) add("y", targets);
  for (const SourceColumn& c : source ? source->columns() : std::vector<SourceColumn>())
    all.push_back({c.name, nullptr, c.dtype, c.shape, c.form == SourceColumn::Form::padded});
  for (const auto& [array, values] : arrays) add(array, values);
  for (Column& c : all) {
    if (c.name == "x") c.dtype = delivered(c.dtype), c.example = transformed(c.example);
    if (c.name == "y" && mixup) c.dtype = f32, c.example = Shape{mixup_classes()};
  }
  return all;
}

Dataset::Column Dataset::column(std::string_view wanted) const {
  for (Column& c : columns())
    if (c.name == wanted) return std::move(c);
  throw Error("{} has no {}", title(), wanted == "x" ? "inputs" : "targets");
}

std::string Dataset::title() const { return name.empty() ? "the data set" : "data set '" + name + "'"; }

Shape Dataset::transformed(Shape example) const {
  for (const Transform& transform : transforms) example = transform.shape(example);
  return example;
}

void Dataset::check_counts() const {
  if (inputs.shape().rank() == 0 || targets.shape().rank() == 0)
    throw Error("data set arrays need an axis of examples, but inputs are {} and targets are {}", to_string(inputs.shape()),
                to_string(targets.shape()));
  if (!is_left_out(inputs) && !is_left_out(targets) && inputs.shape()[0] != targets.shape()[0])
    throw Error("a data set needs one target for each input, but inputs are {} and targets are {}", to_string(inputs.shape()),
                to_string(targets.shape()));
  for (const Array* array : {&inputs, &targets})
    if (source && !is_left_out(*array) && array->shape()[0] != size())
      throw Error("{} has a source of {} examples, but its {} are {}", title(), size(), array == &inputs ? "inputs" : "targets",
                  to_string(array->shape()));
  std::set<std::string_view> names;
  if (!is_left_out(inputs)) names.insert("x");
  if (!is_left_out(targets)) names.insert("y");
  for (const auto& [array, values] : arrays) {
    if (array.empty() || !names.insert(array).second)
      throw Error("{} has {}", title(), array.empty() ? "an array without a name" : "two arrays called '" + array + "'");
    if (values.shape().rank() == 0 || values.shape()[0] != size())
      throw Error("{} has {} examples, but its array '{}' is {}", title(), size(), array, to_string(values.shape()));
  }
}

void Dataset::check_inputs(DType dtype) const {
  if (dtype != u8 && dtype != f32 && dtype != i64) throw Error("data set inputs must be u8, f32 or i64, but they are {}", name_of(dtype));
  if (!std::isfinite(divisor) || divisor <= 0) throw Error("a data set's divisor must be positive and finite, but it is {}", divisor);
  if (dtype == i64 && divisor != 1.0f) throw Error("i64 inputs are delivered as they are, so the divisor must be 1, but it is {}", divisor);
  for (size_t i = 0; i < transforms.size(); ++i)
    if (const Transform& t = transforms[i]; !t.shape || !t.apply)
      throw Error("transform {} of {}, '{}', has no function .{}: both .shape and .apply must be set", i, title(), t.name,
                  t.shape ? "apply" : "shape");
  if (dtype == i64 && !transforms.empty())
    throw Error("i64 inputs are delivered as they are, but the data set has the transform '{}'", transforms[0].name);
}

void Dataset::check_source() const {
  using Form = SourceColumn::Form;
  std::set<std::string> names;
  if (!is_left_out(inputs)) names.insert("x");
  if (!is_left_out(targets)) names.insert("y");
  for (const auto& [array, values] : arrays) names.insert(array);
  for (const SourceColumn& c : source->columns()) {
    if (c.name.empty() || !names.insert(c.name).second)
      throw Error("the source of {} has {}", title(), c.name.empty() ? "a column without a name" : "another '" + c.name + "'");
    if (c.name == "x") check_inputs(c.dtype);
    if (c.name == "y" && c.dtype != i64 && c.dtype != f32)
      throw Error("data set targets must be i64 or f32, but they are {}", name_of(c.dtype));
    if (c.form == Form::varies && (c.name != "x" || c.dtype == i64))
      throw Error("only u8 or f32 inputs, \"x\", vary in shape, for transforms make them one, but '{}' of {} is {}", c.name, title(),
                  name_of(c.dtype));
    if (c.form == Form::padded && (c.shape.rank() == 0 || (c.name == "x" && !transforms.empty())))
      throw Error("rows of '{}' of {} cannot be padded: {}", c.name, title(),
                  c.shape.rank() == 0 ? "an example is a single number" : "transforms want images");
  }
  check_padding(*this);
}

void Dataset::check_mixup() const {
  if (!(mixup->alpha > 0) || !std::isfinite(mixup->alpha))
    throw Error("mixup's alpha must be positive and finite, but it is {}", mixup->alpha);
  if (mixup_classes() < 1) throw Error("mixup of {} needs .classes, for it has no class names", title());
  bool labels = false;
  for (const SourceColumn& c : source ? source->columns() : std::vector<SourceColumn>())
    labels = labels || (c.name == "y" && c.dtype == i64 && c.shape.rank() == 0);
  labels = labels || (!is_left_out(targets) && targets.dtype() == i64 && targets.shape().rank() == 1);
  if (!labels || input_dtype() != f32)
    throw Error("mixup blends f32 inputs and targets that are one class index each, which {} does not have", title());
}

void Dataset::check() const {
  if (const DType out = targets.dtype(); out != i64 && out != f32)
    throw Error("data set targets must be i64 or f32, but they are {}", name_of(out));
  check_counts();
  check_inputs(inputs.dtype());
  if (source) check_source();
  columns();  // lets every transform look at what it gets
  if (mixup) check_mixup();
}

int64_t Dataset::size() const {
  const auto count = [](const Array& array) { return array.shape().rank() == 0 ? 0 : array.shape()[0]; };
  if (source) return source->size();
  for (const Array* array : {&inputs, &targets})
    if (array->shape() != Shape{0}) return count(*array);
  return arrays.empty() ? 0 : count(arrays[0].second);
}

}  // namespace weft
