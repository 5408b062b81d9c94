#include "weft/frontend/tool/program_file.h"

#include <cstring>
#include <filesystem>

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

ir::Module parse_program(const std::string& path) {
  const ir::ProgramText read = read_program(path);
  return ir::parse(read.text, read.name);
}

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
