// Parameters that an optimizer updates in turns, or later than others: every one has its own count of steps, as in PyTorch.

#include <filesystem>
#include <map>

#include "weft/tests/frontend/stored_optimizer.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;
using testing::json;

namespace {

std::vector<double> flat(const json& rows) {
  std::vector<double> all;
  for (const json& row : rows) all.insert(all.end(), row.begin(), row.end());
  return all;
}

/// The two parameters of tests/expected/joining.json, whose gradients are what is fed.
struct Pair {
  Pair(const json& file, const json& setting)
      : file(file), optimizer(testing::optimizer_of(setting)), sparse(setting["optimizer"] == "SparseAdam"),
        a("a", Shape{3, 1}, flat(file["a"])), b("b", Shape{2, 2}, flat(file["b"])) {}

  /// A program that trains the parameters of these names.
  Step compile_for(const std::string& names) const {
    Graph g(names);
    Tensor loss;
    for (const Parameter& p : {a, b})
      if (names.find(p.name()) != std::string::npos) {
        const Tensor slope = g.input("g" + p.name(), f64, p.shape());
        const Tensor used = sparse ? embedding(iota(p.shape()[0]), p, {}, true) : p * 1.0;
        const Tensor part = sum(used * slope);
        loss = loss.recording ? loss + part : part;
      }
    std::vector<Parameter> trained;
    for (const Parameter& p : {a, b})
      if (names.find(p.name()) != std::string::npos) trained.push_back(p);
    return compile(training_step(g, loss, trained, optimizer), Target::reference());
  }

  static Tensor iota(int64_t count) {
    Array rows(i64, {count});
    for (int64_t i = 0; i < count; ++i) rows.set(i, static_cast<double>(i));
    return constant(rows);
  }

  void run(Step& step, const std::string& names) {
    std::map<std::string, std::vector<double>> fed;
    for (const char* name : {"a", "b"})
      if (names.find(name) != std::string::npos)
        fed["g" + std::string(name)] =
            file["gradients"][name][static_cast<size_t>(counts[name]++ % std::ssize(file["gradients"][name]))].get<std::vector<double>>();
    std::vector<Feed> feeds;
    for (const auto& [name, values] : fed) feeds.push_back({name, values});
    step.run(feeds);
  }

  std::vector<double> values() const {
    std::vector<double> all = a.values<double>();
    for (double x : b.values<double>()) all.push_back(x);
    return all;
  }

  const json& file;
  optim::Optimizer optimizer;
  bool sparse;
  Parameter a, b;
  std::map<std::string, int64_t> counts;
};

void check_values(const Pair& pair, const json& wanted) {
  const std::vector<double> got = pair.values();
  for (size_t i = 0; i < got.size(); ++i) {
    CAPTURE(i, got[i]);
    CHECK(std::abs(got[i] - wanted[i].get<double>()) <= 1e-11 * std::max(1.0, std::abs(wanted[i].get<double>())));
  }
}

}  // namespace

TEST_CASE("joining: parameters that are updated in turns become torch's, with every optimizer") {
  const json file = testing::read_expected("joining");
  // Which programs there are when, and which one first, must not matter.
  const std::string order = GENERATE("as needed", "a, b, ab", "ab, a, b");
  for (const json& setting : file["cases"]) {
    INFO(order << ": " << setting["optimizer"] << " " << setting["options"].dump());
    Pair pair(file, setting);
    std::map<std::string, Step> programs;
    const auto program = [&](const std::string& names) -> Step& {
      return programs.try_emplace(names, pair.compile_for(names)).first->second;
    };
    if (order == "a, b, ab") program("a"), program("b"), program("ab");
    if (order == "ab, a, b") program("ab"), program("a"), program("b");
    for (size_t i = 0; i < file["turns"].size(); ++i) {
      INFO("step " << i);
      const std::string turn = file["turns"][i];
      if (!programs.contains(turn)) programs.emplace(turn, pair.compile_for(turn));
      pair.run(programs.at(turn), turn);
      check_values(pair, setting["parameters"][i]);
    }
    CHECK(pair.optimizer.steps() == std::ssize(file["turns"]));
    CHECK(pair.optimizer.steps(pair.a) == pair.counts["a"]);
    CHECK(pair.optimizer.steps(pair.b) == pair.counts["b"]);
  }
}

