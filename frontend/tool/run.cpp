// weft run: runs a program on arrays from files.

#include <CLI/CLI.hpp>
#include <cstring>
#include <filesystem>

#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/program/target.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/feed.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/runtime/data/npy.h"
#include "weft/support/number_text.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file, device = "cpu", autocast, weights, output_dir;
  std::vector<std::string> inputs, settings;
  int64_t seed = 0, steps = 1;
  bool zeros = false;
};

std::unique_ptr<Program> compile(ir::Module& module, const std::string& device, const std::string& autocast) {
  const Target target = Target::from_name(device);
  const Backend& backend = target.backend();
  std::vector<std::string> passes = passes::remaining_passes(module, backend.pipeline());
  if (!autocast.empty() && backend.takes_every_stage()) throw Error("--autocast has no effect with --device {}", device);
  require_autocast(autocast, passes);
  if (!backend.takes_every_stage()) {
    passes::run(module, passes, *target_for(module, std::string(backend.target().name()), autocast));
  } else if (module.train) {
    // It runs the text as it stands, but a train block means nothing to it. What the update does not read goes, so that the
    // same inputs are asked for as of a compiled program.
    passes.insert(passes.end(), {"decompose", "dce"});
    passes::run(module, passes, *target_for(module, ""));
  }
  return backend.build(module, nullptr);
}

Given given_by(const Options& o) {
  Given given{.files = assignments("--input", o.inputs), .weights = o.weights, .seed = o.seed, .zeros = o.zeros};
  for (const auto& [name, text] : assignments("--set", o.settings)) {
    const std::optional<double> value = number_in<double>(text);
    if (!value) throw Error("--set {}: '{}' is not a number", name, text);
    given.settings[name] = *value;
  }
  return given;
}

/// The step that a key holds counts up from what it starts with.
void run_steps(Program& program, const ir::Graph& graph, std::vector<Array>& arrays, int64_t steps) {
  std::vector<Binding> bindings;
  for (Array& a : arrays) bindings.emplace_back(a.storage());
  for (int64_t step = 0; step < steps; ++step) {
    program.run(bindings);
    for (size_t i = 0; i < arrays.size(); ++i)
      if (is_key(graph.inputs()[i])) ++arrays[i].values<int64_t>()[1];
  }
}

Array result(const Program& program, int i) {
  const Port& port = program.outputs()[static_cast<size_t>(i)];
  Array array(port.dtype, port.shape);
  std::memcpy(array.data(), program.output(i), array.bytes());
  return array;
}

/// The file of every output, none without a directory. A name may hold anything, but no result lands elsewhere.
std::vector<std::string> output_files(const Program& program, const std::string& directory) {
  std::vector<std::string> files(program.outputs().size());
  if (directory.empty()) return files;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string& name = program.outputs()[i].name;
    if (name.empty() || name.find('/') != std::string::npos)
      throw Error("the output '{}' has no name that a file could have", name).hint("run without --output-dir");
    files[i] = (std::filesystem::path(directory) / (name + ".npy")).string();
  }
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  if (error) throw Error("'{}': cannot make the directory: {}", directory, error.message());
  return files;
}

std::string value_text(const Array& array) {
  if (array.shape().rank() > 0) return "";
  if (array.dtype() == f32) return fmt::format("{}", static_cast<float>(array.at(0)));
  return fmt::format("{}", array.at(0));
}

void report(const Program& program, const std::vector<std::string>& files) {
  Table table({"output", "type", "value", "file"}, {Table::Column::left, Table::Column::left, Table::Column::left, Table::Column::left});
  for (size_t i = 0; i < program.outputs().size(); ++i) {
    const Port& port = program.outputs()[i];
    const Array array = result(program, static_cast<int>(i));
    if (!files[i].empty()) write_npy(files[i], array);
    table.add({port.name, std::string(name_of(port.dtype)) + to_string(port.shape), value_text(array), files[i]});
  }
  fmt::print("{}", table.text(output_width()));
}

void run(const Options& o) {
  if (o.steps < 1) throw Error("--steps must be at least 1, not {}", o.steps);
  const Given given = given_by(o);
  ir::Module module = ir::parse_file(o.file);
  const std::map<std::string, IndexBound> bounds = detail::index_bounds(module.graph());  // passes hide what is an index
  const std::unique_ptr<Program> program = compile(module, o.device, o.autocast);
  std::vector<Array> arrays = feed(*program, module.graph(), given, bounds);
  const std::vector<std::string> files = output_files(*program, o.output_dir);
  run_steps(*program, module.graph(), arrays, o.steps);
  report(*program, files);
}

}  // namespace

void add_run(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("run", "Run a program on arrays from files");
  c->add_option("FILE", o->file, "The program in text form; - is standard input")->required();
  c->add_option("--device", o->device,
                "cpu (default): compiled; the passes that are left run first. cuda, cuda:N: the same for\n"
                "an NVIDIA GPU, the first or number N. reference: interpreted as it stands, slowly, in\n"
                "double precision. All train what a train block says")
      ->type_name("NAME");
  add_autocast(*c, o->autocast);
  c->add_option("--input", o->inputs, "The elements of an input; once for each input")->allow_extra_args(false)->type_name("NAME=FILE.npy");
  c->add_option("--weights", o->weights, "Parameters and states by their names: a checkpoint, or PyTorch's safetensors file")
      ->type_name("FILE.safetensors");
  c->add_option("--set", o->settings, "The value of a hyper-parameter, e.g. sgd.lr=0.01")
      ->allow_extra_args(false)
      ->type_name("NAME=NUMBER");
  c->add_flag("--zeros", o->zeros, "Parameters and states that are not given start as zeros");
  c->add_option("--seed", o->seed, "What random numbers follow from, with the number of the step; default 0")->type_name("N");
  c->add_option("--steps", o->steps, "How often to run, default once; parameters and states carry over")->type_name("N");
  c->add_option("--output-dir", o->output_dir, "Write every output to DIR/NAME.npy")->type_name("DIR");
  c->footer("Example: weft run line.weft --input x=x.npy --input y=y.npy --zeros --set sgd.lr=0.01 --steps 100");
  refuse_empty(*c);
  c->callback([o] { run(*o); });
}

}  // namespace weft::tool
