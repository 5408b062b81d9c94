// weft ptx: the kernels of a program as assembly for NVIDIA's GPUs.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "weft/backends/cuda/ptx.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/targets.h"
#include "weft/passes/pass.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file, arch = "sm_90";
};

void ptx(const Options& o) {
  ir::Module module = parse_program(o.file);
  passes::run(module, passes::remaining_passes(module), *target_for(module, ""));
  const cuda::Ptx ptx = cuda::emit_ptx(module, o.arch);
  for (const cuda::PtxKernel& k : ptx.kernels)
    for (const cuda::KernelLaunch& l : k.launches)
      fmt::print("// {}: {} block{} of {} threads, {}\n", l.name, l.blocks, l.blocks == 1 ? "" : "s", l.threads, k.source_lines);
  fmt::print("{}", ptx.text);
}

}  // namespace

void add_ptx(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("ptx", "Print a program's kernels in PTX, the assembly language of NVIDIA's GPUs");
  c->add_option("FILE", o->file, "The program in text form, the passes that are left run first; - is standard input")->required();
  c->add_option("--arch", o->arch, "The oldest GPU that the code is for: sm_70 or newer")->capture_default_str()->type_name("NAME");
  c->footer(
      "Products, convolutions and the like are left out: weft compile --device cuda compiles whole programs.\n"
      "Example: weft ptx mlp.weft > mlp.ptx && ptxas --gpu-name=sm_90 mlp.ptx");
  refuse_empty(*c);
  c->callback([o] { ptx(*o); });
}

}  // namespace weft::tool
