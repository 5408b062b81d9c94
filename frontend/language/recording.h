#pragma once
// What stands behind a Graph: the module under construction and what its inputs are bound to.

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/hyper.h"
#include "weft/frontend/language/parameter.h"
#include "weft/frontend/language/untrained.h"
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

class Recording : public std::enable_shared_from_this<Recording> {
 public:
  explicit Recording(std::string name) : module(std::move(name)) {}
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  /// Of a step that scan() records: what it sees from outside becomes an input of its body.
  Recording(std::string name, std::shared_ptr<Recording> around) : Recording(std::move(name)) {
    training = around->training;
    around_ = std::move(around);
  }

  ir::Graph& graph() { return module.graph(); }
  const std::string& name() { return graph().name(); }

  /// The input that stands for it, added on first use under its name (with ".1", ".2", ... when taken); of a parameter that is computed
  /// of others, what is computed.
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
  int64_t next_site() { return around_ ? around_->next_site() : site_++; }

  /// Is it that one, or a step recorded inside of it?
  bool lies_in(const Recording& other) const { return this == &other || (around_ && around_->lies_in(other)); }
  /// The recording that no scan is around.
  Recording& outermost() { return around_ ? around_->outermost() : *this; }
  /// The value here of one that was recorded here or around this.
  ir::Value seen(ir::Value v);
  /// What stands for values from around this, with them, and for the key of each step, if any: inputs.
  struct Seen {
    ir::Value outside, here;
  };
  const std::vector<Seen>& seen() const { return seen_; }
  ir::Value step_key() const { return step_key_; }

  /// The innermost graph that lives on this thread, or null.
  static std::shared_ptr<Recording> innermost();
  /// A graph object begins / ends to hold the recording.
  static void open(const std::shared_ptr<Recording>& recording);
  void close() { open_ = false; }
  bool is_open() const { return open_; }

  ir::Module module;
  Bindings bindings;
  std::vector<Classification> classifications;  // what losses recorded here decide
  std::vector<Untrained> untrained = {};        // by what was differentiated
  std::optional<bool> training = {};            // the mode in which all modules record here; unset: each in its own

 private:
  std::string free_input_name(const std::string& wanted);
  ir::Value computed(const Parameter& parameter, const ir::Location& at);

  std::shared_ptr<Recording> around_;
  std::unordered_map<const ParameterStorage*, ir::Value> computed_;
  std::vector<Seen> seen_;
  std::unordered_map<ir::Value, ir::Value, ir::ValueHash> here_;  // by the value around this: an input, or the same made here again
  ir::Value step_key_;
  int64_t site_ = 0;
  bool open_ = true;
};

}  // namespace weft::detail
