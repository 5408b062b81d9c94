#include "weft/frontend/checkpoints.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>

#include "weft/runtime/replace_file.h"

namespace weft::detail {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr const char* note_key = "weft.training";

Checkpoint::Named named(const Recipe& recipe, const Specialization& program) {
  if (auto own = recipe.model->state_dict(); !own.empty()) return own;
  Checkpoint::Named all;
  for (const Parameter& p : program.parameters()) all.emplace_back(p.name(), p);
  return all;
}

// As text, since JSON knows neither nan nor infinity.
std::string text_of(double value) { return fmt::format("{}", value); }
double number_in(const json& text) { return std::stod(text.get<std::string>()); }

json epoch_text(const EpochResult& r) {
  return {text_of(r.train_loss), text_of(r.train_accuracy), text_of(r.test_loss), text_of(r.test_accuracy), text_of(r.step_us)};
}

EpochResult epoch_in(const json& j, int64_t number) {
  return {number, number_in(j.at(0)), number_in(j.at(1)), number_in(j.at(2)), number_in(j.at(3)), number_in(j.at(4))};
}

/// Throws weft::Error where no file can be made beside `path`, before hours of training end so.
void check_folder(const std::string& path) {
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  std::error_code code;
  if (!fs::is_directory(folder, code)) throw Error("cannot write the checkpoint '{}': there is no folder '{}'", path, folder.string());
  if (::access(folder.c_str(), W_OK) != 0)
    throw Error("cannot write the checkpoint '{}': '{}': {}", path, folder.string(), std::strerror(errno));
}

/// "run.best.safetensors" for "run.safetensors".
std::string beside(const std::string& path, const std::string& what) {
  const fs::path p(path);
  return (p.parent_path() / (p.stem().string() + "." + what + p.extension().string())).string();
}

/// The number in "run.step-200.safetensors", for `path` "run.safetensors".
std::optional<int64_t> step_in(const std::string& name, const fs::path& path) {
  const std::string start = path.stem().string() + ".step-", end = path.extension().string();
  if (!name.starts_with(start) || !name.ends_with(end) || name.size() <= start.size() + end.size()) return std::nullopt;
  int64_t step = 0;
  const char *first = name.data() + start.size(), *last = name.data() + name.size() - end.size();
  const auto [stop, error] = std::from_chars(first, last, step);
  if (error != std::errc() || stop != last) return std::nullopt;
  return step;
}

}  // namespace

Checkpoints::Checkpoints(const Recipe& recipe, const Specialization& program, const FitOptions& options, int64_t examples,
                         int64_t batches, EarlyStopping* stopping)
    : options_(options), examples_(examples), batches_(batches), checkpoint_(named(recipe, program)),
      best_loss_(std::numeric_limits<double>::infinity()) {
  if (!options.checkpoint.empty()) check_folder(options.checkpoint);
  checkpoint_.add(recipe.optimizer);
  for (const DrivenSchedule& schedule : recipe.schedules) schedule.add_to(checkpoint_);
  if (!stopping) return;
  checkpoint_.add(*stopping);
  for (size_t i = 0; i < stopping->best_weights().size(); ++i)
    checkpoint_.add("weft.best/" + program.parameters()[i].name(), stopping->best_weights()[i]);
}

/// What must be equal for a continuation to see the same batches and masks.
std::string Checkpoints::how() const {
  return fmt::format("{} examples, .batch = {}, .shuffle = {}, .drop_last = {}, .seed = {}, .accumulate = {}", examples_, options_.batch,
                     options_.shuffle, options_.drop_last, options_.seed, options_.accumulate);
}

void Checkpoints::resume(History& history) {
  if (options_.resume.empty()) return;
  checkpoint_.load(options_.resume);
  const auto found = checkpoint_.notes.find(note_key);
  if (found == checkpoint_.notes.end()) throw Error("'{}' was not written by a Trainer: it keeps no place in the data", options_.resume);
  try {
    const json note = json::parse(found->second);
    if (note.at("how") != how())
      throw Error("'{}' was written while training on {}; this is {}", options_.resume, note["how"].get<std::string>(), how());
    for (const json& epoch : note.at("epochs")) epochs_.push_back(epoch_in(epoch, std::ssize(epochs_) + 1));
    position_ = {std::ssize(epochs_),
                 {number_in(note.at("losses")), note.at("batches").get<int64_t>(), note.at("correct").get<int64_t>(), note.at("samples").get<int64_t>()}};
    best_loss_ = number_in(note.at("best_loss"));
    history.steps = note.at("steps").get<int64_t>();
  } catch (const std::exception& e) {
    if (dynamic_cast<const Error*>(&e)) throw;
    throw Error("'{}': its metadata '{}' are not as weft writes them ({})", options_.resume, note_key, e.what());
  }
  history.epochs = epochs_;
}

void Checkpoints::after_step(int64_t steps) {
  if (options_.checkpoint_every > 0 && steps % options_.checkpoint_every == 0 && !is_epoch_complete())
    write(steps, std::numeric_limits<double>::quiet_NaN());
}

void Checkpoints::after_epoch(const History& history) {
  const bool complete = is_epoch_complete();
  if (complete) {
    epochs_.push_back(history.last());
    position_ = {position_.epoch + 1, {}};
  }
  write(history.steps, complete ? history.last().test_loss : std::numeric_limits<double>::quiet_NaN());
}

void Checkpoints::write(int64_t steps, double test_loss) {
  if (options_.checkpoint.empty()) return;
  const bool best = test_loss < best_loss_;
  if (best) best_loss_ = test_loss;
  json epochs = json::array();
  for (const EpochResult& r : epochs_) epochs.push_back(epoch_text(r));
  const Tally& t = position_.tally;
  const json note{{"how", how()}, {"epochs", epochs}, {"losses", text_of(t.losses)}, {"batches", t.batches}, {"correct", t.correct},
                  {"samples", t.samples}, {"best_loss", text_of(best_loss_)}, {"steps", steps}};
  checkpoint_.notes[note_key] = note.dump();
  const std::string& path = options_.checkpoint;
  checkpoint_.save(path);
  if (best && options_.keep_best) replace_by_link(path, beside(path, "best"));
  if (options_.keep_last > 0) keep_last(steps);
}

void Checkpoints::keep_last(int64_t steps) const {
  const fs::path path(options_.checkpoint);
  replace_by_link(options_.checkpoint, beside(options_.checkpoint, fmt::format("step-{}", steps)));
  std::vector<std::pair<int64_t, fs::path>> all;
  for (const auto& entry : fs::directory_iterator(path.has_parent_path() ? path.parent_path() : fs::path(".")))
    if (const auto step = step_in(entry.path().filename().string(), path)) all.emplace_back(*step, entry.path());
  std::sort(all.begin(), all.end());
  for (size_t i = 0; i + static_cast<size_t>(options_.keep_last) < all.size(); ++i) fs::remove(all[i].second);
}

}  // namespace weft::detail
