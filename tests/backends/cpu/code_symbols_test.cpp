// The names of generated code, as debuggers and profilers find them.

#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "weft/backends/cpu/exec/code.h"
#include "weft/backends/cpu/exec/jit_interface.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

/// Two functions that return, the second one behind the first.
MachineCode two_functions() {
  MachineCode code;
  code.isa = "sse4";
  code.image.assign(40, std::byte{0xc3});
  code.functions = {{"weft_second", 24}, {"weft_first", 0}};
  return code;
}

/// How many objects that a debugger is told of hold the word.
int objects_with(const std::string& word) {
  int count = 0;
  for (const jit_code_entry* e = __jit_debug_descriptor.first_entry; e; e = e->next_entry)
    count += std::string(e->symfile_addr, e->symfile_size).find(word) != std::string::npos;
  return count;
}

class Variable {
 public:
  explicit Variable(const char* value) { setenv("WEFT_PERF", value, 1); }
  ~Variable() { unsetenv("WEFT_PERF"); }
};

}  // namespace

TEST_CASE("a debugger knows the functions of generated code while it is there", "[cpu]") {
  REQUIRE(objects_with("weft_second") == 0);
  {
    const cpu::Code one(two_functions());
    auto other = std::make_unique<cpu::Code>(two_functions());
    CHECK(objects_with("weft_second") == 2);
    CHECK(objects_with("weft_first") == 2);
    other.reset();
    CHECK(objects_with("weft_first") == 1);
  }
  CHECK(objects_with("weft_second") == 0);
}

TEST_CASE("WEFT_PERF=1 writes where perf looks for the functions of generated code", "[cpu]") {
  const std::string file = fmt::format("/tmp/perf-{}.map", getpid());
  std::filesystem::remove(file);
  const auto address_of = [](const cpu::Code& code, const char* name) { return reinterpret_cast<uint64_t>(code.find(name)); };
  for (const char* off : {"", "0"}) {
    const Variable set(off);
    const cpu::Code code(two_functions());
    CHECK(!std::filesystem::exists(file));
  }
  {
    const Variable set("1");
    const cpu::Code code(two_functions());
    CHECK(test::read_file(file) ==
          fmt::format("{:x} 18 weft_first\n{:x} 10 weft_second\n", address_of(code, "weft_first"), address_of(code, "weft_second")));
  }
  std::filesystem::remove(file);
  const Variable wrong("yes");
  CHECK_THROWS_WITH(cpu::Code(two_functions()), "WEFT_PERF must be 0 or 1, not 'yes'");
  CHECK(objects_with("weft_second") == 0);
}
