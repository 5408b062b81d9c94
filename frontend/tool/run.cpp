// weft run: runs a program on arrays from files.

#include <CLI/CLI.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "weft/frontend/program/finite_check.h"
#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/program/reference_check.h"
#include "weft/frontend/program/reproducer.h"
#include "weft/frontend/program/target.h"
#include "weft/frontend/program/watch.h"
#include "weft/frontend/report/json.h"
#include "weft/frontend/report/replay.h"
#include "weft/frontend/report/trace.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/source.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/passes/pass.h"
#include "weft/runtime/data/npy.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file, device, output_dir, verify, reproducer, trace;
  TargetChoice choice;
  FeedOptions feed;
  std::vector<std::string> watch;
  std::string watched;
  int64_t steps = 1;
  bool check_finite = false, profile = false, json = false;
};

/// Runs the passes, between which `watch` adds what it watches.
void run_passes(ir::Module& module, const std::vector<std::string>& passes, const passes::Target& target, const detail::Watch& watch) {
  const auto [first, rest] = detail::around_training_step(passes);
  passes::run(module, first, target);
  watch.add_updates(module);
  passes::run(module, rest, target);
}

std::unique_ptr<Program> compile(ir::Module& module, const std::string& device, const TargetChoice& choice, const detail::Watch& watch) {
  const Target target = Target::from_name(device);
  const Backend& backend = target.backend();
  std::vector<std::string> passes = passes::remaining_passes(module, backend.pipeline());
  if (backend.takes_every_stage())
    if (const char* given = !choice.autocast.empty() ? "--autocast" : choice.memory_limit ? "--memory-limit" : nullptr)
      throw Error("{} has no effect with --device {}", given, device);
  require_target_options(choice, passes);
  if (!backend.takes_every_stage()) {
    run_passes(module, passes, *target_for(module, std::string(backend.target().name()), choice), watch);
  } else if (module.train) {
    // It runs the text as it stands, but a train block means nothing to it. What the update does not read goes, so that the
    // same inputs are asked for as of a compiled program.
    passes.insert(passes.end(), {"decompose", "dce"});
    run_passes(module, passes, *target_for(module, ""), watch);
  }
  return backend.build(module, nullptr);
}

/// A program, what it was made from, and what of it is watched.
struct Compiled {
  ir::Module recorded, planned;
  detail::Watch watch;
  std::unique_ptr<Program> program;
  std::optional<MachineLimits> limits;
};

/// Writes down a step that makes what is not finite. What is replayed already stays where it is.
void reproduce(NotFinite& e, const Compiled& c, std::span<const Binding> bindings, const Options& o, const Source& source) {
  if (!source.inputs.empty()) return;
  const std::string name = o.file == "-" ? c.recorded.graph().name() : std::filesystem::path(o.file).stem().string();
  detail::reproduce(e, {c.recorded, *c.program, bindings, o.device, o.choice.autocast},
                    o.reproducer.empty() ? detail::reproducer_folder(name) : o.reproducer);
}

/// Returns what of the step was checked.
detail::CheckedCalls run_step(const Compiled& c, std::span<const Binding> bindings, const Options& o, const Source& source, int64_t step) {
  if (!o.check_finite && o.verify.empty()) return c.program->run(bindings), detail::CheckedCalls();
  const detail::Undo undo(*c.program, bindings);
  try {
    return o.check_finite ? detail::run_finite(*c.program, c.planned, bindings) : detail::run_verified(*c.program, c.planned, bindings);
  } catch (NotFinite& e) {
    undo.restore();
    e.hint(o.steps > 1 ? fmt::format("this is step {}", step + 1) : "");
    reproduce(e, c, bindings, o, source);
    throw;
  } catch (Error& e) {
    throw e.hint(o.steps > 1 ? fmt::format("this is step {}", step + 1) : "");
  }
}

void write_watched(MetricsFile& file, const Compiled& c, int64_t step) {
  for (const WatchedValue& w : c.watch.read(*c.program)) file.write(detail::line_of(w, step + 1));
}

/// What the last step's watched values are like.
void report_watched(const Compiled& c) {
  using Column = Table::Column;
  Table table({"watched", "mean", "deviation", "smallest", "largest", "zeros", "subnormals", "relative"},
              {Column::left, Column::right, Column::right, Column::right, Column::right, Column::right, Column::right, Column::right});
  for (const WatchedValue& w : c.watch.read(*c.program)) {
    const ValueStatistics& v = w.values;
    const auto share = [&](int64_t part) {
      return fmt::format("{:.2f}%", 100 * static_cast<double>(part) / static_cast<double>(std::max<int64_t>(1, v.count)));
    };
    table.add({w.name, fmt::format("{:.6g}", v.mean), fmt::format("{:.6g}", v.deviation), fmt::format("{:.6g}", v.smallest),
               fmt::format("{:.6g}", v.largest), share(v.zeros), share(v.subnormals),
               std::isnan(w.relative) ? "" : fmt::format("{:.3g}", w.relative)});
  }
  fmt::print("{}", table.text(output_width()));
}

