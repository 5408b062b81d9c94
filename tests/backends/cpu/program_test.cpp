// When the tasks of a program wait for each other: before what another thread wrote, and nowhere else.

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <thread>

#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/gemm.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/tests/catch.h"

using namespace weft;
using namespace std::chrono_literals;

extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int);
}

namespace {

class TestTask final : public cpu::Task {
 public:
  using Unit = std::function<void(int64_t unit)>;
  TestTask(int64_t units, Unit unit) : Task(units), unit_(std::move(unit)) { buffers.resize(1); }
  int run(int64_t begin, int64_t end) override {
    for (int64_t u = begin; u < end; ++u) unit_(u);
    return 0;
  }

 private:
  Unit unit_;
};

/// Two tasks of two units each, on two threads. The first writes 64 bytes of the arena, the second reads as many at
/// `read_at`.
void run_two_tasks(TestTask::Unit writer, int64_t read_at, TestTask::Unit reader) {
  cpu::ProgramParts parts;
  parts.threads = 2;
  parts.share_all = true;
  parts.list.arena_bytes = 128;
  parts.list.launches = {{{{BufferPlace::Kind::arena, 0, 64, true}}}, {{{BufferPlace::Kind::arena, read_at, 64, false}}}};
  parts.tasks.push_back(std::make_unique<TestTask>(2, std::move(writer)));
  parts.tasks.push_back(std::make_unique<TestTask>(2, std::move(reader)));
  cpu::make_program(std::move(parts))->run(std::vector<Binding>());
}

/// Returns whether the condition came true in time.
bool wait_for(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace

TEST_CASE("a task waits for what another thread writes and it reads") {
  std::atomic<int> written = 0;
  std::atomic<bool> early = false;
  const auto writer = [&](int64_t unit) {
    if (unit == 1) std::this_thread::sleep_for(50ms);  // the other thread is at the reader long before
    ++written;
  };
  run_two_tasks(writer, 0, [&](int64_t) {
    if (written != 2) early = true;
  });
  CHECK(written == 2);
  CHECK_FALSE(early);
}

TEST_CASE("a task does not wait for one whose memory it does not touch") {
  std::atomic<bool> reached = false, in_time = false;
  const auto writer = [&](int64_t unit) {
    if (unit == 1) in_time = wait_for([&] { return reached.load(); });
  };
  run_two_tasks(writer, 64, [&](int64_t unit) {
    if (unit == 0) reached = true;
  });
  CHECK(in_time);
}

TEST_CASE("a step that is too small to gain by several threads runs on one, unless all are asked for") {
  for (const bool share_all : {false, true}) {
    std::mutex mutex;
    std::set<std::thread::id> seen;
    cpu::ProgramParts parts;
    parts.threads = 2;
    parts.share_all = share_all;
    parts.list.arena_bytes = 64;
    parts.list.launches = {{{{BufferPlace::Kind::arena, 0, 64, true}}, true, 1e3, 64}};
    parts.tasks.push_back(std::make_unique<TestTask>(2, [&](int64_t) {
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    }));
    cpu::make_program(std::move(parts))->run(std::vector<Binding>());
    CHECK(seen.size() == (share_all ? 2 : 1));
  }
}

namespace {

/// A task of two units, of which so much is expected; says which threads have run its last step.
struct TwoUnits {
  explicit TwoUnits(double flops, TestTask::Unit unit) {
    cpu::ProgramParts parts;
    parts.threads = 2;
    parts.list.arena_bytes = 1 << 30;
    parts.list.launches = {{{{BufferPlace::Kind::arena, 0, 64, true}}, true, flops, 64}};
    parts.tasks.push_back(std::make_unique<TestTask>(2, [this, unit](int64_t u) {
      unit(u);
      const std::lock_guard lock(mutex);
      seen.insert(std::this_thread::get_id());
    }));
    program = cpu::make_program(std::move(parts));
  }

  /// After so many steps.
  size_t threads(int steps) {
    for (int i = 0; i < steps; ++i) {
      seen.clear();
      program->run(std::vector<Binding>());
    }
    CHECK(static_cast<size_t>(program->threads()) == seen.size());
    return seen.size();
  }

  std::mutex mutex;
  std::set<std::thread::id> seen;
  std::unique_ptr<Program> program;
};

}  // namespace

TEST_CASE("programs: a short step runs on as many threads as it was measured to be fastest on, whatever was expected") {
  TwoUnits slow(1e3, [](int64_t) { std::this_thread::sleep_for(2ms); });
  CHECK(slow.threads(1) == 1);
  CHECK(slow.threads(80) == 2);
}

TEST_CASE("programs: a long step leaves its other thread where that is waited for in vain") {
  const auto caller = std::this_thread::get_id();
  TwoUnits starved(1e9, [&](int64_t) {
    if (std::this_thread::get_id() != caller) std::this_thread::sleep_for(4ms);
  });
  CHECK(starved.threads(16) == 2);
  CHECK(starved.threads(40) == 1);
}

TEST_CASE("programs: a library that is called stays on the thread that calls it, whatever else the process does with it") {
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  for (const bool is_library : {false, true}) {
    int threads = 0;
    cpu::ProgramParts parts;
    parts.list.launches = {{}};
    parts.tasks.push_back(std::make_unique<TestTask>(1, [&](int64_t) { threads = omp_get_max_threads(); }));
    parts.tasks.back()->is_library_call = is_library;
    const auto program = cpu::make_program(std::move(parts));
    program->run(std::span<const Binding>());
    CHECK(threads == (is_library ? 1 : 3));
    CHECK(omp_get_max_threads() == 3);
  }
  omp_set_num_threads(before);
}

TEST_CASE("programs: whatever the library runs says so") {
  const cpu::MatmulSpec vector{{{.m = 1, .n = 8, .k = 8}, f32}}, matrix{{{.m = 20, .n = 20, .k = 20}, f32}},
      column{{{.m = 20, .n = 1, .k = 20, .transpose_a = true}, f32, /*bias=*/true}};
  CHECK(!cpu::make_matmul(vector, 0)->is_library_call);
  CHECK(cpu::make_matmul(column, 0)->is_library_call);
  CHECK(cpu::make_matmul(matrix, 0)->is_library_call == !cpu::gemm_kernels());
  cpu::ConvolutionSpec s{{.x = {1, 1, 4, 4}, .w = {1, 1, 3, 3}, .y = {1, 1, 2, 2}}};
  s.stride = s.dilation = {1, 1}, s.low = s.high = {0, 0};
  CHECK(cpu::make_convolution(s, 0)->is_library_call);
}
