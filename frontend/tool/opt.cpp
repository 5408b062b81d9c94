// weft opt: runs passes on a program and prints the result.

#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <sstream>

#include "weft/frontend/report/json.h"
#include "weft/frontend/report/replay.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/explain.h"
#include "weft/frontend/tool/print_options.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/comments.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/passes/pass.h"
#include "weft/runtime/columns.h"
#include "weft/support/error.h"
#include "weft/support/memory.h"

namespace weft::tool {
namespace {

/// How the first line of a reproducer begins.
constexpr const char* reproducer_mark = "# weft opt ";

struct Options {
  std::string file, target, output = "-", print_before, print_after, pipeline, passes, disabled, stop_after, times_file, remarks_file,
                            reproducer;
  TargetChoice choice;
  TargetChoice given;        // of it what the command line says
  bool some_passes = false;  // --passes was given, and may be empty
  bool list = false, time = false, remarks = false, all_remarks = false, print_after_change = false, verify_each = false;
  ir::PrintOptions print = {};
};

/// "a,b" as names of passes; throws weft::Error for an unknown one.
std::vector<std::string> pass_names(const std::string& list) {
  std::vector<std::string> names;
  std::istringstream text(list);
  for (std::string name; std::getline(text, name, ',');) names.push_back(passes::find_pass(name).name);
  return names;
}

std::vector<std::string> chosen_passes(const ir::Module& module, const Options& o) {
  if (o.some_passes) return pass_names(o.passes);
  if (o.pipeline.empty() || o.pipeline == "compile") return passes::remaining_passes(module);
  return passes::pipeline(o.pipeline);
}

/// A pass that is to be watched must run.
void require_run(const std::string& option, const std::string& name, const std::vector<std::string>& chosen,
                 const std::set<std::string>& disabled) {
  passes::find_pass(name);
  std::vector<std::string> run;
  std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(run), [&](const std::string& n) { return !disabled.contains(n); });
  if (std::find(run.begin(), run.end(), name) == run.end())
    throw Error("{}: the pass '{}' does not run here; {}", option, name,
                run.empty() ? "none does" : fmt::format("these do: {}", fmt::join(run, ", ")));
}

bool has_remarks(const std::string& pass) { return passes::find_pass(pass).remark != nullptr; }

/// The line between two programs is a comment in the text form.
void print_program(const std::string& when, const ir::Module& module, const ir::PrintOptions& options) {
  fmt::print(stderr, "# {}\n{}", when, ir::print(module, options));
}

/// More than passes::run asks of what a pass has left: the graph verifies, changed or not, and reads back as it is printed.
void verify_text(const ir::Module& module, const std::string& pass) {
  try {
    ir::verify(module);
    const std::string text = ir::print(module);
    if (ir::print(ir::parse(text, "the printed program")) != text) throw Error("its text is another one once it was read");
  } catch (const Error& e) {
    throw InternalError(fmt::format("after the pass '{}': {}", pass, e.what()));
  }
}

void print_remarks(std::span<const passes::Remark> remarks, bool all) {
  const size_t shown = all ? remarks.size() : passes::worth_reading(remarks);
  for (const passes::Remark& remark : remarks.first(shown)) fmt::print(stderr, "{}\n", one_line(to_string(remark)));
  if (shown == remarks.size()) return;
  const auto left = remarks.subspan(shown);
  const int64_t bytes = std::accumulate(left.begin(), left.end(), int64_t{0}, [](int64_t sum, const auto& r) { return sum + r.bytes; });
  const auto aside = std::count_if(left.begin(), left.end(), [](const auto& r) { return r.aside; });
  const auto boundaries = std::ssize(left) - aside;
  std::string more;
  if (boundaries > 0) more = fmt::format("{} boundaries more, which cost {} bytes in all", boundaries, bytes);
  if (aside > 0) more += fmt::format("{}{} remarks on layouts and library calls", more.empty() ? "" : ", and ", aside);
  fmt::print(stderr, "and {}: --all shows them\n", more);
}

/// One pass, and what was asked to be seen of it.
class Runner {
 public:
  Runner(const Options& o, const ir::Module& module, const passes::Target& target) : o_(o), target_(target) {
    if (o.remarks || !o.remarks_file.empty()) replay_.emplace(module, target);
  }

  void run(ir::Module& module, const std::string& name) {
    if (replay_) replay_->run(name);
    if (o_.print_before == "all" || o_.print_before == name) print_program("before " + name, module, o_.print);
    for (const passes::PassRun& run : passes::run(module, {name}, target_)) {
      if (o_.verify_each) verify_text(module, name);
      if (o_.print_after == "all" || o_.print_after == name || (o_.print_after_change && run.changed))
        print_program("after " + name + (run.changed ? "" : ", which changed nothing"), module, o_.print);
      table_.add({run.name, run.changed ? "yes" : "no", fmt::format("{:.3f}", run.milliseconds)});
      times_.push_back({{"pass", run.name},
                        {"changed", run.changed},
                        {"milliseconds", run.milliseconds},
                        {"work", run.work},
                        {"ops", module.graph().ops().size()}});
    }
  }

