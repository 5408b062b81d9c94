#include "weft/backends/cuda/exec/call.h"

#include "weft/backends/cuda/exec/library_call.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

std::vector<std::string> names_in(const std::string& text) {
  std::vector<std::string> names;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    names.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

uint32_t count_in(const Dims& list, size_t i, int64_t most, const char* what) {
  if (list[i] < 1 || list[i] > most) throw Error(ErrorKind::file, "a kernel of {} {}: a GPU launches 1 to {}", list[i], what, most);
  return static_cast<uint32_t>(list[i]);
}

}  // namespace

CallDescriptor describe(const KernelCall& call) {
  std::string names;
  Dims blocks, threads, pointers;
  for (const KernelLaunch& launch : call.launches) {
    names += (names.empty() ? "" : " ") + launch.name;
    blocks.push_back(launch.blocks), threads.push_back(launch.threads);
  }
  for (const KernelCall::Pointer& p : call.pointers) pointers.insert(pointers.end(), {static_cast<int64_t>(p.buffer), p.offset});
  return {"kernels",
          {{"names", names},
           {"blocks", blocks},
           {"threads", threads},
           {"buffers", static_cast<int64_t>(call.buffers)},
           {"pointers", pointers}}};
}

KernelCall kernel_call(const CallDescriptor& c, const Launch& launch) {
  const LibraryCallKind* library = find_library_call(c.call);
  if (!library && c.call != "kernels") throw Error(ErrorKind::file, "there is no call '{}' of a GPU", c.call);
  KernelCall call{.buffers = static_cast<size_t>(c.count("buffers"))};
  const std::vector<std::string> names = names_in(c.text("names"));
  const Dims &blocks = c.list("blocks"), &threads = c.list("threads"), &pointers = c.list("pointers");
  if (blocks.size() != names.size() || threads.size() != names.size() || pointers.size() % 2 != 0)
    throw Error(ErrorKind::file, "a call of {} kernels says the blocks of {} and the threads of {}", names.size(), blocks.size(),
                threads.size());
  if (call.buffers != launch.buffers.size())
    throw Error(ErrorKind::file, "the call takes {} buffers, not {}", call.buffers, launch.buffers.size());
  for (size_t i = 0; i < names.size(); ++i)
    call.launches.push_back(
        {names[i], count_in(blocks, i, most_blocks, "blocks"), count_in(threads, i, most_threads, "threads of a block")});
  for (size_t i = 0; i < pointers.size(); i += 2) {
    const int64_t buffer = pointers[i], offset = pointers[i + 1];
    if (buffer < 0 || static_cast<size_t>(buffer) >= call.buffers || offset < 0 ||
        offset > launch.buffers[static_cast<size_t>(buffer)].bytes)
      throw Error(ErrorKind::file, "a kernel reads {} bytes into buffer {}, which is not there", offset, buffer);
    call.pointers.push_back({static_cast<size_t>(buffer), offset});
  }
  if (library) library->require(c, launch);
  return call;
}

}  // namespace weft::cuda
