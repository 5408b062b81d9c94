#pragma once
// A step in a folder: the program as it was recorded and all that it reads, so that anybody can run it again.
//
//   DIR/program.weft          the text form, train block included
//   DIR/inputs.safetensors    every input by its name: the batch, parameters, states, hyper-parameters, the key of random numbers;
//                             metadata: what it ran on
//
// `weft run DIR` runs it, with the options of any program.

#include <span>
#include <string>
#include <string_view>

#include "weft/frontend/program/not_finite.h"
#include "weft/ir/module.h"
#include "weft/runtime/program.h"

namespace weft::detail {

struct ReproducerFiles {
  explicit ReproducerFiles(const std::string& directory);
  std::string program, inputs;
};

/// Metadata of the inputs: the device's name, and the type of autocast or "".
constexpr const char *reproducer_device = "weft.device", *reproducer_autocast = "weft.autocast";

struct Reproducer {
  const ir::Module& recorded;
  const Program& program;
  std::span<const Binding> inputs;  // of the program
  std::string device;               // "cpu"
  std::string autocast = {};        // "bf16", or empty
};

/// Replaces what lies in `directory`. Returns the command that replays it under --check-finite. Throws weft::Error for what cannot be
/// written.
std::string write_reproducer(const Reproducer& step, const std::string& directory);

/// Where it goes if nobody says: "NAME.not_finite" here, with nothing in it that leads elsewhere, whatever the program is called.
std::string reproducer_folder(std::string_view program);

/// Writes it for what `e` is about, which then has the folder and the command; or says why there is none.
void reproduce(NotFinite& e, const Reproducer& step, const std::string& directory);

}  // namespace weft::detail