  void report() const {
    if (o_.time) fmt::print(stderr, "{}", table_.text(output_width()));
    if (!o_.times_file.empty()) write_text(o_.times_file, detail::text_of(times_));
    if (!replay_) return;
    std::vector<passes::Remark> remarks = replay_->remarks();
    if (o_.remarks) print_remarks(remarks, o_.all_remarks);
    if (!o_.remarks_file.empty()) write_text(o_.remarks_file, detail::text_of(detail::to_json(Fusion{{}, std::move(remarks)})["remarks"]));
  }

 private:
  const Options& o_;
  const passes::Target& target_;
  Table table_{{"pass", "changed", "ms"}, {Table::Column::left, Table::Column::left, Table::Column::right}};
  std::optional<detail::Replay> replay_;  // for the remarks
  nlohmann::ordered_json times_ = nlohmann::ordered_json::array();
};

/// The passes behind training_step see no train block: with one a program that says it is planned would not be trained.
void require_trained(const ir::Module& module, const std::vector<std::string>& chosen, const std::set<std::string>& disabled) {
  const auto step = std::find(chosen.begin(), chosen.end(), "training_step");
  if (!module.train || !disabled.contains("training_step") || step == chosen.end()) return;
  const auto runs = [&](const std::string& name) { return !disabled.contains(name); };
  if (const auto behind = std::find_if(step, chosen.end(), runs); behind != chosen.end())
    throw Error("--disable: without training_step the train block stays, and the pass '{}' behind it would not see it", *behind)
        .hint("stop before: --stop-after=autodiff");
}

bool json_on_standard_output(const Options& o) { return o.times_file == "-" || o.remarks_file == "-"; }

void check_names(const Options& o, const std::vector<std::string>& chosen, const std::set<std::string>& disabled) {
  require_target_options(o.given, chosen);
  const std::pair<const char*, const std::string*> watched[] = {
      {"--print-before", &o.print_before}, {"--print-after", &o.print_after}, {"--stop-after", &o.stop_after}};
  for (const auto& [option, name] : watched)
    if (!name->empty() && (*name != "all" || option == std::string("--stop-after"))) require_run(option, *name, chosen, disabled);
  const auto says = [&](const std::string& n) { return has_remarks(n) && !disabled.contains(n); };
  const char* wanted = o.remarks ? "--remarks" : o.remarks_file.empty() ? nullptr : "--remarks-json";
  if (wanted && std::none_of(chosen.begin(), chosen.end(), says)) require_run(wanted, "fuse", chosen, disabled);
}

/// The program, and the passes that are left as `weft opt FILE` runs them.
void write_reproducer(const Options& o, const ir::Module& before, const std::vector<std::string>& left, const passes::Target& target) {
  std::string command = fmt::format("{}--passes={} --target={}", reproducer_mark, fmt::join(left, ","), target.name());
  command += o.choice.text();
  if (o.verify_each) command += " --verify-each";
  write_text(o.reproducer, command + "\n" + ir::print(before));
  fmt::print(stderr, "weft: to see it again: weft opt {}\n", o.reproducer);
}

void run_passes(ir::Module& module, const Options& o) {
  const std::shared_ptr<const passes::Target> target = target_for(module, o.target, o.choice);
  std::vector<std::string> chosen = chosen_passes(module, o);
  const std::vector<std::string> off = pass_names(o.disabled);
  const std::set<std::string> disabled(off.begin(), off.end());
  check_names(o, chosen, disabled);
  require_trained(module, chosen, disabled);
  std::erase_if(chosen, [&](const std::string& name) { return disabled.contains(name); });
  Runner runner(o, module, *target);
  for (size_t i = 0; i < chosen.size(); ++i) {
    const ir::Module before = o.reproducer.empty() ? ir::Module() : module.clone();
    try {
      runner.run(module, chosen[i]);
    } catch (const std::exception&) {
      if (!o.reproducer.empty()) write_reproducer(o, before, {chosen.begin() + static_cast<std::ptrdiff_t>(i), chosen.end()}, *target);
      throw;
    }
    if (chosen[i] == o.stop_after) break;
  }
  runner.report();
}

/// What a reproducer says of the passes, where the command line says nothing of them. Says so, for a comment may be there by chance.
void take_from(const ir::ProgramText& read, Options& o) {
  const std::string line = read.text.substr(0, read.text.find_first_of("\r\n"));
  if (o.some_passes || !o.pipeline.empty() || !line.starts_with(reproducer_mark)) return;
  std::istringstream words(line.substr(std::string_view(reproducer_mark).size()));
  for (std::string word; words >> word;) {
    const size_t at = word.find('=');
    const std::string option = word.substr(0, at), value = at == std::string::npos ? "" : word.substr(at + 1);
    const bool has_value = at != std::string::npos;
    if (option == "--passes" && has_value) o.passes = value, o.some_passes = true;
    else if (option == "--target" && has_value) o.target = o.target.empty() ? value : o.target;
    else if (option == "--autocast" && has_value) o.choice.autocast = o.choice.autocast.empty() ? value : o.choice.autocast;
    else if (option == "--memory-limit" && bytes_in(value))
      o.choice.memory_limit = o.choice.memory_limit ? o.choice.memory_limit : *bytes_in(value);
    else if (word == "--verify-each") o.verify_each = true;
    else
      throw Error(ErrorKind::file, "a first line '{}...' says how a reproducer runs, but '{}' is no word of one", reproducer_mark, word)
          .at(fmt::format("{}:1:{}", read.name, line.find(word) + 1))
          .hint(
              "it may say --passes=A,B --target=NAME --autocast=bf16 --memory-limit=BYTES --verify-each; begin another comment otherwise");
  }
  fmt::print(stderr, "weft: the first line of {} says how it runs: {}\n", read.name, line.substr(2));
}

void opt(Options o) {
  if (o.list) return list_passes();
  if (o.file.empty()) throw CLI::RequiredError("FILE");
  if (o.times_file == "-" && o.remarks_file == "-") throw Error("--timing-json and --remarks-json cannot both go to standard output");
  for (const auto& [option, file] : {std::pair("-o", o.output), std::pair("--timing-json", o.times_file),
                                     std::pair("--remarks-json", o.remarks_file), std::pair("--reproducer", o.reproducer)})
    require_other_file(option, file, {o.file});
  const ir::ProgramText read = read_program(o.file);
  o.given = o.choice;
  take_from(read, o);
  ir::Module module = parse_program(read);
  ir::Comments comments = ir::comments_of(read.text, module);
  for (auto& [line, above] : comments.above) std::erase_if(above, [](const std::string& c) { return c.starts_with(reproducer_mark); });
  run_passes(module, o);
  if (o.output != "-" || !json_on_standard_output(o)) write_text(o.output, ir::print(module, comments, o.print));
}

}  // namespace

