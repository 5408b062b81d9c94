// Compiled programs that are kept on disk: found by whoever compiles the same, and only then.

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>

#include "weft/runtime/safetensors.h"
#include "weft/runtime/step_file.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/weft.h"

using namespace weft;
using test::TempDir;

namespace {

namespace fs = std::filesystem;

/// A net with products, kernels, random numbers and an optimizer, and how often compiling it compiled something.
struct Training {
  explicit Training(const CompileOptions& options, int64_t width = 8, const Target& target = Target::cpu()) {
    manual_seed(7);
    adam.emplace(optim::AdamOptions{.lr = 1e-2});  // draws from a stream of its own, counted from the seed
    fc1.emplace(6, width), fc2.emplace(width, 3);
    Graph g("train");
    const Tensor x = g.input("x", f32, {4, 6}), y = g.input("y", i64, {4});
    const Tensor loss = g.output("loss", cross_entropy((*fc2)(dropout(relu((*fc1)(x)), 0.25)), y));
    std::vector<Parameter> parameters = fc1->parameters();
    for (const Parameter& p : fc2->parameters()) parameters.push_back(p);
    const int64_t before = compiled_programs();
    step.emplace(compile(training_step(g, loss, parameters, *adam), target, options));
    compiled = compiled_programs() - before;
  }

  std::vector<double> losses() {
    std::vector<double> all;
    for (int n = 0; n < 5; ++n) {
      std::vector<float> x;
      for (int i = 0; i < 24; ++i) x.push_back(static_cast<float>((i * 7 + n) % 11) / 8 - 0.5f);
      all.push_back((*step)({{"x", x}, {"y", std::vector<int64_t>{n % 3, 1, 2, 0}}})["loss"].item());
    }
    return all;
  }

