#pragma once
// Writes what compilation does into files, for people to read.

#include <filesystem>
#include <string>
#include <vector>

#include "weft/backends/program/kernel_text.h"
#include "weft/ir/module.h"

namespace weft::detail {

/// A program's name as that of a file or folder: what is no letter, digit, '_', '-' or '.' becomes '_'.
std::string file_name(std::string name);

class Dump {
 public:
  /// Into a folder of its own below `directory`, which is `option`, else the environment variable WEFT_DUMP_IR; when both
  /// are empty, nothing is ever written. Throws weft::Error naming a path that cannot be made; so do the others.
  Dump(const std::string& option, const std::string& program);
  bool on() const { return !folder_.empty(); }
  /// "NN-stage.weft", numbered from 00.
  void stage(const std::string& stage, const ir::Module& module);
  /// "kernels/<name>.<extension>", a file for each form that a kernel has.
  void kernels(const std::vector<KernelText>& kernels);

 private:
  std::filesystem::path folder_;
  int next_ = 0;
};

}  // namespace weft::detail
