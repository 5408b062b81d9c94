// Programs that contradict themselves: each is refused when it is loaded, with the reason.

#include <functional>

#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/saved/load_step.h"
#include "weft/runtime/saved_step.h"
#include "weft/runtime/step_file.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/weft.h"

using namespace weft;
using test::TempDir;

namespace {

using Kind = BufferPlace::Kind;

/// A product, a convolution, a gather and kernels, as data.
StepData sound() {
  manual_seed(1);
  Parameter w("w", Shape{5, 3}, std::vector<float>(15, 0.5f)), k("k", Shape{8, 4, 3, 3}, std::vector<float>(288, 0.1f));
  optim::Adam adam({.lr = 0.1});
  Graph g("net");
  const Tensor x = g.input("x", f32, {4, 3}), p = g.input("p", f32, {2, 4, 6, 6}), i = g.input("i", i64, {3});
  const Tensor product = relu(matmul(x, transpose(w, 0, 1))), picture = conv2d(p, k, {.padding = 1});
  const Tensor loss = g.output("loss", mean(gather(product, i, 0)) + mean(picture * picture));
  Step step = compile(training_step(g, loss, {w, k}, adam), Target::cpu());
  const TempDir dir;
  step.save(dir / "step.weftprog");
  return read_step(dir / "step.weftprog");
}

/// Attention with a mask, and its gradient.
StepData attending() {
  manual_seed(1);
  Parameter w("w", Shape{4, 12}, std::vector<float>(48, 0.1f));
  Graph g("attends");
  const Tensor x = g.input("x", f32, {2, 3, 4}), mask = g.input("mask", boolean, {2, 1, 3, 3}), all = matmul(x, w);
  const auto part = [&](int64_t i) { return transpose(reshape(slice(all, 2, 4 * i, 4 * i + 4), {2, 3, 2, 2}), 1, 2); };
  const Tensor loss =
      g.output("loss", mean(square(scaled_dot_product_attention(part(0), part(1), part(2), {.attn_mask = mask, .is_causal = true}))));
  Step step = compile(training_step(g, loss, {w}, optim::SGD({.lr = 0.1})), Target::cpu());
  const TempDir dir;
  step.save(dir / "step.weftprog");
  return read_step(dir / "step.weftprog");
}

void load(StepData step) {
  auto program = cpu::load_program(std::move(step.program), {.threads = 1});
  const SavedStep loaded(std::move(step), std::move(program));
}

void check_refused(const StepData& step, const std::string& why) {
  INFO(why);
  CHECK_THROWS_WITH(load(step), contains_text(why));
}

/// The launch of the first such call.
size_t place_of(const StepData& step, const std::string& call) {
  for (size_t i = 0; i < step.program.calls.size(); ++i)
    if (step.program.calls[i].call == call) return i;
  FAIL("no " + call);
  return 0;
}

}  // namespace

TEST_CASE("load: a sound program") {
  const StepData step = sound();
  CHECK_NOTHROW(load(step));
  for (const char* call : {"kernel", "matmul", "convolution", "convolution_weight", "gather"}) place_of(step, call);
}

TEST_CASE("load: operands lie where there is room for what their calls touch") {
  const StepData good = sound();
  const auto edited = [&](const std::string& call, const std::function<void(BufferPlace&)>& edit) {
    StepData step = good;
    for (BufferPlace& place : step.program.list.launches[place_of(step, call)].buffers) {
      const BufferPlace before = place;
      edit(place);
      check_refused(step, "does not lie where the program has room");
      place = before;
    }
  };
  for (const std::string call : {"kernel", "matmul", "convolution", "gather"}) {
    edited(call, [](BufferPlace& p) { p.kind = Kind::arena, p.position = int64_t{1} << 40; });
    edited(call, [](BufferPlace& p) { p.kind = Kind::arena, p.position = -64; });
    edited(call, [](BufferPlace& p) { p.kind = Kind::input, p.position = 1000; });
    edited(call, [](BufferPlace& p) { p.kind = Kind::input, p.position = -1; });
    edited(call, [](BufferPlace& p) { p.kind = Kind::constant, p.position = 1000; });
    edited(call, [](BufferPlace& p) { p.bytes = -1; });
    edited(call, [](BufferPlace& p) { p.bytes = int64_t{1} << 50; });
  }
  // A call of the library knows what it touches.
  StepData step = good;
  step.program.list.launches[place_of(step, "matmul")].buffers[0].bytes -= 4;
  check_refused(step, "which needs 48, does not lie where the program has room");
  step = good;
  step.program.list.arena_bytes = 64;
  check_refused(step, "does not lie where the program has room");
  step.program.list.arena_bytes = -1;
  check_refused(step, "the program has an arena of -1 bytes");
}