  std::optional<optim::Adam> adam;
  std::optional<nn::Linear> fc1, fc2;
  std::optional<Step> step;
  int64_t compiled = 0;
};

size_t entries(const std::string& path) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("cache: what is found there is the program that was compiled") {
  const TempDir dir;
  const CompileOptions options{.cache = dir / "cache"};
  Training none({}), first(options), second(options);
  CHECK(none.compiled == 1);
  CHECK(first.compiled == 1);
  CHECK(second.compiled == 0);
  CHECK(entries(dir / "cache") == 1);
  const std::vector<double> want = none.losses();
  CHECK(first.losses() == want);
  CHECK(second.losses() == want);
  CHECK(second.step->calls() == none.step->calls());
  CHECK(second.step->memory().json() == none.step->memory().json());
  CHECK(second.step->arena_bytes() == none.step->arena_bytes());
  CHECK(second.step->passes().size() == none.step->passes().size());
  CHECK(second.step->ir("plan") == none.step->ir("plan"));
  CHECK(second.step->kernels().size() == none.step->kernels().size());
  second.step->start_profile();
  second.losses();
  CHECK(second.step->profile().calls.size() == second.step->calls().size());
}

TEST_CASE("cache: another graph or another limit is another program, other threads are not") {
  const TempDir dir;
  const CompileOptions options{.cache = dir / "cache"};
  CHECK(Training(options).compiled == 1);
  CHECK(Training(options, 9).compiled == 1);
  CHECK(Training(options, 8, Target::cpu({.max_isa = "sse4"})).compiled == 1);
  CHECK(Training(options, 8, Target::cpu({.threads = 1})).compiled == 0);
  CHECK(Training(options, 9).compiled == 0);
  CHECK(entries(dir / "cache") == 3);
  // The reference compiles nothing that could be kept.
  CHECK(Training(options, 8, Target::reference()).compiled == 1);
  CHECK(Training(options, 8, Target::reference()).compiled == 1);
  CHECK(entries(dir / "cache") == 3);
}

TEST_CASE("cache: an entry that says it is of another program is none") {
  const TempDir dir, other;
  const CompileOptions options{.cache = dir.path()}, there{.cache = other.path()};
  Training narrow(options), wide(there, 9);
  const auto only = [](const TempDir& d) { return fs::directory_iterator(d.path())->path(); };
  fs::copy_file(only(other), only(dir), fs::copy_options::overwrite_existing);
  CHECK(Training(options).compiled == 1);
}

TEST_CASE("cache: what is damaged is compiled anew, and mended") {
  const TempDir dir;
  const CompileOptions options{.cache = dir / "cache"};
  const std::vector<double> want = Training({}).losses();
  CHECK(Training(options).compiled == 1);
  const fs::path entry = fs::directory_iterator(dir / "cache")->path();
  const std::string good = test::read_file(entry.string());
  for (const std::string& damaged : {std::string(), good.substr(0, good.size() / 2), good + "x", std::string(good.size(), '\0')}) {
    std::ofstream(entry, std::ios::binary) << damaged;
    Training again(options);
    CHECK(again.compiled == 1);
    CHECK(again.losses() == want);
    CHECK(Training(options).compiled == 0);
  }
  for (size_t at = 0; at < good.size(); at += good.size() / 40) {
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    std::ofstream(entry, std::ios::binary) << damaged;
    CHECK(Training(options).losses() == want);
  }
}

TEST_CASE("cache: an entry that reads, but says something else, is compiled anew") {
  const TempDir dir;
  const CompileOptions options{.cache = dir / "cache"};
  const std::vector<double> want = Training({}).losses();
  CHECK(Training(options).compiled == 1);
  const std::string entry = fs::directory_iterator(dir / "cache")->path().string();
  StepNotes notes;
  const StepData good = read_step(entry, &notes);
  const auto compiled_anew = [&](const std::function<void(StepData&, StepNotes&)>& edit) {
    StepData step = good;
    StepNotes edited = notes;
    edit(step, edited);
    write_step(entry, step, edited);
    Training again(options);
    CHECK(again.compiled == 1);
    CHECK(again.losses() == want);
  };
  const std::string planned = "weft.cache.planned";
  compiled_anew([&](StepData&, StepNotes& n) { n[planned] = "weft 1\nfunc @train {\n}\n"; });
  compiled_anew([&](StepData&, StepNotes& n) { n[planned] = "weft 1\nfunc @train {\n  input %x: f32[4]\n  output x = %x\n}\n"; });
  compiled_anew([&](StepData&, StepNotes& n) { n[planned] = ""; });
  compiled_anew([&](StepData& s, StepNotes&) { s.program.list.inputs.clear(), s.inputs.clear(); });
  compiled_anew([&](StepData& s, StepNotes&) { s.program.list.outputs.clear(), s.program.list.output_places.clear(); });
  compiled_anew([&](StepData& s, StepNotes&) { s.program.code.clear(); });
  // JSON without an entry, which no reader of weft's may choke on.
  SafeTensors file = read_safetensors(entry);
  std::string& text = file.metadata.at(program_note);
  text.replace(text.find("\"constants\""), 11, "\"konstants\"");
  std::vector<std::pair<std::string, const Array*>> tensors;
  for (const auto& [name, array] : file.tensors) tensors.emplace_back(name, &array);
  write_safetensors(entry, tensors, file.metadata, true);
  CHECK(Training(options).compiled == 1);
  // Without a checksum nobody knows whether it is whole.
  write_safetensors(entry, tensors, read_safetensors(entry).metadata, false);
  CHECK(Training(options).compiled == 1);
  CHECK(Training(options).compiled == 0);
}

TEST_CASE("cache: what cannot be read or written stops nobody, and is said once") {
  const TempDir dir;
  const std::vector<double> want = Training({}).losses();
  Training first({.cache = dir / "cache"});
  const fs::path entry = fs::directory_iterator(dir / "cache")->path();
  fs::remove(entry);
  fs::create_directories(entry / "a folder");  // where the file should be
  const std::string file = dir.write("file", "");
  const TempDir said;
  const int before = dup(STDERR_FILENO);
  REQUIRE(freopen((said / "err").c_str(), "w", stderr));
  for (int n = 0; n < 2; ++n)
    for (const std::string& cache : {dir / "cache", file, file + "/below", std::string("/proc/none"), dir / std::string(300, 'x')}) {
      Training trained({.cache = cache});
      CHECK(trained.compiled == 1);
      CHECK(trained.losses() == want);
    }
  std::fflush(stderr);
  dup2(before, STDERR_FILENO), close(before);
  const std::string warning = test::read_file(said / "err");
  CHECK_THAT(warning, contains_text("weft: warning: compiled programs are not kept in '" + dir / "cache" + "'"));
  CHECK(std::count(warning.begin(), warning.end(), '\n') == 1);
}

TEST_CASE("cache: WEFT_CACHE names it for all programs") {
  const TempDir dir;
  setenv("WEFT_CACHE", (dir / "cache").c_str(), 1);
  CHECK(Training({}).compiled == 1);
  CHECK(Training({}).compiled == 0);
  // Who wants to see what happens has it happen.
  CHECK(Training({.dump_ir = dir / "ir"}).compiled == 1);
  CHECK(Training({.check_finite = true}).compiled == 1);
  CHECK(Training({.validate = true}).compiled == 1);
  unsetenv("WEFT_CACHE");
}
