#include "weft/runtime/progress.h"

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "weft/tests/catch.h"

using namespace weft;

namespace {

ProgressState halfway() {
  ProgressState state;
  state.epoch = 3;
  state.epochs = 10;
  state.batch = 50;
  state.batches = 100;
  state.samples = 24690;
  state.seconds = 2;
  state.loss = 0.123456;
  state.accuracy = 0.9712;
  return state;
}

/// What `use` writes to a file.
template <class Use>
std::string written(Use use) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::tmpfile(), std::fclose);
  use(file.get());
  std::string text(static_cast<size_t>(std::ftell(file.get())), '\0');
  std::rewind(file.get());
  REQUIRE(std::fread(text.data(), 1, text.size(), file.get()) == text.size());
  return text;
}

}  // namespace

TEST_CASE("progress: the whole line") {
  CHECK(
      progress_line(halfway(), 100) ==
      "epoch 3/10 [===============>              ]  50%   12.3k/s  loss 0.1235     acc  97.12%   0:02 left");
  ProgressState state = halfway();
  state.accuracy = NAN;  // a regression
  state.loss = NAN;
  CHECK(progress_line(state, 80) ==
        "epoch 3/10 [===========>           ]  50%   12.3k/s  loss nan         0:02 left");
  state.batch = state.samples = 0;
  CHECK(progress_line(state, 80) == "epoch 3/10 [>                                     ]   0%");
}

TEST_CASE("progress: a narrow terminal loses the least important first") {
  CHECK(progress_line(halfway(), 70) ==
        "epoch 3/10 [=====>    ]  50%  loss 0.1235     acc  97.12%   0:02 left");
  CHECK(progress_line(halfway(), 60) == "epoch 3/10 [======>     ]  50%  loss 0.1235     acc  97.12%");
  CHECK(progress_line(halfway(), 45) == "epoch 3/10 [=====>    ]  50%  loss 0.1235");
  CHECK(progress_line(halfway(), 35) == "epoch 3/10  50%  loss 0.1235");
  CHECK(progress_line(halfway(), 20) == "epoch 3/10  50%");
  CHECK(progress_line(halfway(), 12) == "epoch 3/10");
  CHECK(progress_line(halfway(), 6) == "epoch");
  for (int columns = 0; columns < 200; ++columns)
    CHECK(static_cast<int>(progress_line(halfway(), columns).size()) <= std::max(columns - 1, 0));
}

TEST_CASE("progress: numbers keep their width") {
  ProgressState state = halfway();
  const std::string usual = progress_line(state, 100);
  for (const double loss : {0.5, 12345.678, 1e-7, -1e-300, 1e300}) {
    state.loss = loss;
    CHECK(progress_line(state, 100).find(']') == usual.find(']'));
  }
  state = halfway();
  for (const int64_t samples : {0, 1, 19999, 20001, 2000000, 900000000}) {
    state.samples = samples;
    CHECK(progress_line(state, 100).find(']') == usual.find(']'));
  }
  state = halfway();
  state.seconds = 5000;
  CHECK_THAT(progress_line(state, 100), contains_text("1:23:20 left"));
  state.seconds = 1e9;
  CHECK_THAT(progress_line(state, 100), !contains_text("left"));
}

TEST_CASE("progress: a file gets one line for each epoch") {
  CHECK(written([](std::FILE* file) {
          Progress progress(file);
          for (int64_t epoch = 1; epoch <= 2; ++epoch) {
            progress.begin_epoch(epoch, 2, 1000);
            for (int64_t batch = 1; batch <= 1000; ++batch) progress.update(batch, batch * 64, 0.5, 0.9);
            progress.end_epoch("loss 0.5");
          }
          progress.begin_epoch(3, 3, 1);
          progress.end_epoch("");
        }) == "epoch 1/2  loss 0.5\nepoch 2/2  loss 0.5\nepoch 3/3\n");
}

TEST_CASE("progress: nothing when not enabled") {
  CHECK(written([](std::FILE* file) {
          Progress progress(file, false);
          progress.begin_epoch(1, 1, 10);
          progress.update(1, 64, 0.5);
          progress.end_epoch("loss 0.5");
        }).empty());
}

TEST_CASE("progress: a terminal gets a line that is rewritten in place") {
  int main_end = -1, terminal = -1;
  winsize size{};
  size.ws_col = 60;
  if (openpty(&main_end, &terminal, nullptr, nullptr, &size) != 0) {
    WARN("skipped: no pseudo terminal to be had");
    return;
  }
  setenv("TERM", "xterm", 1);
  fcntl(main_end, F_SETFL, O_NONBLOCK);
  std::string text;
  const auto drain = [&] {
    char buffer[4096];
    for (ssize_t got; (got = read(main_end, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<size_t>(got));
  };
  std::FILE* const out = fdopen(terminal, "w");
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress(out);
    progress.begin_epoch(1, 2, 100);
    for (int64_t batch = 1; batch <= 100; ++batch) {
      progress.update(batch, batch * 64, 0.25, 0.5);
      std::this_thread::sleep_for(std::chrono::milliseconds(4));
      drain();
    }
    progress.end_epoch("loss 0.25");
    progress.begin_epoch(2, 2, 100);
  }
  drain();
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  std::fclose(out);
  close(main_end);

  const auto bars = std::count(text.begin(), text.end(), '[') - std::count(text.begin(), text.end(), '\x1b');
  CHECK(bars >= 3);
  CHECK(static_cast<double>(bars) <= seconds * 10 + 3);  // and one at the start of each epoch
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.substr(0, 12) == "\repoch 1/2 [");
  CHECK_THAT(text, contains_text("\r\x1b[Kepoch 1/2  loss 0.25\r\n"));
  // The bar that was not finished is cleared.
  CHECK(text.substr(text.size() - 4) == "\r\x1b[K");
}