TEST_CASE("load: outputs and counts agree") {
  const StepData good = sound();
  StepData step = good;
  step.program.list.output_places[0].position = int64_t{1} << 40;
  check_refused(step, "the output 'loss' of 4 bytes");
  step = good;
  step.program.list.output_places.pop_back();
  check_refused(step, "outputs, but places of");
  step = good;
  for (Port& output : step.program.list.outputs)
    if (output.name == "w") output.alias = 0;
  check_refused(step, "the output 'w' takes over an input that it does not fit");
  step = good;
  step.program.calls.pop_back();
  check_refused(step, "launches, but says what");
  step = good;
  step.inputs.pop_back();
  check_refused(step, "the program contradicts itself");
  step = good;
  step.counters[0].input = 0;
  check_refused(step, "it counts in what is no counter");
  step = good;
  step.numbers[0].numbers[0].input = 0;
  check_refused(step, "the optimizer has a number in what is none");
}

TEST_CASE("load: calls are known, and say what they must") {
  const StepData good = sound();
  const auto with = [&](const std::string& call, const std::string& field, const CallDescriptor::Value& value) {
    StepData step = good;
    step.program.calls[place_of(step, call)].fields[field] = value;
    return step;
  };
  StepData step = good;
  step.program.calls[0].call = "divination";
  check_refused(step, "the program makes a call 'divination', which this weft does not know");
  step = good;
  step.program.calls[place_of(step, "matmul")].fields.erase("k");
  check_refused(step, "the call 'matmul' says no 'k'");
  check_refused(with("matmul", "k", "three"), "'k' of the call 'matmul' is no integer");
  check_refused(with("matmul", "k", int64_t{-3}), "must not be negative");
  check_refused(with("matmul", "dtype", "f64"), "a product of f64");
  check_refused(with("matmul", "dtype", "float"), "which is no element type");
  check_refused(with("matmul", "slices", int64_t{0}), "no call of weft is so");
  check_refused(with("matmul", "m", int64_t{1} << 40), "does not lie where the program has room");
  check_refused(with("matmul", "m", int64_t{1} << 61), "");
  check_refused(with("convolution", "stride", Dims{0, 1}), "no call of weft is so");
  check_refused(with("convolution", "stride", Dims{1}), "no call of weft is so");
  check_refused(with("convolution", "groups", int64_t{3}), "no call of weft is so");
  check_refused(with("convolution", "x", Dims{2, 4, 7, 6}), "no call of weft is so");
  check_refused(with("convolution", "slices", int64_t{3}), "no call of weft is so");
  check_refused(with("convolution", "x_layout", "what"), "");
  check_refused(with("gather", "count", int64_t{1000}), "does not lie where the program has room");
  check_refused(with("kernel", "name", "other"), "there is no code of the kernel 'other'");
  check_refused(with("kernel", "units", int64_t{-1}), "must not be negative");
  check_refused(with("kernel", "buffers", int64_t{1}), "points to what it has not");
  check_refused(with("kernel", "pointers", Dims{0, 0, 1}), "points to what it has not");
  check_refused(with("kernel", "pointers", Dims{0, -8}), "points to what it has not");
}

