#include "weft/frontend/program/program_cache.h"

#include <filesystem>

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

}  // namespace

ProgramCache::ProgramCache(const std::string& option, const ir::Module& recorded, const Backend& backend) {
  const std::string directory = cache_folder(option), machine = directory.empty() ? "" : backend.fingerprint();
  if (machine.empty()) return;
  std::error_code error;
  fs::create_directories(directory, error);
  if (error)
    throw Error(ErrorKind::file, "cannot make the folder '{}' to keep programs in: {}", directory, error.message())
        .hint("CompileOptions::cache or WEFT_CACHE names it; without either no program is kept");
  key_ = fmt::format("{}\n{}\n{}{}", backend.name(), machine, loaded_objects(), ir::print(recorded));
  path_ = (fs::path(directory) / file_name(key_)).string();
}

std::optional<ProgramCache::Entry> ProgramCache::find() const {
  if (!fs::exists(path_)) return std::nullopt;
  try {
    StepNotes notes;
    StepData step = read_step(path_, &notes);
    if (notes[key_entry] != key_) return std::nullopt;  // another key has the same hashes
    return Entry{ir::parse(notes[planned_entry], path_), passes_in(notes[passes_entry]), std::move(step.program)};
  } catch (const Error&) {
    return std::nullopt;
  }
}

void ProgramCache::keep(const Entry& entry) const {
  StepData step{entry.planned.graph().name(), entry.program};
  step.inputs.resize(step.program.list.inputs.size());
  write_step(path_, step, {{key_entry, key_}, {planned_entry, ir::print(entry.planned)}, {passes_entry, text_of(entry.passes)}});
}

}  // namespace weft::detail
