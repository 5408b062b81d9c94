#include "weft/backends/cpu/exec/cpu_program.h"

#include "weft/runtime/parallel.h"

namespace weft::cpu {
namespace {

class CpuProgram final : public Program {
 public:
  explicit CpuProgram(ProgramParts parts)
      : parts_(std::move(parts)), arena_(u8, Shape{parts_.arena_bytes}), bound_(parts_.inputs.size(), nullptr) {
    inputs_ = parts_.inputs;
    outputs_ = parts_.outputs;
    readers_.resize(inputs_.size());
    for (PlacedTask& t : parts_.tasks) bind(t);
  }

  void run(std::span<std::byte* const> inputs) override {
    for (size_t i = 0; i < bound_.size(); ++i)
      if (bound_[i] != inputs[i]) rebind(i, inputs[i]);
    const LibraryThreads scope(parts_.threads);
    for (PlacedTask& t : parts_.tasks) t.task->run(parts_.threads);
  }

  const std::byte* output(int i) const override { return address(parts_.output_places[static_cast<size_t>(i)]); }
  size_t arena_bytes() const override { return static_cast<size_t>(parts_.arena_bytes); }

  std::vector<std::string> calls() const override {
    std::vector<std::string> all;
    for (const PlacedTask& t : parts_.tasks) all.push_back(t.task->description);
    return all;
  }

 private:
  void bind(PlacedTask& t) {
    bool ready = true;
    for (size_t i = 0; i < t.places.size(); ++i) {
      if (t.places[i].kind == BufferPlace::Kind::input) {
        readers_[static_cast<size_t>(t.places[i].position)].push_back({t.task.get(), i});
        ready = false;
      } else {
        t.task->buffers[i] = address(t.places[i]);
      }
    }
    if (ready) t.task->rebound();
  }

  /// The caller's buffer has moved: only then do the tasks that touch it need new pointers.
  void rebind(size_t input, std::byte* data) {
    bound_[input] = data;
    for (const auto& [task, buffer] : readers_[input]) {
      task->buffers[buffer] = data;
      task->rebound();
    }
  }

  std::byte* address(const BufferPlace& place) const {
    const auto i = static_cast<size_t>(place.position);
    switch (place.kind) {
      case BufferPlace::Kind::input: return bound_[i];
      case BufferPlace::Kind::arena: return const_cast<std::byte*>(arena_.data()) + place.position;
      case BufferPlace::Kind::constant: return const_cast<std::byte*>(parts_.constants[i].data());
    }
    return nullptr;
  }

  struct Reader {
    Task* task;
    size_t buffer;
  };

  ProgramParts parts_;
  Array arena_;
  std::vector<std::byte*> bound_;             // per input: the pointer of the last run
  std::vector<std::vector<Reader>> readers_;  // per input
};

}  // namespace

std::unique_ptr<Program> make_program(ProgramParts parts) { return std::make_unique<CpuProgram>(std::move(parts)); }

}  // namespace weft::cpu