TEST_CASE("load: attention reads what lies where it says, and no more") {
  const StepData good = attending();
  CHECK_NOTHROW(load(good));
  for (const std::string call : {"attention", "attention_gradient"}) {
    const auto refused = [&](const std::string& field, const CallDescriptor::Value& value, const std::string& why) {
      INFO(call << " " << field);
      StepData step = good;
      step.program.calls[place_of(step, call)].fields[field] = value;
      check_refused(step, why);
    };
    const std::string no_such = "no call of weft is so";
    refused("group", int64_t{0}, no_such);
    refused("group", int64_t{3}, no_such);
    refused("slices", int64_t{0}, no_such);
    refused("slices", int64_t{100}, no_such);
    refused("width", int64_t{0}, no_such);
    refused("queries", int64_t{1} << 61, no_such);
    refused("batch", Dims{2, -2}, no_such);
    refused("scale", "much", no_such);
    refused("scale", "inf", no_such);
    refused("mask", "some", no_such);
    refused("mask_strides", Dims{9, 0, 1, 3}, no_such);
    refused("mask_strides", Dims{}, no_such);
    refused("places", Dims{}, no_such);
    Dims places = std::get<Dims>(good.program.calls[place_of(good, call)].fields.at("places"));
    places[0] = 1000;
    refused("places", places, "does not lie where the program has room");
    places[0] = int64_t{1} << 62;
    refused("places", places, no_such);
    places[0] = -1;
    refused("places", places, no_such);
    places[0] = 0, places[8] = 2;  // elements of a row apart
    refused("places", places, no_such);
    places[8] = 1, places[7] = 1;  // rows over each other
    refused("places", places, no_such);
  }
}

TEST_CASE("load: loops are where launches are, and what moves in them stays where there is room") {
  Graph g("loops");
  const Tensor h = g.input("h", f32, {4}), xs = g.input("xs", f32, {6, 4}), w = g.input("w", f32, {4, 4});
  const auto [last, all] =
      scan(h, xs, [&](Tensor s, Tensor x) { return tanh(matmul(reshape(s + x, {1, 4}), w).reshape({4})); }, {.reverse = true});
  g.output("last", last), g.output("all", all);
  const TempDir dir;
  compile(g, Target::cpu()).save(dir / "step.weftprog");
  const StepData good = read_step(dir / "step.weftprog");
  CHECK_NOTHROW(load(good));
  REQUIRE(good.program.list.loops.size() == 1);
  const auto edited = [&](const std::function<void(LaunchList&)>& edit, const std::string& why) {
    StepData step = good;
    edit(step.program.list);
    check_refused(step, why);
  };
  const std::string nowhere = "no program of weft has it there";
  edited([](LaunchList& l) { l.loops[0].last = 100; }, nowhere);
  edited([](LaunchList& l) { l.loops[0].first = l.loops[0].last; }, nowhere);
  edited([](LaunchList& l) { l.loops[0].count = -1; }, nowhere);
  edited([](LaunchList& l) { l.loops.push_back({l.loops[0].first, l.loops[0].last + 1, 1}); }, nowhere);
  const std::string room = "does not lie where the program has room";
  edited([](LaunchList& l) { l.loops[0].count = 7; }, room);
  edited([](LaunchList& l) { l.loops[0].count = int64_t{1} << 62; }, room);
  int moving = 0;
  for (size_t i = 0; i < good.program.list.launches.size(); ++i)
    for (size_t b = 0; b < good.program.list.launches[i].buffers.size(); ++b) {
      if (good.program.list.launches[i].buffers[b].steps.empty()) continue;
      ++moving;
      const auto place = [&](LaunchList& l) -> BufferPlace& { return l.launches[i].buffers[b]; };
      edited([&](LaunchList& l) { place(l).steps[0] = int64_t{1} << 62; }, room);
      edited([&](LaunchList& l) { place(l).steps[0] -= 4; }, room);
      edited([&](LaunchList& l) { place(l).steps.push_back(0); }, room);
      edited([&](LaunchList& l) { place(l).offset = int64_t{1} << 62; }, room);
      edited([](LaunchList& l) { l.loops.clear(); }, room);
    }
  CHECK(moving >= 2);
  // Of a loop that never runs, too, operands are somewhere.
  edited([](LaunchList& l) { l.loops[0].count = 0, l.launches[l.loops[0].first].buffers[0].position = int64_t{1} << 40; }, room);
  for (const Kind kind : {Kind::input, Kind::constant, Kind::arena})
    edited(
        [&](LaunchList& l) {
          l.loops[0].count = 0;
          BufferPlace& place = l.launches[l.loops[0].first].buffers[0];
          place.kind = kind, place.position = 1000000, place.steps = {4};
        },
        room);
  // What does not move lies where its position says.
  edited([](LaunchList& l) { l.launches[0].buffers[0].steps.clear(), l.launches[0].buffers[0].offset = 4; }, room);
}

