#pragma once
// A compiled step that came from a file, called once per batch as the step that it was saved from; see backends/saved/load_step.h.
//
//   SavedStep step = load_step("step.weftprog");
//   step.load("start.safetensors");                        // parameters; or a checkpoint, to go on from there
//   step.set("adam.lr", 5e-4);
//   step({{"x", images}, {"y", labels}});                  // forward, backward, update
//   fmt::print("{}\n", step.item("loss"));
//   step.save("checkpoint.safetensors");
//
// It computes what the compiled step does, to the bit, and its checkpoints are those of weft::Checkpoint(model).add(optimizer).

#include <atomic>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/batch_inputs.h"
#include "weft/runtime/program.h"
#include "weft/runtime/step_data.h"

namespace weft {

class SavedStep {
 public:
  /// `program` runs what `data` describes. Throws weft::Error where the data contradict themselves.
  SavedStep(StepData data, std::unique_ptr<Program> program);
  SavedStep(SavedStep&&) noexcept;
  SavedStep& operator=(SavedStep&&) noexcept;
  ~SavedStep();

  /// The graph's name.
  const std::string& name() const;
  /// What is fed at every call, and what comes out.
  std::vector<Port> batch() const;
  const std::vector<Port>& outputs() const;
  /// Bytes of the arena for every intermediate value.
  size_t arena_bytes() const;
  /// Whether anything is updated.
  bool trains() const;

  // --- Parameters, buffers and the optimizer's state ---

  /// By their names, as in checkpoints: "fc1.weight", "weft.optimizer0/fc1.weight/exp_avg".
  std::vector<std::string> tensors() const;
  /// To read and write between calls. Throws weft::Error with the nearest names.
  Array& tensor(std::string_view name);
  const Array& tensor(std::string_view name) const;

  /// A safetensors file. One that keeps an optimizer (a checkpoint) brings its state, numbers and counts of steps; of any other the
  /// parameters and buffers are read, and an optimizer begins anew. What the file has besides is kept for save().
  ///
  /// Throws weft::Error before anything changes: naming every tensor that is missing or of another shape or type, and where the
  /// checkpoint is of another optimizer, keeps its state without the metadata that count its steps, or has a number other than 0 of what
  /// the program was compiled without.
  void load(const std::string& path);
  /// All that load() reads, in a file of weft::Checkpoint's: tensors, and of numbers the optimizer's (a dropout rate is none of them).
  /// What schedules noted in the file that was loaded is written as it was: they do not go on here, set() does what they would. Old
  /// file or new one, never half of it.
  void save(const std::string& path) const;

  // --- Numbers ---

  /// What may be set: "adam.lr", "drop.p".
  std::vector<std::string> numbers() const;
  double number(std::string_view name) const;
  /// From the next call on. Throws weft::Error with the nearest names, and for a value that it may not have.
  void set(std::string_view name, double value);

  /// How many steps were made, those before the checkpoint that was loaded included.
  int64_t steps() const;

  // --- Running ---

  /// Once: step({{"x", images}, {"y", labels}}), one entry for each batch input, read in place. Throws weft::Error as the compiled
  /// step does, while parameters have not been loaded, and when another thread is inside.
  void operator()(std::initializer_list<Feed> feeds = {}) { run({feeds.begin(), feeds.size()}); }
  void run(std::span<const Feed> feeds);
  /// What the last call computed, until the next one; of a new parameter, the parameter. Throws weft::Error with the nearest names,
  /// and before the first call.
  View output(std::string_view name) const;
  /// Its only element. Throws weft::Error when there are several.
  double item(std::string_view name) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft
