#pragma once
// Runs a function in a forked child of this process.

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace weft::test {

/// What the function returned, an exit code; 128 + signal when the child was ended by one, as it is when it hangs for a minute;
/// 127 when it threw.
template <class Function>
int in_child(Function function) {
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    int code = 127;
    try {
      code = function();
    } catch (...) {}
    _exit(code);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace weft::test
