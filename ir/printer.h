#pragma once
// The text form. It is complete (bodies, aliases, offsets, locations included), deterministic and parses back:
// parse(print(m)) equals m, and print(parse(t)) == t for every printed t.
//
//   weft 1
//   module target = "cpu" stage = "fuse"
//   train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
//   func @line {
//     input %w: f32[] parameter at "line.cpp":7
//     %0 = broadcast(%w) {shape = [11]} : f32[11] at "line.cpp":9
//     output loss = %0
//   }
//
// Attributes at their default are left out; `@64` after a type is the planned offset into the arena; `in backward` behind source
// lines says what the op was made for, where that is not `forward` alone; a constant of
// more than 16 unequal elements is written in hex. `#` starts a comment. README.md explains how to read it.

#include <string>

#include "weft/ir/module.h"

namespace weft::ir {

std::string print(const Module& module);
std::string print(const Graph& graph);
/// One line, without its bodies' contents: for messages and remarks.
std::string print(const Op& op);

/// Shortest text that reads back as the same double, always recognizable as a real: "1.0", "-0.0", "inf", "1e-05".
std::string print_real(double value);

}  // namespace weft::ir
