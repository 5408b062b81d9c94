// Samples of convolutions, windows and pooling.

#include "weft/tests/ops/samples_parts.h"

namespace weft::testing {
namespace {

using ir::Attribute;
using ir::Type;

void add_convolutions(std::vector<Sample>& all, DType t) {
  using Attributes = ir::NamedAttributes;
  struct Case {
    Shape x, w, y;
    Attributes attributes;
  };
  const std::string nhwc = "acdb", blocked = "aBcd2b", weights = "ABcd2b2a";
  const std::vector<Case> cases = {
      {{2, 3, 7}, {4, 3, 3}, {2, 4, 5}, {}},
      {{2, 3, 8}, {4, 3, 3}, {2, 4, 4}, {{"stride", Dims{2}}, {"low", Dims{1}}, {"high", Dims{1}}}},
      {{1, 4, 9}, {6, 2, 2}, {1, 6, 6}, {{"groups", int64_t{2}}, {"dilation", Dims{3}}}},
      {{2, 2, 5, 6}, {3, 2, 3, 2}, {2, 3, 3, 5}, {}},
      {{2, 2, 5, 6}, {3, 2, 3, 3}, {2, 3, 3, 3}, {{"stride", Dims{2, 3}}, {"low", Dims{1, 2}}, {"high", Dims{1, 1}}}},
      {{1, 4, 5, 5}, {4, 1, 2, 2}, {1, 4, 4, 4}, {{"groups", int64_t{4}}}},
      {{1, 1, 3, 4, 3}, {2, 1, 2, 2, 2}, {1, 2, 2, 3, 2}, {}},
  };
  const auto add = [&](const Case& c) {
    const auto with = [&](const Shape& shape) {
      Attributes attributes = c.attributes;
      attributes.emplace_back("extents", Dims(shape.begin() + 2, shape.end()));
      return attributes;
    };
    all.push_back({"convolution", {{t, c.x}, {t, c.w}}, c.attributes});
    all.push_back({"convolution_data", {{t, c.y}, {t, c.w}}, with(c.x)});
    all.push_back({"convolution_weight", {{t, c.x}, {t, c.y}}, with(c.w)});
  };
  for (const Case& c : cases) add(c);
}

/// As the layout pass makes them, which comes after differentiation.
void add_planned_convolutions(std::vector<Sample>& all, DType t) {
  const auto add = [&](const char* op, Shape a, Shape b, ir::NamedAttributes attributes, const char* x, const char* w, const char* y) {
    attributes.insert(attributes.end(), {{"x_layout", std::string(x)}, {"w_layout", std::string(w)}, {"y_layout", std::string(y)}});
    all.push_back({op, {{t, std::move(a)}, {t, std::move(b)}}, std::move(attributes)});
    all.back().differentiable = false;
  };
  const Dims image{5, 5}, kernel{3, 3};
  add("convolution", {2, 5, 5, 4}, {3, 2, 3, 3, 2, 2}, {}, "acdb", "ABcd2b2a", "aBcd2b");
  add("convolution", {2, 4, 5, 5}, {2, 6, 3, 3}, {{"groups", int64_t{2}}}, "", "bacd", "acdb");
  add("convolution_data", {2, 3, 3, 3, 2}, {3, 2, 3, 3, 2, 2}, {{"extents", image}}, "acdb", "ABcd2a2b", "aBcd2b");
  add("convolution_weight", {2, 2, 5, 5, 2}, {2, 3, 3, 6}, {{"extents", kernel}}, "aBcd2b", "ABcd2b2a", "acdb");
  add("convolution_weight", {3, 4, 5, 5}, {3, 6, 3, 3}, {{"extents", kernel}, {"parts", int64_t{2}}}, "", "cdab", "");
  add("convolution_weight", {5, 4, 5, 5}, {5, 6, 3, 3}, {{"extents", kernel}, {"parts", int64_t{2}}}, "", "", "");
}

void add_windows(std::vector<Sample>& all, DType t) {
  all.push_back({"windows", {{t, {2, 7}}}, {{"axes", Dims{1}}, {"extents", Dims{3}}}});
  all.push_back({"windows", {{t, {6, 2, 4}}}, {{"axes", Dims{0, 2}}, {"extents", Dims{2, 2}}, {"stride", Dims{2, 2}}}});
  all.push_back({"windows",
                 {{t, {9}}},
                 {{"axes", Dims{0}},
                  {"extents", Dims{2}},
                  {"stride", Dims{3}},
                  {"dilation", Dims{2}},
                  {"low", Dims{2}},
                  {"high", Dims{1}},
                  {"value", 0.5}}});
  all.push_back({"windows", {{t, {5}}}, {{"axes", Dims{0}}, {"extents", Dims{3}}, {"low", Dims{1}}, {"flipped", true}}});
  all.push_back({"windows", {{i32, {1, 5}}}, {{"axes", Dims{1}}, {"extents", Dims{2}}, {"high", Dims{3}}, {"value", -3.0}}});
  for (const char* op : {"max_pool", "avg_pool"}) {
    all.push_back({op, {{t, {2, 3, 6}}}, {{"extents", Dims{2}}, {"stride", Dims{2}}}});
    all.push_back({op, {{t, {2, 5, 7}}}, {{"extents", Dims{3, 2}}, {"stride", Dims{1, 2}}, {"low", Dims{1, 0}}, {"high", Dims{2, 1}}}});
    all.push_back(
        {op, {{t, {7}}}, {{"extents", Dims{3}}, {"stride", Dims{2}}, {"dilation", Dims{2}}, {"low", Dims{1}}, {"high", Dims{1}}}});
  }
  all.push_back({"avg_pool", {{t, {2, 5}}}, {{"extents", Dims{3}}, {"low", Dims{1}}, {"high", Dims{1}}, {"count_padding", false}}});
  all.push_back({"avg_pool",
                 {{t, {2, 6}}},
                 {{"extents", Dims{3}}, {"stride", Dims{2}}, {"low", Dims{1}}, {"high", Dims{2}}, {"uncounted", Dims{1}}}});
  all.push_back({"avg_pool", {{t, {4, 4}}}, {{"extents", Dims{2, 2}}, {"divisor", int64_t{3}}}});
}

}  // namespace

void add_sliding(std::vector<Sample>& all, DType t) {
  add_convolutions(all, t);
  add_planned_convolutions(all, t);
  add_windows(all, t);
}

}  // namespace weft::testing
