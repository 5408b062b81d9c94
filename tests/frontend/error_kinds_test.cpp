// Every kind of error as it is really thrown: its parts, and the page that shows them.

#include <functional>
#include <map>
#include <new>
#include <optional>
#include <regex>

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/runtime/data/npy.h"
#include "weft/support/memory.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/page_section.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

namespace {

/// A target without a library.
class Nothing final : public passes::Target {
 public:
  std::string_view name() const override { return "nothing"; }
  bool claims(const ir::Op&) const override { return false; }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
};

struct ErrorExample {
  ErrorKind kind;
  const char* when;
  std::function<void()> provoke;
  /// Whether it has an op, something given, a place and a hint.
  bool op, given, where, hint;
};

Step classifier(const Target& target, const CompileOptions& options = {}) {
  Graph g("net");
  const Tensor x = g.input("x", f32, {2, 3}), y = g.input("y", i64, {2});
  g.output("loss", cross_entropy(log(x), y));
  return compile(g, target, options);
}

const std::vector<float> x6{1, 2, 3, 4, 5, 6};
const std::vector<int64_t> y2{0, 2};

std::vector<ErrorExample> examples() {
  const auto step = [] { return classifier(Target::cpu()); };
  return {
      {ErrorKind::usage, "a name that there is not", [step] { step()({{"x", x6}, {"z", y2}}); }, false, false, false, true},
      {ErrorKind::usage, "a pass that there is not", [] { passes::find_pass("fuze"); }, false, false, false, true},
      {ErrorKind::shape, "shapes that do not fit",
       [] {
         Graph g("g");
         matmul(g.input("a", f32, {2, 3}), g.input("b", f32, {2, 3}));
       },
       true, true, true, false},
      {ErrorKind::shape, "another element type than the program's", [step] { step()({{"x", std::vector<double>(6)}, {"y", y2}}); }, true,
       false, false, true},
      {ErrorKind::file, "a text that is no program",
       [] { ir::parse("weft 1\nfunc @f {\n input %x: f32[2]\n output y = %z\n}\n", "net.weft"); }, false, false, true, false},
      {ErrorKind::file, "a file that is damaged",
       [] {
         const test::TempDir dir;
         read_npy(dir.write("x.npy", "NUMPY"));
       },
       false, false, true, false},
      {ErrorKind::numeric, "an index that is out of its range", [step] { step()({{"x", x6}, {"y", std::vector<int64_t>{0, 3}}}); }, true,
       false, false, false},
      {ErrorKind::numeric, "a result that is not finite, where that is asked for",
       [] {
         const test::TempDir dir;
         const CompileOptions checked{.check_finite = true, .reproducer = dir / "net.not_finite"};
         classifier(Target::cpu(), checked)({{"x", std::vector<float>(6, -1)}, {"y", y2}});
       },
       true, false, true, true},
      {ErrorKind::memory, "more than there is", [] { Array(f32, Shape{int64_t{1} << 50}); }, false, false, false, false},
      {ErrorKind::device, "what the target does not run",
       [] {
         ir::Module module = ir::parse(
             "weft 1\nfunc @f {\n input %x: f32[4,4]\n input %i: i64[2]\n %0 = gather(%x, %i) : f32[2,4]\n"
             " output y = %0\n}\n",
             "net.weft");
         passes::run(module, {"expand"}, Nothing());
       },
       false, false, true, false},
  };
}

/// What it throws.
Error thrown_by(const ErrorExample& example) {
  try {
    example.provoke();
  } catch (const Error& e) {
    return e;
  }
  FAIL(example.when << ": nothing is thrown");
  return Error("nothing");
}

/// The same on every machine: without its memory and its folders, and the compiler's.
std::string everywhere(const std::string& text) {
  const std::string memory = std::regex_replace(text, std::regex("the [0-9]+ bytes \\([^)]*\\) that"), "all that");
  const std::string lines = std::regex_replace(memory, std::regex("[^ (]*/error_kinds_test"), "error_kinds_test");
  const std::string folders = std::regex_replace(lines, std::regex("weft run /[^ ]*/"), "weft run ");
  return std::regex_replace(folders, std::regex("'/[^']*/"), "'");
}

/// The section of docs/ERRORS.md.
std::string section() {
  const std::map<ErrorKind, std::string> what_to_do = {
      {ErrorKind::usage, "The call is wrong: an unknown name, a number out of its range, things in the wrong order. Change the program."},
      {ErrorKind::shape, "Shapes or element types do not go together."},
      {ErrorKind::file, "A file is not there, cannot be written, or is not what it should be."},
      {ErrorKind::numeric, "A number of the data or of the results: not finite, or an index out of its range."},
      {ErrorKind::memory, "More than there is; it is a `weft::OutOfMemory`. A smaller batch may do."},
      {ErrorKind::device, "This machine, or the target's library, does not do it."}};
  std::string text;
  std::optional<ErrorKind> last;
  for (const ErrorExample& example : examples()) {
    if (last != example.kind) text += fmt::format("\n## {}\n\n{}\n", name_of(example.kind), what_to_do.at(example.kind));
    last = example.kind;
    text += fmt::format("\nFor {}:\n\n```\n{}\n```\n", example.when, everywhere(thrown_by(example).what()));
  }
  return text + "\n";
}

}  // namespace

TEST_CASE("errors: each says its kind, who refuses, what was given, where, and what to try") {
  for (const ErrorExample& example : examples()) {
    INFO(example.when);
    const Error e = thrown_by(example);
    INFO(e.what());
    CHECK(e.kind() == example.kind);
    CHECK(!e.message().empty());
    CHECK(!e.op().empty() == example.op);
    CHECK(!e.given().empty() == example.given);
    CHECK(!e.where().empty() == example.where);
    CHECK(!e.hint().empty() == example.hint);
    CHECK(kind_of(e) == example.kind);
  }
}

TEST_CASE("errors: the text is made of the parts, and more may be said of one on its way") {
  Error e(ErrorKind::shape, "axis {} is out of range", 3);
  CHECK(std::string(e.what()) == "axis 3 is out of range");
  e.of("softmax").given("f32[2]").at("a.cpp:1").hint("count from 0").hint("");
  CHECK(std::string(e.what()) == "softmax: axis 3 is out of range; given (f32[2]), at a.cpp:1; count from 0");
  e.hint("or from the end");
  CHECK(e.hint() == "count from 0; or from the end");
  CHECK(std::string(Error(ErrorKind::file, "it is empty").at("'x.csv'").what()) == "'x.csv': it is empty");
  CHECK(std::string(Error(std::string("a\0b", 3)).of(std::string("c\0", 2)).what()) == "c\\0: a\\0b");
  const auto passed_on = [] {
    try {
      throw OutOfMemory("no room for {}", "x");
    } catch (Error& on_its_way) {
      on_its_way.at("a.cpp:1");
      throw;
    }
  };
  REQUIRE_THROWS_AS(passed_on(), OutOfMemory);
  REQUIRE_THROWS_WITH(passed_on(), "no room for x, at a.cpp:1");
}

TEST_CASE("errors: a defect is none, and what the system refuses has a kind too") {
  CHECK(kind_of(InternalError("x")) == ErrorKind::internal);
  CHECK(kind_of(std::bad_alloc()) == ErrorKind::memory);
  CHECK(kind_of(std::runtime_error("x")) == ErrorKind::internal);
  CHECK_FALSE(std::is_base_of_v<Error, InternalError>);
}

TEST_CASE("errors: docs/ERRORS.md shows what is really thrown") { test::check_page_section("docs/ERRORS.md", "kinds", section()); }
