#pragma once
// The subcommands of the program `weft`, a file each. Every function adds one to the command line; its work is done
// while the command line is parsed and throws weft::Error.

namespace CLI {
class App;
}

namespace weft::tool {

void add_opt(CLI::App& app);
void add_run(CLI::App& app);
void add_compile(CLI::App& app);
void add_show(CLI::App& app);
void add_report(CLI::App& app);
void add_ptx(CLI::App& app);
void add_explain(CLI::App& app);
void add_grad_check(CLI::App& app);
void add_fmt(CLI::App& app);
void add_diff(CLI::App& app);
void add_reduce(CLI::App& app);
void add_machine(CLI::App& app);

}  // namespace weft::tool
