// From a program's data to a program: checks them, and has the driver compile its kernels.

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "weft/backends/cuda/exec/arch.h"
#include "weft/backends/cuda/exec/program.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// "sm_80 and newer", "sm_90a alone".
std::string text_of(std::string_view arch) { return fmt::format("{} {}", arch, is_for_one_gpu(arch) ? "alone" : "and newer"); }

/// The newest that runs there, and of one number that which is for it alone.
const MachineCode& choose_code(const ProgramData& data, const DeviceDescription& device) {
  const MachineCode* best = nullptr;
  std::string known;
  for (const MachineCode& code : data.code) {
    known += (known.empty() ? "" : ", ") + text_of(code.isa);
    const auto rank = [](const MachineCode& c) { return std::pair(arch_number(c.isa), is_for_one_gpu(c.isa)); };
    if (runs_on(code.isa, device.arch()) && (!best || rank(code) > rank(*best))) best = &code;
  }
  if (best) return *best;
  if (known.empty()) throw Error(ErrorKind::file, "the program has no code, but launches kernels");
  throw Error(ErrorKind::device, "the program has code for {}; CUDA device {}, {}, is {}", known, device.number, device.name,
              device.arch());
}

/// As a text that ends.
std::string ptx_of(const MachineCode& code) {
  std::string text(reinterpret_cast<const char*>(code.image.data()), code.image.size());
  if (text.find('\0') != std::string::npos) throw Error(ErrorKind::file, "the code for {} is no PTX", code.isa);
  return text;
}

/// Of every pass of the loops around it, as kernels and libraries take for granted.
void require_alignment(const BufferPlace& place) {
  const auto is_aligned = [](int64_t bytes) { return bytes % int64_t{buffer_alignment} == 0; };
  if (!is_aligned(place.offset) || !std::all_of(place.steps.begin(), place.steps.end(), is_aligned))
    throw Error(ErrorKind::file, "a buffer begins {} bytes behind its place and moves by {} bytes: a GPU's are multiples of {}",
                place.offset, fmt::join(place.steps, ", "), buffer_alignment);
}

bool checks(const LoadOptions& options) {
  const char* variable = std::getenv("WEFT_CUDA_CHECK");
  const std::string_view set = variable ? variable : "";
  if (set != "0" && set != "1" && !set.empty()) throw Error("WEFT_CUDA_CHECK must be 0 or 1, not '{}'", set);
  return options.check || set == "1";
}

}  // namespace

std::vector<KernelCall> kernels_of(const ProgramData& data) {
  const LaunchList& list = data.list;
  if (list.arena_bytes < 0) throw Error(ErrorKind::file, "the program has an arena of {} bytes", list.arena_bytes);
  require_outputs(list);
  require_loops(list);
  if (data.calls.size() != list.launches.size())
    throw Error(ErrorKind::file, "the program has {} launches, but says what {} of them run", list.launches.size(), data.calls.size());
  std::vector<KernelCall> kernels;
  for (size_t i = 0; i < list.launches.size(); ++i) try {
      for (const BufferPlace& place : list.launches[i].buffers) {
        require_room(list, place, 0, "a buffer", passes_around(list, i));
        require_alignment(place);
      }
      kernels.push_back(kernel_call(data.calls[i], list.launches[i]));
    } catch (Error& e) {
      e.of(fmt::format("launch {}, {}", i, list.launches[i].description));
      throw;
    }
  return kernels;
}

std::unique_ptr<Program> load_program(ProgramData data, const LoadOptions& options) {
  std::vector<KernelCall> kernels = kernels_of(data);
  const std::shared_ptr<Context> context = Context::of(options.device, options.driver);
  const std::string ptx = kernels.empty() ? "" : ptx_of(choose_code(data, context->description()));
  const auto make = [kernels = std::move(kernels), descriptors = std::move(data.calls), ptx, libraries = options.libraries](
                        const std::shared_ptr<Context>& where, LaunchList list) {
    std::vector<DeviceCall> calls;
    for (size_t i = 0; i < kernels.size(); ++i) {
      const LibraryCallKind* kind = libraries ? find_library_call(descriptors[i].call) : nullptr;
      calls.push_back({kernels[i], kind ? kind->plan(where, descriptors[i], list.launches[i]) : nullptr});
    }
    std::unique_ptr<Module> module = kernels.empty() ? nullptr : where->load(ptx);
    return std::make_unique<DeviceLaunches>(where, std::move(list), std::move(calls), std::move(module));
  };
  return make_program(std::move(data.list), make, context, checks(options));
}

}  // namespace weft::cuda
