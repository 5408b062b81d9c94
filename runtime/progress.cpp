#include "weft/runtime/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <string_view>

#include "weft/runtime/columns.h"

namespace weft {
namespace {

constexpr int widest_bar = 40, narrowest_bar = 6, usual_columns = 80;
constexpr std::string_view clear_line = "\r\x1b[K";

bool is_terminal(std::FILE* out) {
  const char* const term = std::getenv("TERM");
  return isatty(fileno(out)) && term && std::string_view(term) != "dumb";
}

int columns_of_terminal(std::FILE* out) {
  winsize size{};
  return ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual_columns;
}

std::string rate_text(double per_second) {
  if (!std::isfinite(per_second)) return "";
  if (per_second >= 1e7) return fmt::format("{:.0f}M/s", per_second / 1e6);
  if (per_second >= 1e6) return fmt::format("{:.2f}M/s", per_second / 1e6);
  if (per_second >= 1e4) return fmt::format("{:.1f}k/s", per_second / 1e3);
  return fmt::format("{:.0f}/s", per_second);
}

std::string time_text(double seconds) {
  if (!(seconds < 360000)) return "";  // not yet known, or not worth showing
  const auto s = static_cast<int64_t>(std::ceil(seconds));
  if (s >= 3600) return fmt::format("{}h{:02} left", s / 3600, s / 60 % 60);
  return fmt::format("{}:{:02} left", s / 60, s % 60);
}

/// "[=====>    ]", `width` characters.
std::string bar_text(double fraction, int width) {
  const auto inner = static_cast<size_t>(width - 2);
  const auto filled = static_cast<size_t>(fraction * static_cast<double>(inner));
  std::string bar(inner, ' ');
  std::fill_n(bar.begin(), filled, '=');
  if (filled < inner) bar[filled] = '>';
  return "[" + bar + "]";
}

}  // namespace

std::string epoch_text(int64_t epoch, int64_t epochs) {
  const std::string all = fmt::format("{}", epochs);
  return fmt::format("epoch {:>{}}/{}", epoch, all.size(), all);
}

std::string progress_line(const ProgressState& state, int columns) {
  const auto done = static_cast<double>(state.batch), all = static_cast<double>(state.batches);
  const double fraction = all > 0 ? std::clamp(done / all, 0.0, 1.0) : 0;
  const double left = fraction > 0 ? state.seconds * (1 - fraction) / fraction : INFINITY;
  const double per_second = state.samples > 0 ? static_cast<double>(state.samples) / state.seconds : NAN;

  // Padded, so that the bar keeps its place as the numbers change.
  enum Part { bar, percent, speed, loss, accuracy, rate, time, parts };
  std::array<std::string, parts> text;
  text[percent] = fmt::format(" {:3.0f}%", std::floor(fraction * 100));
  text[speed] = fmt::format("  {:>8}", rate_text(per_second));
  if (state.batch > 0) text[loss] = fmt::format("  loss {:<7}", number_text(state.loss));
  if (state.batch > 0 && !std::isnan(state.accuracy)) text[accuracy] = "  acc " + percent_text(state.accuracy);
  if (state.batch > 0 && !std::isnan(state.learning_rate)) text[rate] = fmt::format("  lr {:<8.3g}", state.learning_rate);
  text[time] = fmt::format("  {:>10}", time_text(left));

  const std::string head = epoch_text(state.epoch, state.epochs);
  const int room = std::max(columns - 1, 0);  // a full line would wrap on some terminals
  int used = static_cast<int>(head.size()) + 1 + narrowest_bar;
  for (const std::string& t : text) used += static_cast<int>(t.size());
  bool with_bar = true;
  for (const Part part : {speed, time, rate, accuracy, bar, loss, percent}) {
    if (used <= room) break;
    used -= part == bar ? 1 + narrowest_bar : static_cast<int>(text[part].size());
    if (part == bar) with_bar = false;
    text[part].clear();
  }
  if (with_bar) text[bar] = " " + bar_text(fraction, std::min(widest_bar, narrowest_bar + room - used));

  std::string line = head;
  for (const std::string& t : text) line += t;
  line.resize(std::min(line.find_last_not_of(' ') + 1, static_cast<size_t>(room)));
  return line;
}

Progress::Progress(std::FILE* out, bool enabled) : out_(out), enabled_(enabled), terminal_(enabled && is_terminal(out)) {}

Progress::~Progress() {
  if (!drawn_) return;
  std::fwrite(clear_line.data(), 1, clear_line.size(), out_);
  std::fflush(out_);
}

void Progress::begin_epoch(int64_t epoch, int64_t epochs, int64_t total_batches) {
  state_ = {};
  state_.epoch = epoch;
  state_.epochs = epochs;
  state_.batches = total_batches;
  start_ = Clock::now();
  if (terminal_) draw(start_);
}

void Progress::update(int64_t batch, int64_t samples_done, double loss, double accuracy, double learning_rate) {
  if (!terminal_) return;
  const auto now = Clock::now();
  if (now - last_draw_ < std::chrono::milliseconds(100)) return;
  state_.batch = batch;
  state_.samples = samples_done;
  state_.loss = loss;
  state_.accuracy = accuracy;
  state_.learning_rate = learning_rate;
  draw(now);
}

void Progress::draw(Clock::time_point now) {
  state_.seconds = std::chrono::duration<double>(now - start_).count();
  last_draw_ = now;
  write_line(progress_line(state_, columns()));
}

void Progress::write_line(const std::string& line) {
  drawn_ = true;
  // One write for each line, so that nothing flickers.
  const std::string text = fmt::format("\r{}\x1b[K", line);
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

int Progress::columns() const { return terminal_ ? columns_of_terminal(out_) : usual_columns; }

void Progress::status(const std::string& text) {
  if (terminal_) write_line(elided(text, std::max(columns() - 1, 0)));
}

void Progress::note(const std::string& note) {
  if (!enabled_) return;
  const std::string text = fmt::format("{}{}\n", drawn_ ? clear_line : "", note);
  drawn_ = false;
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

void Progress::end_epoch(const std::string& summary) {
  if (!enabled_) return;
  const std::string text =
      fmt::format("{}{}{}{}\n", drawn_ ? clear_line : "", epoch_text(state_.epoch, state_.epochs), summary.empty() ? "" : "  ", summary);
  drawn_ = false;
  std::fwrite(text.data(), 1, text.size(), out_);
  std::fflush(out_);
}

}  // namespace weft
