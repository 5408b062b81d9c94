#pragma once
// The files that a Trainer's checkpoints are.

#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/training/options.h"
#include "weft/runtime/replace_file.h"

namespace weft::detail {

/// CheckpointOptions::path and what stands beside it: "run.best.safetensors" and "run.step-200.safetensors" for
/// "run.safetensors". One run at a time has them.
class CheckpointFiles {
 public:
  /// Throws weft::Error where they could not be written: no folder, none that may be written into, something else in their
  /// place, or another run that writes them.
  explicit CheckpointFiles(const CheckpointOptions& options);

  /// The steps of which this run has files, for its checkpoints to say.
  const std::vector<int64_t>& kept() const { return kept_; }
  /// Goes on with those of a checkpoint.
  void resume(std::vector<int64_t> kept) { kept_ = std::move(kept); }
  /// Before a checkpoint is written that says what is kept.
  void add(int64_t step);
  /// After it was written: gives it its other names, and removes what is more than CheckpointOptions::keep_last. Files of other
  /// runs under this name go first, the oldest before others; then this run's, by their steps.
  void written(bool is_best) const;

 private:
  std::string beside(const std::string& what) const;
  void remove_surplus() const;

  std::string path_;
  int64_t keep_last_;
  bool keep_best_;
  std::optional<FileLock> lock_;
  std::vector<int64_t> kept_;
};

}  // namespace weft::detail
