#include "weft/tests/programs/runner/program_file.h"

#include <algorithm>
#include <set>
#include <sstream>

#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/support/error.h"
#include "weft/tests/programs/runner/line_diff.h"

namespace weft::testing {
namespace {

using Expects = ProgramFile::Expects;

/// What a pass does is easier to compare where no name follows from it.
constexpr ir::PrintOptions numbers{.names = ir::Names::numbers};

std::vector<std::string> parts_of(const std::string& text, char between) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, between);) parts.push_back(part);
  return parts;
}

[[noreturn]] void fail(const std::string& name, int line, const std::string& what) { throw Error("{}:{}: {}", name, line, what); }

/// What `weft opt` is asked to do.
struct Run {
  std::vector<std::string> passes;
  std::set<std::string> disabled;
  bool autocast = false;
};

std::vector<std::string> pass_names(const std::string& list) {
  std::vector<std::string> names = parts_of(list, ',');
  for (const std::string& name : names) passes::find_pass(name);
  return names;
}

Run read_run(const std::string& command) {
  std::istringstream words(command);
  std::string word;
  words >> word;
  if (word != "opt") throw Error("'# run: {}': the command must be opt", command);
  Run run;
  std::set<std::string> given;
  while (words >> word) {
    const size_t equals = word.find('=');
    const std::string option = word.substr(0, equals), value = equals == std::string::npos ? "" : word.substr(equals + 1);
    if (!given.insert(option).second) throw Error("'# run: {}' gives {} twice", command, option);
    if (option == "--passes") run.passes = pass_names(value);
    else if (option == "--pipeline") run.passes = passes::pipeline(value);
    else if (option == "--disable") std::ranges::copy(pass_names(value), std::inserter(run.disabled, run.disabled.end()));
    else if (option == "--autocast" && value == "bf16") run.autocast = true;
    else if (option != "--target" || value != "generic")
      throw Error("'# run: {}': '{}' is none of --passes=A,B --pipeline=NAME --disable=A,B --target=generic --autocast=bf16", command,
                  word);
  }
  if (given.contains("--passes") == given.contains("--pipeline"))
    throw Error("'# run: {}' must give either --passes=A,B or --pipeline=NAME", command);
  // What another target answers may depend on the machine.
  if (!given.contains("--target")) throw Error("'# run: {}' must say --target=generic, which answers the same on every machine", command);
  return run;
}

/// The program's text but for what every run of a pass says in its header.
std::string body_of(const ir::Module& module) {
  ir::Module copy = module.clone();
  copy.target.clear(), copy.stage.clear();
  return ir::print(copy, numbers);
}

struct Outcome {
  bool is_error = false;
  bool is_same = false;  // as before
  std::string text;      // printed, or the error's
};

Outcome run_on(const Run& run, const std::string& program, const std::string& name) {
  try {
    ir::Module module = ir::parse(program, name.substr(name.rfind('/') + 1));
    const std::string recorded = body_of(module);
    std::string before = recorded;
    passes::RunOptions options{.disabled = run.disabled};
    options.after = [&](const ir::Module& now, const passes::PassRun& pass) {
      const std::string after = body_of(now);
      WEFT_CHECK(pass.changed == (after != before), "the pass '{}' says that it changed {}", pass.name,
                 pass.changed ? "something" : "nothing");
      before = after;
    };
    passes::run(module, run.passes, run.autocast ? passes::generic_autocast_target() : passes::generic_target(), options);
    return {false, before == recorded, ir::print(module, numbers)};
  } catch (const Error& e) {
    return {true, false, e.what() + std::string("\n")};
  }
}

/// "" where the outcome is of the kind that is expected.
std::string wrong_kind(const ProgramFile& file, const Outcome& outcome, const std::string& command) {
  if (outcome.is_error && file.expects != Expects::error) return fmt::format("`{}` fails:\n{}", command, outcome.text);
  if (!outcome.is_error && file.expects == Expects::error) return fmt::format("`{}` does not fail:\n{}", command, outcome.text);
  return "";
}

