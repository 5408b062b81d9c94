#include "weft/frontend/tool/program_file.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include "weft/frontend/program/target.h"
#include "weft/passes/pass.h"
#include "weft/runtime/step_file.h"

namespace weft::tool {
namespace {

namespace fs = std::filesystem;

/// Of a safetensors file; "" of any other.
std::string_view header_of(std::string_view file) {
  uint64_t length = 0;
  if (file.size() <= sizeof length || file[sizeof length] != '{') return "";
  std::memcpy(&length, file.data(), sizeof length);
  return length <= file.size() - sizeof length ? file.substr(sizeof length, length) : "";
}

/// The text of a pass or a target that there is not would be taken for one that none has worked on, or whose target nobody asks.
void require_known(const ir::Module& module, const std::string& entry, const std::string& given, const std::vector<std::string>& known) {
  if (given.empty() || std::find(known.begin(), known.end(), given) != known.end()) return;
  std::string near = did_you_mean(given, known);
  if (near.empty()) near = fmt::format("known are {}", fmt::join(known, ", "));
  throw Error(ErrorKind::file, "unknown {} '{}' in the header", entry, given).at(module.places.at(entry)).hint(near);
}

void check_header(const ir::Module& module) {
  std::vector<std::string> stages, targets;
  for (const passes::Pass& pass : passes::all_passes()) stages.push_back(pass.name);
  for (const Target& target : Target::all()) targets.emplace_back(target.backend().target().name());
  require_known(module, "stage", module.stage, stages);
  require_known(module, "target", module.target, targets);
}

/// Places in an arena that a program says it has not.
void check_offsets(const ir::Module& module) {
  const auto refuse = [&](const char* entry, const char* what) {
    if (const auto at = module.places.find(entry); at != module.places.end()) throw Error(ErrorKind::file, what).at(at->second);
  };
  if (!module.arena_bytes) refuse("offset", "a place in the arena, but the header says nothing of an arena");
  refuse("offset below 0", "a place in the arena is not negative");
}

/// What is fed anew for each run is nothing that a run could keep.
void check_updates(const ir::Module& module) {
  for (const ir::Output& output : module.graph().outputs()) {
    if (!output.alias) continue;
    const ir::Input& input = module.graph().inputs()[static_cast<size_t>(*output.alias)];
    if (input.role != ir::Role::parameter && input.role != ir::Role::state)
      throw Error(ErrorKind::file, "only a parameter or a state is replaced by an output, but '{}' is a {}", input.node->name,
                  name_of(input.role))
          .at(module.places.at("aliases " + input.node->name));
  }
}

}  // namespace

ir::ProgramText read_program(const std::string& path) {
  ir::ProgramText read = ir::read_text(path);
  const std::string_view header = header_of(read.text);
  if (header.empty()) return read;
  if (header.find(program_note) == std::string_view::npos)
    throw Error(ErrorKind::file, "{}: is a safetensors file, and holds tensors, no program in text form", read.name);
  throw Error(ErrorKind::file, "{}: is a compiled program, not one in text form", read.name)
      .hint(
          "load_step (C++) and weft_step_open (C) run it, as the example 07_saved_step does; this command takes what it was compiled from");
}

ir::Module parse_program(const ir::ProgramText& read) {
  ir::Module module = ir::parse(read.text, read.name);
  check_header(module);
  check_offsets(module);
  check_updates(module);
  return module;
}

ir::Module parse_program(const std::string& path) { return parse_program(read_program(path)); }

void require_other_file(const std::string& option, const std::string& output, const std::vector<std::string>& inputs) {
  std::error_code none;
  if (!fs::is_regular_file(output, none)) return;
  for (const std::string& input : inputs)
    if (fs::equivalent(input, output, none))
      throw Error("{} '{}' is the file that is read here, and would be lost", option, output).hint("give it another name");
}

void require_file(const std::string& option, const std::string& output) {
  if (output == "-") throw Error("{} must name a file: what goes there is no text for standard output", option);
}

}  // namespace weft::tool
