// f16 and the integers of 8 to 32 bits, as PyTorch has them: casts, ops, promotion, and how they are fed and trained with.

#include <functional>
#include <map>

#include "weft/support/conversion.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"

using namespace weft;
using namespace weft::testing;

namespace {

DType named(const json& name) { return dtype_from_name(name.get<std::string>()).value(); }

double element(const json& value) { return value.is_boolean() ? value.get<bool>() : number(value); }

Array array_of(const json& values, DType dtype) {
  Array array(dtype, {static_cast<int64_t>(values.size())});
  for (size_t i = 0; i < values.size(); ++i) array.set(static_cast<int64_t>(i), element(values[i]));
  return array;
}

/// The operands of tests/expected/stored_types.py.
std::pair<Array, Array> operands(DType dtype) {
  Array a = array_of({100, 3, 7, 90, 0, 100, 1, 5}, dtype), b = array_of({90, 3, 2, 70, 5, 7, 64, 4}, dtype);
  for (int64_t i = 0; i < 8 && !is_unsigned(dtype); ++i) {
    if (i % 2 == 1) a.set(i, -a.at(i));
    if (i % 4 >= 2) b.set(i, -b.at(i));
  }
  return {std::move(a), std::move(b)};
}

using Function = std::function<Tensor(Tensor a, Tensor b)>;
const std::map<std::string, Function>& functions() {
  static const std::map<std::string, Function> all{
      {"add", [](Tensor a, Tensor b) { return a + b; }},
      {"sub", [](Tensor a, Tensor b) { return a - b; }},
      {"mul", [](Tensor a, Tensor b) { return a * b; }},
      {"div", [](Tensor a, Tensor b) { return a / b; }},
      {"floor_divide", [](Tensor a, Tensor b) { return floor_divide(a, b); }},
      {"remainder", [](Tensor a, Tensor b) { return remainder(a, b); }},
      {"maximum", [](Tensor a, Tensor b) { return maximum(a, b); }},
      {"minimum", [](Tensor a, Tensor b) { return minimum(a, b); }},
      {"eq", [](Tensor a, Tensor b) { return a == b; }},
      {"lt", [](Tensor a, Tensor b) { return a < b; }},
      {"ge", [](Tensor a, Tensor b) { return a >= b; }},
      {"neg", [](Tensor a, Tensor) { return -a; }},
      {"abs", [](Tensor a, Tensor) { return abs(a); }},
      {"square", [](Tensor a, Tensor) { return square(a); }},
      {"exp", [](Tensor, Tensor b) { return exp(b / 64); }},
      {"and", [](Tensor a, Tensor b) { return a & b; }},
      {"xor", [](Tensor a, Tensor b) { return a ^ b; }},
      {"not", [](Tensor a, Tensor) { return ~a; }},
      {"shift_left", [](Tensor a, Tensor) { return a << 3; }},
      {"shift_right", [](Tensor a, Tensor) { return a >> 3; }},
      {"plus_number", [](Tensor a, Tensor) { return a + 1; }},
      {"times_real", [](Tensor a, Tensor) { return a * 0.5; }},
      {"where", [](Tensor a, Tensor b) { return select(a == b, a, b); }},
      {"cat", [](Tensor a, Tensor b) { return concat({a, b}); }},
      {"flip", [](Tensor a, Tensor) { return flip(a, 0); }},
      {"index_select", [](Tensor a, Tensor) { return index_select(a, 0, tensor({3, 0, 3}, {3}, i64)); }},
      {"gather", [](Tensor a, Tensor) { return take_along_axis(a, tensor({2, 1}, {2}, i64), 0); }},
      {"sum", [](Tensor a, Tensor) { return sum(a); }},
      {"prod", [](Tensor a, Tensor) { return prod(slice(a, 0, 0, 3)); }},
      {"cumsum", [](Tensor a, Tensor) { return cumsum(a, 0); }},
      {"amax", [](Tensor a, Tensor) { return max(a); }},
      {"amin", [](Tensor a, Tensor) { return min(a); }},
      {"argmax", [](Tensor a, Tensor) { return argmax(a); }},
      {"mean", [](Tensor a, Tensor) { return mean(a); }},
      {"sort", [](Tensor a, Tensor) { return sort(a, 0).values; }},
      {"matmul", [](Tensor a, Tensor b) { return matmul(reshape(a, {2, 4}), reshape(b, {4, 2})); }},
      {"index_add", [](Tensor a, Tensor b) { return scatter_add(a, tensor({1, 1, 7}, {3}, i64), slice(b, 0, 0, 3)); }},
      {"clamp", [](Tensor a, Tensor) { return clamp(a, 2, 100); }},
  };
  return all;
}

}  // namespace

