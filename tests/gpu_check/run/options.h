#pragma once
// What weft_gpu_check is asked to do.

#include <string>

namespace weft::gpu_check {

struct Options {
  std::string mode;    // "check", "bench", "serve", "list"
  std::string folder;  // the bundle
  std::string only;    // of the names: those with this in them
  std::string out;     // where reports go; empty: nowhere
  double seconds = 480;
  int device = 0;
};

/// Throws weft::Error with the usage.
Options options_of(int count, char** arguments);

}  // namespace weft::gpu_check
