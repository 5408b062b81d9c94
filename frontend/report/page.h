#pragma once
// All that is known of a compiled program as one HTML page, which needs nothing else: no network, no other file.

#include <functional>
#include <string>
#include <vector>

#include "weft/backends/program/kernel_text.h"
#include "weft/frontend/report/profile.h"
#include "weft/passes/pass.h"

namespace weft::detail {

struct Page {
  const ir::Module& recorded;
  /// What the passes made of it, and what of it was run.
  const ir::Module& planned;
  const passes::Target& target;
  std::vector<std::string> passes;         // from the one to the other
  std::vector<passes::PassRun> runs = {};  // their times
  std::vector<std::string> calls = {};     // of the program; empty: there is none
  std::vector<KernelText> kernels = {};
  Profile profile = {};
  std::vector<double> losses = {};  // of training steps in order
  /// What a program has dumped of itself, from the recorded one to the planned; empty: what each of `passes` makes is found out here.
  std::vector<ir::Module> stages = {};
  /// Where the file of a source line may lie ("/home/me/net.cpp" for "net.cpp").
  std::function<std::string(const std::string&)> source_path = {};
};

/// Runs the passes once more, for the graph after each.
std::string page_text(const Page& page);

}  // namespace weft::detail
