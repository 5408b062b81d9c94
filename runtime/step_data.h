#pragma once
// A compiled step as plain data: a program, what its inputs stand for, and the numbers that it starts with. Elements of parameters
// and of an optimizer's state are no part of it; they are in safetensors files.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weft/runtime/program_data.h"
#include "weft/runtime/value_bounds.h"

namespace weft {

/// An input of the program.
struct StepInput {
  enum class Kind : uint8_t {
    batch,    // fed at every call
    tensor,   // a parameter, buffer or state of the optimizer, which lives from call to call
    number,   // an f64 that may be set: a learning rate
    counter,  // how often parameters have been updated
    key       // of random numbers: [key, number of the step]
  };
  Kind kind = Kind::batch;
  /// What checkpoints call a tensor: "fc1.weight", "weft.optimizer0/fc1.weight/exp_avg".
  std::string tensor = {};
  /// Of a number, when it was saved, and what it may be.
  double value = 0;
  NumberRange range = {};
  /// Of a batch.
  std::optional<IndexBound> indices = {};
  std::optional<ValueRange> values = {};

  bool operator==(const StepInput&) const = default;
};

/// The optimizer's numbers, as checkpoints call them, or those of one of its groups.
struct StepNumbers {
  std::string group = {};  // empty: the optimizer's own
  std::string op;          // "adam"
  struct Number {
    std::string name;              // "adam.lr"
    double value = 0;              // when it was saved
    std::optional<int64_t> input;  // where the program reads it; none: the program was compiled without what it scales
    bool operator==(const Number&) const = default;
  };
  std::vector<Number> numbers = {};

  bool operator==(const StepNumbers&) const = default;
};

/// Parameters that have always been updated together, by tensor name.
struct StepCounter {
  std::optional<int64_t> input;  // none: the program does not ask
  std::vector<std::string> of;

  bool operator==(const StepCounter&) const = default;
};

struct StepData {
  std::string name;
  ProgramData program;
  std::vector<StepInput> inputs;
  /// The optimizer's, then its groups'; empty where the step trains nothing.
  std::vector<StepNumbers> numbers;
  std::vector<StepCounter> counters;
  /// Of random numbers: with a seed, the key follows from it and the stream, which checkpoints keep.
  uint64_t key = 0, stream = 0;
  std::optional<uint64_t> seed = {};
};

}  // namespace weft
