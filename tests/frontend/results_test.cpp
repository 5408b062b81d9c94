// Results stay what they were until the next call of their step, whatever becomes of the memory that they come from.

#include <functional>

#include "weft/tests/frontend/allocations.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

namespace {

using Numbers = std::vector<float>;

const Target targets[] = {Target::cpu({.threads = 1}), Target::cpu({.threads = 2, .share_all = true}), Target::reference()};

Numbers copy(std::span<const float> all) { return {all.begin(), all.end()}; }

}  // namespace

TEST_CASE("results: an output that is an input is not the caller's memory") {
  struct Kind {
    const char* name;
    std::function<Tensor(Tensor)> of;
  };
  const std::vector<Kind> kinds{
      {"x", [](Tensor x) { return x; }},
      {"all of it", [](Tensor x) { return slice(x, 0, 0, 2); }},
      {"a part", [](Tensor x) { return slice(x, 0, 1, 2); }},
      {"reshape", [](Tensor x) { return reshape(x, {6}); }},
      {"transpose", [](Tensor x) { return transpose(x, 0, 1); }},
      {"detach", [](Tensor x) { return detach(x); }},
      {"dropout", [](Tensor x) { return dropout(x, 0); }},
      {"eval dropout", [](Tensor x) { return dropout(x, 0.5, false); }},
      {"x + 0", [](Tensor x) { return x + 0; }},
      {"cast", [](Tensor x) { return cast(x, f32); }},
      {"twice", [](Tensor x) { return reshape(reshape(x, {3, 2}), {1, 6}); }},
  };
  for (const Target& target : targets)
    for (const Kind& kind : kinds) {
      INFO(kind.name << " for " << target.name());
      Graph g("passes_on");
      Tensor x = g.input("x", f32, {2, 3});
      g.output("y", kind.of(x));
      g.output("again", kind.of(x));
      Step step = compile(g, target);
      auto given = std::make_unique<Numbers>(Numbers{1, 2, 3, 4, 5, 6});
      const Results r = step({{"x", *given}});
      const auto view = r["y"].view<float>();
      const Numbers want = copy(view);
      CHECK(want[want.size() - 1] == 6);
      std::fill(given->begin(), given->end(), -1.0f);
      CHECK(copy(view) == want);
      CHECK(r["again"].values<float>() == want);
      given.reset();
      CHECK(copy(view) == want);
    }
}

TEST_CASE("results: a parameter that is an output is a copy, updated or not") {
  for (const Target& target : targets) {
    Parameter w("w", {1.0, 2.0}), v("v", {5.0, 6.0});
    Graph g("shows");
    g.output("old w", w), g.output("v", reshape(v, {2, 1}));
    Tensor next = w + 1;
    g.update(w, next);
    g.output("new w", next), g.output("flat", reshape(next, {1, 2}));
    Step step = compile(g, target);
    const Results r = step();
    const auto old_w = r["old w"].view<float>(), seen_v = r["v"].view<float>(), new_w = r["new w"].view<float>(),
               flat = r["flat"].view<float>();
    w.set_values(Numbers{70, 80}), v.array().set(0, 90);
    CHECK(copy(old_w) == Numbers{1, 2});
    CHECK(copy(seen_v) == Numbers{5, 6});
    CHECK(copy(new_w) == Numbers{2, 3});
    CHECK(copy(flat) == Numbers{2, 3});
    CHECK(step()["old w"].values<float>() == Numbers{70, 80});
  }
}

TEST_CASE("results: an update's new value is what the step made, whoever writes the parameter afterwards") {
  for (const Target& target : targets) {
    Parameter w("w", {1.0, 2.0});
    Graph g("first");
    g.update(w, w + 1);
    Graph h("second");
    h.update(w, w * 10);
    Step step = compile(g, target), other = compile(h, target);
    Snapshot snapshot({w});
    AveragedWeights average({w}, {.target = target});
    average.update();
    Array& kept = w.array();
    const std::vector<std::function<void()>> writers{
        [&] { w.set_values(Numbers{7, 7}); }, [&] { w.array() = Array(f32, {2}); },    [&] { kept.set(0, 9); },
        [&] { kept = Array(f32, {2}); },      [&] { init::constant(w, 3); },           [&] { other(); },
        [&] { snapshot.restore(); },          [&] { average.swap(), average.swap(); }, [&] { w.array().values<float>()[1] = 4; },
    };
    for (size_t i = 0; i < writers.size(); ++i)
      for (const bool read_before : {true, false}) {
        INFO("writer " << i << " for " << target.name());
        w.set_values(Numbers{1, 2});
        const Results r = step();
        const std::span<const float> view = read_before ? r["w"].view<float>() : std::span<const float>();
        writers[i]();
        writers[i]();
        CHECK(r["w"].values<float>() == Numbers{2, 3});
        if (read_before) CHECK(copy(view) == Numbers{2, 3});
      }
    // And the step itself goes on from what is there.
    w.set_values(Numbers{1, 2});
    step();
    CHECK(step()["w"].values<float>() == Numbers{3, 4});
  }
}

