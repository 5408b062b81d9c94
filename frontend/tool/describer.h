#pragma once
// What the inputs of a program in text form stand for, which has names alone: parameters and states by the names that checkpoints give
// them, an optimizer's numbers with their defaults and ranges.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/runtime/step_data.h"

namespace weft::tool {

struct Described {
  StepData step;                     // but for the program and the key
  std::vector<std::string> numbers;  // the program's hyper-parameters
  std::vector<std::string> missing;  // of these, those that are not set and have no default
};

class Describer {
 public:
  /// `recorded`: as the text has it, for passes hide what holds indices.
  explicit Describer(const ir::Module& recorded);
  /// The inputs of what the passes made of it. Throws weft::Error for settings that are nan or out of a number's range.
  Described describe(const ir::Graph& planned, const std::map<std::string, double>& settings) const;

 private:
  struct Known;
  void add_optimizer(StepData& step) const;
  void add_input(Described& to, const ir::Input& input, const std::map<std::string, double>& settings) const;
  void add_hyper(Described& to, StepInput& added, const std::string& name, const std::map<std::string, double>& settings) const;
  std::optional<size_t> counter_named(const std::string& name, const StepData& step) const;
  std::string state_name(const std::string& name) const;
  StepNumbers* owner_of(const std::string& name, StepData& step) const;
  std::string start_of(const StepNumbers& numbers) const;
  std::optional<Known> known_number(const std::string& name, StepData& step) const;

  std::string name_;
  std::optional<ir::TrainSpec> train_;
  std::map<std::string, IndexBound> indices_;
  std::map<std::string, ValueRange> ranges_;
};

}  // namespace weft::tool
