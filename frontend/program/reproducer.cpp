#include "weft/frontend/program/reproducer.h"

#include <cstring>
#include <filesystem>

#include "weft/frontend/program/dump.h"
#include "weft/ir/printer.h"
#include "weft/runtime/replace_file.h"
#include "weft/runtime/safetensors.h"
#include "weft/support/shell.h"

namespace weft::detail {
namespace {

namespace fs = std::filesystem;

/// As a person would write it for a shell.
std::string shell_word(const std::string& text) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=:,@%";
  return !text.empty() && text.find_first_not_of(plain) == std::string::npos ? text : shell_quoted(text);
}

}  // namespace

ReproducerFiles::ReproducerFiles(const std::string& directory)
    : program((fs::path(directory) / "program.weft").string()), inputs((fs::path(directory) / "inputs.safetensors").string()) {}

std::string write_reproducer(const Reproducer& step, const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw Error(ErrorKind::file, "'{}': cannot make the folder: {}", directory, error.message());
  const ReproducerFiles files(directory);
  replace_file(files.program, ir::print(step.recorded));
  std::vector<Array> arrays;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Port& port = step.program.inputs()[i];
    arrays.emplace_back(port.dtype, port.shape, std::source_location());
    if (port.bytes() > 0) std::memcpy(arrays.back().data(), step.inputs[i].read(), port.bytes());
  }
  std::vector<std::pair<std::string, const Array*>> named;
  for (size_t i = 0; i < arrays.size(); ++i) named.emplace_back(step.program.inputs()[i].name, &arrays[i]);
  write_safetensors(files.inputs, named, {{reproducer_device, step.device}, {reproducer_autocast, step.autocast}});
  return "weft run " + shell_word(directory) + " --check-finite";
}

std::string reproducer_folder(std::string_view program) {
  constexpr size_t most_bytes = 200;  // a name of more than 255 is none for a file system
  return file_name(std::string(program.substr(0, most_bytes))) + ".not_finite";
}

void reproduce(NotFinite& e, const Reproducer& step, const std::string& directory) {
  try {
    const std::string command = write_reproducer(step, directory);
    e.reproducer = directory;
    e.hint("to replay it: " + command);
  } catch (const std::exception& unwritten) {
    e.hint(fmt::format("there is no reproducer: {}", unwritten.what()));
  }
}

}  // namespace weft::detail