TEST_CASE("joining: those that are always updated together share a counter, and nothing compiles while they do") {
  Parameter a("a", {1.0}), b("b", {1.0}), c("c", {1.0});
  optim::Adam adam({.lr = 0.1});
  const auto program = [&](std::vector<Parameter> trained) {
    Graph g("g");
    Tensor loss = sum(trained[0] * 2.0);
    for (size_t i = 1; i < trained.size(); ++i) loss = loss + sum(trained[i] * 3.0);
    return compile(training_step(g, loss, trained, adam), Target::reference());
  };
  const auto counters = [](const Step& step) {
    const std::string text = step.ir("training_step");
    size_t count = 0;
    for (size_t at = text.find("input %adam.step"); at != std::string::npos; at = text.find("input %adam.step", at + 1)) ++count;
    return count;
  };
  Step head = program({a, b});
  CHECK(counters(head) == 1);
  head(), head();
  Step all = program({a, b, c});
  CHECK(counters(all) == 2);
  const int64_t programs = compiled_programs();
  all(), head(), all();
  CHECK(compiled_programs() == programs);
  CHECK((adam.steps(a) == 5 && adam.steps(c) == 2 && adam.steps() == 5));
  Step alone = program({a});
  alone();
  head();  // a and b have no longer a common count
  CHECK(compiled_programs() == programs + 2);
  CHECK(counters(head) == 2);
  CHECK((adam.steps(a) == 7 && adam.steps(b) == 6));
  head(), alone(), all();
  CHECK(compiled_programs() == programs + 3);  // all tells them apart, too
  CHECK((adam.steps(a) == 10 && adam.steps(b) == 8 && adam.steps(c) == 3));
}

TEST_CASE("joining: results stand until a call that tells counters apart has taken what it is fed, which they may be") {
  for (const Target& target : {Target::cpu({.threads = 1}), Target::reference()})
    for (const std::string fed : {"y", "a"}) {
      Parameter a("a", {1.0, 2.0}), b("b", {3.0, 4.0});
      optim::Adam adam({.lr = 0.1});
      const auto program = [&](std::vector<Parameter> trained) {
        Graph g("g");
        const Tensor x = g.input("x", f32, {2});
        g.output("y", x * 2.0 + 1.0);
        g.output("z", sum(a * x));
        return compile(training_step(g, sum(a * x) + sum(b * x), trained, adam), target);
      };
      Step both = program({a, b}), alone = program({a});
      const std::vector<float> x{5, 6};
      const Results r = both({{"x", x}});
      const std::vector<float> new_a = r["a"].values<float>(), new_b = b.values<float>();
      alone({{"x", x}});  // the counters differ from here on
      CHECK_THROWS_AS(both({{"x", std::vector<float>{1, 2, 3}}}), Error);
      CHECK_THROWS_AS(both(), Error);
      CHECK(r["y"].values<float>() == std::vector<float>{11, 13});
      CHECK(r["a"].values<float>() == new_a);
      CHECK(r["b"].values<float>() == new_b);
      const std::vector<float> carried = r[fed].values<float>();
      const float z = a.values<float>()[0] * carried[0] + a.values<float>()[1] * carried[1];
      const Results next = both({{"x", r[fed].view<float>()}});
      CHECK(next["y"].values<float>() == std::vector<float>{carried[0] * 2 + 1, carried[1] * 2 + 1});
      CHECK(next["z"].item() == Approx(z));
      CHECK_THROWS_WITH(r["y"], contains_text("are gone"));
    }
}

