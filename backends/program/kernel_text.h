#pragma once
// Generated code, for people to read.

#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// From what the compiler writes to what the machine runs.
enum class CodeKind { llvm_ir, assembly, ptx };

/// "LLVM IR"
std::string_view name_of(CodeKind kind);
/// Of a file that holds such code: "ll".
std::string_view extension_of(CodeKind kind);

/// The code of one kernel.
struct KernelText {
  struct Form {
    CodeKind kind;
    std::string text;
  };
  /// As debuggers and profilers show it.
  std::string name;
  /// LLVM IR, after optimization, first.
  std::vector<Form> forms;

  /// Throws weft::Error naming the kinds that there are.
  const std::string& as(CodeKind kind) const;
};

}  // namespace weft
