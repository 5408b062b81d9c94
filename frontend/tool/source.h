#pragma once
// What a command runs a program on: the options that say it, and the folder of a reproducer.

#include <string>
#include <vector>

#include "weft/frontend/tool/feed.h"

namespace CLI {
class App;
}

namespace weft::tool {

struct FeedOptions {
  std::string weights;
  std::vector<std::string> inputs, settings;
  int64_t seed = 0;
  bool zeros = false;
};

/// Adds --input, --weights, --set, --zeros and --seed.
void add_feed_options(CLI::App& command, FeedOptions& options);
Given given_by(const FeedOptions& options);

/// FILE, or what the folder of a reproducer (frontend/program/reproducer.h) holds.
struct Source {
  std::string program;
  std::string inputs = {};                 // a file; empty: FILE is no folder
  std::string device = {}, autocast = {};  // what it ran on
};
Source source_of(const std::string& file);

}  // namespace weft::tool
