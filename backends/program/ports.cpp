#include "weft/backends/program/ports.h"

namespace weft::program {

std::vector<Port> input_ports(const ir::Graph& graph) {
  std::vector<Port> ports;
  for (const ir::Input& i : graph.inputs())
    ports.push_back({i.node->name, i.node->type.dtype, i.node->type.shape, {}, to_string(i.locations)});
  return ports;
}

std::vector<Port> output_ports(const ir::Graph& graph) {
  std::vector<Port> ports;
  for (const ir::Output& o : graph.outputs()) ports.push_back({o.name, o.value.dtype(), o.value.shape(), o.alias, to_string(o.locations)});
  return ports;
}

}  // namespace weft::program
