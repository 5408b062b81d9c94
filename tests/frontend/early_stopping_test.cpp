// Snapshots of what training changes, and stopping early with the best of them.

#include <cmath>

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

namespace {

/// Adam on the distance of w from 3.
struct Training {
  Parameter w{"w", {0.0}};
  optim::Adam adam{{.lr = 0.1}};
  Step step = compiled();

  Step compiled() {
    Graph g("distance");
    return compile(training_step(g, g.output("loss", mean(square(w - 3.0))), {w}, adam), Target::reference());
  }
  std::vector<double> losses(int count) {
    std::vector<double> all;
    for (int i = 0; i < count; ++i) all.push_back(step()["loss"].item());
    return all;
  }
};

}  // namespace

TEST_CASE("a snapshot brings parameters, optimizer state and step count back") {
  Training t;
  t.losses(3);
  Snapshot there({t.w}, t.adam);
  const std::vector<double> first = t.losses(4);
  CHECK(t.adam.steps() == 7);
  there.restore();
  CHECK(t.adam.steps() == 3);
  CHECK(t.losses(4) == first);
  there.take();
  const std::vector<double> later = t.losses(2);
  there.restore();
  CHECK(t.losses(2) == later);
  CHECK(later != first);
}

TEST_CASE("a snapshot from before the optimizer's state existed brings back its zeros") {
  Parameter w("w", {0.0});
  optim::Adam adam({.lr = 0.1});
  const Snapshot start({w}, adam);
  Graph g("distance");
  Step step = compile(training_step(g, g.output("loss", mean(square(w - 3.0))), {w}, adam), Target::reference());
  step(), step();
  const float after = w.values<float>()[0];
  CHECK(adam.state("w", "exp_avg").at(0) != 0);
  start.restore();
  CHECK(adam.state("w", "exp_avg").at(0) == 0);
  step(), step();
  CHECK(w.values<float>()[0] == after);
}

TEST_CASE("a snapshot of parameters alone leaves the optimizer as it is") {
  Training t;
  Snapshot start({t.w});
  t.losses(3);
  start.restore();
  CHECK(t.w.values<float>()[0] == 0);
  CHECK(t.adam.steps() == 3);
}

TEST_CASE("of a model, snapshots and early stopping keep the buffers too") {
  nn::Sequential net(nn::Linear(2, 2), nn::BatchNorm1d(2));
  const auto set = [&](float to) {
    for (auto& [name, p] : net.state_dict())
      if (name.ends_with("weight") || name.ends_with("running_var"))
        p.set_values(std::vector<float>(static_cast<size_t>(p.shape().numel()), to));
  };
  const auto all_are = [&](float value) {
    bool equal = true;
    for (auto& [name, p] : net.state_dict())
      if (name.ends_with("weight") || name.ends_with("running_var")) equal = equal && p.values<float>()[0] == value;
    return equal;
  };
  optim::Adam adam;
  set(1);
  Snapshot with(net, adam), alone(net);
  set(2), with.restore();
  CHECK(all_are(1));
  set(2), alone.restore();
  CHECK(all_are(1));
  EarlyStopping stopping(net, 2);
  set(3), stopping.step(1);
  set(4), stopping.step(2);
  stopping.restore();
  CHECK(all_are(3));
  CHECK_THROWS_WITH(EarlyStopping(net, 0), contains_text("at least 1"));
}

TEST_CASE("early stopping waits for its patience and brings the best weights back") {
  Parameter w("w", {0.0});
  EarlyStopping stopping({w}, 3);
  CHECK(stopping.best_step() == 0);
  const double losses[] = {5, 4, 6, NAN, 3, 3, 3.5, 9};
  for (int i = 0; i < 8; ++i) {
    w.set_values(std::vector<float>{static_cast<float>(i + 1)});
    INFO(i);
    CHECK(stopping.step(losses[i]) == (i == 7));  // the third in a row that is not below 3
  }
  CHECK(stopping.best() == 3);
  CHECK(stopping.best_step() == 5);
  stopping.restore();
  CHECK(w.values<float>()[0] == 5);
  CHECK_THROWS_WITH(EarlyStopping({w}, 0), "early stopping needs a patience of at least 1, but it is 0");
}

TEST_CASE("a checkpoint keeps the best weights of early stopping") {
  const auto net = [] { return nn::Linear(2, 1); };
  nn::Linear trained = net(), resumed = net(), stranger = net();
  EarlyStopping stopping(trained, 3), again(resumed, 3);
  init::constant(trained.weight, 1);
  stopping.step(1);
  init::constant(trained.weight, 2);
  stopping.step(2);
  const test::TempDir dir;
  Checkpoint(trained).add(stopping).save(dir / "run.safetensors");
  Checkpoint(resumed).add(again).load(dir / "run.safetensors");
  CHECK(resumed.weight.values<float>() == std::vector<float>{2, 2});
  CHECK((again.best() == 1 && again.best_step() == 1 && !again.is_over()));
  again.restore();
  CHECK(resumed.weight.values<float>() == std::vector<float>{1, 1});
  EarlyStopping of_another(stranger, 3);
  CHECK_THROWS_WITH(Checkpoint(trained).add(of_another), contains_text("EarlyStopping needs 'weight', which is not among the tensors"));
}
