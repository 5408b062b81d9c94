// weft grad-check: a program's gradients beside central differences.

#include <CLI/CLI.hpp>

#include "weft/frontend/program/gradient_check.h"
#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/report/json.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/source.h"
#include "weft/frontend/tool/text.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file;
  FeedOptions feed;
  detail::GradientCheckOptions check;
  double tolerance = 1e-6;
  bool json = false;
};

std::vector<reference::Tensor> inputs_of(const ir::Module& module, const Given& given) {
  const std::unique_ptr<Program> program = reference::compile(module);
  const std::vector<Array> arrays = feed(*program, module.graph(), given, detail::index_bounds(module.graph()), Describer(module));
  std::vector<reference::Tensor> inputs;
  for (const Array& a : arrays) inputs.push_back(reference::from_memory({a.dtype(), a.shape()}, a.data()));
  return inputs;
}

void print_table(const std::vector<detail::CheckedGradient>& all) {
  using Column = Table::Column;
  Table table({"parameter", "type", "checked", "worst", "gradient", "difference", "off"},
              {Column::left, Column::left, Column::right, Column::left, Column::right, Column::right, Column::right});
  for (const detail::CheckedGradient& g : all)
    table.add({g.parameter, to_string(g.type), std::to_string(g.checked), to_string(g.element), fmt::format("{:.9g}", g.gradient),
               fmt::format("{:.9g}", g.difference), fmt::format("{:.1e}", g.error())});
  fmt::print("{}", table.text(output_width()));
}

void print_json(const std::vector<detail::CheckedGradient>& all, double tolerance) {
  detail::Json list = detail::Json::array();
  for (const detail::CheckedGradient& g : all)
    list.push_back({{"parameter", g.parameter},
                    {"type", to_string(g.type)},
                    {"checked", g.checked},
                    {"worst", g.element},
                    {"gradient", g.gradient},
                    {"difference", g.difference},
                    {"error", g.error()},
                    {"ok", g.error() <= tolerance}});
  fmt::print("{}", detail::text_of(list));
}

void grad_check(const Options& o) {
  if (o.check.elements < 1) throw Error("--elements must be at least 1, not {}", o.check.elements);
  if (!(o.tolerance >= 0)) throw Error("--tolerance must not be negative, nor nan, not {}", o.tolerance);
  if (!(o.check.step > 0)) throw Error("--step must be above 0, not {}", o.check.step);
  const Source source = source_of(o.file);
  const ir::Module module = parse_program(source.program);
  Given given = given_by(o.feed);
  given.inputs = source.inputs;
  given.drawn = true;
  const std::vector<detail::CheckedGradient> all = detail::check_gradients(module, inputs_of(module, given), o.check);
  if (o.json) print_json(all, o.tolerance);
  else print_table(all);
  std::string wrong;
  for (const detail::CheckedGradient& g : all)
    if (!(g.error() <= o.tolerance)) wrong += (wrong.empty() ? "" : ", ") + g.parameter;
  if (!wrong.empty()) throw Error("gradients are off by more than {} of the largest: {}", o.tolerance, wrong);
}

}  // namespace

void add_grad_check(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("grad-check", "Compare a program's gradients with central differences");
  c->add_option("FILE", o->file, "The program in text form, with a train block; - is standard input")->required();
  add_feed_options(*c, o->feed);
  c->add_option("--elements", o->check.elements, "How many elements of each parameter are moved, two runs each; default 100")
      ->type_name("N");
  c->add_option("--step", o->check.step, "By how much, times the element where that is above 1; default 1e-5")->type_name("H");
  c->add_option("--tolerance", o->tolerance, "What a gradient may be off, of the parameter's largest; default 1e-6")->type_name("T");
  c->add_flag("--json", o->json, "As JSON");
  c->footer(
      "Inputs that are not given are drawn, from 0.06 to 0.94, the same for a --seed. Both are computed in double precision, by\n"
      "the reference interpreter. At a kink (relu at 0) a gradient is what it is on one side, and off.\n"
      "Example: weft grad-check mlp.weft --weights net.safetensors --elements 20");
  refuse_empty(*c);
  refuse_overflow(*c);
  c->callback([o] { grad_check(*o); });
}

}  // namespace weft::tool
