#pragma once
// Heavy ops as kernels on the PTX machine.

#include <functional>
#include <string>
#include <vector>

#include "weft/backends/cuda/kernel_launch.h"
#include "weft/backends/reference/reference.h"
#include "weft/ir/module.h"
#include "weft/tests/ops/samples.h"

namespace llvm {
class Module;
}

namespace weft::test {

/// One op and its kernels. The op has the scratch memory that it asks for.
class HeavyRun {
 public:
  using Emit = std::function<std::vector<cuda::KernelLaunch>(llvm::Module&, const ir::Op&, const std::string& name)>;

  explicit HeavyRun(testing::Sample sample, const std::string& arch = "sm_90") : HeavyRun(std::move(sample), arch, {}) {}
  /// With kernels other than those of the table's row.
  HeavyRun(testing::Sample sample, const std::string& arch, const Emit& emit);

  const ir::Op& op() const { return *module_.graph().ops().front(); }
  const std::vector<cuda::KernelLaunch>& launches() const { return launches_; }

  struct Setup {
    uint64_t seed = 0;      // of the order of threads
    bool in_place = false;  // the result lies where the operand that it may replace does
  };
  /// The first result; throws ptx::Fault.
  std::vector<std::byte> bytes(const std::vector<reference::Tensor>& operands, Setup setup) const {
    return run(text, operands, setup).front();
  }
  std::vector<std::byte> bytes(const std::vector<reference::Tensor>& operands) const { return bytes(operands, Setup()); }
  reference::Tensor result(const std::vector<reference::Tensor>& operands) const {
    return reference::from_memory(op().result().type(), bytes(operands).data());
  }
  /// All but the scratch memory.
  std::vector<reference::Tensor> results(const std::vector<reference::Tensor>& operands, Setup setup) const;

  /// The fault that comes of the text with the first `what` in it replaced; none: nothing.
  std::string fault_with(const std::string& what, const std::string& by, const std::vector<reference::Tensor>& operands) const;

  std::string text;  // PTX

 private:
  /// The results, every byte of which must be written.
  std::vector<std::vector<std::byte>> run(const std::string& ptx, const std::vector<reference::Tensor>& operands, Setup setup) const;

  ir::Module module_;
  std::vector<cuda::KernelLaunch> launches_;
};

/// As they lie in memory.
std::vector<std::byte> memory_of(const reference::Tensor& t);

}  // namespace weft::test
