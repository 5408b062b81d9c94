// weft compile: a program in text form to one in a file that runs without a compiler.

#include <CLI/CLI.hpp>
#include <algorithm>

#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/program/target.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/feed.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/runtime/checkpoint_names.h"
#include "weft/runtime/step_file.h"
#include "weft/support/number_text.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file, output;
  std::string device = "cpu";
  TargetChoice choice;
  std::vector<std::string> settings, machines;
  int64_t seed = 0;
};

/// What a text says of its inputs, which has names alone.
class Describer {
 public:
  Describer(const ir::Module& recorded, const std::vector<std::string>& settings) : name_(recorded.graph().name()) {
    if (recorded.train) train_ = *recorded.train;
    indices_ = detail::index_bounds(recorded.graph());
    ranges_ = detail::value_ranges(recorded.graph());
    for (const auto& [name, text] : assignments("--set", settings)) {
      const std::optional<double> value = number_in<double>(text);
      if (!value) throw Error("--set {}: '{}' is not a number", name, text);
      settings_[name] = *value;
    }
  }

  StepData describe(const ir::Graph& planned) {
    StepData step{name_};
    if (train_ && !train_->optimizer.empty()) add_optimizer(step);
    for (const ir::Input& input : planned.inputs()) add_input(step, input);
    for (const auto& [name, value] : settings_)
      if (!set_.contains(name)) throw Error("--set: the program reads no hyper-parameter '{}'", name).hint(did_you_mean(name, hypers_));
    if (!missing_.empty())
      throw Error("nothing is given for the number{} {}", missing_.find(',') == std::string::npos ? "" : "s", missing_);
    return step;
  }

 private:
  void add_optimizer(StepData& step) {
    step.numbers.push_back({"", train_->optimizer});
    for (const ir::TrainGroup& group : train_->groups) step.numbers.push_back({group.name, group.optimizer});
    const std::vector<std::string> inputs = train_->all_inputs();
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto number = static_cast<size_t>(train_->counters.empty() ? 0 : train_->counters[i]);
      if (step.counters.size() <= number) step.counters.resize(number + 1);
      step.counters[number].of.push_back(inputs[i]);
    }
  }

  void add_input(StepData& step, const ir::Input& input) {
    const std::string& name = input.node->name;
    const auto at = static_cast<int64_t>(step.inputs.size());
    StepInput added;
    using Kind = StepInput::Kind;
    switch (input.role) {
      case ir::Role::batch:
        if (const auto found = indices_.find(name); found != indices_.end()) added.indices = found->second;
        if (const auto found = ranges_.find(name); found != ranges_.end()) added.values = found->second;
        break;
      case ir::Role::parameter: added.kind = Kind::tensor, added.tensor = name; break;
      case ir::Role::state:
        if (const auto counter = counter_named(name, step)) added.kind = Kind::counter, step.counters[*counter].input = at;
        else added.kind = Kind::tensor, added.tensor = state_name(name);
        break;
      case ir::Role::hyper:
        added.kind = Kind::number, added.value = setting(name);
        add_number(step, name, added.value, at);
        break;
      case ir::Role::key: added.kind = Kind::key; break;
    }
    step.inputs.push_back(std::move(added));
  }

  std::optional<size_t> counter_named(const std::string& name, const StepData& step) const {
    for (size_t i = 0; i < step.counters.size(); ++i)
      if (train_->counter_name(static_cast<int64_t>(i)) == name) return i;
    return std::nullopt;
  }

  /// "weft.optimizer0/fc1.weight/exp_avg" for "fc1.weight.exp_avg"; a buffer of the model stays what it is.
  std::string state_name(const std::string& name) const {
    const size_t dot = name.rfind('.');
    if (!train_ || dot == std::string::npos) return name;
    const std::vector<std::string> trained = train_->all_inputs();
    const std::string parameter = name.substr(0, dot);
    if (std::find(trained.begin(), trained.end(), parameter) == trained.end()) return name;
    return checkpoint_names::state(0, parameter, name.substr(dot + 1));
  }

  double setting(const std::string& name) {
    hypers_.push_back(name);
    const auto found = settings_.find(name);
    if (found == settings_.end()) {
      missing_ += fmt::format("{}'{}' (--set {}=NUMBER)", missing_.empty() ? "" : ", ", name, name);
      return 0;
    }
    set_.insert(name);
    return found->second;
  }

  /// Which of the optimizer's numbers it is, or of one of its groups': "adam.lr", "adam.head.lr".
  void add_number(StepData& step, const std::string& name, double value, int64_t at) const {
    for (size_t i = step.numbers.size(); i-- > 0;) {
      StepNumbers& numbers = step.numbers[i];
      const std::string start = train_->optimizer + "." + (numbers.group.empty() ? "" : numbers.group + ".");
      if (!name.starts_with(start)) continue;
      numbers.numbers.push_back({numbers.op + "." + name.substr(start.size()), value, at});
      return;
    }
  }

  std::string name_;
  std::optional<ir::TrainSpec> train_;
  std::map<std::string, IndexBound> indices_;
  std::map<std::string, ValueRange> ranges_;
  std::map<std::string, double> settings_;
  std::set<std::string> set_;
  std::vector<std::string> hypers_;
  std::string missing_;
};