/// The step that a key holds counts up from what it starts with.
void run_steps(const Compiled& c, std::vector<Array>& arrays, const Options& o, const Source& source) {
  std::vector<Binding> bindings;
  for (Array& a : arrays) bindings.emplace_back(a.storage());
  std::optional<MetricsFile> watched;
  if (!o.watched.empty()) watched.emplace(o.watched);
  detail::CheckedCalls checked;
  for (int64_t step = 0; step < o.steps; ++step) {
    const detail::CheckedCalls now = run_step(c, bindings, o, source, step);
    checked.calls += now.calls, checked.elements += now.elements;
    if (watched) write_watched(*watched, c, step);
    for (size_t i = 0; i < arrays.size(); ++i)
      if (is_key(c.planned.graph().inputs()[i])) ++arrays[i].values<int64_t>()[1];
  }
  if (o.check_finite || !o.verify.empty())
    fmt::print(stderr, "weft: {} elements that {} calls gave in {} step{} were checked: {}\n", checked.elements, checked.calls, o.steps,
               o.steps == 1 ? "" : "s", o.check_finite ? "none is made nan or infinite" : "all agree with the reference");
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
    if (detail::is_watched_output(port.name)) continue;  // they have a table of their own
    const Array array = result(program, static_cast<int>(i));
    table.add({port.name, std::string(name_of(port.dtype)) + to_string(port.shape), value_text(array), files[i]});
  }
  fmt::print("{}", table.text(output_width()));
}

/// Of each call what was recorded of it.
std::vector<std::vector<std::string>> recorded_of_calls(const Compiled& c, const Options& o) {
  const Backend& backend = Target::from_name(o.device).backend();
  if (backend.takes_every_stage()) return {};
  const std::shared_ptr<const passes::Target> target = target_for(c.recorded, std::string(backend.target().name()), o.choice);
  detail::Replay replay(c.recorded, *target);
  replay.run(passes::remaining_passes(c.recorded, backend.pipeline()));
  return replay.recorded_of(c.planned.graph());
}

Profile profile_of(const Compiled& c, const Options& o) {
  return detail::profile_of(c.program->profile(), c.planned.graph(), c.limits, recorded_of_calls(c, o));
}

detail::Json output_json(const Program& program, size_t i, const std::string& file) {
  const Port& port = program.outputs()[i];
  detail::Json json{{"name", port.name}, {"type", std::string(name_of(port.dtype)) + to_string(port.shape)}};
  const Array array = result(program, static_cast<int>(i));
  if (array.shape().rank() == 0 && is_floating(port.dtype)) json["value"] = array.at(0);
  else if (array.shape().rank() == 0) json["value"] = static_cast<int64_t>(array.at(0));
  if (!file.empty()) json["file"] = file;
  return json;
}

/// What the last step gave.
std::string json_of(const Compiled& c, const std::vector<std::string>& files, const Options& o) {
  detail::Json json{{"program", c.recorded.graph().name()}, {"device", o.device}, {"steps", o.steps}, {"outputs", detail::Json::array()}};
  for (size_t i = 0; i < files.size(); ++i) {
    if (detail::is_watched_output(c.program->outputs()[i].name)) continue;
    json["outputs"].push_back(output_json(*c.program, i, files[i]));
  }
  if (c.watch.on()) json["watched"] = detail::Json::array();
  for (const WatchedValue& w : c.watch.read(*c.program)) {
    detail::Json line = detail::Json::object();
    for (const auto& [key, value] : detail::line_of(w, o.steps)) std::visit([&, &name = key](const auto& v) { line[name] = v; }, value);
    json["watched"].push_back(std::move(line));
  }
  if (o.profile) json["profile"] = detail::to_json(profile_of(c, o));
  return detail::text_of(json);
}

void write_outputs(const Program& program, const std::vector<std::string>& files) {
  for (size_t i = 0; i < files.size(); ++i)
    if (!files[i].empty() && !detail::is_watched_output(program.outputs()[i].name))
      write_npy(files[i], result(program, static_cast<int>(i)));
}

std::vector<std::string> read_files(const Source& source, const Given& given) {
  std::vector<std::string> all{source.program, source.inputs, given.weights};
  for (const auto& [name, file] : given.files) all.push_back(file);
  return all;
}

