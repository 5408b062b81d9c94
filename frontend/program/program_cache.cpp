#include "weft/frontend/program/program_cache.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>

#include "weft/backends/program/ports.h"
#include "weft/frontend/report/machine.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/runtime/step_file.h"
#include "weft/support/loaded_objects.h"
#include "weft/support/number_text.h"

namespace weft::detail {
namespace {

namespace fs = std::filesystem;

constexpr const char *key_entry = "weft.cache.key", *planned_entry = "weft.cache.planned", *passes_entry = "weft.cache.passes";

uint64_t hash_of(const std::string& text, uint64_t hash) {
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;  // FNV-1a
  return hash;
}

/// Two hashes; the whole key stands in the entry.
std::string file_name(const std::string& key) {
  return fmt::format("{:016x}{:016x}.weftprog", hash_of(key, 0xcbf29ce484222325), hash_of(key, 0x9e3779b97f4a7c15));
}

/// "name changed milliseconds work" on a line.
std::string text_of(const std::vector<passes::PassRun>& runs) {
  std::string text;
  for (const passes::PassRun& run : runs) text += fmt::format("{} {} {} {}\n", run.name, run.changed ? 1 : 0, run.milliseconds, run.work);
  return text;
}

std::vector<passes::PassRun> passes_in(std::string_view text) {
  std::vector<passes::PassRun> runs;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    std::vector<std::string_view> words;
    for (size_t end = 0; end != std::string_view::npos; line.remove_prefix(std::min(end + 1, line.size()))) {
      end = line.find(' ');
      words.push_back(line.substr(0, end));
    }
    const auto milliseconds = words.size() == 4 ? number_in<double>(words[2]) : std::nullopt;
    const auto work = words.size() == 4 ? number_in<int64_t>(words[3]) : std::nullopt;
    if (!milliseconds || !work) throw Error(ErrorKind::file, "a pass is not as it is written");
    runs.push_back({std::string(words[0]), words[1] == "1", *milliseconds, *work});
  }
  return runs;
}

bool same(const std::vector<Port>& a, const std::vector<Port>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Port& p, const Port& q) {
    return p.name == q.name && p.dtype == q.dtype && p.shape == q.shape && p.alias == q.alias;
  });
}

/// Is the planned text that of the program?
bool belongs(const ir::Module& planned, const LaunchList& list) {
  return same(program::input_ports(planned.graph()), list.inputs) && same(program::output_ports(planned.graph()), list.outputs);
}

/// A cache saves time: nothing that is wrong with it stops a program.
void warn_once(const std::string& directory, std::string_view why) {
  static std::atomic<bool> said = false;
  if (said.exchange(true)) return;
  fmt::print(stderr, "weft: warning: compiled programs are not kept in '{}': {}\n", directory, why);
}

}  // namespace

ProgramCache::ProgramCache(const std::string& option, const ir::Module& recorded, const Backend& backend) {
  const std::string directory = cache_folder(option);
  if (directory.empty()) return;
  try {
    const std::string machine = backend.fingerprint();
    if (machine.empty()) return;
    fs::create_directories(directory);
    key_ = fmt::format("{}\n{}\n{}{}", backend.name(), machine, loaded_objects(), ir::print(recorded));
    path_ = (fs::path(directory) / file_name(key_)).string();
  } catch (const fs::filesystem_error& e) {
    warn_once(directory, e.code().message());
  }
}

std::optional<ProgramCache::Entry> ProgramCache::find() const {
  std::error_code unreadable;
  if (!fs::is_regular_file(path_, unreadable)) return std::nullopt;
  try {
    StepNotes notes;
    StepData step = read_step(path_, &notes);
    if (notes[key_entry] != key_) return std::nullopt;  // another key has the same hashes
    Entry entry{ir::parse(notes[planned_entry], path_), passes_in(notes[passes_entry]), std::move(step.program)};
    if (!belongs(entry.planned, entry.program.list)) return std::nullopt;
    return entry;
  } catch (const std::exception&) {
    return std::nullopt;  // whatever it is, compiling does without
  }
}

void ProgramCache::keep(const Entry& entry) const {
  StepData step{entry.planned.graph().name(), entry.program};
  step.inputs.resize(step.program.list.inputs.size());
  try {
    write_step(path_, step, {{key_entry, key_}, {planned_entry, ir::print(entry.planned)}, {passes_entry, text_of(entry.passes)}});
  } catch (const Error& e) {
    warn_once(fs::path(path_).parent_path().string(), e.what());
  }
}

}  // namespace weft::detail