std::string check_run(const ProgramFile& file, const std::string& command, const std::string& name) {
  const Outcome outcome = run_on(read_run(command), file.program, name);
  if (const std::string wrong = wrong_kind(file, outcome, command); !wrong.empty()) return fmt::format("{}:{}: {}", name, file.line, wrong);
  if (file.expects == Expects::same)
    return outcome.is_same ? "" : fmt::format("{}:{}: `{}` changes what is to stay:\n{}", name, file.line, command, outcome.text);
  if (outcome.text == file.expected) return "";
  const LineDiff diff = line_diff(file.expected, outcome.text, file.line);
  return fmt::format("{}:{}: `{}` gives another text (- expected, + given; WEFT_BLESS=1 takes what is given):\n{}", name, diff.first_line,
                     command, diff.text);
}

/// The text as comments.
std::string commented(const std::string& text) {
  std::string all;
  for (const std::string& line : parts_of(text, '\n')) all += line.empty() ? "#\n" : "# " + line + "\n";
  return all;
}

}  // namespace

ProgramFile read_program_file(const std::string& text, const std::string& name, bool needs_expectation) {
  ProgramFile file;
  bool in_program = false;
  int number = 0;
  for (const std::string& line : parts_of(text, '\n')) {
    ++number;
    const std::string what = line == "# becomes:" || line == "# stays" || line == "# fails:" ? line.substr(2) : "";
    if (!what.empty()) {
      if (file.expects != Expects::nothing) fail(name, number, "there is an expectation above already");
      file.expects = what == "stays" ? Expects::same : what == "fails:" ? Expects::error : Expects::text;
      file.line = number + (what == "stays" ? 0 : 1);
    } else if (file.expects == Expects::nothing) {
      in_program = in_program || (!line.empty() && line[0] != '#');
      if (line.starts_with("# run: ")) {
        if (in_program) fail(name, number, "a line '# run:' must stand above the program");
        file.runs.push_back(line.substr(7));
      }
      file.program += line + "\n";
    } else if (!line.empty()) {
      if (file.expects == Expects::same) fail(name, number, "nothing may stand below '# stays'");
      if (line != "#" && !line.starts_with("# ")) fail(name, number, "below '# becomes:' and '# fails:' every line must start with '# '");
      file.expected += (line == "#" ? "" : line.substr(2)) + "\n";
    }
  }
  if (file.runs.empty()) fail(name, 1, "no line says what runs: '# run: opt --passes=A,B --target=generic'");
  if (file.expects == Expects::nothing && needs_expectation)
    fail(name, number, "no line says what is expected: '# becomes:', '# stays' or '# fails:' (WEFT_BLESS=1 adds what comes)");
  if ((file.expects == Expects::text || file.expects == Expects::error) && file.expected.empty() && needs_expectation)
    fail(name, number, "the expected text is missing (WEFT_BLESS=1 adds what comes)");
  return file;
}

std::string check_program_file(const std::string& text, const std::string& name) {
  const ProgramFile file = read_program_file(text, name);
  for (const std::string& command : file.runs)
    if (std::string wrong = check_run(file, command, name); !wrong.empty()) return wrong;
  return "";
}

std::string blessed_program_file(const std::string& text, const std::string& name) {
  ProgramFile file = read_program_file(text, name, false);
  if (file.expects == Expects::same) return text;
  const Outcome outcome = run_on(read_run(file.runs[0]), file.program, name);
  for (const std::string& command : file.runs)
    if (run_on(read_run(command), file.program, name).text != outcome.text)
      throw Error("{}: `{}` and `{}` give unequal texts", name, file.runs[0], command);
  if (file.expects == Expects::nothing) {
    if (!file.program.ends_with("\n\n")) file.program += "\n";
    if (outcome.is_same) return file.program + "# stays\n";
    file.expects = outcome.is_error ? Expects::error : Expects::text;
  }
  if (const std::string wrong = wrong_kind(file, outcome, file.runs[0]); !wrong.empty()) throw Error("{}:{}: {}", name, file.line, wrong);
  return file.program + (outcome.is_error ? "# fails:\n" : "# becomes:\n") + commented(outcome.text);
}

}  // namespace weft::testing
