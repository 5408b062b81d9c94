// Training steps whose losses are the CPU's, call by call, and evaluations of the same nets as they begin.

#include "weft/tests/gpu/nets.h"
#include "weft/tests/gpu_check/make/maker.h"

namespace weft::gpu_check {
namespace {

constexpr int steps = 20, evaluations = 2;

struct Kind {
  bool trains;
  std::optional<DType> autocast;
  double bound;
};

/// The batches that are fed, and the losses that come out.
Maker::Tensors data_of(const test::NetTraining::Net& net, const Kind& kind) {
  test::NetTraining here(net, Target::cpu());
  Maker::Tensors data;
  for (int n = 0; n < (kind.trains ? steps : evaluations); ++n) {
    const std::string call = std::to_string(n);
    const int batch = kind.trains ? n : 1000 + n;
    for (size_t i = 0; i < net.inputs.size(); ++i)
      data.emplace_back(call + "/in/" + net.inputs[i].name, test::drawn(net.inputs[i], batch, static_cast<uint32_t>(i)));
    const auto loss = static_cast<float>(kind.trains ? here.train(n) : here.evaluate(n));
    data.emplace_back(call + "/want/loss", Array::of(Shape{}, std::vector<float>{loss}));
  }
  return data;
}

void add_training(Maker& maker, const test::NetTraining::Net& net, const Kind& kind) {
  const std::string name = "net/" + net.name + (kind.trains ? "" : ", evaluation") + (kind.autocast ? ", bf16" : "");
  if (!maker.wants(name)) return;
  Check check{name, maker.file_for(name), kind.trains ? steps : evaluations, kind.trains, {{"loss", false, kind.bound, kind.bound}}};
  test::NetTraining there(net, maker.target(kind.autocast));
  (kind.trains ? there.training_step() : there.evaluation()).save(maker.path(check.file, ".weftprog"));
  Checkpoint start(there.module());
  if (kind.trains) start.add(there.optimizer());
  start.save(maker.path(check.file, ".start.safetensors"));
  maker.write_data(check.file, data_of(net, kind));
  maker.add(std::move(check));
}

}  // namespace

void add_trainings(Maker& maker) {
  const bool small = maker.options().small;
  for (const test::NetTraining::Net& net : test::nets()) {
    if (small && net.inputs[0].shape.size() == 4 && net.inputs[0].shape[1] == 3) continue;  // convolutions take their time
    add_training(maker, net, {true, {}, 1e-5});
    add_training(maker, net, {false, {}, 1e-5});
  }
  for (const std::string& name :
       small ? std::vector<std::string>{"fashion"} : std::vector<std::string>{"fashion", "mnist, norm", "cifar, conv", "gpt"})
    add_training(maker, test::net_named(name), {true, bf16, 2e-2});
}

}  // namespace weft::gpu_check