void run(Options o) {
  if (o.steps < 1) throw Error("--steps must be at least 1, not {}", o.steps);
  if (!o.verify.empty() && o.verify != "reference") throw Error("--verify compares with 'reference', not with '{}'", o.verify);
  if (!o.verify.empty() && o.check_finite) throw Error("--verify and --check-finite look at the calls in turn: one of them at a time");
  if (!o.reproducer.empty() && !o.check_finite) throw Error("--reproducer has no effect without --check-finite");
  const Source source = source_of(o.file);
  if (o.device.empty()) {
    o.device = source.device.empty() ? "cpu" : source.device;
    if (o.choice.autocast.empty()) o.choice.autocast = source.autocast;
  }
  Given given = given_by(o.feed);
  given.inputs = source.inputs;
  require_other_file("--watched", o.watched, read_files(source, given));
  require_other_file("--trace", o.trace, read_files(source, given));
  if (!o.trace.empty()) require_file("--trace", o.trace);
  Compiled c{parse_program(source.program), ir::Module(), detail::Watch(), nullptr, std::nullopt};
  const std::map<std::string, IndexBound> bounds = detail::index_bounds(c.recorded.graph());  // passes hide what is an index
  c.planned = c.recorded.clone();
  if (!o.watch.empty()) c.watch = detail::Watch(c.planned, o.watch);
  c.program = compile(c.planned, o.device, o.choice, c.watch);
  std::vector<Array> arrays = feed(*c.program, c.planned.graph(), given, bounds, Describer(c.recorded));
  const std::vector<std::string> files = output_files(*c.program, o.output_dir);
  for (const std::string& file : files) require_other_file("--output-dir", file, read_files(source, given));
  if (o.profile || !o.trace.empty()) {
    c.limits = detail::read_limits(Target::from_name(o.device).backend().machine(), c.program->threads(), "");
    c.program->start_profile(o.trace.empty() ? 0 : o.steps);
  }
  run_steps(c, arrays, o, source);
  write_outputs(*c.program, files);
  if (!o.trace.empty()) write_text(o.trace, detail::trace_text(c.program->trace(), profile_of(c, o), c.recorded.graph().name()));
  if (o.json) return fmt::print("{}", json_of(c, files, o));
  report(*c.program, files);
  if (c.watch.on()) report_watched(c);
  if (o.profile) fmt::print("\n{}", profile_of(c, o).table());
}

}  // namespace

void add_run(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("run", "Run a program on arrays from files");
  c->add_option("FILE", o->file, "The program in text form; - is standard input. Or a reproducer's folder")->required();
  c->add_option("--device", o->device,
                "cpu (default): compiled; the passes that are left run first. cuda, cuda:N: the same for\n"
                "an NVIDIA GPU, the first or number N. reference: interpreted as it stands, slowly, in\n"
                "double precision. All train what a train block says")
      ->type_name("NAME");
  add_target_options(*c, o->choice);
  add_feed_options(*c, o->feed);
  c->add_option("--steps", o->steps, "How often to run, default once; parameters and states carry over")->type_name("N");
  c->add_option("--output-dir", o->output_dir, "Write every output to DIR/NAME.npy")->type_name("DIR");
  CLI::Option* finite = c->add_flag("--check-finite", o->check_finite,
                                    "Look at what every call writes, and stop at the first value that is nan or infinite: the\n"
                                    "op, its line and layer, and what it reads. What the step updates stays as it was, and the\n"
                                    "step goes into a folder");
  c->add_option("--reproducer", o->reproducer, "That folder; default: NAME.not_finite for NAME.weft")->type_name("DIR");
  CLI::Option* verify = c->add_option("--verify", o->verify,
                                      "reference: compute every call with the reference interpreter as well, and stop at\n"
                                      "the first that is further off than rounding explains")
                            ->type_name("NAME");
  CLI::Option* watch = c->add_option("--watch", o->watch,
                                     "Print what these values are like after the last step: layers (fc1), gradients\n"
                                     "(fc1.weight.grad), updates (fc1.weight.update); * stands for anything")
                           ->allow_extra_args(false)
                           ->type_name("PATTERN");
  c->add_option("--watched", o->watched, "Append a line of JSON per step and watched value to this file")->needs(watch)->type_name("FILE");
  c->add_flag("--profile", o->profile, "Print where the time of a step goes: the mean of all steps, the first one included")
      ->excludes(finite)
      ->excludes(verify);
  c->add_option("--trace", o->trace, "Write into this file when what ran, thread by thread: JSON for ui.perfetto.dev")
      ->excludes(finite)
      ->excludes(verify)
      ->type_name("FILE.json");
  c->add_flag("--json", o->json, "Print it all as JSON");
  c->footer("Example: weft run line.weft --input x=x.npy --input y=y.npy --zeros --set sgd.lr=0.01 --steps 100");
  refuse_empty(*c);
  refuse_overflow(*c);
  c->callback([o] { run(*o); });
}

}  // namespace weft::tool
