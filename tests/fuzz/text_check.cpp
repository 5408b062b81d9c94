#include "weft/tests/fuzz/text_check.h"

#include <cstring>
#include <stdexcept>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/runtime/array.h"

namespace weft::test {
namespace {

// So that one text takes some milliseconds.
constexpr double most_bytes = 1 << 20, most_flops = 1e7;
constexpr size_t most_ops = 150;

struct Size {
  double bytes = 0, flops = 0;
  size_t ops = 0;

  bool fits() const { return bytes <= most_bytes && flops <= most_flops && ops <= most_ops; }
};

void measure(const ir::Graph& graph, Size& size) {
  const auto add = [&](ir::Value v) {
    double bytes = static_cast<double>(size_of(v.dtype()));
    for (int64_t extent : v.shape()) bytes *= static_cast<double>(extent);
    size.bytes += bytes;
  };
  for (const ir::Input& input : graph.inputs()) add(input.value());
  for (const auto& op : graph.ops()) {
    ++size.ops;
    for (ir::Value v : op->results()) add(v);
    for (const auto& body : op->bodies()) measure(*body, size);
  }
}

bool is_small(const ir::Module& module) {
  Size size;
  size.bytes = static_cast<double>(module.arena_bytes.value_or(0));
  measure(module.graph(), size);
  if (!size.fits()) return false;
  for (const auto& op : module.graph().ops()) size.flops += flops_of(*op);
  return size.fits();
}

struct TooLarge {};

void run_passes(ir::Module& module, const std::vector<std::string>& names) {
  passes::run(module, names, cpu::target(), {.after = [](const ir::Module& m, const passes::PassRun&) {
                if (!is_small(m)) throw TooLarge();
              }});
}

void require_round_trip(const ir::Module& module, const std::string& when) {
  const std::string once = ir::print(module), twice = ir::print(ir::parse(once, "printed " + when));
  if (once != twice) throw std::logic_error(when + ": print(parse(t)) is not t:\n" + once + "\nbut\n" + twice);
}

/// All bytes of the outputs, from inputs that are 0.5, 0 and false.
std::vector<std::byte> results_of(const ir::Module& module, int threads) {
  const std::unique_ptr<Program> program = cpu::compile(module, {.threads = threads});
  std::vector<Array> arrays;
  std::vector<std::byte*> pointers;
  for (const Port& port : program->inputs()) {
    arrays.emplace_back(port.dtype, port.shape);
    if (is_floating(port.dtype))
      for (int64_t i = 0; i < port.shape.numel(); ++i) arrays.back().set(i, 0.5);
  }
  for (Array& a : arrays) pointers.push_back(a.data());
  program->run(pointers);
  std::vector<std::byte> all;
  for (size_t i = 0; i < program->outputs().size(); ++i) {
    const Port& port = program->outputs()[i];
    const std::byte* data = program->output(static_cast<int>(i));
    all.insert(all.end(), data, data + port.shape.numel() * static_cast<int64_t>(size_of(port.dtype)));
  }
  return all;
}

Fate checked(const std::string& text, Until until) {
  ir::Module module = ir::parse(text, "text");
  require_round_trip(module, "as given");
  if (!is_small(module)) return Fate::accepted;
  const bool planned = module.stage == "plan";
  run_passes(module, passes::remaining_passes(module));
  require_round_trip(module, "planned");
  if (until == Until::planned) return Fate::ran;
  const std::vector<std::byte> results = results_of(module, 1);
  if (results_of(module, 2) != results) throw std::logic_error("two threads give other results than one:\n" + text);
  if (!planned) return Fate::ran;
  run_passes(module, {"plan"});
  if (results_of(module, 1) != results) throw std::logic_error("the plan gives other results than a new one:\n" + text);
  return Fate::ran;
}

}  // namespace

Fate try_text(const std::string& text, std::string* why, Until until) {
  try {
    return checked(text, until);
  } catch (const TooLarge&) {
    return Fate::accepted;
  } catch (const Error& e) {
    if (why) *why = e.what();
    return Fate::refused;
  }
}

}  // namespace weft::test
