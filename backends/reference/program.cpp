// The reference as a program: memory in, memory out.

#include <new>
#include <unordered_map>

#include "weft/backends/program/ports.h"
#include "weft/backends/reference/reference.h"
#include "weft/passes/lowered.h"
#include "weft/runtime/array.h"
#include "weft/runtime/float_mode.h"
#include "weft/support/memory.h"

namespace weft::reference {
namespace {

Array array_of(const ir::Output& output) try {
  return Array(output.value.dtype(), output.value.shape(), std::source_location());
} catch (const OutOfMemory& e) {
  throw OutOfMemory("the output '{}', at {}: {}", output.name, to_string(output.locations), e.what());
}

Tensor read(const Port& port, const std::byte* memory) try {
  return from_memory({port.dtype, port.shape}, memory);
} catch (const std::bad_alloc&) {
  throw out_of_memory(fmt::format("the reference interpreter, for the input '{}',", port.name),
                      8 * static_cast<uint64_t>(port.shape.numel()));
}

/// Shows ops as calls: what they read and gave, in memory for them alone.
class Shown {
 public:
  Shown(const ir::Module& module, CallWatcher& watcher) : module_(module), watcher_(watcher) {
    for (const passes::LaunchedOp& launched : passes::launched_ops(module.graph())) numbers_.emplace(launched.op, numbers_.size());
  }

  void operator()(const ir::Op& op, std::span<const Tensor* const> operands, std::span<const Tensor> results) {
    const auto number = numbers_.find(&op);
    if (number == numbers_.end()) return;
    std::vector<std::vector<std::byte>> memory;
    for (const Tensor* t : operands) memory.push_back(bytes_of(*t));
    for (const Tensor& t : results) memory.push_back(bytes_of(t));
    std::vector<std::byte*> buffers;
    for (auto& bytes : memory) buffers.push_back(bytes.data());
    std::vector<int64_t> passes;
    if (&op.graph() != &module_.graph()) passes.push_back(runs_[&op]++);
    const CallWatcher::Call call{number->second, passes, buffers};
    watcher_.before(call);
    watcher_.after(call);
  }

 private:
  static std::vector<std::byte> bytes_of(const Tensor& t) {
    std::vector<std::byte> bytes(static_cast<size_t>(t.type.bytes()) + 1);  // so that even nothing has a place
    to_memory(t, bytes.data());
    return bytes;
  }

  const ir::Module& module_;
  CallWatcher& watcher_;
  std::unordered_map<const ir::Op*, size_t> numbers_;
  std::unordered_map<const ir::Op*, int64_t> runs_;  // of those in loops
};

class Interpreter : public Program {
 public:
  explicit Interpreter(ir::Module module) : module_(std::move(module)) {
    inputs_ = program::input_ports(graph());
    outputs_ = program::output_ports(graph());
    for (const ir::Output& output : graph().outputs())
      arrays_.push_back(output.alias ? Array() : array_of(output));  // an aliased one needs no memory of its own
    results_.resize(outputs_.size());
  }

  using Program::run;
  void run(std::span<const Binding> inputs) override { run(inputs, nullptr); }
  bool shows_calls() const override { return true; }
  void run_watched(std::span<const Binding> inputs, CallWatcher& watcher) override { run(inputs, Shown(module_, watcher)); }

  const std::byte* output(int i) const override { return results_[static_cast<size_t>(i)]; }

 private:
  const ir::Graph& graph() const { return module_.graph(); }

  void run(std::span<const Binding> inputs, const Observer& observer) {
    const FloatMode mode;
    std::vector<Tensor> values;
    for (size_t i = 0; i < inputs_.size(); ++i) values.push_back(read(inputs_[i], inputs[i].read()));
    const std::vector<Tensor> results = observer ? evaluate(graph(), values, observer) : evaluate(graph(), values);
    for (size_t i = 0; i < results.size(); ++i) {
      const auto& alias = outputs_[i].alias;
      results_[i] = alias ? inputs[static_cast<size_t>(*alias)].write() : arrays_[i].data();
      to_memory(results[i], results_[i]);
    }
  }

  ir::Module module_;
  std::vector<Array> arrays_;
  std::vector<std::byte*> results_;
};

class ReferenceBackend final : public Backend {
 public:
  std::string_view name() const override { return "reference"; }
  const passes::Target& target() const override { return passes::generic_target(); }
  // It interprets what was recorded, so that no pass after the step itself can hide a mistake from it.
  std::string_view pipeline() const override { return "step"; }
  bool takes_every_stage() const override { return true; }
  std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>*) const override { return compile(module); }
};

}  // namespace

std::unique_ptr<Program> compile(const ir::Module& module) { return std::make_unique<Interpreter>(module.clone()); }

std::shared_ptr<const Backend> backend() { return std::make_shared<ReferenceBackend>(); }

}  // namespace weft::reference
