#include "weft/tests/ptx/machine.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "weft/tests/ptx/decode.h"

namespace weft::test::ptx {
namespace {

constexpr uint64_t most_threads = 1024;
constexpr Dim3 most_extents = {1024, 1024, 64}, most_blocks = {INT32_MAX, 65535, 65535};

bool exceeds(const Dim3& a, const Dim3& limit) { return a.x > limit.x || a.y > limit.y || a.z > limit.z; }

/// Where in .const each of its variables lies, and how many bytes they take.
uint64_t place_constants(const Text& text, std::map<std::string, uint64_t>& addresses) {
  uint64_t bytes = 0;
  for (const Variable& v : text.variables) {
    if (v.space != Space::constant) continue;
    bytes = (bytes + v.alignment - 1) / v.alignment * v.alignment;
    addresses[v.name] = const_base + bytes;
    bytes += v.bytes;
  }
  return bytes;
}

}  // namespace

Machine::Machine(std::string_view ptx, Memory* memory)
    : text_(parse(ptx)), own_(memory ? nullptr : std::make_unique<Memory>()), memory_(memory ? *memory : *own_),
      constants_("constant memory", const_base, place_constants(text_, addresses_), Access::read_only) {
  add_variables();
  for (const Entry& entry : text_.entries)
    if (!kernels_.emplace(entry.name, decode(entry, text_, addresses_)).second)
      throw Fault(Check::text, "the kernel stands there twice", "line " + std::to_string(entry.line) + ", `" + entry.name + "`");
}

Machine::~Machine() {
  for (const Variable& v : text_.variables)
    if (const auto at = addresses_.find(v.name); v.space == Space::global && at != addresses_.end()) memory_.free(at->second);
}

std::optional<uint64_t> Machine::param_bytes(std::string_view kernel) const {
  const auto found = kernels_.find(kernel);
  return found == kernels_.end() ? std::nullopt : std::optional(found->second.param_bytes);
}

/// What a global or constant variable starts with: what the text says, or zeros.
void Machine::add_variables() {
  for (const Variable& v : text_.variables) {
    std::vector<std::byte> initial = v.initial;
    initial.resize(v.bytes);
    switch (v.space) {
      case Space::global: addresses_[v.name] = memory_.allocate(v.name, initial); break;
      case Space::constant: constants_.fill(addresses_[v.name] - const_base, initial); break;
      case Space::shared: break;  // each block has its own
      default: throw Fault(Check::text, "a variable of that space belongs inside of a kernel", "line " + std::to_string(v.line));
    }
  }
}

const Kernel& Machine::checked_kernel(const Launch& launch) const {
  const auto found = kernels_.find(launch.kernel);
  const auto refuse = [&](const std::string& why) { throw Fault(Check::launch, why, "in " + launch.kernel); };
  if (found == kernels_.end()) refuse("there is no such kernel");
  const Kernel& kernel = found->second;
  const Entry& entry = *kernel.entry;
  if (launch.params.size() != kernel.param_bytes)
    refuse("parameters of " + std::to_string(launch.params.size()) + " bytes where it has " + std::to_string(kernel.param_bytes));
  if (launch.blocks.count() == 0 || launch.threads.count() == 0) refuse("no threads");
  if (exceeds(launch.blocks, most_blocks)) refuse("too many blocks");
  if (launch.threads.count() > most_threads || exceeds(launch.threads, most_extents)) refuse("a block of too many threads");
  if (entry.most_threads && launch.threads.count() > entry.most_threads->count()) refuse("a block of more threads than .maxntid says");
  if (const auto& exact = entry.exact_threads;
      exact && (launch.threads.x != exact->x || launch.threads.y != exact->y || launch.threads.z != exact->z))
    refuse("a block of other extents than .reqntid says");
  if (kernel.static_shared_bytes + launch.dynamic_shared_bytes > launch.most_shared_bytes) refuse("too much shared memory");
  return kernel;
}

uint64_t Machine::launch(const Launch& launch) {
  const Kernel& kernel = checked_kernel(launch);
  memory_.forget_accesses();
  constants_.forget_accesses();
  Region params("the parameters", param_base, kernel.param_bytes, Access::read_only);
  params.fill(0, launch.params);
  Grid grid{kernel, launch.blocks, launch.threads, launch.dynamic_shared_bytes, memory_,
            params, constants_,    launch.seed,    launch.most_instructions};
  Periods periods;
  std::vector<uint64_t> order(launch.blocks.count());
  std::iota(order.begin(), order.end(), uint64_t{0});
  if (launch.seed != 0) std::shuffle(order.begin(), order.end(), std::mt19937_64(launch.seed));
  Block block(grid);
  for (uint64_t number : order) block.run(number, periods);
  return launch.most_instructions - grid.instructions_left;
}

}  // namespace weft::test::ptx
