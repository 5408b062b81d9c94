// Concatenations of many values, and nests that are equal: what the code generator makes of them.

#include "weft/support/shape.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::string module_text(const std::string& statements) { return "weft 1\nfunc @f {\n" + statements + "\n}\n"; }

/// A concat along `axis` of `count` values of shape [3,2,5], some of them computed, of other extents along the axis.
std::string joined(int count, int axis, const std::string& dtype) {
  std::string inputs, ops, names;
  const auto type = [&](int64_t extent) {
    Dims dims{3, 2, 5};
    dims[static_cast<size_t>(axis)] = extent;
    return dtype + to_string(Shape(dims));
  };
  int64_t whole = 0;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i), t = type(i % 4);
    inputs += "input %x" + n + ": " + t + "\n";
    if (i % 3 == 0) ops += "%e" + n + " = neg(%x" + n + ") : " + t + "\n";
    names += std::string(i ? ", %" : "%") + (i % 3 == 0 ? "e" : "x") + n;
    whole += i % 4;
  }
  return inputs + ops + "%y = concat(" + names + ") {axis = " + std::to_string(axis) + "} : " + type(whole) + "\n" +
         "%z = add(%y, %y) : " + type(whole) + "\noutput y = %y\noutput z = %z";
}

/// Products with what stands between them.
std::string layers(int count) {
  std::string text = "input %x: f32[16,32]\n", ops;
  std::string last = "%x";
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i);
    text += "input %w" + n + ": f32[32,32]\ninput %b" + n + ": f32[32]\n";
    ops += "%p" + n + " = matmul(" + last + ", %w" + n + ") : f32[16,32]\n%c" + n + " = broadcast(%b" + n +
           ") {shape = [16,32]} : f32[16,32]\n%s" + n + " = add(%p" + n + ", %c" + n + ") : f32[16,32]\n%g" + n + " = tanh(%s" + n +
           ") : f32[16,32]\n%m" + n + " = sum(%g" + n + ") {axes = [1]} : f32[16]\noutput m" + n + " = %m" + n + "\n";
    last = "%g" + n;
  }
  std::string outputs;
  for (size_t at; (at = ops.find("output ")) != std::string::npos;) {
    const size_t end = ops.find('\n', at);
    outputs += ops.substr(at, end - at + 1);
    ops.erase(at, end - at + 1);
  }
  return text + ops + outputs;
}

}  // namespace

TEST_CASE("cpu: a concatenation of many values is each of them in its place", "[cpu][joined]") {
  for (const std::string dtype : {"f32", "i64", "bf16"})
    for (int axis : {0, 1, 2})
      for (int count : {1, 2, 3, 7, 40, 200}) {
        if (dtype != "f32" && count > 40) continue;
        INFO(dtype << ", axis " << axis << ", " << count);
        const std::string text = module_text(joined(count, axis, dtype));
        const auto inputs = test::sample_inputs(text);
        CHECK(test::same_bits(test::run_cpu(text, inputs), test::run_reference(text, inputs)));
      }
}

TEST_CASE("cpu: concatenations inside of concatenations, pads and reductions", "[cpu][joined]") {
  for (int axis : {0, 1, 2}) {
    const std::string a = std::to_string(axis), type = axis == 0 ? "f32[18,2,5]" : axis == 1 ? "f32[3,12,5]" : "f32[3,2,30]";
    const std::string half = axis == 0 ? "f32[9,2,5]" : axis == 1 ? "f32[3,6,5]" : "f32[3,2,15]";
    const std::string low = axis == 0 ? "[2,0,0]" : axis == 1 ? "[0,2,0]" : "[0,0,2]";
    const std::string padded = axis == 0 ? "f32[20,2,5]" : axis == 1 ? "f32[3,14,5]" : "f32[3,2,32]";
    const std::string text = module_text(
        "input %x: f32[3,2,5]\ninput %y: f32[3,2,5]\ninput %z: f32[3,2,5]\n%e = exp(%y) : f32[3,2,5]\n"
        "%0 = concat(%x, %e, %z) {axis = " +
        a + "} : " + half + "\n%1 = concat(%e, %z, %e) {axis = " + a + "} : " + half + "\n%2 = concat(%0, %1) {axis = " + a +
        "} : " + type + "\n%3 = pad(%2) {low = " + low + ", high = [0,0,0]} : " + padded + "\n%4 = neg(%3) : " + padded +
        "\n%5 = max(%3) {axes = [2]} : " + padded.substr(0, padded.rfind(',')) + "]\noutput a = %4\noutput b = %5");
    const auto inputs = test::sample_inputs(text);
    const test::Outputs cpu = test::run_cpu(text, inputs), expected = test::run_reference(text, inputs);
    for (size_t i = 0; i < cpu.values.size(); ++i) CHECK(test::relative_difference(cpu.values[i], expected.values[i]) < 1e-6);
  }
}

TEST_CASE("cpu: equal nests are compiled once", "[cpu][joined]") {
  const size_t few = test::kernel_functions(module_text(layers(8))), many = test::kernel_functions(module_text(layers(64)));
  INFO(few << " functions for 8 layers, " << many << " for 64");
  CHECK(few > 0);
  CHECK(many <= few + 2);
  const std::string text = module_text(layers(64));
  const auto inputs = test::sample_inputs(text);
  const test::Outputs cpu = test::run_cpu(text, inputs), expected = test::run_reference(text, inputs);
  for (size_t i = 0; i < cpu.values.size(); ++i) CHECK(test::relative_difference(cpu.values[i], expected.values[i]) < 1e-4);
}
