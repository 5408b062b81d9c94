#pragma once
// A program after every pass, as data that repeats nothing: an op that a pass leaves as it is takes a few numbers.

#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/frontend/report/json.h"
#include "weft/ir/module.h"

namespace weft::detail {

class Stages {
 public:
  /// `made_of`: of each op, in order, the numbers of the recorded ops that it is made of (replay.h); empty where that is not known.
  void add(const std::string& name, const ir::Module& module, bool changed, double milliseconds,
           const std::vector<std::vector<int>>& made_of = {});
  /// What add() has given the op of the last stage, by which all stages know it.
  int id_of(const ir::Op& op) const { return ids_.at(&op); }
  /// The files of the source lines.
  const std::vector<std::string>& files() const { return files_; }

  /// {"strings", "places": [[phases, [[file, line, layer], ...]], ...], "made_of": [[number of a recorded op, ...], ...],
  ///  "rows": [[op, [type, ...], attributes, [operand, ...], place, [[line, ...] of a body, ...], flops, bytes read, bytes written,
  ///            bytes of scratch memory, the last result], ...],
  ///  "stages": [{"name", "changed", "ms", "inputs": [[name, role, type, place], ...], "outputs": [[name, operand, alias or -1], ...],
  ///              "ops": [id, row, phase, [name of a result, ...], number in "made_of", ...]}, ...]}
  /// Names and lines are numbers of strings. An operand is [id, result], of an input [-1 - number].
  Json json() &&;

 private:
  int string(const std::string& text);
  int place(const ir::Locations& at);
  int row(const ir::Op& op);
  Json lines_of(const ir::Graph& body);
  Json operand(ir::Value v) const;
  void know(const ir::Graph& graph);
  Json ops_of(const ir::Graph& graph, const std::vector<std::vector<int>>& made_of);

  std::unordered_map<std::string, int> string_numbers_, row_numbers_, place_numbers_, made_of_numbers_;
  Json strings_ = Json::array(), rows_ = Json::array(), places_ = Json::array(), made_of_ = Json::array(), stages_ = Json::array();
  std::vector<std::string> files_;
  const ir::Graph* graph_ = nullptr;  // whose ops have the ids
  std::unordered_map<const ir::Op*, int> ids_;
  std::unordered_map<int, int> by_number_;                   // of graph_
  std::unordered_map<std::string, std::vector<int>> alike_;  // ids of the last stage, by what their ops look like
  int next_ = 0;
};

}  // namespace weft::detail
