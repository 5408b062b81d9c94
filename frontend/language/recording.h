#pragma once
// What stands behind a Graph: the module under construction and what its inputs are bound to.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/hyper.h"
#include "weft/frontend/language/parameter.h"
#include "weft/ir/module.h"

namespace weft::detail {

struct BoundParameter {
  std::string input;
  Parameter parameter;
};

struct BoundHyper {
  std::string input;
  Hyper hyper;
};

/// A hyper-parameter that was 0 while recording, so that what it scales was left out. A step checks that it still is.
struct OffSwitch {
  Hyper hyper;
  std::string left_out;  // "so no dropout was recorded at main.cpp:12 (drop)"
};

/// That a loss takes the class of largest score along `axis` for each target but those that are `ignored` (null: none is).
struct Classification {
  ir::Value scores, target, ignored;
  int64_t axis;
};

/// What the inputs of a recorded module stand for. Everything else is fed by the caller.
struct Bindings {
  std::vector<BoundParameter> parameters;
  std::vector<BoundHyper> hypers;
  std::vector<OffSwitch> off;
  std::string key;                      // the input that holds the stream's key and the step, if any
  std::optional<uint64_t> stream = {};  // of random numbers (see defaults.h); unset: that of the seed itself
};

class Recording {
 public:
  explicit Recording(std::string name) : module(std::move(name)) {}
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  ir::Graph& graph() { return module.graph(); }
  const std::string& name() { return graph().name(); }

  /// The input that stands for it, added on first use under its name (with ".1", ".2", ... when taken).
  ir::Value parameter(const Parameter& parameter, const ir::Location& at);
  /// What it will hold after the step, as far as recorded: the value of its update, else the input.
  ir::Value latest(const Parameter& parameter, const ir::Location& at);
  /// After the step it holds `value`, which has its type. Replaces an update recorded before.
  void update(const Parameter& parameter, ir::Value value, const ir::Location& at);
  ir::Value hyper(const Hyper& hyper, const std::string& name, const ir::Location& at);
  ir::Value key(const ir::Location& at);
  /// Brings ops and inputs into an order that does not depend on the compiler: see ir/order.h. Values stay what they are.
  void settle();
  /// A number for the next random op.
  int64_t next_site() { return site_++; }

  /// The innermost graph that lives on this thread, or null.
  static std::shared_ptr<Recording> innermost();
  /// A graph object begins / ends to hold the recording.
  static void open(const std::shared_ptr<Recording>& recording);
  void close() { open_ = false; }

  ir::Module module;
  Bindings bindings;
  std::vector<Classification> classifications;  // what losses recorded here decide
  std::optional<bool> training = {};            // the mode in which all modules record here; unset: each in its own

 private:
  std::string free_input_name(const std::string& wanted);

  int64_t site_ = 0;
  bool open_ = true;
};

}  // namespace weft::detail
