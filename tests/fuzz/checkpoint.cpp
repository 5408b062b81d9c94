// A checkpoint's metadata: what they say of optimizers, schedules and averages, a line's end, and what a Trainer notes. What is
// taken must be fit to go on from.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/nn/linear.h"
#include "weft/frontend/optim/adam.h"
#include "weft/frontend/optim/schedule.h"
#include "weft/frontend/training/checkpoints.h"
#include "weft/runtime/safetensors_header.h"
#include "weft/tests/fuzz/memory_file.h"

namespace weft::test {
namespace {

class Run {
 public:
  Run() {
    adam_.add_group("head", {net_->bias}, extra_);
    write_good();
  }

  /// The file with these metadata is read as a Trainer reads it, and everything moves on; then it is again as before.
  void resume(const std::string& weft, const std::string& training) {
    header_.metadata = {{"weft", weft}, {"weft.training", training}};
    const std::string bytes = content();
    try_file(memory_file(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()));
    const std::string good = memory_file(reinterpret_cast<const uint8_t*>(good_.data()), good_.size());
    options_.resume = good;
    History history;
    checkpoints().resume(history);
  }

 private:
  void try_file(const std::string& path) try {
    options_.resume = path;
    detail::Checkpoints all = checkpoints();
    History history;
    all.resume(history);
    if (std::ssize(history.epochs) != all.position().epoch || history.steps < 0) std::abort();
    step_.step();
    plateau_.step(0.5);
    average_.update();
    all.position().tally.add({.loss = 1, .terms = {{1, 1}}, .metrics = measured_}, 2);
    all.position().tally.loss();
    program_.metrics().numbers(all.position().tally.metrics);
    stopping_.step(0.5);
    if (stopping_.best_step() > all.position().epoch + 1) std::abort();
  } catch (const Error&) {}

  detail::Checkpoints checkpoints() { return {recipe_, program_, options_, "in pairs", data_.size(), 3, files_, &stopping_}; }

  void write_good() {
    const auto folder = std::filesystem::temp_directory_path() / ("weft_fuzz_" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    const std::string path = folder / "run";
    {
      const CheckpointOptions options{.path = path, .every = 1};
      detail::CheckpointFiles files(options);
      detail::Checkpoints all(recipe_, program_, options, "in pairs", data_.size(), 3, files, &stopping_);
      average_.update();
      all.position().tally.add({.loss = 1, .terms = {{1, 1}}, .metrics = measured_}, 2);
      all.after_step(1);
    }
    std::ifstream file(path, std::ios::binary);
    good_.assign(std::istreambuf_iterator<char>(file), {});
    std::filesystem::remove_all(folder);
    uint64_t length = 0;
    std::memcpy(&length, good_.data(), sizeof length);
    header_ = detail::parse_safetensors_header(good_.substr(sizeof length, length), "good", sizeof length);
    elements_ = good_.substr(sizeof length + length);
  }

  std::string content() const {
    const std::string header = detail::print_safetensors_header(header_);
    const uint64_t length = header.size();
    std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
    return bytes + header + elements_;
  }

  std::shared_ptr<nn::Linear> net_ = std::make_shared<nn::Linear>(2, 2);
  Dataset data_{.inputs = Array(f32, {6, 2}), .targets = Array(f32, {6, 2}), .name = "zeros"};
  optim::Adam adam_, extra_{{.lr = 0.5}};
  optim::CosineAnnealingWarmRestarts step_{adam_, {.t_0 = 3, .t_mult = 2}};
  optim::ReduceLROnPlateau plateau_{adam_};
  AveragedWeights average_{net_->parameters(), {.decay = 0.5}};
  EarlyStopping stopping_{*net_, 3};
  CheckpointOptions options_;
  detail::CheckpointFiles files_{options_};
  detail::Recipe recipe_{.model = nn::AnyModule(std::shared_ptr<nn::Module>(net_)),
                         .measure = [net = net_](const Tensors& batch) { return measure((*net)(batch["x"]) - batch["y"]); },
                         .optimizer = adam_,
                         .at = std::source_location::current(),
                         .schedules = {drive(step_), drive(plateau_)},
                         .average = &average_};
  ProgramOptions cpu_;
  detail::Specialization program_{recipe_, data_, 2, -1, {detail::Use::training, 0, cpu_}};
  /// What a batch of two gives.
  const std::vector<detail::Gathered> measured_{{.values = {{1}, {4}}}, {.values = {{1, 2, 3, 4}}, .collected = true}};
  std::string good_, elements_;
  detail::SafeTensorsHeader header_;

  static Measured measure(const Tensor& error) {
    const auto largest = [](const Metric::State& all) { return *std::max_element(all[0].begin(), all[0].end()); };
    return {mean(pow(error, 2)), {{"error", abs(error)}, {"largest", Metric::of_all({error}, largest)}}};
  }

  template <class Schedule>
  static detail::DrivenSchedule drive(Schedule& schedule) {
    return {{}, [&schedule](Checkpoint& checkpoint) { checkpoint.add(schedule); }, &schedule.learning_rate(), Every::epoch, false};
  }
};

}  // namespace
}  // namespace weft::test

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static weft::test::Run run;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const size_t end = std::min(text.find('\n'), size);
  try {
    run.resume(text.substr(0, end), text.substr(std::min(end + 1, size)));
  } catch (const nlohmann::json::type_error&) {  // not UTF-8: no file has such metadata
  }
  return 0;
}
