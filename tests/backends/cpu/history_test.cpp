// What the library answers for a call follows from the call alone: not from which others the process has made before, nor from
// their order, and a call is made as it was answered.

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/runtime/array.h"
#include "weft/support/error.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// A call as a plan asks for it and as it is made.
struct Call {
  std::string text;
  std::function<cpu::Answer()> answer;
  std::function<std::unique_ptr<cpu::Task>(int64_t scratch)> make;
};

std::string text_of(const cpu::Answer& a) { return fmt::format("{}, {} bytes", a.implementation, a.scratch_bytes); }

Call call_of(const cpu::MatmulSpec& s) {
  return {fmt::format("{} x [{},{}]{} x [{},{}]{}{}{} in {}", s.batch, s.m, s.k, s.transpose_a ? "'" : "", s.k, s.n,
                      s.transpose_b ? "'" : "", s.bias ? " + bias" : "", s.addend ? " + addend" : "", s.slices),
          [s] { return cpu::matmul_answer(s); }, [s](int64_t scratch) { return cpu::make_matmul(s, scratch); }};
}

Call call_of(const cpu::ConvolutionSpec& s) {
  const char* wanted[] = {"y", "x", "w"};
  return {fmt::format("{} of {} \"{}\" {} \"{}\" {} \"{}\" in {} groups", wanted[static_cast<int>(s.wanted)], to_string(s.x),
                      s.layouts.x.text(), to_string(s.w), s.layouts.w.text(), to_string(s.y), s.layouts.y.text(), s.groups),
          [s] { return cpu::convolution_answer(s); }, [s](int64_t scratch) { return cpu::make_convolution(s, scratch); }};
}

/// Products of equal extents, which differ in how the operands lie and in what is added: a group may be taken for one another.
std::vector<std::vector<Call>> products(const Dims& extents) {
  std::vector<std::vector<Call>> groups;
  for (int64_t batch : {1, 2})
    for (int64_t m : extents)
      for (int64_t n : extents)
        for (int64_t k : extents) {
          std::vector<Call>& group = groups.emplace_back();
          for (int flags = 0; flags < 4; ++flags)
            for (int behind = 0; behind < 3; ++behind)
              group.push_back(call_of(
                  cpu::MatmulSpec{{{.batch = batch, .m = m, .n = n, .k = k, .transpose_a = flags % 2 != 0, .transpose_b = flags > 1},
                                   f32,
                                   behind == 1,
                                   behind == 2}}));
        }
  return groups;
}

/// Convolutions of equal extents, in formats that say the same where channels or kernels have extent 1.
std::vector<std::vector<Call>> convolutions(const Dims& kernels) {
  std::vector<std::vector<Call>> groups;
  for (int64_t in : {1, 16})
    for (int64_t out : {1, 16})
      for (int64_t extent : {1, 5})
        for (int64_t kernel : kernels)
          for (auto wanted : {cpu::ConvolutionSpec::Wanted::y, cpu::ConvolutionSpec::Wanted::x, cpu::ConvolutionSpec::Wanted::w}) {
            std::vector<Call>& group = groups.emplace_back();
            cpu::ConvolutionSpec s{{.x = {2, in, extent, extent}, .w = {out, in, kernel, kernel}, .y = {2, out, extent, extent}}, wanted};
            s.stride = s.dilation = {1, 1}, s.low = s.high = {kernel / 2, kernel / 2};
            const Layout row_major{}, last = Layout::parse("acdb", 4), first = Layout::parse("cdba", 4);
            for (const ConvolutionLayouts& layouts : {ConvolutionLayouts{},
                                                      {last, row_major, last},
                                                      {last, first, last},
                                                      {row_major, last, row_major},
                                                      cpu::preferred_layouts(s)}) {
              s.layouts = layouts;
              group.push_back(call_of(s));
            }
          }
  return groups;
}

std::vector<std::vector<Call>> groups_of(const Dims& extents, const Dims& kernels) {
  std::vector<std::vector<Call>> all = products(extents);
  for (auto& group : convolutions(kernels)) all.push_back(std::move(group));
  return all;
}

