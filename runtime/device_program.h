#pragma once
// A program that computes in a memory of its own: what programs of a simple device share; backends/cuda has its own, which does not
// wait for its device. Storages are brought there and stay there from step to step; what is bound to memory of the host (a batch, a
// hyper-parameter, the key) is copied in before each run, and a result is copied out when somebody asks for it.

#include <memory>
#include <optional>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/program.h"

namespace weft {

class DeviceProgram : public Program {
 public:
  using Program::run;
  void run(std::span<const Binding> inputs) final;
  const std::byte* output(int i) const final;

 protected:
  DeviceProgram(std::shared_ptr<MemorySpace> space, std::vector<Port> inputs, std::vector<Port> outputs);

  /// Runs once, on memory of the space, and has done so when it returns.
  virtual void launch(std::span<std::byte* const> inputs) = 0;
  /// Where the elements of output i are in the space, after launch().
  virtual const std::byte* result(int i) const = 0;

 private:
  /// A buffer in the space for what is bound to memory of the host.
  struct Release {
    std::shared_ptr<MemorySpace> space;
    void operator()(std::byte* memory) const { space->release(memory); }
  };
  using Buffer = std::unique_ptr<std::byte, Release>;

  std::byte* bring(size_t input, const Binding& binding);

  std::shared_ptr<MemorySpace> space_;
  std::vector<bool> replaced_;                         // per input: does an output take over its memory?
  std::vector<Buffer> buffers_;                        // per input, made when first needed
  std::vector<std::byte*> memory_;                     // per input
  std::vector<Binding> bound_;                         // per input, by the last run
  mutable std::vector<std::optional<Array>> results_;  // per output: those that were asked for
  mutable std::vector<bool> copied_;                   // per output: since the last run
};

}  // namespace weft
