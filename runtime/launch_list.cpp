#include "weft/runtime/launch_list.h"

#include "weft/support/error.h"

namespace weft {

bool BufferPlace::conflicts(const BufferPlace& other) const {
  if (kind != other.kind || !(written || other.written)) return false;
  if (kind != Kind::arena) return position == other.position;
  return position < other.position + other.bytes && other.position < position + bytes;
}

BufferPlace BufferPlace::over_all(const Dims& passes) const {
  BufferPlace all{kind, position, bytes, written};
  int64_t low = offset, high = offset;
  for (size_t i = 0; i < steps.size(); ++i) {
    if (passes[i] < 1) return {kind, position, 0, written};
    (steps[i] < 0 ? low : high) += steps[i] * (passes[i] - 1);
  }
  if (kind == Kind::arena) all.position += low, all.bytes += high - low;
  return all;
}

bool Launch::conflicts(const Launch& other) const {
  for (const BufferPlace& a : buffers)
    for (const BufferPlace& b : other.buffers)
      if (a.conflicts(b)) return true;
  return false;
}

namespace {

/// Does it lie in the first `end` bytes behind its position, whatever the pass? All numbers may be anything.
bool stays_inside(const BufferPlace& place, const Dims& passes, int64_t end) {
  if (end < 0 || place.steps.size() > passes.size() || (place.steps.empty() && place.offset != 0)) return false;
  int64_t low = place.offset, high = place.offset;
  for (size_t i = 0; i < place.steps.size(); ++i) {
    if (passes[i] < 1) return true;  // nobody ever looks there
    int64_t reach = 0;
    if (__builtin_mul_overflow(place.steps[i], passes[i] - 1, &reach)) return false;
    if (__builtin_add_overflow(reach < 0 ? low : high, reach, reach < 0 ? &low : &high)) return false;
  }
  return low >= 0 && high <= end && place.bytes <= end - high;
}

}  // namespace

void require_room(const LaunchList& list, const BufferPlace& place, int64_t needed, const std::string& what, const Dims& passes) {
  int64_t end = 0;
  const auto at = static_cast<size_t>(place.position);
  switch (place.kind) {
    case BufferPlace::Kind::input: end = at < list.inputs.size() ? static_cast<int64_t>(list.inputs[at].bytes()) : -1; break;
    case BufferPlace::Kind::constant:
      end = at < list.constants.size() && !place.written ? static_cast<int64_t>(list.constants[at].bytes()) : -1;
      break;
    case BufferPlace::Kind::arena: end = place.position >= 0 ? list.arena_bytes - place.position : -1; break;
  }
  if (place.bytes < 0 || !stays_inside(place, passes, end) || needed > place.bytes)
    throw Error(ErrorKind::file, "{} of {} bytes, which needs {}, does not lie where the program has room", what, place.bytes, needed);
}

void require_loops(const LaunchList& list) {
  std::vector<LaunchLoop> around{{0, list.launches.size(), 1}};
  size_t previous = 0;
  for (const LaunchLoop& loop : list.loops) {
    while (around.size() > 1 && loop.first >= around.back().last) around.pop_back();
    if (loop.first >= loop.last || loop.first < previous || loop.last > around.back().last || loop.count < 0)
      throw Error(ErrorKind::file, "a loop over the launches {} to {}, {} times: no program of weft has it there", loop.first, loop.last,
                  loop.count);
    around.push_back(loop);
    previous = loop.first;
  }
}

std::vector<size_t> loops_around(const LaunchList& list, size_t launch) {
  std::vector<size_t> around;
  for (size_t i = 0; i < list.loops.size(); ++i)
    if (list.loops[i].first <= launch && launch < list.loops[i].last) around.push_back(i);
  return around;
}

Dims passes_around(const LaunchList& list, size_t launch) {
  Dims passes;
  for (size_t i : loops_around(list, launch)) passes.push_back(list.loops[i].count);
  return passes;
}

void require_outputs(const LaunchList& list) {
  if (list.output_places.size() != list.outputs.size())
    throw Error(ErrorKind::file, "the program has {} outputs, but places of {}", list.outputs.size(), list.output_places.size());
  for (size_t i = 0; i < list.outputs.size(); ++i) {
    const Port& output = list.outputs[i];
    require_room(list, list.output_places[i], static_cast<int64_t>(output.bytes()), fmt::format("the output '{}'", output.name));
    if (!output.alias) continue;
    const bool exists = *output.alias >= 0 && static_cast<size_t>(*output.alias) < list.inputs.size();
    if (!exists || list.inputs[static_cast<size_t>(*output.alias)].bytes() != output.bytes())
      throw Error(ErrorKind::file, "the output '{}' takes over an input that it does not fit", output.name);
  }
}

}  // namespace weft
