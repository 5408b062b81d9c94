#pragma once
// Lets the system refuse threads to this test program. Not under a sanitizer, which makes them in its own way.

#ifndef WEFT_SANITIZED

namespace weft::test {

/// While it lives, only so many more threads are granted, counted over all threads of the program.
class GrantThreads {
 public:
  explicit GrantThreads(int count);
  ~GrantThreads();
  GrantThreads(const GrantThreads&) = delete;
  GrantThreads& operator=(const GrantThreads&) = delete;
  /// Requests that were refused so far.
  static int refused();
};

}  // namespace weft::test

#endif