void add_opt(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("opt", "Run passes on a program and print the result");
  c->add_option("FILE", o->file, "The program in text form; - is standard input");
  CLI::Option* passes = c->add_option("--passes", o->passes, "The passes to run, in this order; none of them for an empty list");
  passes->type_name("A,B,C");
  c->add_option("--pipeline", o->pipeline, "A named list of passes: compile, step or simplify; default: what is left of compile")
      ->excludes(passes)
      ->type_name("NAME");
  c->add_option("--target", o->target, "What the passes ask: cpu, cuda or generic; default: the program's target, else cpu")
      ->type_name("NAME");
  add_target_options(*c, o->choice);
  c->add_option("-o,--output", o->output, "Where the result goes; default: - (standard output)")->type_name("FILE");
  c->add_option("--print-after", o->print_after, "Print the program to standard error after this pass, or after all")->type_name("PASS");
  c->add_option("--print-before", o->print_before, "The same, before it")->type_name("PASS");
  c->add_flag("--print-after-change", o->print_after_change, "The same, after each pass that changed something");
  c->add_option("--stop-after", o->stop_after, "Run no pass behind this one")->type_name("PASS");
  c->add_flag("--verify-each", o->verify_each, "After every pass, changed or not: does the program verify, and read back as it prints?");
  c->add_option("--reproducer", o->reproducer,
                "Where a pass or a check fails, write the program before it here, with the passes that are\n"
                "left: weft opt FILE then fails again")
      ->type_name("FILE");
  c->add_option("--disable", o->disabled, "Passes to leave out")->type_name("A,B,C");
  c->add_flag("--time,--timing", o->time, "Print to standard error how long each pass took");
  c->add_option("--timing-json", o->times_file,
                "The same as JSON, with what was counted and the ops there are; - is standard output,\n"
                "where the program then is not")
      ->type_name("FILE");
  CLI::Option* remarks = c->add_flag("--remarks", o->remarks,
                                     "Print to standard error what runs slowly, and the boundaries between kernels and\n"
                                     "the reorders that cost most: why they are there, and where they would not be");
  c->add_flag("--all", o->all_remarks, "All boundaries, in which layouts calls are made, and what runs them")->needs(remarks);
  c->add_option("--remarks-json", o->remarks_file, "All of it as JSON; - is standard output, likewise")->type_name("FILE");
  add_print_options(*c, o->print);
  c->add_flag("--list-passes", o->list, "List the passes and stop");
  c->footer("Example: weft opt mlp.weft --pipeline=step | weft opt - --print-after=fuse -o planned.weft");
  refuse_empty(*c, {"--passes", "--disable"});
  c->callback([o, passes] {
    o->some_passes = passes->count() > 0;
    opt(*o);
  });
}

}  // namespace weft::tool
