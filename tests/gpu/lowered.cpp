#include "weft/tests/gpu/lowered.h"

#include <algorithm>

#include "weft/backends/cuda/cuda.h"
#include "weft/backends/cuda/exec/program.h"
#include "weft/passes/pass.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/weft.h"

namespace weft::test {

ProgramData lowered(const Graph& graph) {
  ir::Module module = Recorded(graph).module.clone();
  passes::run(module, passes::pipeline("compile"), cuda::target());
  return cuda::lower(module, "sm_80");
}

CallDescriptor& call_of(ProgramData& program, std::string_view name) {
  const auto found = std::ranges::find_if(program.calls, [&](const CallDescriptor& c) { return c.call == name; });
  REQUIRE(found != program.calls.end());
  return *found;
}

const Launch& launch_of(const ProgramData& program, const CallDescriptor& call) {
  return program.list.launches[static_cast<size_t>(&call - program.calls.data())];
}

std::string refusal_of(ProgramData program) {
  try {
    cuda::load_program(std::move(program), {.driver = FakeCuda::file()});
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

}  // namespace weft::test
