// weft reduce on programs of some hundred ops, of which a compiler with a fault (miscompile/) makes something else.

#include <fmt/format.h>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using weft::test::Ran;
using weft::test::read_file;
using weft::test::run_command;
using weft::test::TempDir;

namespace {

/// The statements of a net, one after the other.
class Net {
 public:
  std::string op(const std::string& call, const std::string& type) {
    const std::string name = fmt::format("%{}", ops_++);
    body_ += fmt::format("  {} = {} : {}\n", name, call, type);
    return name;
  }
  std::string parameter(const std::string& type) {
    const std::string name = fmt::format("w{}", trained_.size());
    inputs_ += fmt::format("  input %{}: {} parameter\n", name, type);
    trained_.push_back(name);
    return "%" + name;
  }

  /// x / sqrt(mean(x^2) + eps) along the rows.
  std::string normalized(const std::string& x) {
    const std::string square = op(fmt::format("mul({0}, {0})", x), "f32[16,24]");
    const std::string mean = op(fmt::format("mean({}) {{axes = [1], keep_dims = true}}", square), "f32[16,1]");
    const std::string eps = op("constant() {value = f32[16,1] 0.00001}", "f32[16,1]");
    const std::string scale = op(fmt::format("rsqrt({})", op(fmt::format("add({}, {})", mean, eps), "f32[16,1]")), "f32[16,1]");
    return op(fmt::format("mul({}, {})", x, op(fmt::format("broadcast({}) {{shape = [16,24]}}", scale), "f32[16,24]")), "f32[16,24]");
  }
  std::string linear(const std::string& x, int in, int out) {
    const std::string to = fmt::format("f32[16,{}]", out);
    const std::string product = op(fmt::format("matmul({}, {})", x, parameter(fmt::format("f32[{},{}]", in, out))), to);
    const std::string bias = op(fmt::format("broadcast({}) {{shape = [16,{}]}}", parameter(fmt::format("f32[{}]", out)), out), to);
    return op(fmt::format("add({}, {})", product, bias), to);
  }
  /// A hidden layer of so many units behind a normalization; 16 make it square.
  std::string block(const std::string& x, int hidden, bool residual) {
    const std::string type = fmt::format("f32[16,{}]", hidden);
    const std::string h = linear(op(fmt::format("tanh({})", linear(normalized(x), 24, hidden)), type), hidden, 24);
    return residual ? op(fmt::format("add({}, {})", x, h), "f32[16,24]") : op(fmt::format("sigmoid({})", h), "f32[16,24]");
  }
  std::string text(const std::string& y, const std::string& type, bool trains) {
    const std::string loss = op(fmt::format("mean({}) {{axes = [0,1]}}", op(fmt::format("mul({0}, {0})", y), type)), "f32[]");
    const std::string train =
        trains ? fmt::format("train {{loss = \"loss\", inputs = [\"{}\"], optimizer = \"sgd\"}}\n", fmt::join(trained_, "\", \"")) : "";
    return fmt::format("weft 1\n{}func @net {{\n  input %x: f32[16,24]\n{}{}  output loss = {}\n}}\n", train, inputs_, body_, loss);
  }
  int ops() const { return ops_; }

 private:
  std::string inputs_, body_;
  std::vector<std::string> trained_;
  int ops_ = 0;
};

int ops_of(const std::string& program) {
  int count = 0;
  for (size_t at = 0; (at = program.find("\n  %", at)) != std::string::npos; ++at) ++count;
  return count;
}

/// What is left of the program in which the fault shows.
std::string reduced(const std::string& program, const std::string& fault, int most_commands) {
  const TempDir dir;
  const std::string file = dir.write("net.weft", program), small = dir / "small.weft", count = dir / "count";
  const std::string finds = fmt::format("{} {}", WEFT_MISCOMPILE, fault);
  const Ran ran = run_command(fmt::format("{} reduce {} --while 'echo >> {}; {} {{}}' -o {}", WEFT_TOOL, file, count, finds, small));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(run_command(finds + " " + small).code == 0);
  CHECK(static_cast<int>(read_file(count).size()) <= most_commands);
  return read_file(small);
}

}  // namespace

TEST_CASE("weft reduce leaves a few of 400 ops of a program that is miscompiled in one place", "[tool]") {
  Net net;
  std::string x = "%x";
  for (int i = 0; i < 26; ++i) {
    x = net.block(x, 32, i % 3 != 0);
    if (i != 15) continue;
    const std::string t = net.op(fmt::format("tanh({})", x), "f32[16,24]");
    x = net.op(fmt::format("mul({}, {})", x, net.op(fmt::format("add({}, {})", t, x), "f32[16,24]")), "f32[16,24]");
  }
  const std::string program = net.text(x, "f32[16,24]", false);
  REQUIRE(net.ops() >= 395);
  const std::string small = reduced(program, "product", 200);
  INFO(small);
  CHECK(ops_of(small) == 3);
  CHECK_THAT(small, contains_text("f32[1,1]") && !contains_text("16"));
}

TEST_CASE("weft reduce leaves a few of 400 ops of a program whose gradient is miscompiled", "[tool]") {
  Net net;
  std::string x = "%x";
  for (int i = 0; i < 26; ++i) x = net.block(x, i == 11 ? 16 : 32, i % 3 != 0);
  for (int width = 24; width > 4; width -= 5) x = net.linear(x, width, width - 5);  // no two of one type
  const std::string program = net.text(x, "f32[16,4]", true);
  REQUIRE(net.ops() >= 395);
  const std::string small = reduced(program, "transpose", 300);
  INFO(small);
  CHECK_THAT(small, contains_text("train {loss"));
  CHECK(ops_of(small) == 2);
  CHECK_THAT(small, contains_text("f32[2,2]"));  // a square that is not symmetric
}

TEST_CASE("weft reduce goes past an op along whichever operand keeps what is looked for", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("a.weft",
                                     "weft 1\nfunc @f {\n  input %x: f32[4]\n  input %z: f32[4]\n  %0 = exp(%x) : f32[4]\n"
                                     "  %1 = add(%z, %0) : f32[4]\n  %2 = reshape(%1) {shape = [2,2]} : f32[2,2]\n  output y = %2\n}\n");
  const Ran ran = run_command(WEFT_TOOL " reduce " + file + " --while 'grep -q exp {} && grep -q reshape {}'");
  CHECK(ran.code == 0);
  CHECK(ops_of(ran.out) == 2);
}