/// Runs it in a copy of this process, whose history ends with it. True when it says so.
bool in_fresh_process(const std::function<bool()>& what) {
  const pid_t child = fork();
  if (child == 0) {
    bool held = false;
    try {
      held = what();
    } catch (...) {}
    _exit(held ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/// The product of what lies in `a` and `b`, by the definition.
std::vector<double> product(const cpu::MatmulSpec& s, const Array& a, const Array& b, const Array& c) {
  std::vector<double> y;
  for (int64_t p = 0; p < s.batch; ++p)
    for (int64_t i = 0; i < s.m; ++i)
      for (int64_t j = 0; j < s.n; ++j) {
        double sum = s.bias ? c.at(j) : s.addend ? c.at((p * s.m + i) * s.n + j) : 0;
        for (int64_t l = 0; l < s.k; ++l)
          sum += a.at(p * s.m * s.k + (s.transpose_a ? l * s.m + i : i * s.k + l)) *
                 b.at(p * s.k * s.n + (s.transpose_b ? j * s.k + l : l * s.n + j));
        y.push_back(sum);
      }
  return y;
}

Array counted(int64_t elements, int64_t step) {
  Array a(f32, {elements});
  for (int64_t i = 0; i < elements; ++i) a.set(i, static_cast<double>((i * step) % 7 - 3));
  return a;
}

}  // namespace

TEST_CASE("history: what the library answers does not depend on what was made before, in one process", "[library]") {
  const auto groups = groups_of({1, 2, 8}, {1, 3});
  std::vector<std::string> first;
  for (const auto& group : groups)
    for (const Call& call : group) first.push_back(text_of(call.answer()));
  // All are made as they were answered, and answered again; in both orders.
  for (const bool backwards : {false, true}) {
    std::vector<const Call*> calls;
    for (const auto& group : groups)
      for (const Call& call : group) calls.push_back(&call);
    std::vector<std::string> want = first;
    if (backwards) std::reverse(calls.begin(), calls.end()), std::reverse(want.begin(), want.end());
    for (size_t i = 0; i < calls.size(); ++i) {
      INFO(calls[i]->text);
      const cpu::Answer answer = calls[i]->answer();
      CHECK(text_of(answer) == want[i]);
      std::unique_ptr<cpu::Task> task;
      CHECK_NOTHROW(task = calls[i]->make(answer.scratch_bytes));
      if (!task) continue;
      CHECK(task->implementation == answer.implementation);
      CHECK(task->own_scratch_bytes == 0);
    }
  }
}

TEST_CASE("history: nor in fresh ones, each of which makes another call of equal extents first", "[library]") {
  for (const auto& group : groups_of({1, 8}, {1}))
    for (const Call& first : group) {
      INFO(first.text);
      CHECK(in_fresh_process([&] {
        std::vector<cpu::Answer> planned;
        for (const Call& call : group) planned.push_back(call.answer());
        const auto task = first.make(first.answer().scratch_bytes);
        for (size_t i = 0; i < group.size(); ++i) {
          if (text_of(group[i].answer()) != text_of(planned[i])) return false;
          const auto made = group[i].make(planned[i].scratch_bytes);
          if (made->implementation != planned[i].implementation) return false;
          if (made->own_scratch_bytes > 0) return false;
        }
        return true;
      }));
    }
}

TEST_CASE("history: products of axes of extent 1 are what the definition says, whole and cut", "[library]") {
  for (int64_t slices : {1, 2})
    for (int64_t batch : {1, 2})
      for (int64_t m : {1, 2, 17})
        for (int64_t n : {1, 2, 17})
          for (int64_t k : {1, 2, 17})
            for (int flags = 0; flags < 4; ++flags)
              for (int behind = 0; behind < 3; ++behind) {
                const cpu::MatmulSpec s{{{.batch = batch, .m = m, .n = n, .k = k, .transpose_a = flags % 2 != 0, .transpose_b = flags > 1},
                                         f32,
                                         behind == 1,
                                         behind == 2},
                                        slices};
                INFO(call_of(s).text);
                Array a = counted(batch * m * k, 3), b = counted(batch * k * n, 5), c = counted(s.bias ? n : batch * m * n, 2),
                      y = counted(batch * m * n, 1);
                const auto task = cpu::make_matmul(s, 0);
                task->buffers[0] = a.data(), task->buffers[1] = b.data(), task->buffers.back() = y.data();
                if (behind) task->buffers[2] = c.data();
                task->rebound();
                REQUIRE(task->run(0, task->units()) == 0);
                const std::vector<double> want = product(s, a, b, c);
                bool equal = true;
                for (size_t i = 0; i < want.size(); ++i) equal = equal && y.at(static_cast<int64_t>(i)) == want[i];
                CHECK(equal);
              }
}

TEST_CASE("history: two products of equal extents compile in one program, in either order", "[library]") {
  const std::string inputs = "weft 1\nfunc @two {\n  input %a: f32[2,1,8]\n  input %b: f32[2,8,1]\n  input %c: f32[2,1,8]\n";
  const std::string outer = "  %{} = matmul(%a, %c) {{transpose_a = true}} : f32[2,8,8]\n", plain = "  %{} = matmul(%b, %c) : f32[2,8,8]\n";
  for (const bool swapped : {false, true}) {
    const std::string text = inputs + fmt::format(fmt::runtime(swapped ? plain : outer), 0) +
                             fmt::format(fmt::runtime(swapped ? outer : plain), 1) + "  output p = %0\n  output q = %1\n}\n";
    const auto values = test::sample_inputs(text);
    const auto got = test::run_cpu(text, values), want = test::run_reference(text, values);
    for (size_t i = 0; i < 2; ++i) CHECK(test::relative_difference(got.values[i], want.values[i]) < 1e-6);
  }
}
