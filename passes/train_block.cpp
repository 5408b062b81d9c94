#include "weft/passes/train_block.h"

#include <algorithm>
#include <unordered_set>
#include <vector>

#include "weft/ir/builder.h"
#include "weft/ir/ops/optimizer.h"
#include "weft/ir/registry.h"

namespace weft::passes {
namespace {

class Check {
 public:
  explicit Check(const ir::Module& module) : module_(module), graph_(module.graph()), train_(*module.train) {}

  void run() const {
    loss();
    inputs();
    keep();
    counters();
    if (train_.optimizer.empty()) return;
    rule(train_.optimizer, train_.attributes, "");
    added(train_.optimizer, train_.attributes, train_.optimizer + ".", train_.inputs);
    free_name(train_.counter_name(0));
    for (const ir::TrainGroup& group : train_.groups) {
      this->group(group);
      rule(group.optimizer, group.attributes, "group " + group.name + " ");
      added(group.optimizer, group.attributes, train_.optimizer + "." + group.name + ".", group.inputs);
    }
  }

 private:
  [[noreturn]] void refuse(std::initializer_list<std::string_view> entries, Error error) const {
    throw at_entry(module_, std::move(error), entries);
  }

  void loss() const {
    if (graph_.find_output(train_.loss)) return;
    std::vector<std::string> names;
    for (const ir::Output& o : graph_.outputs()) names.push_back(o.name);
    refuse({"loss", "train"},
           Error("the train block's loss '{}' is no output of the graph", train_.loss).hint(did_you_mean(train_.loss, names)));
  }

  void inputs() const {
    const std::vector<std::string> all = train_.all_inputs();
    if (all.empty()) refuse({"inputs", "train"}, Error("the train block trains nothing: it names no input"));
    std::unordered_set<std::string_view> named;
    for (const std::string& name : all) {
      const std::string entry = "inputs " + name;
      const ir::Input* input = graph_.find_input(name);
      if (!input) {
        std::vector<std::string> names;
        for (const ir::Input& i : graph_.inputs())
          if (i.role == ir::Role::parameter) names.push_back(i.node->name);
        refuse({entry}, Error("the train block names '{}', which is no input of the graph", name).hint(did_you_mean(name, names)));
      }
      if (!named.insert(name).second) refuse({entry}, Error("the train block names '{}' twice", name));
      const bool trains = !train_.optimizer.empty();
      if (trains && input->role != ir::Role::parameter && input->role != ir::Role::state)
        refuse({entry}, Error("the train block trains '{}', which is no parameter: it is a {}", name, name_of(input->role)));
    }
  }

  void keep() const {
    std::vector<std::string> gradients;
    for (const std::string& name : train_.all_inputs()) gradients.push_back(name + ".grad");
    const std::unordered_set<std::string_view> known(gradients.begin(), gradients.end());
    std::unordered_set<std::string_view> kept;
    for (const std::string& name : train_.keep) {
      const std::string entry = "keep " + name;
      if (!known.contains(name))
        refuse({entry}, Error("'{}' is to be kept, but it is not the gradient of a trained parameter ('<parameter>.grad')", name)
                            .hint(did_you_mean(name, gradients)));
      if (!kept.insert(name).second) refuse({entry}, Error("'{}' is to be kept twice", name));
    }
  }

  void counters() const {
    const size_t inputs = train_.all_inputs().size();
    if (!train_.counters.empty() && train_.counters.size() != inputs)
      refuse({"counters"}, Error("the train block has {} counter{} for {} input{}", train_.counters.size(),
                                 train_.counters.size() == 1 ? "" : "s", inputs, inputs == 1 ? "" : "s")
                               .hint("each input has one"));
    for (int64_t counter : train_.counters)
      if (counter < 0) refuse({"counters"}, Error("the train block's counters must not be negative, but there is {}", counter));
  }

  void group(const ir::TrainGroup& group) const {
    const std::string entry = "group " + group.name;
    const std::vector<ir::HyperSpec>& numbers = ir::find_optimizer(train_.optimizer)->hypers;
    const bool is_number = std::any_of(numbers.begin(), numbers.end(), [&](const ir::HyperSpec& h) { return h.name == group.name; });
    if (group.name.empty() || group.name.find('.') != std::string::npos || group.name == train_.optimizer || is_number)
      refuse({entry},
             Error("'{}' is no name for a group: it must not be empty, contain '.' or be the optimizer's name or one of its numbers",
                   group.name));
    if (group.inputs.empty()) refuse({entry}, Error("the group '{}' trains nothing: it names no input", group.name));
    const auto same = [&](const ir::TrainGroup& g) { return g.name == group.name; };
    if (std::count_if(train_.groups.begin(), train_.groups.end(), same) > 1)
      refuse({entry}, Error("there are two groups named '{}'", group.name));
  }

  /// What the update adds must not be there under its name.
  void free_name(const std::string& name) const {
    if (const ir::Input* taken = graph_.find_input(name))
      throw Error("the input '{}' has the name of what the optimizer {} adds", name, train_.optimizer)
          .at(to_string(taken->locations))
          .hint("rename it");
  }

  void added(const std::string& optimizer, const ir::NamedAttributes& attributes, const std::string& prefix,
             const std::vector<std::string>& parameters) const {
    const ir::OptimizerSpec& spec = *ir::find_optimizer(optimizer);
    for (const ir::HyperSpec& h : spec.hypers) free_name(prefix + h.name);
    for (const std::string& name : parameters)
      for (const ir::StateSpec& state : ir::states_of(spec, graph_.find_input(name)->node->type, attributes))
        free_name(name + "." + state.name);
  }

  /// An update op, its name behind `prefix` as all its entries, and switches that it has.
  void rule(const std::string& optimizer, const ir::NamedAttributes& attributes, const std::string& prefix) const {
    const std::string entry = prefix + "optimizer";
    if (!ir::find_optimizer(optimizer)) {
      std::vector<std::string> names;
      for (const ir::OptimizerSpec* spec : ir::all_optimizers()) names.push_back(spec->op);
      refuse({entry, prefix.substr(0, prefix.size() - !prefix.empty())},
             Error("the train block's optimizer '{}' is no update op", optimizer).hint(did_you_mean(optimizer, names)));
    }
    // One after the other, so that what is wrong has its place; without places the op that is made says it.
    for (const auto& attribute : attributes)
      if (module_.places.contains(prefix + attribute.first)) try {
          ir::complete_attributes(*ir::registry().find(optimizer), {attribute}, {});
        } catch (Error& e) {
          refuse({prefix + attribute.first}, e.at(""));
        }
  }

  const ir::Module& module_;
  const ir::Graph& graph_;
  const ir::TrainSpec& train_;
};

}  // namespace

void check_train_block(const ir::Module& module) { Check(module).run(); }

Error at_entry(const ir::Module& module, Error error, std::initializer_list<std::string_view> entries) {
  for (std::string_view entry : entries)
    if (const auto place = module.places.find(entry); place != module.places.end()) {
      error.at(place->second).as(ErrorKind::file);
      break;
    }
  return error;
}

}  // namespace weft::passes