bool has_state(const ir::Graph& graph) {
  const auto& inputs = graph.inputs();
  return std::any_of(inputs.begin(), inputs.end(), [](const ir::Input& input) { return input.role == ir::Role::state; });
}

std::string size_text(size_t bytes) { return fmt::format("{:.1f} KB", static_cast<double>(bytes) / 1e3); }

void report(const StepData& step, const std::string& path) {
  size_t constants = 0;
  for (const Array& array : step.program.list.constants) constants += array.bytes();
  std::string code;
  for (const MachineCode& c : step.program.code) code += fmt::format("{}{} {}", code.empty() ? "" : ", ", c.isa, size_text(c.image.size()));
  fmt::print("{}: step '{}' for {}, {} launches, arena {}, constants {}, code for {}\n", path, step.name, step.program.backend,
             step.program.list.launches.size(), size_text(static_cast<size_t>(step.program.list.arena_bytes)), size_text(constants), code);
}

void compile(const Options& o) {
  if (o.seed < 0) throw Error("--seed must not be negative, not {}", o.seed);
  ir::Module module = ir::parse_file(o.file);
  Describer describer(module, o.settings);
  const bool trained_already = !module.train && !module.stage.empty();
  const Target target = Target::from_name(o.device);
  if (target.backend().takes_every_stage()) throw Error("programs for '{}' cannot be saved: it interprets them", o.device);
  const std::vector<std::string> passes = passes::remaining_passes(module, target.backend().pipeline());
  require_target_options(o.choice, passes);
  passes::run(module, passes, *target_for(module, std::string(target.name()), o.choice));
  StepData step = describer.describe(module.graph());
  step.key = static_cast<uint64_t>(o.seed);
  step.program = target.backend().portable(module, o.machines);
  write_step(o.output, step);
  report(step, o.output);
  if (trained_already && has_state(module.graph()))
    fmt::print(
        "note: behind the pass training_step a text says of no optimizer, so that its state is read by the program's own names and "
        "no checkpoint fits: compile what was recorded\n");
}

}  // namespace

void add_compile(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("compile", "Compile a program to a file that runs without a compiler");
  c->add_option("FILE", o->file, "The program in text form, the passes that are left run first; - is standard input")->required();
  c->add_option("-o,--output", o->output, "The compiled program")->required()->type_name("FILE.weftprog");
  c->add_option("--set", o->settings, "What a hyper-parameter starts as, e.g. sgd.lr=0.01; the program may set it later")
      ->allow_extra_args(false)
      ->type_name("NAME=NUMBER");
  c->add_option("--device", o->device, "cpu (default), or cuda: for an NVIDIA GPU,\nwhich this machine need not have")->type_name("NAME");
  c->add_option("--machine", o->machines,
                "Kernels for sse4, avx2 or avx512 alone; once for each. Default: all three.\n"
                "Of cuda: the oldest GPU that runs them, sm_70 or newer; default sm_80")
      ->allow_extra_args(false)
      ->type_name("NAME");
  add_target_options(*c, o->choice);
  c->add_option("--seed", o->seed, "What random numbers follow from, with the number of the step; default 0")->type_name("N");
  c->footer("Example: weft compile line.weft -o line.weftprog --set sgd.lr=0.01");
  refuse_empty(*c);
  c->callback([o] { compile(*o); });
}

}  // namespace weft::tool