TEST_CASE("results: so are an optimizer's state and a module's buffers") {
  manual_seed(0);
  nn::Sequential net(nn::Linear(3, 2), nn::BatchNorm1d(2));
  optim::Adam adam({.lr = 0.1});
  const auto make = [&](int64_t batch) {
    Graph g("train");
    const Tensor x = g.input("x", f32, {batch, 3});
    return compile(training_step(g, mean(square(net(x) - 1)), net.parameters(), adam), Target::cpu());
  };
  Step full = make(4), last = make(2);
  const Numbers x{1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 5};
  const Results r = full({{"x", x}});
  const Numbers weight = net.parameters()[0].values<float>(), moment = copy(adam.state("0.weight", "exp_avg").values<float>());
  Parameter running_mean;
  for (auto& [name, buffer] : net.named_buffers())
    if (name == "1.running_mean") running_mean = buffer;
  const Numbers mean = running_mean.values<float>();
  const test::TempDir dir;
  Checkpoint checkpoint(net);
  checkpoint.add(adam).save(dir / "now");
  SECTION("another batch size's step") { last({{"x", Numbers{1, 2, 3, 4, 5, 6}}}); }
  SECTION("a checkpoint loaded in place") {
    full({{"x", x}}), full({{"x", x}});
    const Results later = full({{"x", x}});
    const Numbers then = net.parameters()[0].values<float>(), then_mean = running_mean.values<float>();
    checkpoint.load(dir / "now");
    CHECK(net.parameters()[0].values<float>() == weight);
    CHECK(later["0.weight"].values<float>() == then);
    CHECK(later["1.running_mean"].values<float>() == then_mean);
    return;
  }
  CHECK(net.parameters()[0].values<float>() != weight);
  CHECK(r["0.weight"].values<float>() == weight);
  CHECK(r["0.weight.exp_avg"].values<float>() == moment);
  CHECK(r["1.running_mean"].values<float>() == mean);
}

TEST_CASE("results: a step whose new parameters nobody reads neither copies nor allocates for them") {
  Parameter w("w", Array(f32, {1000}));
  Graph g("first");
  g.update(w, w + 1);
  g.output("total", sum(w));
  Graph h("second");
  h.update(w, w * 2);
  Step step = compile(g, Target::cpu({.threads = 1})), other = compile(h, Target::cpu({.threads = 1}));
  step(), other();
  const int64_t before = testing::allocations_so_far();
  for (int i = 0; i < 10; ++i) {
    step()["total"].item();
    other();
    w.array().set(0, 1);
  }
  CHECK(testing::allocations_so_far() == before);
}

TEST_CASE("results: handles that were moved from still work") {
  Graph g("moves");
  g.output("y", g.input("x", f32, {2}) + 1);
  Step step = compile(g, Target::reference());
  Step moved = std::move(step);
  Results r = step({{"x", Numbers{1, 2}}});
  Results s = std::move(r);
  Result y = s["y"], z = std::move(y);
  CHECK(r["y"].values<float>() == Numbers{2, 3});
  CHECK(y.values<float>() == z.values<float>());
}

TEST_CASE("parameters: assigning to a compiled one's array copies, and a program sees it") {
  for (const Target& target : targets)
    for (const int way : {0, 1, 2, 3, 4}) {
      Parameter w("w", {1.0, 2.0, 3.0});
      Graph g("g");
      g.output("y", w * 1.0);
      g.update(w, w + 1.0);
      Step step = compile(g, target);
      const Array loaded = Array::of<float>({3}, Numbers{10, 20, 30});
      Array spare = loaded;
      if (way == 0) w.array() = loaded;
      else if (way == 1) w.array() = Array(loaded);
      else if (way == 2) std::swap(w.array(), spare);
      else if (way == 3) w.storage()->values = spare;
      else w.array().values<float>()[0] = 10, w.array().set(1, 20), w.array().set(2, 30);
      const Results r = step();
      CHECK(r["y"].values<float>() == Numbers{10, 20, 30});
      CHECK(w.values<float>() == Numbers{11, 21, 31});
      CHECK_THROWS_AS(w.array() = Array(f32, {4}), Error);
      CHECK_THROWS_AS(w.array() = Array(f64, {3}), Error);
      const Array taken = std::move(w.array());
      step();
      CHECK(w.values<float>() == Numbers{12, 22, 32});
    }
}

TEST_CASE("parameters: one that became another between recording and compiling is refused by name") {
  Parameter w("w", {1.0, 2.0, 3.0});
  Graph g("stale");
  g.output("y", w * 2);
  const std::string where = testing::line(-1);
  w.array() = Array(f32, {5});
  CHECK_THROWS_WITH(compile(g, Target::cpu()),
                    contains_text("step 'stale': 'w' (f32[3], " + where + ") is f32[5] by now; record the graph again"));
  Graph again("again");
  again.output("y", w * 2);
  CHECK(compile(again, Target::cpu())()["y"].values<float>().size() == 5);
}

TEST_CASE("parameters: values may come from the parameter itself") {
  Parameter w("w", {1.0, 2.0, 3.0});
  w.set_values(std::as_const(w).array().values<float>());
  CHECK(w.values<float>() == Numbers{1, 2, 3});
  Graph g("g");
  g.update(w, w * 2);
  Step step = compile(g, Target::cpu());
  const Results r = step();
  w.set_values(r["w"].view<float>());
  w.set_values(w.array().values<float>());
  CHECK(w.values<float>() == Numbers{2, 4, 6});
}
