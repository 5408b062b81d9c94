#pragma once
// A function of the language that is made of others: what these record, and what they refuse, has the user's line.

#include "weft/frontend/language/ops_elementwise.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"

namespace weft::detail {

class Composed {
 public:
  /// As a Recorder, whose first operand says the line.
  Composed(std::string_view what, std::initializer_list<const Arg*> operands)
      : recorder_(what, operands), first_(recorder_.tensor(recorder_.value(**operands.begin()))),
        scope_("", Scope::Code::library, Scope::call_site((*operands.begin())->where()), first_.recording) {}

  Recorder& recorder() { return recorder_; }
  /// The first operand.
  const Tensor& first() const { return first_; }
  Tensor tensor(const Arg& x) { return recorder_.tensor(recorder_.value(x)); }
  /// As indices (Recorder::index).
  Tensor index(const Arg& x) { return recorder_.tensor(recorder_.index(x)); }
  [[noreturn]] void fail(const std::string& requirement) const { recorder_.fail(requirement); }
  void require(bool holds, const std::string& requirement) const {
    if (!holds) fail(requirement);
  }
  /// bf16 is computed in f32 and rounded once.
  static Tensor widened(const Tensor& x) { return is_narrow(x.dtype()) ? cast(x, f32) : x; }

 private:
  Recorder recorder_;
  Tensor first_;
  Scope scope_;
};

}  // namespace weft::detail
