#include "weft/tests/frontend/layer_calls.h"

#include <map>

namespace weft::testing {
namespace {

/// Reads PyTorch's options; what a case does not name has weft's default.
struct Options {
  const json& given;

  template <class T>
  void read(const char* name, T& into) const {
    if (given.contains(name)) into = given[name].get<T>();
  }
  template <class T>
  void read(const char* name, std::optional<T>& into) const {
    if (!given.contains(name)) return;
    into = given[name].is_null() ? std::nullopt : std::optional<T>(given[name].get<T>());
  }
};

using Make = std::function<Subject(const json& arguments, const Options&)>;

template <class M>
Subject subject(M module) {
  auto shared = std::make_shared<M>(std::move(module));
  return {shared, [shared](const std::vector<Tensor>& x) { return (*shared)(x.at(0)); }};
}

template <class M>
Subject batch_norm(const json& arguments, const Options& given) {
  nn::BatchNormOptions o;
  given.read("eps", o.eps), given.read("momentum", o.momentum), given.read("affine", o.affine);
  given.read("track_running_stats", o.track_running_stats);
  return subject(M(arguments[0], o));
}

const std::map<std::string, Make> subjects{
    {"BatchNorm1d", batch_norm<nn::BatchNorm1d>},
    {"BatchNorm2d", batch_norm<nn::BatchNorm2d>},
};

}  // namespace

Subject make_subject(const json& c) {
  const auto found = subjects.find(c["module"].get<std::string>());
  if (found == subjects.end()) throw Error("tests/frontend/layer_calls.cpp does not list {}", c["module"].get<std::string>());
  return found->second(c["arguments"], {c["options"]});
}

}  // namespace weft::testing
