#include "weft/frontend/training/training_log.h"

#include <algorithm>
#include <cmath>

#include "weft/runtime/columns.h"
#include "weft/support/error.h"

namespace weft::detail {
namespace {

constexpr int widest_name = 20;

/// The parts on as many lines as they need, each of so many columns at most unless a part alone is wider; those behind the first begin
/// with `indent`.
std::string wrapped(const std::vector<std::string>& parts, int columns, const std::string& indent) {
  std::string text, line;
  for (const std::string& part : parts) {
    if (!line.empty() && columns_of(line) + 2 + columns_of(part) > columns) {
      text += line + "\n" + indent;
      line.clear();
    }
    line += (line.empty() ? "" : "  ") + part;
  }
  return text + line;
}

std::string loss_text(double loss) { return fmt::format("{:<7}", number_text(loss)); }

/// An accuracy in percent, another metric as it is.
std::string metric_text(const std::string& name, double number) {
  return name == "accuracy" ? "acc " + percent_text(number) : name + " " + loss_text(number);
}

}  // namespace

TrainingLog::Style TrainingLog::style_named(const std::string& name) {
  if (name == "bar") return Style::bar;
  if (name == "plain") return Style::plain;
  if (name == "classic") return Style::classic;
  if (name == "none") return Style::none;
  throw Error("Trainer: .log is \"bar\", \"plain\", \"classic\" or \"none\", not \"{}\"", name);
}

TrainingLog::TrainingLog(const std::string& style, const std::vector<std::string>& names, int64_t epochs, int64_t batches, int64_t samples,
                         bool tests)
    : style_(style_named(style)), epochs_(epochs), batches_(batches), samples_(samples), tests_(tests) {
  names_ = names;
  shown_ = elided_apart(names, widest_name);
  for (const std::string& name : shown_) width_ = std::max(width_, columns_of(name));
  if (style_ == Style::bar) progress_ = std::make_unique<Progress>();
}

std::string TrainingLog::prefix(const std::string& name) const {
  if (width_ == 0) return "";
  const std::string& shown = shown_[static_cast<size_t>(std::find(names_.begin(), names_.end(), name) - names_.begin())];
  return shown + std::string(static_cast<size_t>(width_ - columns_of(shown) + 2), ' ');
}

/// One line where it fits, if need be without the time that a step takes; else all of it on several.
std::string TrainingLog::summary(const std::string& name, const EpochResult& r, bool scheduled) const {
  std::vector<std::string> parts{"loss " + loss_text(r.train_loss)};
  const auto add = [&](const NamedNumbers& metrics) {
    for (const auto& [name, number] : metrics)
      if (!std::isnan(number)) parts.push_back(metric_text(name, number));
  };
  add(r.train_metrics);
  if (tests_) parts.push_back("test " + loss_text(r.test_loss));
  add(r.test_metrics);
  if (scheduled && !std::isnan(r.learning_rate)) parts.push_back(fmt::format("lr {:.3g}", r.learning_rate));
  const std::string front = prefix(name);
  const int before = columns_of(epoch_text(r.epoch, epochs_)) + 2 + columns_of(front);
  const int columns = (progress_ ? progress_->columns() : 80) - before;
  const std::string indent(static_cast<size_t>(before), ' ');
  const std::string short_one = wrapped(parts, columns, indent);
  parts.push_back(duration_text(r.step_us) + "/step");
  std::string whole = wrapped(parts, columns, indent);
  if (whole.find('\n') != std::string::npos && short_one.find('\n') == std::string::npos) whole = short_one;
  return front + whole;
}

std::string compile_report(int64_t programs, double seconds) {
  if (!(seconds > 1)) return "";
  return fmt::format("compiled {} program{} in {:.1f} s", programs, programs == 1 ? "" : "s", seconds);
}

Announce compile_notice(const std::string& style) {
  const auto progress = std::make_shared<Progress>(stderr, style == "bar");
  return [progress](const std::string& what) { progress->status("compiling " + what); };
}

Announce TrainingLog::announce(const std::string& name) {
  return [this, name](const std::string& what) { compiling(name, what); };
}

void TrainingLog::compiling(const std::string& name, const std::string& what) {
  if (programs_++ == 0) start_ = std::chrono::steady_clock::now();
  if (progress_ && progress_->rewrites()) progress_->status(fmt::format("compiling {}{}", name.empty() ? "" : name + ": ", what));
  else if (style_ != Style::none && programs_ == 1) fmt::print(stderr, "compiling the programs of training and evaluation\n");
}

void TrainingLog::compiled() {
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start_;
  if (const std::string report = compile_report(programs_, time.count()); programs_ > 0 && !report.empty()) note(report);
}

void TrainingLog::begin_epoch(int64_t epoch) {
  if (progress_) progress_->begin_epoch(epoch, epochs_, batches_);
  if (style_ == Style::classic && width_ == 0) fmt::print("Epoch {}\n-------------------------------\n", epoch);
}

void TrainingLog::batch(const BatchNumbers& b) {
  if (progress_) progress_->update(b.index + 1, b.samples_done, b.loss, b.accuracy, b.learning_rate);
  if (style_ == Style::classic && width_ == 0 && b.index % 100 == 0)
    fmt::print("loss: {:>7f}  [{:>5}/{:>5}]\n", b.batch_loss, b.samples_done, samples_);
}

void TrainingLog::evaluation(const std::string& name, const Evaluation& result) {
  std::string text = fmt::format("step {}  {}test loss {}", result.step, prefix(name), number_text(result.loss));
  for (const auto& [name, number] : result.metrics) {
    if (std::isnan(number)) continue;
    text += name == "accuracy" ? fmt::format("  test acc {:.2f}%", 100 * number) : fmt::format("  test {} {}", name, number_text(number));
  }
  if (progress_) progress_->note(text);
  if (style_ == Style::plain) fmt::print(stderr, "{}\n", text);
  if (style_ == Style::classic) fmt::print("{}\n", text);
}

void TrainingLog::end_epoch(const std::string& name, const EpochResult& result, bool scheduled) {
  const std::string text = summary(name, result, scheduled);
  if (progress_) progress_->end_epoch(text);
  if (style_ == Style::plain) fmt::print(stderr, "{}  {}\n", epoch_text(result.epoch, epochs_), text);
  if (style_ == Style::classic) end_classic(name, result);
}

void TrainingLog::end_classic(const std::string& name, const EpochResult& result) const {
  if (width_ > 0) {
    std::string text = fmt::format("Epoch: {:02} | {}", result.epoch, prefix(name).substr(0, prefix(name).size() - 2));
    const auto add = [&](const char* what, double loss, double accuracy) {
      if (!std::isnan(loss)) text += fmt::format(" | {} Loss: {:.4f}", what, loss);
      if (!std::isnan(accuracy)) text += fmt::format(" | {} Acc: {:6.2f}%", what, 100 * accuracy);
    };
    add("Train", result.train_loss, result.train_accuracy());
    add("Test", result.test_loss, result.test_accuracy());
    fmt::print("{}\n", text);
  }
  if (width_ > 0 || !tests_) return;
  const std::string accuracy = std::isnan(result.test_accuracy()) ? "" : fmt::format("Accuracy: {:>0.1f}%, ", 100 * result.test_accuracy());
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
