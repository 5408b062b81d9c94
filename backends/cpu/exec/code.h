#pragma once
// Generated code in memory, ready to be called.

#include <optional>
#include <string_view>

#include "weft/backends/cpu/exec/code_symbols.h"
#include "weft/runtime/program_data.h"

namespace weft::cpu {

class Code {
 public:
  /// Throws weft::Error where the image calls what it may not, or names places outside itself, and where there is no memory; and what
  /// CodeSymbols does.
  explicit Code(const MachineCode& code);
  ~Code();
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;

  using Function = void (*)(std::byte* const* table, int64_t begin, int64_t end);
  /// Throws weft::Error for a kernel that is not there.
  Function find(std::string_view kernel) const;

 private:
  void fill(const std::vector<MachineCode::Slot>& slots);

  std::vector<MachineCode::Function> functions_;
  std::byte* memory_ = nullptr;
  size_t bytes_ = 0;
  std::optional<CodeSymbols> symbols_;  // names of what is there
};

/// May generated code call this function of the C library?
bool is_importable(std::string_view symbol);

}  // namespace weft::cpu
