#include "weft/frontend/training_log.h"

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

TrainingLog::TrainingLog(const std::string& style, int64_t epochs, int64_t batch, int64_t samples,
                         bool tests)
    : style_(style_named(style)), epochs_(epochs), batch_(batch), samples_(samples), tests_(tests) {
  if (style_ == Style::bar) progress_ = std::make_unique<Progress>();
}

void TrainingLog::begin_epoch(int64_t epoch) {
  if (progress_) progress_->begin_epoch(epoch, epochs_, (samples_ + batch_ - 1) / batch_);
  if (style_ == Style::classic) fmt::print("Epoch {}\n-------------------------------\n", epoch);
}

void TrainingLog::batch(int64_t index, int64_t samples_done, double loss, double accuracy) {
  if (progress_) progress_->update(index + 1, samples_done, loss, accuracy);
  if (style_ == Style::classic && index % 100 == 0)
    fmt::print("loss: {:>7f}  [{:>5}/{:>5}]\n", loss, samples_done, samples_);
}

void TrainingLog::evaluation(const Evaluation& result) {
  std::string text = fmt::format("step {}  test loss {:.4f}", result.step, result.loss);
  if (!std::isnan(result.accuracy)) text += fmt::format("  test acc {:.2f}%", 100 * result.accuracy);
  if (progress_) progress_->note(text);
  if (style_ == Style::plain) fmt::print(stderr, "{}\n", text);
  if (style_ == Style::classic) fmt::print("{}\n", text);
}

void TrainingLog::end_epoch(const EpochResult& result) {
  if (progress_) progress_->end_epoch(summary(result, tests_));
  if (style_ == Style::plain) fmt::print(stderr, "epoch {}/{}  {}\n", result.epoch, epochs_, summary(result, tests_));
  if (style_ != Style::classic || !tests_) return;
  const std::string accuracy =
      std::isnan(result.test_accuracy) ? "" : fmt::format("Accuracy: {:>0.1f}%, ", 100 * result.test_accuracy);
  fmt::print("Test Error: \n {}Avg loss: {:>8f} \n\n", accuracy, result.test_loss);
}

void TrainingLog::done() {
  if (style_ == Style::classic) fmt::print("Done!\n");
}

}  // namespace weft::detail
