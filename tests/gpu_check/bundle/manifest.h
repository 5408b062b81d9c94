#pragma once
// What a bundle for a GPU holds: programs that are checked and programs that are measured, as manifest.json beside them says.
//
//   NAME.weftprog             the program, for CUDA; where it is large, compressed by gzip
//   NAME.safetensors          "0/in/x", "0/want/y": what call 0 is fed and what must come out, and so on; "0/any/y": 1 where nobody knows
//   NAME.start.safetensors    of a training step: the checkpoint that it starts from

#include <string>
#include <vector>

namespace weft::gpu_check {

/// How far an output may be from what is wanted.
struct Bound {
  std::string output;
  /// To the bit, where any nan is like any other. Otherwise |got - want| <= max(absolute, relative max |want|), and what is infinite or
  /// nan is the same.
  bool exact = false;
  double absolute = 0, relative = 0;
};

/// A program with what it must compute.
struct Check {
  std::string name;  // "op/exp f32[37]"
  std::string file;  // of its files, without what follows the dot
  /// Calls that the data file has. A function has one, which is made several times; a training step goes on from each to the next.
  int calls = 1;
  bool trains = false;
  std::vector<Bound> bounds;
};

/// Elements of an input that are made where the program is measured: uniform in [low, high), of integers rounded down; all `low` where
/// both are the same.
struct Fill {
  std::string input;
  double low = 0, high = 0;
};

/// A program whose time is taken.
struct Measured {
  std::string name;  // "memory/add f32[67108864]"
  std::string file;
  std::string kind;             // "memory", "product", "step"
  double bytes = 0, flops = 0;  // of one call: what it must read and write, and compute
  std::string precision;        // "f32": what its products run in
  std::vector<Fill> fills;
};

struct Manifest {
  std::string version;  // of weft
  std::string arch;     // the oldest GPU that runs it
  std::vector<Check> checks;
  std::vector<Measured> measured;
};

/// Throw weft::Error naming the file and what is wrong with it.
Manifest read_manifest(const std::string& folder);
void write_manifest(const std::string& folder, const Manifest& manifest);

}  // namespace weft::gpu_check