TEST_CASE("stored types: casts between all types give what PyTorch gives, on every target and from memory") {
  const json stored = read_expected("stored_types")["casts"];
  CHECK(stored.size() == std::size(all_dtypes) * std::size(all_dtypes));
  for (const Target& target : {Target::cpu(), Target::reference()}) {
    Graph g("casts");
    std::vector<Array> fed;
    fed.reserve(stored.size());
    std::vector<Feed> feeds;
    std::vector<std::string> names;
    for (const auto& [name, pair] : stored.items()) {
      const size_t blank = name.find(' ');
      const DType from = named(name.substr(0, blank)), to = named(name.substr(blank + 1));
      fed.push_back(array_of(pair[0], from));
      names.push_back("from " + name);
      g.output(name, cast(g.input("from " + name, from, fed.back().shape()), to));
    }
    for (size_t i = 0; i < fed.size(); ++i) feeds.push_back({names[i], fed[i]});
    Step step = compile(g, target);
    const Results r = step.run(feeds);
    for (const auto& [name, pair] : stored.items()) {
      INFO(name);
      const Array got = r[name].array();
      CHECK(got.dtype() == named(name.substr(name.find(' ') + 1)));
      for (int64_t i = 0; i < got.shape().numel(); ++i) {
        const double want = rounded(got.dtype(), element(pair[1][static_cast<size_t>(i)]));
        INFO(pair[0][static_cast<size_t>(i)]);
        if (std::isnan(want)) CHECK(std::isnan(got.at(i)));
        else CHECK((got.at(i) == want && std::signbit(got.at(i)) == std::signbit(want)));
      }
    }
  }
}

TEST_CASE("stored types: what ops give of them is PyTorch's, with its type") {
  const json stored = read_expected("stored_types")["ops"];
  for (const Target& target : {Target::cpu(), Target::reference()})
    for (const DType dtype : {f16, i16, i8, u32, u16, u8}) {
      const auto [first, second] = operands(dtype);
      Graph g("ops");
      const Tensor a = g.input("a", dtype, {8}), b = g.input("b", dtype, {8});
      std::map<std::string, json> wanted;
      for (const auto& [name, f] : functions()) {
        const std::string key = std::string(name_of(dtype)) + " " + name;
        if (stored.contains(key)) wanted[name] = stored[key], g.output(name, f(a, b));
      }
      CHECK(wanted.size() >= 19);
      Step step = compile(g, target);
      const Results r = step({{"a", first}, {"b", second}});
      for (const auto& [name, want] : wanted) {
        INFO(name_of(dtype) << " " << name);
        const Array got = r[name].array();
        CHECK(got.dtype() == named(want[0]));
        REQUIRE(got.shape().numel() == static_cast<int64_t>(want[1].size()));
        const double tolerance = name == "exp" ? (dtype == f16 ? 0x1p-10 : 1e-6) : 0;
        for (int64_t i = 0; i < got.shape().numel(); ++i) {
          const double expected = element(want[1][static_cast<size_t>(i)]);
          if (got.dtype() == f32) CHECK(got.at(i) == Approx(expected).epsilon(1e-6));
          else CHECK(std::abs(got.at(i) - expected) <= tolerance * std::abs(expected));
        }
      }
    }
}

