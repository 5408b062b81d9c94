#pragma once
// The files of a command: the program that it reads, and what it must not write over.

#include <string>
#include <vector>

#include "weft/ir/parser.h"

namespace weft::tool {

/// As ir::read_text. Throws weft::Error saying what a compiled program, or a file of tensors, is for.
ir::ProgramText read_program(const std::string& path);
/// As ir::parse_file, likewise. Throws weft::Error, at its place, for a header that names a pass or a target that there is not.
ir::Module parse_program(const std::string& path);
ir::Module parse_program(const ir::ProgramText& read);

/// Throws weft::Error where `output`, which the option names, is one of the files that are read.
void require_other_file(const std::string& option, const std::string& output, const std::vector<std::string>& inputs);
/// Throws weft::Error where it is standard output, which takes text alone.
void require_file(const std::string& option, const std::string& output);

}  // namespace weft::tool
