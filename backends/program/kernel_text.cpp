#include "weft/backends/program/kernel_text.h"

#include "weft/support/error.h"

namespace weft {

std::string_view name_of(CodeKind kind) {
  switch (kind) {
    case CodeKind::llvm_ir: return "LLVM IR";
    case CodeKind::assembly: return "assembly";
    case CodeKind::ptx: return "PTX";
  }
  return "";
}

std::string_view extension_of(CodeKind kind) {
  switch (kind) {
    case CodeKind::llvm_ir: return "ll";
    case CodeKind::assembly: return "s";
    case CodeKind::ptx: return "ptx";
  }
  return "";
}

const std::string& KernelText::as(CodeKind kind) const {
  std::string kinds;
  for (const Form& form : forms) {
    if (form.kind == kind) return form.text;
    kinds += (kinds.empty() ? "" : ", ") + std::string(name_of(form.kind));
  }
  throw Error("the kernel '{}' has no {}; there is {}", name, name_of(kind), kinds.empty() ? "nothing of it" : kinds);
}

}  // namespace weft
