#include "weft/runtime/launch_list.h"

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

}  // namespace weft
