// weft compile: a program in text form to one in a file that runs without a compiler.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <set>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/frontend/optim/defaults_of.h"
#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/program/target.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/feed.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/op_def.h"
#include "weft/ir/registry.h"
#include "weft/passes/pass.h"
#include "weft/runtime/checkpoint_names.h"
#include "weft/runtime/step_file.h"
#include "weft/support/number_text.h"

namespace weft::tool {
namespace {

constexpr const char* cpu_name = "cpu";

struct Options {
  std::string file, output;
  std::string device = cpu_name;
  TargetChoice choice;
  std::vector<std::string> settings, machines;
  int64_t seed = 0;
};

/// An optimizer's number: its default, and what it may be.
struct Known {
  double value;
  NumberRange range;
  bool must_be_given;  // by default it is off, and the program was built with it
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
    add_numbers_left_out(step);
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
        added.kind = Kind::number;
        if (const auto known = known_number(name, step)) added.value = setting(name, *known), added.range = known->range;
        else added.value = setting(name, {});
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

  /// The optimizer's own, or one of its groups', that the number belongs to; null for another number.
  StepNumbers* owner_of(const std::string& name, StepData& step) const {
    for (size_t i = step.numbers.size(); i-- > 0;)
      if (name.starts_with(start_of(step.numbers[i]))) return &step.numbers[i];
    return nullptr;
  }
  /// "adam.", "adam.head.": how their inputs are called.
  std::string start_of(const StepNumbers& numbers) const {
    return train_->optimizer + "." + (numbers.group.empty() ? "" : numbers.group + ".");
  }

  /// What weft::optim says of an optimizer's number.
  std::optional<Known> known_number(const std::string& name, StepData& step) const {
    const StepNumbers* owner = owner_of(name, step);
    const auto optimizer = owner ? detail::defaults_of(owner->op) : nullptr;
    const Hyper* hyper = optimizer ? optimizer->hyper(name.substr(start_of(*owner).size())) : nullptr;
    if (!hyper) return std::nullopt;
    return Known{hyper->value(), hyper->range(), hyper->value() == 0 && is_switch(*hyper, *optimizer)};
  }
  /// Does it turn a part of the update on by not being 0?
  static bool is_switch(const Hyper& hyper, const detail::OptimizerCore& optimizer) {
    const std::string name = hyper.name().substr(optimizer.op.size() + 1);
    const auto& attributes = ir::op_def(optimizer.op).attributes;
    return name.starts_with("clip_") ||
           std::any_of(attributes.begin(), attributes.end(), [&](const ir::AttributeSpec& spec) { return spec.name == name; });
  }

  double setting(const std::string& name, std::optional<Known> known) {
    hypers_.push_back(name);
    const auto found = settings_.find(name);
    if (found == settings_.end()) {
      if (known && !known->must_be_given) return known->value;
      missing_ += fmt::format("{}'{}' (--set {}=NUMBER)", missing_.empty() ? "" : ", ", name, name);
      return 0;
    }
    set_.insert(name);
    const double value = found->second;
    if (std::isnan(value) || (known && !std::isfinite(value))) throw Error("--set {}: it must be a finite number, not {}", name, value);
    if (known && !known->range.allows(value)) throw Error("--set {}: it must lie in {}, not be {}", name, known->range.text(), value);
    return value;
  }

  /// "adam.lr", "adam.head.lr", as checkpoints call it.
  void add_number(StepData& step, const std::string& name, double value, int64_t at) const {
    if (StepNumbers* owner = owner_of(name, step))
      owner->numbers.push_back({owner->op + "." + name.substr(start_of(*owner).size()), value, at});
  }

  /// Checkpoints hold all that an optimizer has; what the program does not read is off in it, or as it is by default.
  static void add_numbers_left_out(StepData& step) {
    for (StepNumbers& numbers : step.numbers) {
      const auto optimizer = detail::defaults_of(numbers.op);
      if (!optimizer) continue;
      for (const Hyper& hyper : optimizer->hypers) {
        const auto is_it = [&](const StepNumbers::Number& n) { return n.name == hyper.name(); };
        if (std::none_of(numbers.numbers.begin(), numbers.numbers.end(), is_it))
          numbers.numbers.push_back({hyper.name(), is_switch(hyper, *optimizer) ? 0 : hyper.value(), std::nullopt});
      }
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

/// Library calls are those of the narrowest machine that was named: the others have its instructions, too.
TargetChoice choice_of(const Options& o) {
  TargetChoice choice = o.choice;
  std::set<std::string> named;
  for (const std::string& machine : o.machines) {
    if (!named.insert(machine).second) throw Error("--machine {} is given twice", machine);
    if (o.device != cpu_name) continue;
    cpu::require_known_isa(machine);
    if (choice.max_isa.empty() || cpu::isa_width(machine) < cpu::isa_width(choice.max_isa)) choice.max_isa = machine;
  }
  return choice;
}

void compile(const Options& o) {
  if (o.seed < 0) throw Error("--seed must not be negative, not {}", o.seed);
  require_file("-o", o.output);
  require_other_file("-o", o.output, {o.file});
  const TargetChoice choice = choice_of(o);
  ir::Module module = parse_program(o.file);
  Describer describer(module, o.settings);
  const bool trained_already = !module.train && !module.stage.empty();
  const Target target = Target::from_name(o.device);
  if (target.name() != o.device)
    throw Error("--device {}: a program in a file is for any device; the number is for whoever opens it (LoadStepOptions::device)",
                o.device)
        .hint("--device " + target.name());
  if (target.backend().takes_every_stage()) throw Error("programs for '{}' cannot be saved: it interprets them", o.device);
  const std::vector<std::string> passes = passes::remaining_passes(module, target.backend().pipeline());
  require_target_options(choice, passes);
  passes::run(module, passes, *target_for(module, std::string(target.name()), choice));
  StepData step = describer.describe(module.graph());
  step.key = static_cast<uint64_t>(o.seed);
  step.program = target.backend().portable(module, o.machines);
  write_step(o.output, step);
  report(step, o.output);
  if (!choice.autocast.empty() && o.device == cpu_name && o.machines.empty())
    fmt::print("note: its products in bf16 are those of this machine's library; for machines without: --machine avx2\n");
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
  c->add_option("--set", o->settings,
                "What a hyper-parameter starts as, e.g. sgd.lr=0.01; else the optimizer's default, where\n"
                "it has one. The program may set it later")
      ->allow_extra_args(false)
      ->type_name("NAME=NUMBER");
  c->add_option("--device", o->device, "cpu (default), or cuda: for an NVIDIA GPU,\nwhich this machine need not have")->type_name("NAME");
  c->add_option("--machine", o->machines,
                "Kernels for sse4, avx2 or avx512 alone, once for each, and library calls that the\n"
                "narrowest of these has. Default: kernels for all three, library calls of this machine.\n"
                "Of cuda: the oldest GPU that runs them, sm_70 or newer, default sm_80; a name that ends\n"
                "in a letter, as sm_90a, is for that GPU alone")
      ->allow_extra_args(false)
      ->type_name("NAME");
  add_target_options(*c, o->choice);
  c->add_option("--seed", o->seed, "What random numbers follow from, with the number of the step; default 0")->type_name("N");
  c->footer("Example: weft compile line.weft -o line.weftprog --set sgd.lr=0.01");
  refuse_empty(*c);
  refuse_overflow(*c);
  c->callback([o] { compile(*o); });
}

}  // namespace weft::tool
