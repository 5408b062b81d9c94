#pragma once
// A terminal that a test can read.

#include <fcntl.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "weft/tests/catch.h"

namespace weft::test {

class Terminal {
 public:
  /// Says so where there is none to be had.
  explicit Terminal(int columns) {
    winsize size{};
    size.ws_col = static_cast<unsigned short>(columns);
    int end = -1;
    if (openpty(&main_end_, &end, nullptr, nullptr, &size) != 0) {
      WARN("skipped: no pseudo terminal to be had");
      return;
    }
    setenv("TERM", "xterm", 1);
    fcntl(main_end_, F_SETFL, O_NONBLOCK);
    file_ = fdopen(end, "w");
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (!file_) return;
    std::fclose(file_);
    close(main_end_);
  }

  explicit operator bool() const { return file_ != nullptr; }
  std::FILE* file() const { return file_; }
  /// Takes what was written so far, so that there is room for more.
  void drain() {
    char buffer[4096];
    for (ssize_t got; (got = read(main_end_, buffer, sizeof buffer)) > 0;) text_.append(buffer, static_cast<size_t>(got));
  }
  /// What was written.
  const std::string& text() {
    drain();
    return text_;
  }

 private:
  int main_end_ = -1;
  std::FILE* file_ = nullptr;
  std::string text_;
};

}  // namespace weft::test