TEST_CASE("load: code stays in its image, and calls nothing but what kernels may") {
  const StepData good = sound();
  const auto edited = [&](const std::function<void(MachineCode&)>& edit, const std::string& why) {
    StepData step = good;
    for (MachineCode& code : step.program.code) edit(code);
    check_refused(step, why);
  };
  edited([](MachineCode& c) { c.slots.push_back({0, "system", 0}); }, "the code calls 'system', which generated code may not");
  edited([](MachineCode& c) { c.slots.push_back({std::ssize(c.image) - 4, "memset", 0}); }, "which it has no room for");
  edited([](MachineCode& c) { c.slots.push_back({-8, "memset", 0}); }, "which it has no room for");
  edited([](MachineCode& c) { c.slots.push_back({0, "", std::ssize(c.image) + 1}); }, "lies outside of its");
  edited([](MachineCode& c) { c.functions[0].offset = std::ssize(c.image); }, "bytes of code");
  edited([](MachineCode& c) { c.image.clear(); }, "bytes of code");
  StepData step = good;
  step.program.code.clear();
  check_refused(step, "a kernel is called, but there is no code");
}

TEST_CASE("load: the widest code that the machine has is taken") {
  const StepData good = sound();
  std::string widest;
  for (const MachineCode& code : good.program.code)
    if (cpu::runs_here(code.isa, cpu::max_isa_of_environment())) widest = code.isa;
  REQUIRE(!widest.empty());
  StepData step = good;
  for (MachineCode& code : step.program.code)
    if (code.isa != widest) code.functions.clear();
  CHECK_NOTHROW(load(step));
  std::reverse(step.program.code.begin(), step.program.code.end());
  CHECK_NOTHROW(load(step));
  step = good;
  for (MachineCode& code : step.program.code)
    if (code.isa == widest) code.functions.clear();
  check_refused(step, "there is no code of the kernel");
}

TEST_CASE("load: files of other formats and backends") {
  const TempDir dir;
  StepData step = sound();
  std::string text = step_text(step);
  text.replace(text.find("\"format\": 1"), 11, "\"format\": 2");
  CHECK_THROWS_WITH(parse_step_text(text), contains_text("it is written in format 2, and this weft reads format 1"));
  CHECK_THROWS_WITH(parse_step_text("{}"), contains_text("it says of no format"));
  CHECK_THROWS_AS(parse_step_text("[1"), Error);
  step.program.backend = "tpu";
  write_step(dir / "tpu.weftprog", step);
  CHECK_THROWS_WITH(load_step(dir / "tpu.weftprog"),
                    contains_text("it is compiled for 'tpu', and this program runs what is compiled for cpu, cuda"));
  step.program.backend = "cuda";
  write_step(dir / "cuda.weftprog", step);
  CHECK_THROWS_WITH(load_step(dir / "cuda.weftprog"), contains_text("there is no call 'scatter_add' of a GPU"));
  const std::string good = test::read_file(dir / "cuda.weftprog");
  for (size_t at = 0; at < good.size(); at += good.size() / 60) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x04);
    CHECK_THROWS_AS(read_step(dir.write("damaged", damaged)), Error);
  }
}
