// 100 training losses against PyTorch's, from PyTorch's own weights: two or more settings of every dense optimizer, clipping,
// groups, batches in parts.

#include "weft/runtime/data/npy.h"
#include "weft/tests/catch.h"
#include "weft/tests/frontend/stored_optimizer.h"

using namespace weft;

namespace {

using testing::json;

const std::string folder = WEFT_SOURCE_DIR "/tests/expected/trajectory/";

/// The elements of `from` in another type.
Array converted(const Array& from, DType dtype, double factor = 1) {
  Array to(dtype, from.shape());
  for (int64_t i = 0; i < from.shape().numel(); ++i) to.set(i, from.at(i) * factor);
  return to;
}

nn::Sequential stored_model(const json& file, DType dtype) {
  const auto layer = [&](int i) { return nn::Linear(file["layers"][i], file["layers"][i + 1], {.dtype = dtype}); };
  nn::Sequential model(layer(0), nn::ReLU(), layer(1), nn::ReLU(), layer(2));
  for (auto& [name, parameter] : model.named_parameters()) parameter.array() = converted(read_npy(folder + name + ".npy"), dtype);
  return model;
}

/// With the setting's groups and clipping.
optim::Optimizer optimizer_of(const json& setting, const nn::Module& model) {
  optim::Optimizer optimizer = testing::optimizer_of(setting);
  optimizer.clip_value = setting.value("clip_value", 0.0);
  optimizer.clip_norm = setting.value("clip_norm", 0.0);
  const json groups = setting.value("groups", json::object());
  for (const auto& [name, group] : groups.items()) {
    std::vector<Parameter> parameters;
    for (const auto& [parameter_name, parameter] : model.named_parameters())
      if (group["parameters"].dump().find("\"" + parameter_name + "\"") != std::string::npos) parameters.push_back(parameter);
    optimizer.add_group(name, parameters, testing::optimizer_of({{"optimizer", setting["optimizer"]}, {"options", group["options"]}}));
  }
  return optimizer;
}

struct Trajectory {
  std::vector<double> losses;
  std::map<std::string, double> abs_sums;  // of the trained parameters
};

Trajectory train(const json& file, const json& setting, DType dtype, const Target& target) {
  const int64_t batch = file["batch"], steps = file["steps"], features = file["layers"][0];
  const Array images = converted(read_npy(folder + "images.npy"), dtype, file["pixel_scale"]);
  const Array labels = read_npy(folder + "labels.npy");
  nn::Sequential model = stored_model(file, dtype);
  const optim::Optimizer optimizer = optimizer_of(setting, model);

  Graph graph(setting["name"]);
  Tensor x = graph.input("x", dtype, {batch, features});
  Tensor y = graph.input("y", i64, {batch});
  Tensor loss = graph.output("loss", micro_batches(x, y, setting.value("parts", 1), [&](const Tensor& some_x, const Tensor& some_y) {
                               return cross_entropy(model(some_x), some_y);
                             }));
  Step step = compile(training_step(graph, loss, model.parameters(), optimizer), target);

  Trajectory result;
  const int64_t batches = images.shape()[0] / batch;
  for (int64_t i = 0; i < steps; ++i) {
    const int64_t first = i % batches * batch;
    const View some_images(images.data() + static_cast<size_t>(first * features) * size_of(dtype), static_cast<size_t>(batch * features),
                           dtype);
    const View some_labels(labels.values<int64_t>().data() + first, static_cast<size_t>(batch));
    result.losses.push_back(step({{"x", some_images}, {"y", some_labels}})["loss"].item());
  }
  for (auto& [name, parameter] : model.named_parameters())
    for (int64_t i = 0; i < parameter.shape().numel(); ++i) result.abs_sums[name] += std::abs(parameter.array().at(i));
  return result;
}

}  // namespace

TEST_CASE("trajectories on the reference, in f64") {
  const json file = testing::read_expected("trajectory/trajectory");
  for (const json& setting : file["settings"]) {
    DYNAMIC_SECTION(setting["name"].get<std::string>()) {
      const Trajectory got = train(file, setting, f64, Target::reference());
      testing::check_losses(got.losses, setting["losses_f64"], 100, 1e-9, 1e-9);
      for (const auto& [name, sum] : got.abs_sums) CHECK(sum == Approx(setting["abs_sums_f64"][name].get<double>()).epsilon(1e-9));
    }
  }
}

TEST_CASE("trajectories on the cpu, in f32") {
  const json file = testing::read_expected("trajectory/trajectory");
  for (const json& setting : file["settings"]) {
    if (!setting["continuous"].get<bool>()) continue;
    DYNAMIC_SECTION(setting["name"].get<std::string>()) {
      const Trajectory got = train(file, setting, f32, Target::cpu());
      testing::check_losses(got.losses, setting["losses_f64"], 20, 1e-4, 1e-3);
    }
  }
}
