#include "weft/frontend/program/reproducer.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "weft/ir/printer.h"
#include "weft/runtime/safetensors.h"

namespace weft::detail {
namespace {

namespace fs = std::filesystem;

/// As a shell takes it.
std::string shell_word(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=:,@%") ==
                                          std::string::npos;
  if (plain) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

}  // namespace

std::string write_reproducer(const Reproducer& step, const std::string& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw Error(ErrorKind::file, "'{}': cannot make the folder: {}", directory, error.message());
  const fs::path text = fs::path(directory) / "program.weft";
  std::ofstream file(text, std::ios::binary);
  if (!(file << ir::print(step.recorded) << std::flush))
    throw Error(ErrorKind::file, "'{}': cannot write the file: {}", text.string(), std::strerror(errno));
  std::vector<Array> arrays;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const Port& port = step.program.inputs()[i];
    arrays.emplace_back(port.dtype, port.shape);
    if (port.bytes() > 0) std::memcpy(arrays.back().data(), step.inputs[i].read(), port.bytes());
  }
  std::vector<std::pair<std::string, const Array*>> named;
  for (size_t i = 0; i < arrays.size(); ++i) named.emplace_back(step.program.inputs()[i].name, &arrays[i]);
  write_safetensors((fs::path(directory) / "inputs.safetensors").string(), named,
                    {{"weft.device", step.device}, {"weft.autocast", step.autocast}});
  return "weft run " + shell_word(directory) + " --check-finite";
}

}  // namespace weft::detail
