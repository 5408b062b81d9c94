#pragma once
// A target whose library has layouts of its own.

#include <string>

#include "weft/passes/target.h"

namespace weft::testing {

/// Wants convolutions' channels in blocks of two.
class Blocking : public passes::Target {
 public:
  std::string_view name() const override { return "blocking"; }
  bool claims(const ir::Op&) const override { return true; }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
  ir::NamedAttributes layouts(const ir::Op&) const override {
    return {{"x_layout", std::string("aBc2b")}, {"w_layout", std::string("ABc2b2a")}, {"y_layout", std::string("aBc2b")}};
  }
};

}  // namespace weft::testing
