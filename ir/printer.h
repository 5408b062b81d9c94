#pragma once
// The text form. It is complete (bodies, aliases, offsets, locations included), deterministic and parses back:
// parse(print(m)) equals m, and print(parse(t)) == t for every printed t.
//
//   weft 1
//   module target = "cpu" stage = "fuse"
//   train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
//   func @line {
//     input %w: f32[] parameter at "line.cpp":7
//     %broadcast = broadcast(%w) {shape = [11]} : f32[11] at "line.cpp":9
//     ...
//     output loss = %loss
//   }
//
// ir/value_names.h says what results are called. Attributes at their default are left out; `@64` after a type is the planned offset into
// the arena; `in backward` behind source lines says what the op was made for, where that is not `forward` alone; a constant of more than
// 16 unequal elements is written in hex. `#` starts a comment. README.md explains how to read it.

#include <functional>
#include <string>

#include "weft/ir/module.h"
#include "weft/ir/value_names.h"

namespace weft::ir {

/// Where the source lines stand.
enum class ShownLines {
  inline_,  // behind what comes from them
  end,      // behind the program, each list of them once: `at 3` behind an op is what `at 3 = "line.cpp":9` says there
  none,     // nowhere: then what was in which layer, and which part of a step ops are for, is not in the text
};

struct PrintOptions {
  Names names = Names::derived;
  ShownLines lines = ShownLines::inline_;
};

std::string print(const Module& module, const PrintOptions& options = {});
std::string print(const Graph& graph, const PrintOptions& options = {});
/// One line, without its bodies' contents and its results: "matmul(%x, %fc1.weight) {transpose_b = true} : f32[64,512]".
std::string print(const Op& op, const std::function<std::string(Value)>& name_of);
/// The same behind its results, all called as in its graph's text: for messages. Who prints many ops makes the names once.
std::string print(const Op& op);
std::string print(const Op& op, const ValueNames& names);
/// The attributes that are not at their default: "axes = [1], keep_dims = true".
std::string print_attributes(const Op& op);

/// Shortest text that reads back as the same double, always recognizable as a real: "1.0", "-0.0", "inf", "1e-05".
std::string print_real(double value);

}  // namespace weft::ir