TEST_CASE("stored types: two promote to what torch.promote_types gives; u16 and u32 meet no other integer") {
  const json stored = read_expected("stored_types")["promotion"];
  Graph g("types");
  for (const DType a : all_dtypes)
    for (const DType b : all_dtypes) {
      const std::string key = std::string(name_of(a)) + " " + std::string(name_of(b)), want = stored[key].get<std::string>();
      INFO(key);
      const auto both = [&] { return select(zeros({1}) == 0, tensor({1}, {1}, a), tensor({1}, {1}, b)); };
      if (want.empty() && (a == boolean || b == boolean)) CHECK(both().dtype() == (a == boolean ? b : a));  // torch refuses these, too
      else if (want.empty())
        CHECK_THROWS_WITH(both(), contains_text("select: ") && contains_text("have no common element type, at ") &&
                                      contains_text("stored_types_test.cpp:") && contains_text("cast one of them"));
      else CHECK(both().dtype() == named(want));
    }
}

TEST_CASE("stored types: beyond its type a number wraps, but into i32 and i64, and what is not finite is 0") {
  const std::vector<double> x = {3e9, -3e9, 4294967296.0 + 258, -1e18, INFINITY, -INFINITY, NAN};
  const std::map<DType, std::vector<double>> wanted{
      {u32, {3e9, 1294967296, 258, 1486618624, 0, 0, 0}},
      {i16, {24064, -24064, 258, 0, 0, 0, 0}},
      {u8, {0, 0, 2, 0, 0, 0, 0}},
      {i8, {0, 0, 2, 0, 0, 0, 0}},
      {i32, {2147483647, -2147483648, 2147483647, -2147483648, 2147483647, -2147483648, 0}},
  };
  for (const Target& target : {Target::cpu(), Target::reference()})
    for (const auto& [dtype, want] : wanted) {
      INFO(name_of(dtype));
      Graph g("beyond");
      g.output("y", cast(g.input("x", f64, {7}), dtype));
      const Array got = compile(g, target)({{"x", x}})["y"].array();
      for (size_t i = 0; i < want.size(); ++i) CHECK(got.at(static_cast<int64_t>(i)) == want[i]);
    }
}

TEST_CASE("stored types: f16 converts bit for bit alike, with and without instructions for it") {
  std::vector<f16_t> halves;
  for (uint32_t bits = 0; bits < 65536; ++bits) halves.push_back({static_cast<uint16_t>(bits)});
  std::vector<float> floats;
  for (uint32_t i = 0; i < 1 << 18; ++i) floats.push_back(std::bit_cast<float>(i * 16411 + i % 7));
  for (uint32_t bits = 0; bits < 65536; ++bits)  // between two neighbours, and on either side of that
    for (const int64_t off : {-1, 0, 1})
      floats.push_back(
          std::bit_cast<float>(static_cast<uint32_t>(std::bit_cast<uint32_t>(from_f16({static_cast<uint16_t>(bits)})) + 0x1000 + off)));
  for (const std::string isa : {"sse4", "avx2", "avx512", ""}) {
    INFO(isa);
    std::optional<Step> step;
    try {
      Graph g("convert");
      const Tensor h = g.input("h", f16, {65536}), x = g.input("x", f32, {static_cast<int64_t>(floats.size())});
      g.output("wide", cast(h, f32));
      g.output("narrow", cast(x, f16));
      step.emplace(compile(g, Target::cpu({.max_isa = isa})));
    } catch (const Error& e) {
      if (std::string(e.what()).find("has no " + isa) == std::string::npos) throw;
      continue;
    }
    const Results r = (*step)({{"h", halves}, {"x", floats}});
    const auto wide = r["wide"].values<float>();
    const auto narrow = r["narrow"].values<f16_t>();
    size_t wrong = 0;
    for (size_t i = 0; i < halves.size(); ++i) wrong += std::bit_cast<uint32_t>(wide[i]) != std::bit_cast<uint32_t>(from_f16(halves[i]));
    CHECK(wrong == 0);
    for (size_t i = 0; i < floats.size(); ++i) wrong += narrow[i].bits != to_f16(floats[i]).bits;
    CHECK(wrong == 0);
  }
}

