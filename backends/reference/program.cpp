// The reference as a program: memory in, memory out.

#include <new>

#include "weft/backends/reference/reference.h"
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

class Interpreter : public Program {
 public:
  explicit Interpreter(ir::Module module) : module_(std::move(module)) {
    for (const ir::Input& input : graph().inputs()) {
      const ir::Type& t = input.node->type;
      inputs_.push_back({input.node->name, t.dtype, t.shape, {}, to_string(input.locations)});
    }
    for (const ir::Output& output : graph().outputs()) {
      const ir::Type& t = output.value.type();
      outputs_.push_back({output.name, t.dtype, t.shape, output.alias, to_string(output.locations)});
      arrays_.push_back(output.alias ? Array() : array_of(output));  // an aliased one needs no memory of its own
    }
    results_.resize(outputs_.size());
  }

  void run(std::span<std::byte* const> inputs) override {
    const FloatMode mode;
    std::vector<Tensor> values;
    for (size_t i = 0; i < inputs_.size(); ++i) values.push_back(read(inputs_[i], inputs[i]));
    const std::vector<Tensor> results = evaluate(graph(), values);
    for (size_t i = 0; i < results.size(); ++i) {
      const auto& alias = outputs_[i].alias;
      results_[i] = alias ? inputs[static_cast<size_t>(*alias)] : arrays_[i].data();
      to_memory(results[i], results_[i]);
    }
  }

  const std::byte* output(int i) const override { return results_[static_cast<size_t>(i)]; }

 private:
  const ir::Graph& graph() const { return module_.graph(); }

  ir::Module module_;
  std::vector<Array> arrays_;
  std::vector<std::byte*> results_;
};

}  // namespace

std::unique_ptr<Program> compile(const ir::Module& module) { return std::make_unique<Interpreter>(module.clone()); }

}  // namespace weft::reference
