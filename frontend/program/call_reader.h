#pragma once
// What each call of a watched program read and wrote.

#include <unordered_map>
#include <vector>

#include "weft/backends/reference/reference.h"
#include "weft/ir/module.h"
#include "weft/passes/lowered.h"
#include "weft/runtime/call_watcher.h"

namespace weft::detail {

class CallReader : public CallWatcher {
 public:
  /// `planned` is what the program was made from, and outlives this.
  explicit CallReader(const ir::Module& planned);

  /// Keeps what the call is about to overwrite in place.
  void before(const Call& call) override;

 protected:
  const ir::Op& op_of(const Call& call) const;
  /// What the call read, and has written; scratch memory as zeros.
  std::vector<reference::Tensor> operands(const Call& call) const;
  std::vector<reference::Tensor> results(const Call& call) const;
  const std::byte* result(const Call& call, ir::Value v) const;
  /// ", in pass 3 of its loop"; empty outside of loops.
  static std::string pass_text(const Call& call);

 private:
  std::vector<passes::LaunchedOp> ops_;
  std::unordered_map<size_t, std::vector<std::byte>> kept_;  // operands of the call at hand
};

}  // namespace weft::detail