TEST_CASE("joining: the first step of a parameter that joins late is as long as any first step") {
  Parameter early("early", {1.0}), late("late", {1.0});
  optim::Adam adam({.lr = 0.1});
  const auto program = [&](std::vector<Parameter> trained) {
    Graph g("g");
    Tensor loss = sum(early * 2.0);
    if (trained.size() > 1) loss = loss + sum(late * 2.0);
    return compile(training_step(g, loss, trained, adam), Target::cpu({.threads = 1}));
  };
  Step first = program({early});
  for (int i = 0; i < 1000; ++i) first();
  program({early, late})();
  CHECK(late.values<float>()[0] == Approx(0.9));
}

TEST_CASE("joining: momentum that is switched on later starts with the gradient, as in torch") {
  Parameter w("w", {0.0});
  optim::SGD sgd({.lr = 1, .dampening = 0.5});
  const auto program = [&] {
    Graph g("g");
    return compile(training_step(g, sum(w * 2.0), {w}, sgd), Target::reference());
  };
  Step plain = program();
  plain(), plain();
  CHECK(w.values<float>()[0] == -2 * 2 * 1.0f);  // dampening is of the momentum
  CHECK(sgd.steps(w) == 0);
  sgd.momentum = 0.5;
  Step with = program();
  with();
  CHECK(sgd.state("w", "momentum_buffer").at(0) == 2);
  with();
  CHECK(sgd.state("w", "momentum_buffer").at(0) == 2);
  CHECK((sgd.steps(w) == 2 && sgd.steps() == 4));
}

TEST_CASE("joining: checkpoints keep every parameter's count, and training goes on bit for bit") {
  const TempDir dir;
  const json file = testing::read_expected("joining");
  const size_t save_at = GENERATE(2, 5, 9);
  for (const json& setting : file["cases"]) {
    INFO(setting["optimizer"] << " " << setting["options"].dump() << " saved after " << save_at << " steps");
    Pair straight(file, setting), resumed(file, setting);
    const auto turns = [&](Pair& pair, size_t from, size_t to) {
      for (size_t i = from; i < to; ++i) {
        const std::string turn = file["turns"][i];
        Step step = pair.compile_for(turn);
        pair.run(step, turn);
      }
    };
    turns(straight, 0, save_at);
    Checkpoint({{"a", straight.a}, {"b", straight.b}}).add(straight.optimizer).save(dir / "run");
    const bool compiled = GENERATE(false, true);  // state is there before the file is read
    if (compiled) resumed.compile_for("ab");
    Checkpoint({{"a", resumed.a}, {"b", resumed.b}}).add(resumed.optimizer).load(dir / "run");
    resumed.counts = straight.counts;
    CHECK(resumed.optimizer.steps(resumed.a) == straight.optimizer.steps(straight.a));
    CHECK(resumed.optimizer.steps(resumed.b) == straight.optimizer.steps(straight.b));
    turns(straight, save_at, file["turns"].size()), turns(resumed, save_at, file["turns"].size());
    CHECK(resumed.values() == straight.values());
  }
}

TEST_CASE("joining: a snapshot brings the counts back, too") {
  Parameter a("a", {1.0}), b("b", {1.0});
  optim::Adam adam({.lr = 0.1});
  const auto program = [&](std::vector<Parameter> trained) {
    Graph g("g");
    Tensor loss = sum(a * 2.0);
    if (trained.size() > 1) loss = loss + sum(b * 2.0);
    return compile(training_step(g, loss, trained, adam), Target::reference());
  };
  Step first = program({a}), both = program({a, b});
  first();
  Snapshot before({a, b}, adam);
  both();
  const auto once = b.values<float>();
  both();
  before.restore();
  CHECK((adam.steps(a) == 1 && adam.steps(b) == 0));
  both();
  CHECK(b.values<float>() == once);
}
