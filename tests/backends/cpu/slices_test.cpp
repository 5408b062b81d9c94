// Nests that read slices: those that differ only in where the slices start run one kernel, whose pointers differ.

#include <cstring>

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/support/shape.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::string module_text(const std::string& statements) { return "weft 1\nfunc @f {\n" + statements + "\n}\n"; }

/// `slice(x)` from `first` on, so many indices of `axis`, every `step`th; x has this shape.
std::string sliced(const std::string& x, Dims shape, size_t axis, int64_t first, int64_t count, int64_t step, const std::string& dtype) {
  Dims start(shape.size(), 0), end = shape, steps(shape.size(), 1), result = shape;
  start[axis] = first, end[axis] = count == 0 ? first : first + (count - 1) * step + 1, steps[axis] = step, result[axis] = count;
  return fmt::format("slice({}) {{start = {}, end = {}, step = {}}} : {}{}", x, to_string(Shape(start)), to_string(Shape(end)),
                     to_string(Shape(steps)), dtype, to_string(Shape(result)));
}

/// A recurrence over the middle axis of x: two slices and what came before, a product apart.
std::string recurrence(int steps) {
  std::string text = "input %x: f32[3," + std::to_string(steps) + ",8]\ninput %w: f32[4,4]\ninput %h0: f32[3,4]\n";
  for (int t = 0; t < steps; ++t) {
    const std::string n = std::to_string(t), at = "[0," + n + ",", to = "[3," + std::to_string(t + 1) + ",";
    text += "%a" + n + " = slice(%x) {start = " + at + "0], end = " + to + "4]} : f32[3,1,4]\n%b" + n + " = slice(%x) {start = " + at +
            "4], end = " + to + "8]} : f32[3,1,4]\n%c" + n + " = mul(%a" + n + ", %b" + n + ") : f32[3,1,4]\n%d" + n + " = reshape(%c" + n +
            ") {shape = [3,4]} : f32[3,4]\n%p" + n + " = matmul(%h" + n + ", %w) : f32[3,4]\n%s" + n + " = add(%p" + n + ", %d" + n +
            ") : f32[3,4]\n%h" + std::to_string(t + 1) + " = tanh(%s" + n + ") : f32[3,4]\n";
  }
  return module_text(text + "output h = %h" + std::to_string(steps));
}

void check_as_reference(const std::string& text) {
  INFO(text);
  const auto inputs = test::sample_inputs(text);
  const test::Outputs cpu = test::run_cpu(text, inputs), expected = test::run_reference(text, inputs);
  for (size_t i = 0; i < cpu.values.size(); ++i) CHECK(test::relative_difference(cpu.values[i], expected.values[i]) < 1e-5);
}

}  // namespace

TEST_CASE("cpu: the steps of a recurrence run one kernel, wherever they read", "[cpu][slices]") {
  const size_t few = test::kernel_functions(recurrence(3)), many = test::kernel_functions(recurrence(40));
  INFO(few << " functions for 3 steps, " << many << " for 40");
  CHECK(few > 0);
  CHECK(many == few);
  check_as_reference(recurrence(40));
}

TEST_CASE("cpu: slices of a value are its elements, in one launch and in many", "[cpu][slices]") {
  const Dims shape{5, 6, 7};
  for (const std::string dtype : {"f32", "f64", "bf16", "i64", "i32", "bool"})
    for (size_t axis : {0, 1, 2})
      for (int64_t step : {1, 2, 3})
        for (int64_t count : {0, 1, 2}) {
          // Each in a nest of its own, small ones in one launch.
          std::string text = "input %x: " + dtype + to_string(Shape(shape)) + "\n", outputs;
          for (int64_t first = 0; first + std::max<int64_t>(0, count - 1) * step < shape[axis]; ++first) {
            const std::string n = std::to_string(first);
            text += "%s" + n + " = " + sliced("%x", shape, axis, first, count, step, dtype) + "\n";
            outputs += "output s" + n + " = %s" + n + "\n";
          }
          check_as_reference(module_text(text + outputs));
        }
}

TEST_CASE("cpu: slices of a value that is read otherwise too", "[cpu][slices]") {
  // The whole of it; another slice that starts before along one axis and behind along the other; one that is padded again,
  // joined, summed; an empty one beside; the slice of a slice, of a transpose.
  const std::string x = "input %x: f32[6,9]\n%a = slice(%x) {start = [2,3], end = [4,8]} : f32[2,5]\n";
  for (const std::string rest :
       {"%s = sum(%x) {axes = [0,1]} : f32[]\n%b = broadcast(%s) {shape = [2,5]} : f32[2,5]\n%y = mul(%a, %b) : f32[2,5]",
        "%b = slice(%x) {start = [0,4], end = [2,9]} : f32[2,5]\n%y = mul(%a, %b) : f32[2,5]",
        "%b = slice(%x) {start = [4,1], end = [6,6]} : f32[2,5]\n%c = slice(%x) {start = [3,2], end = [5,7]} : f32[2,5]\n"
        "%d = mul(%a, %b) : f32[2,5]\n%y = add(%c, %d) : f32[2,5]",
        "%y = pad(%a) {low = [1,2], high = [3,1], value = 2.5} : f32[6,8]",
        "%b = slice(%x) {start = [4,1], end = [6,6]} : f32[2,5]\n%y = concat(%a, %b, %a) {axis = 1} : f32[2,15]",
        "%b = pad(%a) {low = [1,2], high = [3,2]} : f32[6,9]\n%y = add(%b, %x) : f32[6,9]",
        "%b = neg(%a) : f32[2,5]\n%y = sum(%b) {axes = [1]} : f32[2]",
        "%b = slice(%x) {start = [6,3], end = [6,8]} : f32[0,5]\n%y = concat(%b, %a) {axis = 0} : f32[2,5]",
        "%b = slice(%x) {start = [6,9], end = [6,9]} : f32[0,0]\n%c = pad(%b) {low = [2,5], high = [0,0]} : f32[2,5]\n%y = add(%a, %c) : "
        "f32[2,5]",
        "%b = slice(%a) {start = [1,1], end = [2,4]} : f32[1,3]\n%y = neg(%b) : f32[1,3]",
        "%b = transpose(%x) {permutation = [1,0]} : f32[9,6]\n%c = slice(%b) {start = [3,2], end = [8,4]} : f32[5,2]\n"
        "%d = transpose(%c) {permutation = [1,0]} : f32[2,5]\n%y = mul(%a, %d) : f32[2,5]"})
    check_as_reference(module_text(x + rest + "\noutput y = %y"));
}

TEST_CASE("cpu: a kernel whose operands have no elements has its other buffers", "[cpu][slices]") {
  const std::string text = module_text("input %x: f32[0,3]\n%y = sum(%x) {axes = [0]} : f32[3]\noutput y = %y");
  check_as_reference(text);
  ir::Module module = ir::parse(text);
  passes::run(module, passes::pipeline("compile"), cpu::target());
  const auto program = cpu::compile(module, {});
  std::byte* const nothing = nullptr;
  program->run({&nothing, 1});
  float sums[3];
  std::memcpy(sums, program->output(0), sizeof sums);
  for (float sum : sums) CHECK(sum == 0);
}
