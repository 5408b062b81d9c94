#include "weft/runtime/progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <thread>

#include "weft/tests/catch.h"
#include "weft/tests/runtime/terminal.h"

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
  state.learning_rate = 3e-4;
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
  CHECK(progress_line(halfway(), 100) ==
        "epoch  3/10 [=========>         ]  50%   12.3k/s  loss 0.1235   acc 97.12%  lr 0.0003     0:02 left");
  ProgressState state = halfway();
  state.accuracy = NAN;  // a regression
  state.loss = NAN;
  state.learning_rate = NAN;  // one for each of several models
  CHECK(progress_line(state, 80) == "epoch  3/10 [============>           ]  50%   12.3k/s  loss nan       0:02 left");
  state.batch = state.samples = 0;
  CHECK(progress_line(state, 80) == "epoch  3/10 [>                                     ]   0%");
}

TEST_CASE("progress: a narrow terminal loses the least important first") {
  CHECK(progress_line(halfway(), 80) == "epoch  3/10 [====>    ]  50%  loss 0.1235   acc 97.12%  lr 0.0003     0:02 left");
  CHECK(progress_line(halfway(), 70) == "epoch  3/10 [=====>     ]  50%  loss 0.1235   acc 97.12%  lr 0.0003");
  CHECK(progress_line(halfway(), 60) == "epoch  3/10 [=======>      ]  50%  loss 0.1235   acc 97.12%");
  CHECK(progress_line(halfway(), 45) == "epoch  3/10 [=====>     ]  50%  loss 0.1235");
  CHECK(progress_line(halfway(), 35) == "epoch  3/10  50%  loss 0.1235");
  CHECK(progress_line(halfway(), 20) == "epoch  3/10  50%");
  CHECK(progress_line(halfway(), 12) == "epoch  3/10");
  CHECK(progress_line(halfway(), 6) == "epoch");
  for (int columns = 0; columns < 200; ++columns)
    CHECK(static_cast<int>(progress_line(halfway(), columns).size()) <= std::max(columns - 1, 0));
}

TEST_CASE("progress: the usual numbers stand on a line of 80, in runs of up to 1,000 epochs") {
  for (const int64_t epochs : {1, 10, 100, 1000}) {
    ProgressState state = halfway();
    state.epochs = epochs, state.epoch = 1;
    for (const double seconds : {0.1, 100.0, 5000.0, 90000.0})
      for (const double loss : {0.1, 12.5, 12345.0, 1e-9})
        for (const double accuracy : {0.01, 0.5, 1.0})
          for (const double rate : {1e-3, 1.2345e-5, 0.1, 0.000976}) {
            state.seconds = seconds, state.loss = loss, state.accuracy = accuracy, state.learning_rate = rate;
            const std::string line = progress_line(state, 80);
            CHECK(line.size() < 80);
            CHECK_THAT(line, contains_text("  loss ") && contains_text("  acc ") && contains_text("  lr ") && contains_text(" ["));
          }
  }
}

TEST_CASE("progress: numbers keep their places") {
  for (const int columns : {60, 70, 80, 100, 200}) {
    ProgressState state = halfway();
    const std::string usual = progress_line(state, columns);
    const auto check_places = [&] {
      const std::string line = progress_line(state, columns);
      for (const char* mark : {"]", "loss", "acc", "lr"}) CHECK(line.find(mark) == usual.find(mark));
      if (usual.find("left") != std::string::npos && line.find("left") != std::string::npos) CHECK(line.find("left") == usual.find("left"));
    };
    for (const double loss : {0.5, 12345.678, 1e-7, -1e-300, 1e300, -0.25}) state.loss = loss, check_places();
    state = halfway();
    for (const double accuracy : {0.0, 0.09999, 0.5, 0.99999, 1.0}) state.accuracy = accuracy, check_places();
    state = halfway();
    for (const double rate : {1.0, 0.1, 1e-3, 9.765625e-4, 1.2345e-5, 1e-12, 0.0}) state.learning_rate = rate, check_places();
    state = halfway();
    for (const int64_t samples : {0, 1, 19999, 20001, 2000000, 900000000}) state.samples = samples, check_places();
    state = halfway();
    for (const double seconds : {1.0, 59.0, 600.0, 3500.0, 3700.0, 50000.0, 350000.0, 1e9}) state.seconds = seconds, check_places();
    state = halfway();
    for (const int64_t epoch : {1, 9, 10}) state.epoch = epoch, check_places();
  }
  ProgressState state = halfway();
  state.seconds = 5000;
  CHECK_THAT(progress_line(state, 100), contains_text(" 1h23 left"));
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

TEST_CASE("progress: what goes on besides stands in the bar's place on a terminal, and nowhere elsewhere") {
  CHECK(written([](std::FILE* file) {
          Progress progress(file);
          CHECK_FALSE(progress.rewrites());
          CHECK(progress.columns() == 80);
          progress.status("compiling training, batches of 64");
        }).empty());
  test::Terminal terminal(40);
  if (!terminal) return;
  {
    Progress progress(terminal.file());
    CHECK(progress.rewrites());
    CHECK(progress.columns() == 40);
    progress.status("compiling");
    progress.status(std::string(100, 'x'));
    progress.note("compiled");
    progress.status("again");
  }
  const std::string text = terminal.text();
  CHECK_THAT(text, contains_text("\rcompiling\x1b[K\rxxx") && !contains_text(std::string(37, 'x')) && contains_text("xx...xx"));
  CHECK_THAT(text, contains_text("\x1b[K\r\x1b[Kcompiled\r\n\ragain\x1b[K\r\x1b[K"));
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
}

TEST_CASE("progress: a terminal gets a line that is rewritten in place") {
  test::Terminal terminal(60);
  if (!terminal) return;
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress(terminal.file());
    progress.begin_epoch(1, 2, 100);
    for (int64_t batch = 1; batch <= 100; ++batch) {
      progress.update(batch, batch * 64, 0.25, 0.5);
      std::this_thread::sleep_for(std::chrono::milliseconds(4));
      terminal.drain();
    }
    progress.end_epoch("loss 0.25");
    progress.begin_epoch(2, 2, 100);
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const std::string text = terminal.text();

  const auto bars = std::count(text.begin(), text.end(), '[') - std::count(text.begin(), text.end(), '\x1b');
  CHECK(bars >= 3);
  CHECK(static_cast<double>(bars) <= seconds * 10 + 3);  // and one at the start of each epoch
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.substr(0, 12) == "\repoch 1/2 [");
  CHECK_THAT(text, contains_text("\r\x1b[Kepoch 1/2  loss 0.25\r\n"));
  // The bar that was not finished is cleared.
  CHECK(text.substr(text.size() - 4) == "\r\x1b[K");
}
