#pragma once
// Compiled programs on disk, for the next process that compiles the same.
//
// An entry is found by all that its program follows from: the recorded graph, the target with its machine and limits, and the files
// whose code is loaded (weft, ops of your own, LLVM, oneDNN). It is a step's file (runtime/step_file.h) with the planned text beside it.

#include <optional>
#include <string>
#include <vector>

#include "weft/backends/program/backend.h"
#include "weft/ir/module.h"
#include "weft/passes/pass.h"

namespace weft::detail {

class ProgramCache {
 public:
  struct Entry {
    ir::Module planned;
    std::vector<passes::PassRun> passes;  // as they ran then
    ProgramData program;
  };

  /// In the directory `option`, else in what the environment variable WEFT_CACHE says; when both are empty, or the backend's programs
  /// are none that files hold, nothing is kept; nor where the directory cannot be made, which is said once on standard error.
  ProgramCache(const std::string& option, const ir::Module& recorded, const Backend& backend);
  bool on() const { return !path_.empty(); }
  /// None where there is no such entry, or one that cannot be read, is damaged or of another program: then it is written anew.
  std::optional<Entry> find() const;
  /// Another process that looks sees the whole entry or none. Where it cannot be written, that is said once on
  /// standard error.
  void keep(const Entry& entry) const;

 private:
  std::string path_, key_;
};

}  // namespace weft::detail
