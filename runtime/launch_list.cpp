#include "weft/runtime/launch_list.h"

#include "weft/support/error.h"

namespace weft {

bool BufferPlace::conflicts(const BufferPlace& other) const {
  if (kind != other.kind || !(written || other.written)) return false;
  if (kind != Kind::arena) return position == other.position;
  return position < other.position + other.bytes && other.position < position + bytes;
}

bool Launch::conflicts(const Launch& other) const {
  for (const BufferPlace& a : buffers)
    for (const BufferPlace& b : other.buffers)
      if (a.conflicts(b)) return true;
  return false;
}

void require_room(const LaunchList& list, const BufferPlace& place, int64_t needed, const std::string& what) {
  int64_t end = 0;
  const auto at = static_cast<size_t>(place.position);
  switch (place.kind) {
    case BufferPlace::Kind::input: end = at < list.inputs.size() ? static_cast<int64_t>(list.inputs[at].bytes()) : -1; break;
    case BufferPlace::Kind::constant:
      end = at < list.constants.size() && !place.written ? static_cast<int64_t>(list.constants[at].bytes()) : -1;
      break;
    case BufferPlace::Kind::arena: end = place.position >= 0 ? list.arena_bytes - place.position : -1; break;
  }
  if (place.bytes < 0 || place.bytes > end || needed > place.bytes)
    throw Error(ErrorKind::file, "{} of {} bytes, which needs {}, does not lie where the program has room", what, place.bytes, needed);
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
