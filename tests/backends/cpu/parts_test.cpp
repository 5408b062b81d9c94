// Programs whose kernels are compiled in parts, on several cores.

#include <sched.h>

#include <algorithm>

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// `count` values that are computed apart from each other, each by kernels of its own: sums along rows with several functions.
std::string separate(int count) {
  std::string inputs, ops, outputs;
  for (int i = 0; i < count; ++i) {
    const std::string n = std::to_string(i), rows = std::to_string(i + 2);
    const std::string type = "f32[" + rows + ",33]", row = "f32[" + rows + "]";
    inputs += "input %x" + n + ": " + type + "\n";
    ops += "%a" + n + " = tanh(%x" + n + ") : " + type + "\n%b" + n + " = erf(%a" + n + ") : " + type + "\n%c" + n + " = sum(%b" + n +
           ") {axes = [1]} : " + row + "\n%d" + n + " = log1p(%c" + n + ") : " + row + "\n";
    outputs += "output y" + n + " = %d" + n + "\n";
  }
  return "weft 1\nfunc @f {\n" + inputs + ops + outputs + "}\n";
}

ir::Module planned(const std::string& text) {
  ir::Module module = ir::parse(text);
  passes::run(module, passes::pipeline("compile"), cpu::target());
  return module;
}

MachineCode code_of(const std::string& text) { return cpu::lower(planned(text)).code.front(); }

bool same(const MachineCode& a, const MachineCode& b) {
  const auto same_function = [](const auto& x, const auto& y) { return x.name == y.name && x.offset == y.offset; };
  const auto same_slot = [](const auto& x, const auto& y) { return x.offset == y.offset && x.symbol == y.symbol && x.addend == y.addend; };
  return a.image == b.image && std::equal(a.functions.begin(), a.functions.end(), b.functions.begin(), b.functions.end(), same_function) &&
         std::equal(a.slots.begin(), a.slots.end(), b.slots.begin(), b.slots.end(), same_slot);
}

/// Lets this process run on one core only.
class OneCore {
 public:
  OneCore() {
    sched_getaffinity(0, sizeof before_, &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    sched_setaffinity(0, sizeof one, &one);
  }
  ~OneCore() { sched_setaffinity(0, sizeof before_, &before_); }

 private:
  cpu_set_t before_;
};

}  // namespace

TEST_CASE("a program is the same code however many cores compile it", "[cpu]") {
  const std::string text = separate(40);
  const MachineCode code = code_of(text);
  CHECK(same(code_of(text), code));
  const OneCore alone;
  CHECK(same(code_of(text), code));
}

TEST_CASE("kernels that are compiled in parts call functions of other parts", "[cpu]") {
  const std::string text = separate(40);
  const ir::Module module = planned(text);
  // Asked for texts, the compiler keeps all kernels together.
  std::vector<KernelText> texts;
  const auto together = cpu::compile(module, {}, &texts), parts = cpu::compile(module);
  const std::vector<Array> inputs = test::sample_inputs(text);
  CHECK(test::same_bits(test::run(*parts, inputs), test::run(*together, inputs)));
}

TEST_CASE("debuggers and profilers tell the nests of a kernel apart", "[cpu]") {
  const MachineCode code = code_of(separate(3));
  const auto is_nest = [](const MachineCode::Function& f) { return f.name.find(".nest") != std::string::npos; };
  CHECK(std::count_if(code.functions.begin(), code.functions.end(), is_nest) >= 3);
}