TEST_CASE("stored types: f16 to f32 and back is the same number, and rounding goes to the nearest, halves to even") {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    const f16_t h{static_cast<uint16_t>(bits)};
    const float x = from_f16(h);
    if (std::isnan(x)) CHECK((to_f16(x).bits == (bits | 0x200)));
    else CHECK(to_f16(x).bits == bits);
  }
  CHECK(from_f16({0x3c01}) == 1 + 0x1p-10f);
  CHECK(from_f16({1}) == 0x1p-24f);
  CHECK(from_f16({0xfbff}) == -65504);
  CHECK(to_f16(1 + 0x1p-11f).bits == 0x3c00);
  CHECK(to_f16(1 + 3 * 0x1p-11f).bits == 0x3c02);
  CHECK(to_f16(0x1p-25f).bits == 0);
  CHECK(to_f16(0x1.8p-24f).bits == 2);
  CHECK(to_f16(65519.996f).bits == 0x7bff);
  CHECK(to_f16(-65520).bits == 0xfc00);
}

TEST_CASE("stored types: batches of f16 and i16 are cast inside the program, and parameters of f16 are trained") {
  Graph g("line");
  Parameter w("w", Array(f16, {1}));
  const Tensor x = cast(g.input("x", f16, {4}), f32), y = cast(g.input("y", i16, {4}), f32);
  const Tensor loss = g.output("loss", mean(square(cast(w, f32) * x - y)));
  const Tensor dw = gradients<1>(loss, {w})[0];
  CHECK(dw.dtype() == f16);
  g.update(w, cast(cast(w, f32) - 0.05 * cast(dw, f32), f16));
  Step step = compile(g, Target::cpu());
  std::vector<f16_t> inputs;
  for (const float value : {0.5f, 1.0f, 1.5f, 2.0f}) inputs.push_back(to_f16(value));
  const std::vector<int16_t> targets{2, 4, 6, 8};
  for (int i = 0; i < 100; ++i) step({{"x", inputs}, {"y", targets}});
  CHECK(from_f16(w.values<f16_t>()[0]) == Approx(4).epsilon(0x1p-9));
}

TEST_CASE("stored types: ops of f16 that share a kernel round each, as if each had stored its result") {
  Graph g("rounding");
  const Tensor x = g.input("x", f16, {32});
  g.output("y", (x + 1) - 1);
  Array small(f16, {32});
  for (int64_t i = 0; i < 32; ++i) small.set(i, 0.0001 * static_cast<double>(i));
  for (const std::string isa : {"sse4", ""}) {
    const Array y = compile(g, Target::cpu({.max_isa = isa}))({{"x", small}})["y"].array();
    for (int64_t i = 0; i < 32; ++i) CHECK(y.at(i) == rounded(f16, rounded(f16, small.at(i) + 1) - 1));
    CHECK(y.at(3) == 0);
  }
}

TEST_CASE("stored types: losses and sums of f16 are computed in f32 and rounded once") {
  Graph g("half");
  const Tensor x = g.input("x", f16, {4096});
  g.output("sum", sum(x));
  g.output("loss", mse_loss(x, zeros_like(x)));
  std::vector<f16_t> ones(4096, to_f16(1.25f));
  for (const Target& target : {Target::cpu(), Target::reference()}) {
    Step step = compile(g, target);
    const Results r = step({{"x", ones}});
    CHECK(r["sum"].item() == 5120);  // added up in f16, one of them would be lost from 2048 on
    CHECK(r["loss"].item() == rounded(f16, 1.5625));
    CHECK(r["loss"].array().dtype() == f16);
  }
}

TEST_CASE("stored types: an op that takes no such type says what it takes") {
  Graph g("refused");
  const Tensor bytes = tensor({1, 2}, {2}, i8), halves = tensor({1, 2}, {2}, f16);
  CHECK_THROWS_WITH(mean(bytes), contains_text("mean") && contains_text("i8[2]"));
  CHECK_THROWS_WITH(softmax(bytes, 0), contains_text("i8[2]"));
  CHECK_THROWS_WITH(halves & halves, contains_text("the operands must be integers or bools"));
  CHECK_THROWS_WITH(index_select(bytes, 0, halves), contains_text("f16[2]"));
}
