#pragma once
// Shows how training advances: a bar that is rewritten in place on a terminal, one plain line for each epoch
// elsewhere.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

namespace weft {

/// What one line shows.
struct ProgressState {
  int64_t epoch = 0, epochs = 0;   // shown as "epoch 3/10", so the first is 1
  int64_t batch = 0, batches = 0;  // finished, of all in the epoch
  int64_t samples = 0;             // finished in the epoch
  double seconds = 0;              // since the epoch began
  double loss = 0;
  double accuracy = std::numeric_limits<double>::quiet_NaN();       // 0 .. 1; NaN is not shown
  double learning_rate = std::numeric_limits<double>::quiet_NaN();  // NaN is not shown
};

/// "epoch  3/10", as wide as that of the last.
std::string epoch_text(int64_t epoch, int64_t epochs);

/// The bar's line: fewer than `columns` characters, ASCII. Each number keeps its place as it changes. Too
/// narrow, it loses the samples a second first, then time left, learning rate, accuracy, bar, loss and
/// percentage.
std::string progress_line(const ProgressState& state, int columns);

class Progress {
 public:
  /// `out` must outlive this. A terminal gets the bar, anything else (and TERM=dumb) plain lines; if not
  /// `enabled`, nothing is written.
  explicit Progress(std::FILE* out = stderr, bool enabled = true);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// Clears a bar that end_epoch() has not finished, so that an error message starts on a clean line.
  ~Progress();

  /// `epoch` counts from 1.
  void begin_epoch(int64_t epoch, int64_t epochs, int64_t total_batches);

  /// After `batch` batches of the epoch. Reads a clock; draws (and allocates) at most 10 times a second.
  void update(int64_t batch, int64_t samples_done, double loss, double accuracy = std::numeric_limits<double>::quiet_NaN(),
              double learning_rate = std::numeric_limits<double>::quiet_NaN());

  /// Is the last line rewritten, as a terminal's is?
  bool rewrites() const { return terminal_; }
  /// Characters that fit on a line: a terminal's, otherwise 80.
  int columns() const;

  /// In place of the bar on a terminal, cut to its width, until something else is shown; nothing elsewhere.
  void status(const std::string& text);

  /// Writes a line of its own; the bar goes on after it.
  void note(const std::string& text);

  /// Writes "epoch 3/10  {summary}" and a line end, in place of the bar.
  void end_epoch(const std::string& summary);

 private:
  using Clock = std::chrono::steady_clock;
  void draw(Clock::time_point now);
  /// Over what stands in the terminal's current line.
  void write_line(const std::string& text);

  std::FILE* out_;
  bool enabled_;
  bool terminal_;
  bool drawn_ = false;  // a bar stands in the terminal's current line
  ProgressState state_;
  Clock::time_point start_, last_draw_;
};

}  // namespace weft
