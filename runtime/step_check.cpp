#include "weft/runtime/step_check.h"

#include <algorithm>
#include <set>

#include "weft/support/error.h"

namespace weft {
namespace {

/// More passes than this take a day at least, of the shortest call.
constexpr int64_t most_passes = int64_t{1} << 40;

/// That there is no such name already.
class Names {
 public:
  explicit Names(std::string_view what) : what_(what) {}
  void add(const std::string& name) {
    if (!names_.insert(name).second) throw Error(ErrorKind::file, "{} '{}' is there twice", what_, name);
  }

 private:
  std::string_view what_;
  std::set<std::string_view> names_;
};

void check_names(const StepData& step) {
  Names inputs("the input"), outputs("the output"), groups("the optimizer's group"), counted("a counter of"), codes("code for");
  for (const Port& input : step.program.list.inputs) inputs.add(input.name);
  for (const Port& output : step.program.list.outputs) outputs.add(output.name);
  for (const StepNumbers& numbers : step.numbers) groups.add(numbers.group);
  for (const StepCounter& counter : step.counters)
    for (const std::string& parameter : counter.of) counted.add(parameter);
  for (const MachineCode& code : step.program.code) codes.add(code.isa);
}

/// Each loop's count times those of the loops around it.
void check_loops(const LaunchList& list) {
  std::vector<std::pair<size_t, int64_t>> around;  // behind its last launch, and its passes
  for (const LaunchLoop& loop : list.loops) {
    while (!around.empty() && loop.first >= around.back().first) around.pop_back();
    int64_t passes = 0;
    if (__builtin_mul_overflow(loop.count, around.empty() ? 1 : around.back().second, &passes) || passes > most_passes)
      throw Error(ErrorKind::file, "the loop over the launches {} to {} would run them more than {} times in a step", loop.first, loop.last,
                  most_passes);
    around.emplace_back(loop.last, passes);
  }
}

/// A result in the arena is what a launch has written there.
void check_results(const LaunchList& list) {
  const auto writes = [](const BufferPlace& written, const BufferPlace& place) {
    const bool could_be = written.written && written.kind == place.kind;
    return could_be && (!written.steps.empty() || written.conflicts(place));  // what moves in a loop, wherever it goes
  };
  for (size_t i = 0; i < std::min(list.outputs.size(), list.output_places.size()); ++i) {
    const BufferPlace& place = list.output_places[i];
    if (place.kind != BufferPlace::Kind::arena || list.outputs[i].bytes() == 0) continue;
    const bool written = std::any_of(list.launches.begin(), list.launches.end(), [&](const Launch& launch) {
      return std::any_of(launch.buffers.begin(), launch.buffers.end(), [&](const BufferPlace& b) { return writes(b, place); });
    });
    if (!written) throw Error(ErrorKind::file, "no launch computes the output '{}'", list.outputs[i].name);
  }
}

}  // namespace

void check_step(const StepData& step) {
  check_names(step);
  check_loops(step.program.list);
  check_results(step.program.list);
}

}  // namespace weft
