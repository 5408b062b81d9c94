#pragma once
// Training kept in a file, to go on from later in another process.
//
//   Checkpoint checkpoint(net);
//   checkpoint.add(adam).add(schedule).add(average);
//   checkpoint.save("run.safetensors");       // and later, or elsewhere:
//   checkpoint.load("run.safetensors");
//
// The file is safetensors. Parameters and buffers have PyTorch's state_dict names, so that a Checkpoint of a model alone
// exchanges weights with PyTorch both ways (safetensors.torch.save_file, load_file). A parameter of several names (tied weights) is
// saved under the first, and the metadata say of each other one, "out.weight", which it is, "emb.weight", as safetensors.torch's
// save_model has it; it is read from a file with all of them, or any. What an optimizer keeps is beside them:
// "weft.optimizer0/fc1.weight/exp_avg"; its counts of steps and numbers and the schedules' progress are in the metadata "weft".

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/nn/module.h"
#include "weft/frontend/optim/optimizer.h"
#include "weft/frontend/training/averaged_weights.h"
#include "weft/frontend/training/early_stopping.h"
#include "weft/runtime/safetensors.h"

namespace weft {

struct LoadOptions {
  /// As in PyTorch's load_state_dict: whether the file must have all tensors, and none besides. Otherwise those that both have
  /// are loaded, and the others stay as they are. Shapes and types must fit in any case.
  bool strict = true;
};

/// What load() found besides, as PyTorch's load_state_dict returns it; both are empty where it was strict.
struct Loaded {
  std::vector<std::string> missing_keys;     // tensors here that the file has not
  std::vector<std::string> unexpected_keys;  // tensors of the file that are not here
};

/// Holds handles: what it saves is what is there at the call. Schedules and arrays given to add() must outlive it.
class Checkpoint {
 public:
  using Named = std::vector<std::pair<std::string, Parameter>>;
  explicit Checkpoint(const nn::Module& model);
  explicit Checkpoint(Named tensors);

  /// The optimizer's state, numbers (learning rate and all others, its groups' too) and counts of steps. A parameter that the file
  /// keeps no state of, for it was not trained then, begins anew. A parameter that it
  /// trains must be among the tensors.
  Checkpoint& add(const optim::Optimizer& optimizer);
  /// A schedule's progress.
  template <class Schedule>
    requires requires(Schedule& s) { s.restore(s.progress()); }
  Checkpoint& add(Schedule& schedule) {
    progress_.push_back({[&schedule] { return schedule.progress(); }, [&schedule](const auto& p) { schedule.restore(p); }});
    return *this;
  }
  /// The averages and how many there were; its parameters must be among the tensors. It must outlive the checkpoint.
  Checkpoint& add(AveragedWeights& average);
  /// The best weights so far, as "weft.best/fc1.weight", and their numbers, so that restore() brings them back in a run that goes on. Its
  /// parameters must be among the tensors. It must outlive the checkpoint.
  Checkpoint& add(EarlyStopping& stopping);
  /// An array that nothing else owns here, under a name of its own.
  Checkpoint& add(const std::string& name, Array& array);

  /// Text of yours, under names of yours; read back by load().
  std::map<std::string, std::string, std::less<>> notes;

  /// Old file or new one, never half of it, with a checksum in the metadata: see runtime/replace_file.h, safetensors.h. Throws
  /// weft::Error naming what cannot be written.
  void save(const std::string& path) const;

  /// Throws weft::Error before anything changes: naming every missing, unexpected and wrongly shaped tensor, and two names of one
  /// parameter that have other numbers in the file; when the optimizers or schedules are not those of the file; as
  /// read_safetensors does. Element types may differ within floating
  /// types, and within integers that hold the values. A Checkpoint of tensors alone leaves what the file keeps of optimizers
  /// and schedules; a part of the tensors themselves is loaded with .strict = false:
  ///
  ///   const Loaded loaded = Checkpoint(net).load("backbone.safetensors", {.strict = false});
  ///   // loaded.missing_keys: {"head.weight", "head.bias"}
  Loaded load(const std::string& path, const LoadOptions& options = {});

 private:
  struct Progress {
    std::function<std::vector<double>()> get;
    std::function<void(const std::vector<double>&)> set;
  };

  class Matching;
  struct Kept;
  struct Counts;
  /// State of a parameter whose training step is not compiled yet: it is made by load(), and found then.
  struct NewState {
    detail::OptimizerCore* optimizer;
    Parameter parameter;
    std::string state;
    const Array* array;
  };

  /// What the optimizers' parameters are called, first name first. `keeper` is who needs them.
  const std::vector<std::string>& names_of(const Parameter& parameter, const std::string& keeper) const;
  std::vector<NewState> match(const SafeTensors& file, const std::vector<Counts>& counts, Matching& matching);
  std::optional<NewState> new_state(const std::string& name, const Array& array, const std::vector<Counts>& counts) const;
  std::vector<Counts> counts_in(const SafeTensors& file) const;
  void write_counts(const std::vector<Counts>& counts);
  void restore(const std::vector<std::vector<double>>& progress);
  Kept kept_in(const SafeTensors& file) const;

  Named tensors_;                                          // each once
  std::map<const void*, std::vector<std::string>> names_;  // of each, by its storage
  std::map<std::string, Parameter, std::less<>> by_name_;
  std::vector<std::shared_ptr<detail::OptimizerCore>> optimizers_;
  std::vector<Progress> progress_;
  std::vector<std::pair<std::string, Array*>> arrays_;
  int averages_ = 0, stoppings_ = 0;
};

}  // namespace weft
