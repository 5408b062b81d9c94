#include "weft/tests/gpu_check/make/maker.h"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <set>

#include "weft/passes/pass.h"
#include "weft/runtime/safetensors.h"
#include "weft/runtime/step_file.h"
#include "weft/support/error.h"

namespace weft::gpu_check {
namespace {

/// What a step's handle holds where its program is for another machine.
class Elsewhere final : public Program {
 public:
  Elsewhere(std::vector<Port> inputs, std::vector<Port> outputs) { inputs_ = std::move(inputs), outputs_ = std::move(outputs); }
  using Program::run;
  void run(std::span<const Binding>) override { throw InternalError("a program for another machine runs there"); }
  const std::byte* output(int) const override { return nullptr; }
};

/// The cuda backend without a device: steps are compiled to be saved.
class Distant final : public Backend {
 public:
  explicit Distant(cuda::Options options) : arch_(options.arch), cuda_(cuda::backend(std::move(options))) {}

  std::string_view name() const override { return cuda_->name(); }
  const passes::Target& target() const override { return cuda_->target(); }
  std::string_view pipeline() const override { return cuda_->pipeline(); }
  std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>*) const override {
    LaunchList list = cuda_->lower(module).list;
    return std::make_unique<Elsewhere>(std::move(list.inputs), std::move(list.outputs));
  }
  ProgramData portable(const ir::Module& module, std::span<const std::string>) const override { return cuda::lower(module, arch_); }

 private:
  std::string arch_;
  std::shared_ptr<const Backend> cuda_;
};

}  // namespace

Maker::Maker(Options options) : options_(std::move(options)), manifest_{WEFT_VERSION, options_.arch} {
  std::filesystem::create_directories(options_.folder);
}

Target Maker::target(std::optional<DType> autocast) const {
  return Target(std::make_shared<Distant>(cuda::Options{.arch = options_.arch, .autocast = autocast}));
}

std::string Maker::file_for(const std::string& name) {
  std::string file = fmt::format("{:04}-", manifest_.checks.size() + manifest_.measured.size());
  for (const char c : name.substr(0, 40)) file += std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return file;
}

void Maker::write_data(const std::string& file, const Tensors& tensors) const {
  std::vector<std::pair<std::string, const Array*>> all;
  for (const auto& [name, array] : tensors) all.emplace_back(name, &array);
  write_safetensors(path(file, ".safetensors"), std::move(all), {}, true);
}

ir::Module planned(const ir::Module& recorded, const Target& target) {
  ir::Module module = recorded.clone();
  passes::run(module, passes::remaining_passes(module, target.backend().pipeline()), target.backend().target());
  return module;
}

void write_function(const Maker& maker, const std::string& file, const ir::Module& planned, const Target& target, bool resident) {
  StepData step{planned.graph().name()};
  std::set<std::string> replaced;
  for (const ir::Output& output : planned.graph().outputs())
    if (output.alias) replaced.insert(planned.graph().input(*output.alias).name());
  for (const ir::Input& input : planned.graph().inputs()) {
    StepInput& added = step.inputs.emplace_back();
    const bool stays = input.role == ir::Role::parameter || input.role == ir::Role::state || replaced.contains(input.node->name);
    if (!resident && !stays) continue;
    added.kind = StepInput::Kind::tensor, added.tensor = input.node->name;
  }
  step.program = target.backend().portable(planned, {});
  write_step(maker.path(file, ".weftprog"), step);
}

}  // namespace weft::gpu_check
