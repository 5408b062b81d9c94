// Files that hold programs in text form.

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "weft/ir/parser.h"

namespace weft::ir {

Module parse_file(const std::string& path) {
  const ProgramText read = read_text(path);
  return parse(read.text, read.name);
}

ProgramText read_text(const std::string& path) {
  std::stringstream text;
  if (path == "-") {
    text << std::cin.rdbuf();
    return {text.str(), "<standard input>"};
  }
  std::error_code unreadable;  // then opening it says why
  if (std::filesystem::is_directory(path, unreadable)) throw Error("{}: is a directory, not a program in text form", path);
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error("{}: cannot open the file: {}", path, std::strerror(errno));
  text << file.rdbuf();
  if (file.bad()) throw Error("{}: cannot read the file: {}", path, std::strerror(errno));
  return {text.str(), path};
}

}  // namespace weft::ir
