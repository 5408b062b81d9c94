#include "weft/frontend/training_log.h"

#include <algorithm>
#include <cmath>

#include "weft/support/error.h"

namespace weft::detail {
namespace {

std::string summary(const EpochResult& r, bool tests) {
  std::string text = fmt::format("loss {:.4f}", r.train_loss);
  if (!std::isnan(r.train_accuracy)) text += fmt::format("  acc {:.2f}%", 100 * r.train_accuracy);
  if (tests) text += fmt::format("  test loss {:.4f}", r.test_loss);
  if (!std::isnan(r.test_accuracy)) text += fmt::format("  test acc {:.2f}%", 100 * r.test_accuracy);
  return text + fmt::format("  {:.0f} us/step", r.step_us);
}

}  // namespace

TrainingLog::Style TrainingLog::style_named(const std::string& name) {
  if (name == "bar") return Style::bar;
  if (name == "plain") return Style::plain;
  if (name == "classic") return Style::classic;
  if (name == "none") return Style::none;
  throw Error("Trainer::fit: .log is \"bar\", \"plain\", \"classic\" or \"none\", not \"{}\"", name);
}

TrainingLog::TrainingLog(const std::string& style, const std::vector<std::string>& names, int64_t epochs, int64_t batches,
                         int64_t samples, bool tests)
    : style_(style_named(style)), epochs_(epochs), batches_(batches), samples_(samples), tests_(tests) {
  for (const std::string& name : names) width_ = std::max(width_, name.size());
  if (style_ == Style::bar) progress_ = std::make_unique<Progress>();
}

std::string TrainingLog::prefix(const std::string& name) const { return width_ == 0 ? "" : fmt::format("{:{}}  ", name, width_); }

void TrainingLog::begin_epoch(int64_t epoch) {
  if (progress_) progress_->begin_epoch(epoch, epochs_, batches_);
  if (style_ == Style::classic && width_ == 0) fmt::print("Epoch {}\n-------------------------------\n", epoch);
}

void TrainingLog::batch(int64_t index, int64_t samples_done, double loss, double accuracy) {
  if (progress_) progress_->update(index + 1, samples_done, loss, accuracy);
  if (style_ == Style::classic && width_ == 0 && index % 100 == 0)
    fmt::print("loss: {:>7f}  [{:>5}/{:>5}]\n", loss, samples_done, samples_);
}

void TrainingLog::evaluation(const std::string& name, const Evaluation& result) {
  std::string text = fmt::format("step {}  {}test loss {:.4f}", result.step, prefix(name), result.loss);
  if (!std::isnan(result.accuracy)) text += fmt::format("  test acc {:.2f}%", 100 * result.accuracy);
  if (progress_) progress_->note(text);
  if (style_ == Style::plain) fmt::print(stderr, "{}\n", text);
  if (style_ == Style::classic) fmt::print("{}\n", text);
}

void TrainingLog::end_epoch(const std::string& name, const EpochResult& result) {
  const std::string text = prefix(name) + summary(result, tests_);
  if (progress_) progress_->end_epoch(text);
  if (style_ == Style::plain) fmt::print(stderr, "epoch {}/{}  {}\n", result.epoch, epochs_, text);
  if (style_ == Style::classic) end_classic(name, result);
}

void TrainingLog::end_classic(const std::string& name, const EpochResult& result) const {
  if (width_ > 0) {
    std::string text = fmt::format("Epoch: {:02} | {:{}}", result.epoch, name, width_);
    const auto add = [&](const char* what, double loss, double accuracy) {
      if (!std::isnan(loss)) text += fmt::format(" | {} Loss: {:.4f}", what, loss);
      if (!std::isnan(accuracy)) text += fmt::format(" | {} Acc: {:6.2f}%", what, 100 * accuracy);
    };
    add("Train", result.train_loss, result.train_accuracy);
    add("Test", result.test_loss, result.test_accuracy);
    fmt::print("{}\n", text);
  }
  if (width_ > 0 || !tests_) return;
  const std::string accuracy =
      std::isnan(result.test_accuracy) ? "" : fmt::format("Accuracy: {:>0.1f}%, ", 100 * result.test_accuracy);
  fmt::print("Test Error: \n {}Avg loss: {:>8f} \n\n", accuracy, result.test_loss);
}

void TrainingLog::note(const std::string& text) {
  if (progress_) progress_->note(text);
  else if (style_ != Style::none) fmt::print(stderr, "{}\n", text);
}

void TrainingLog::done() {
  if (style_ == Style::classic && width_ == 0) fmt::print("Done!\n");
}

}  // namespace weft::detail
