#include "weft/frontend/training/checkpoints.h"

#include <fmt/ranges.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "weft/runtime/note_text.h"

namespace weft::detail {
namespace {

using nlohmann::json;

constexpr const char* note_key = "weft.training";

Checkpoint::Named named(const Recipe& recipe, const Specialization& program) {
  if (auto own = recipe.model->state_dict(); !own.empty()) return own;
  Checkpoint::Named all;
  for (size_t i = 0; i < program.parameters().size(); ++i) all.emplace_back(program.names()[i], program.parameters()[i]);
  return all;
}

json numbers_text(const NamedNumbers& numbers) {
  json all = json::array();
  for (const auto& [name, number] : numbers) all.push_back({name, text_of(number)});
  return all;
}

NamedNumbers numbers_in(const json& j) {
  std::vector<std::pair<std::string, double>> all;
  for (const json& one : list_in_note(j)) all.emplace_back(text_in_note(entry_in_note(one, 0)), number_in_note(entry_in_note(one, 1)));
  return all;
}

json epoch_text(const EpochResult& r) {
  return {text_of(r.train_loss),        text_of(r.test_loss), numbers_text(r.train_metrics),
          numbers_text(r.test_metrics), text_of(r.step_us),   text_of(r.learning_rate)};
}

EpochResult epoch_in(const json& j, int64_t number) {
  return {number,
          number_in_note(entry_in_note(j, 0)),
          number_in_note(entry_in_note(j, 1)),
          numbers_in(entry_in_note(j, 2)),
          numbers_in(entry_in_note(j, 3)),
          number_in_note(entry_in_note(j, 4)),
          j.size() > 5 ? number_in_note(entry_in_note(j, 5)) : NamedNumbers::unknown};
}

json metrics_text(const std::vector<Gathered>& metrics) {
  json all = json::array();
  for (const Gathered& metric : metrics) {
    json tensors = json::array();
    for (const std::vector<double>& values : metric.values) {
      json& texts = tensors.emplace_back(json::array());
      for (const double value : values) texts.push_back(text_of(value));
    }
    all.push_back({metric.collected, tensors});
  }
  return all;
}

std::vector<Gathered> metrics_in(const json& j) {
  std::vector<Gathered> metrics;
  for (const json& one : list_in_note(j)) {
    Gathered& metric = metrics.emplace_back();
    metric.collected = flag_in_note(entry_in_note(one, 0));
    for (const json& texts : list_in_note(entry_in_note(one, 1))) {
      std::vector<double>& values = metric.values.emplace_back();
      for (const json& text : list_in_note(texts)) values.push_back(number_in_note(text));
    }
  }
  return metrics;
}

json terms_text(const std::vector<Quotient>& terms) {
  json all = json::array();
  for (const Quotient& t : terms) all.push_back({text_of(t.numerator), text_of(t.count)});
  return all;
}

std::vector<Quotient> terms_in(const json& j) {
  std::vector<Quotient> terms;
  for (const json& t : list_in_note(j)) terms.push_back({number_in_note(entry_in_note(t, 0)), number_in_note(entry_in_note(t, 1))});
  return terms;
}

}  // namespace

void Tally::add(const Outcome& outcome, int64_t size) {
  terms.resize(std::max(terms.size(), outcome.terms.size()));
  for (size_t i = 0; i < outcome.terms.size(); ++i) {
    terms[i].numerator += outcome.terms[i].numerator;
    terms[i].count += outcome.terms[i].count;
  }
  metrics.resize(std::max(metrics.size(), outcome.metrics.size()));
  for (size_t i = 0; i < outcome.metrics.size(); ++i) metrics[i].add(outcome.metrics[i]);
  samples += size;
  ++batches;
}

double Tally::loss() const {
  double sum = 0;
  for (const Quotient& t : terms) sum += t.numerator / t.count;
  return terms.empty() ? std::numeric_limits<double>::quiet_NaN() : sum;
}

Checkpoints::Checkpoints(const Recipe& recipe, const Specialization& program, const CheckpointOptions& options, std::string how,
                         int64_t examples, int64_t batches, CheckpointFiles& files, EarlyStopping* stopping)
    : options_(options), how_(std::move(how)), metrics_(program.metrics()), files_(files), examples_(examples), batches_(batches),
      checkpoint_(named(recipe, program)), best_loss_(std::numeric_limits<double>::infinity()), stopping_(stopping) {
  checkpoint_.add(recipe.optimizer);
  for (const DrivenSchedule& schedule : recipe.schedules) schedule.add_to(checkpoint_);
  if (recipe.average) checkpoint_.add(*recipe.average);
  if (stopping) checkpoint_.add(*stopping);
}

void Checkpoints::read_note(const std::string& text, History& history) {
  const json note = parse_note(text);
  written_how_ = text_in_note(note, "how");
  for (const json& epoch : list_in_note(note, "epochs")) epochs_.push_back(epoch_in(epoch, std::ssize(epochs_) + 1));
  position_ = {std::ssize(epochs_),
               {terms_in(member_in_note(note, "terms")), count_in_note(note, "batches"), count_in_note(note, "samples"),
                metrics_in(member_in_note(note, "metrics"))}};
  best_loss_ = number_in_note(note, "best_loss");
  history.steps = count_in_note(note, "steps");
  std::vector<int64_t> kept;
  if (note.contains("kept"))
    for (const json& step : list_in_note(note["kept"])) kept.push_back(count_in_note(step));
  files_.resume(std::move(kept));
}

/// Whether the numbers can stand beside each other, once how_ is known to be the same.
void Checkpoints::check_note(const History& history) const {
  const Tally& t = position_.tally;
  const int64_t steps = position_.epoch * batches_ + t.batches;
  std::string fault;
  if (t.batches >= batches_) fault = fmt::format("{} batches of an epoch that has {}", t.batches, batches_);
  else if (history.steps != steps) fault = fmt::format("{} steps, but {} epochs and {} batches", history.steps, position_.epoch, t.batches);
  else if (t.samples > examples_) fault = fmt::format("{} samples of an epoch that has {}", t.samples, examples_);
  else if (!metrics_.fits(t.metrics, t.samples))
    fault = fmt::format("something else for the metrics {} after {} samples", fmt::join(metrics_.names(), ", "), t.samples);
  if (!fault.empty())
    throw Error(ErrorKind::file, "its metadata '{}' are not as weft writes them (they count {})", note_key, fault)
        .at(fmt::format("'{}'", options_.resume));
}

void Checkpoints::resume(History& history) {
  if (options_.resume.empty()) return;
  const auto metadata = read_safetensors(options_.resume).metadata;
  const auto found = metadata.find(note_key);
  if (found == metadata.end())
    throw Error(ErrorKind::file, "'{}' was not written by a Trainer: it keeps no place in the data", options_.resume);
  try {
    read_note(found->second, history);
  } catch (const Error& e) {
    throw Error(ErrorKind::file, "its metadata '{}' are not as weft writes them ({})", note_key, e.what())
        .at(fmt::format("'{}'", options_.resume));
  }
  if (written_how_ != how_)
    throw Error(ErrorKind::file, "'{}' was written while training on {}; this is {}", options_.resume, written_how_, how_);
  check_note(history);
  checkpoint_.load(options_.resume);  // last: it changes the model
  if (stopping_ && stopping_->best_step() > position_.epoch)
    throw Error(ErrorKind::file, "after {} epochs, number {} cannot have the smallest test loss", position_.epoch, stopping_->best_step())
        .at(fmt::format("'{}'", options_.resume));
  history.epochs = epochs_;
}

void Checkpoints::after_step(int64_t steps) {
  if (options_.every > 0 && steps % options_.every == 0 && !is_epoch_complete()) write(steps, std::numeric_limits<double>::quiet_NaN());
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
  if (options_.path.empty()) return;
  const bool best = test_loss < best_loss_;
  if (best) best_loss_ = test_loss;
  files_.add(steps);
  json epochs = json::array();
  for (const EpochResult& r : epochs_) epochs.push_back(epoch_text(r));
  const Tally& t = position_.tally;
  const json note{{"how", how_},
                  {"epochs", epochs},
                  {"terms", terms_text(t.terms)},
                  {"batches", t.batches},
                  {"samples", t.samples},
                  {"metrics", metrics_text(t.metrics)},
                  {"best_loss", text_of(best_loss_)},
                  {"steps", steps},
                  {"kept", files_.kept()}};
  checkpoint_.notes[note_key] = print_note(note);
  checkpoint_.save(options_.path);
  files_.written(best);
}

}  // namespace weft::detail
