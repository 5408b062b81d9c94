// From a program's data to a program: checks them, and makes what carries each launch out.

#include <algorithm>

#include "weft/backends/cpu/exec/calls.h"
#include "weft/backends/cpu/exec/compute_threads.h"
#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/support/error.h"
#include "weft/support/memory.h"

namespace weft::cpu {
namespace {

class Loader {
 public:
  Loader(ProgramData data, const LoadOptions& options) : data_(std::move(data)) {
    max_isa_ = options.max_isa.empty() ? max_isa_of_environment() : options.max_isa;
    limit_library_isa(max_isa_);
    threads_ = compute_threads(options.threads);
    share_all_ = options.share_all;
  }

  std::unique_ptr<Program> load() {
    check_arena();
    require_outputs(data_.list);
    require_loops(data_.list);
    if (!data_.code.empty()) code_ = std::make_shared<const Code>(choose_code());
    if (data_.calls.size() != launches().size())
      throw Error(ErrorKind::file, "the program has {} launches, but says what {} of them run", launches().size(), data_.calls.size());
    ProgramParts parts{.threads = threads_, .share_all = share_all_, .code = code_};
    for (size_t i = 0; i < launches().size(); ++i) parts.tasks.push_back(task(i));
    parts.list = std::move(data_.list);
    return make_program(std::move(parts));
  }

 private:
  const std::vector<Launch>& launches() const { return data_.list.launches; }

  /// The widest that runs here.
  const MachineCode& choose_code() const {
    const MachineCode* best = nullptr;
    std::string known;
    for (const MachineCode& code : data_.code) {
      known += (known.empty() ? "" : ", ") + code.isa;
      if (runs_here(code.isa, max_isa_) && (!best || isa_width(code.isa) > isa_width(best->isa))) best = &code;
    }
    if (best) return *best;
    throw Error(ErrorKind::device, "the program has code for {}, of which this machine{} has none", known,
                max_isa_.empty() ? "" : fmt::format(" (limited to {} by max_isa or WEFT_MAX_ISA)", max_isa_))
        .hint("save it for more: SaveOptions::machines, weft compile --machine");
  }

  void check_arena() const {
    if (data_.list.arena_bytes < 0) throw Error(ErrorKind::file, "the program has an arena of {} bytes", data_.list.arena_bytes);
    const auto bytes = static_cast<uint64_t>(data_.list.arena_bytes);
    if (bytes > memory_limit()) throw out_of_memory("the arena", bytes);
  }

  std::unique_ptr<Task> task(size_t i) const {
    const Launch& launch = launches()[i];
    try {
      // Before the library is asked, which does not expect extents that no memory has.
      const Dims needed = bytes_needed(data_.calls[i]);
      if (needed.size() > launch.buffers.size())
        throw Error(ErrorKind::file, "the call takes at least {} buffers, not {}", needed.size(), launch.buffers.size());
      const Dims passes = passes_around(data_.list, i);
      for (size_t b = 0; b < launch.buffers.size(); ++b)
        require_room(data_.list, launch.buffers[b], b < needed.size() ? needed[b] : 0, "a buffer", passes);
      std::unique_ptr<Task> made = make_task(data_.calls[i], code_.get());
      if (made->buffers.size() != launch.buffers.size())
        throw Error(ErrorKind::file, "the call takes {} buffers here, not {}", made->buffers.size(), launch.buffers.size());
      return made;
    } catch (Error& e) {
      e.of(fmt::format("launch {}, {}", i, launch.description));
      throw;
    }
  }

  ProgramData data_;
  std::string max_isa_;
  int threads_ = 1;
  bool share_all_ = false;
  std::shared_ptr<const Code> code_;
};

}  // namespace

std::unique_ptr<Program> load_program(ProgramData data, const LoadOptions& options) { return Loader(std::move(data), options).load(); }

}  // namespace weft::cpu
