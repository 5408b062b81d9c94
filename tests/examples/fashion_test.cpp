// 02_fashion_mnist end to end: it learns, it dumps what it did, and it refuses bad data.

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/ir/parser.h"
#include "weft/passes/plan.h"
#include "weft/runtime/data/npy.h"
#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

const std::string program = WEFT_EXAMPLES_DIR "/02_fashion_mnist --log none ";

Json last_line(const std::string& path) { return test::metrics_in(path).back(); }

size_t count(const std::string& text, const std::string& words) {
  size_t n = 0;
  for (size_t at = text.find(words); at != std::string::npos; at = text.find(words, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("02_fashion_mnist passes 90 % on the drawn digits, and writes metrics and weights") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--optimizer adam --shuffle --epochs 3 --metrics " + dir / "m.jsonl" + " --curve " +
                                          dir / "loss.csv" + " --save " + dir / "weights.safetensors");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("drawn by the program"));
  const Json line = last_line(dir / "m.jsonl");
  CHECK(line["epoch"] == 3);
  CHECK(line["test_accuracy"].get<double>() > 0.9);
  for (const char* key : {"train_loss", "test_loss", "step_us", "planned_bytes", "compile_ms"}) CHECK(line.contains(key));
  CHECK(count(test::read_file(dir / "loss.csv"), "\n") == 1 + 3 * 313);  // ceil(20000 / 64) steps an epoch
  CHECK(read_safetensors(dir / "weights.safetensors").tensors.at("fc1.weight").shape() == Shape{512, 784});
}

TEST_CASE("02_fashion_mnist goes on from a file as if it had not stopped, with clipping and batches in parts") {
  const test::TempDir dir;
  const std::string how = "--optimizer adam --shuffle --threads 1 --accumulate 2 --clip-norm 0.5 --max-steps ";
  REQUIRE(test::run_command(program + how + "8 --save " + dir / "straight").code == 0);
  REQUIRE(test::run_command(program + how + "4 --save " + dir / "run").code == 0);
  REQUIRE(test::run_command(program + how + "8 --save " + dir / "run --resume " + dir / "run").code == 0);
  const SafeTensors straight = read_safetensors(dir / "straight"), run = read_safetensors(dir / "run");
  REQUIRE(straight.tensors.size() == 18);  // 6 parameters, 2 states of each
  for (const auto& [name, array] : straight.tensors) {
    const auto a = array.values<float>(), b = run.tensors.at(name).values<float>();
    CHECK(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  }
}

TEST_CASE("02_fashion_mnist finds a learning rate, overfits a few images, stops early, and draws") {
  const test::TempDir dir;
  const test::Ran ran =
      test::run_command(program + "--optimizer adam --find-lr --overfit 128 --epochs 60 --patience 4 --workers 2 --plots " + dir / "plots" +
                        " --tensorboard " + dir / "tb" + " --metrics " + dir / "m.jsonl");
  INFO(ran.err << ran.out);
  REQUIRE(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("learning rates from 1e-08 to") && contains_text("The weights are those of epoch "));
  CHECK(last_line(dir / "m.jsonl")["epoch"] < 60);
  CHECK(last_line(dir / "m.jsonl")["train_accuracy"].get<double>() > 0.9);
  for (const std::string name : {"loss.svg", "accuracy.svg", "gradients.svg", "learning_rates.svg", "images.png"})  // or scripts for them
    CHECK((std::filesystem::exists(dir / "plots/" + name) || std::filesystem::exists(dir / "plots/" + name + ".gp")));
  CHECK(std::distance(std::filesystem::directory_iterator(dir / "tb"), {}) == 1);
}

TEST_CASE("02_fashion_mnist learns Fashion-MNIST as PyTorch does") {
  const auto data = test::data_directory("fashion-mnist");
  if (!data) {
    WARN("skipped: no Fashion-MNIST; set WEFT_DATA to a directory that holds fashion-mnist/");
    return;
  }
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--data " + *data + " --epochs 2 --metrics " + dir / "m.jsonl");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  const Json line = last_line(dir / "m.jsonl");
  // Six PyTorch runs: 1.870 to 1.908, accuracy 0.54 to 0.59.
  CHECK(line["test_loss"].get<double>() == Approx(1.89).margin(0.06));
  CHECK(line["test_accuracy"].get<double>() > 0.50);
  CHECK(line["test_accuracy"].get<double>() < 0.65);
}

TEST_CASE("a dump starts with what was recorded and `weft opt` makes its end from its beginning") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--max-steps 2 --epochs 1 --dump-ir " + dir / "ir");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  size_t compared = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "ir")) {
    std::vector<std::string> stages;
    for (const auto& file : std::filesystem::directory_iterator(entry.path()))
      if (file.path().extension() == ".weft") stages.push_back(file.path().string());
    std::sort(stages.begin(), stages.end());
    INFO(entry.path());
    REQUIRE(stages.size() > 8);
    CHECK_THAT(stages.front(), contains_text("00-recorded.weft"));
    const test::Ran opt = test::run_command(WEFT_TOOL " opt " + stages.front());
    INFO(opt.err);
    CHECK(opt.code == 0);
    CHECK(opt.out == test::read_file(stages.back()));
    ++compared;
  }
  CHECK(compared >= 2);  // training and evaluation
}

TEST_CASE("one call is one program: the library runs exactly its products, the JIT exactly its loop nests") {
  const test::TempDir dir;
  REQUIRE(test::run_command(program + "--max-steps 1 --epochs 1 --dump-ir " + dir / "ir").code == 0);
  std::string last, folder;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "ir"))
    if (entry.path().string().find("train_64/") != std::string::npos && entry.path().string().ends_with("-plan.weft"))
      last = entry.path().string(), folder = entry.path().parent_path().string();
  REQUIRE(!last.empty());
  const std::string plan = test::read_file(last);
  REQUIRE(count(plan, "output loss") == 1);
  REQUIRE(count(plan, "output metric.accuracy.0 ") == 1);
  REQUIRE(count(plan, "aliases %fc1.weight") == 1);

  write_npy(dir / "x.npy", Array(f32, {64, 1, 28, 28}));
  write_npy(dir / "y.npy", Array(i64, {64}));
  const auto run = [&](const std::string& environment) {
    return test::run_command(environment + " DNNL_VERBOSE=1 ONEDNN_VERBOSE=1 " WEFT_TOOL " run " + last +
                             " --device cpu --zeros --set sgd.lr=0.001 --input x=" + dir / "x.npy" + " --input y=" + dir / "y.npy" +
                             " --output-dir " + dir / "out");
  };
  CHECK(count(plan, "= matmul(") == 8);
  size_t slices = 0;  // the library is called once for each
  std::istringstream calls(plan);
  for (std::string line; std::getline(calls, line);) {
    if (line.find("= matmul(") == std::string::npos) continue;
    const size_t at = line.find("slices = ");
    slices += at == std::string::npos ? 1 : std::stoul(line.substr(at + 9));
  }
  // With AVX2 all products are our own, without it the library's.
  for (const std::string environment : {"WEFT_MAX_ISA=avx2", "WEFT_MAX_ISA=sse4"}) {
    const test::Ran ran = run(environment);
    INFO(environment << ran.err << ran.out);
    REQUIRE(ran.code == 0);
    const size_t of_library = environment.ends_with("avx2") && cpu::has_isa("avx2") ? 0 : slices;
    CHECK(count(ran.out, "exec,cpu,matmul") == of_library);
    CHECK(count(ran.out, ",exec,cpu,") == of_library);
  }

  // At the top level (two spaces), each different loop nest is one kernel.
  std::set<std::string> nests;
  std::istringstream lines(plan);
  size_t launches = 0;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("  %") && (line.find("= fused(") != std::string::npos || line.find("= kernel(") != std::string::npos)) ++launches;
  size_t kernels = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder + "/kernels"))
    if (file.path().extension() == ".ll") ++kernels;
  CHECK(kernels >= 1);
  CHECK(kernels <= launches);
  CHECK(launches <= 6);
}

TEST_CASE("the examples' arenas, scratch included, are within 10 % of what is live at once") {
  const test::TempDir dir;
  REQUIRE(test::run_command(program + "--max-steps 1 --epochs 1 --dump-ir " + dir / "ir").code == 0);
  REQUIRE(test::run_command(program + "--optimizer adam --max-steps 1 --epochs 1 --dump-ir " + dir / "adam").code == 0);
  REQUIRE(test::run_command(WEFT_EXAMPLES_DIR "/01_temperature --epochs 1 --dump-ir " + dir / "line").code == 0);
  size_t planned = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir.path())) {
    if (!entry.path().string().ends_with("-plan.weft")) continue;
    INFO(entry.path());
    const ir::Module m = ir::parse(test::read_file(entry.path().string()));
    const int64_t live = passes::largest_live_set(m.graph(), cpu::target());
    REQUIRE(m.arena_bytes);
    CHECK(static_cast<double>(*m.arena_bytes) <= 1.10 * static_cast<double>(live));
    ++planned;
  }
  CHECK(planned >= 9);  // training and evaluation, both batch sizes, both optimizers, and the line
}

TEST_CASE("every pass of the examples is validated by the reference") {
  const std::string validated = "WEFT_VALIDATE=1 ";
  CHECK(test::run_command(validated + WEFT_EXAMPLES_DIR "/01_temperature --epochs 1").code == 0);
  for (const char* optimizer : {"sgd", "adam"}) {
    const test::Ran ran = test::run_command(validated + program + "--batch 8 --max-steps 1 --epochs 1 --optimizer " + optimizer);
    INFO(ran.err);
    CHECK(ran.code == 0);
  }
  const test::Ran wrong = test::run_command("WEFT_VALIDATE=yes " WEFT_EXAMPLES_DIR "/01_temperature --epochs 1");
  CHECK(wrong.code == 1);
  CHECK_THAT(wrong.err, contains_text("WEFT_VALIDATE must be 0 or 1, not 'yes'"));
}

TEST_CASE("the option --max-isa limits the generated code and the library, as WEFT_MAX_ISA does") {
  const std::string run = "--max-steps 1 --epochs 1";
  for (const std::string& command : {program + run + " --max-isa sse4", "WEFT_MAX_ISA=sse4 " + program + run}) {
    INFO(command);
    const test::TempDir dir;
    const test::Ran ran = test::run_command("DNNL_VERBOSE=1 ONEDNN_VERBOSE=1 " + command + " --dump-ir " + dir / "ir");
    INFO(ran.err << ran.out);
    REQUIRE(ran.code == 0);
    CHECK_THAT(ran.out, contains_text("cpu,isa:Intel SSE4.1"));
    size_t kernels = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "ir"))
      if (entry.path().extension() == ".s") {
        const std::string assembly = test::read_file(entry.path().string());
        CHECK(count(assembly, "%xmm") > 0);
        CHECK(count(assembly, "%ymm") == 0);
        ++kernels;
      }
    CHECK(kernels > 0);
  }
}

TEST_CASE("the option --autocast learns what f32 learns, by other products") {
  const test::TempDir dir;
  const std::string run = "--optimizer adam --shuffle --epochs 1 --max-steps 150 --metrics ";
  REQUIRE(test::run_command(program + run + dir / "f32").code == 0);
  REQUIRE(test::run_command(program + "--autocast bf16 --dump-ir " + dir / "ir" + " " + run + dir / "bf16").code == 0);
  const Json single = last_line(dir / "f32"), low = last_line(dir / "bf16");
  CHECK(low["train_loss"].get<double>() == Approx(single["train_loss"].get<double>()).margin(2e-2));
  CHECK(low["test_accuracy"].get<double>() == Approx(single["test_accuracy"].get<double>()).margin(1e-2));
  CHECK(low["train_loss"] != single["train_loss"]);
  size_t programs = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir / "ir"))
    if (entry.path().filename().string().ends_with("-autocast.weft")) {
      const std::string text = test::read_file(entry.path().string());
      INFO(entry.path().string());
      CHECK(count(text, " matmul(") == 3);
      CHECK(count(text, "bf16[") > 3);
      ++programs;
    }
  CHECK(programs >= 2);  // training and evaluation
  const test::Ran refused = test::run_command(program + "--device reference --autocast bf16 --max-steps 1");
  CHECK(refused.code == 1);
  CHECK(refused.err == "error: --autocast has no effect with --device reference\n");
}

TEST_CASE("options of the examples say plainly what they take") {
  const auto says = [](const std::string& arguments, const std::string& words) {
    const test::Ran ran = test::run_command(program + arguments);
    CHECK(ran.code == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err == "error: " + words + "\n");
  };
  says("--batch 0", "--batch must be a positive integer, not 0");
  says("--batch 1.5", "--batch must be a positive integer, not 1.5");
  says("--epochs many", "--epochs must be a positive integer, not many");
  says("--threads=-1", "--threads must be an integer of at least 0, not -1");
  says("--seed=-1", "--seed must be an integer of at least 0, not -1");
  says("--max-steps 99999999999999999999", "--max-steps must be an integer of at least 0, not 99999999999999999999");
  says("--lr=-0.1", "--lr must be a number of at least 0, not -0.1");
  says("--lr nan", "--lr must be a number of at least 0, not nan");
  says("--patience=-1", "--patience must be an integer of at least 0, not -1");
  says("--workers 0", "--workers must be a positive integer, not 0");
  says("--optimizer rmsprop", "--optimizer must be sgd or adam, not rmsprop");
  says("--max-isa avx3", "--max-isa must be sse4, avx2 or avx512, not avx3");
  says("--autocast f32", "--autocast must be bf16, not f32");
  says("--memory-limit 3XB", "--memory-limit must be a number of bytes, as 64MiB or 1GB, not 3XB");
  says("--memory-limit 0", "--memory-limit must be a number of bytes, as 64MiB or 1GB, not 0");
  const test::Ran ran = test::run_command("WEFT_MAX_ISA=avx3 " + program + "--max-steps 1");
  CHECK(ran.code == 1);
  CHECK_THAT(ran.err, contains_text("WEFT_MAX_ISA must be sse4, avx2 or avx512, not 'avx3'"));
}

TEST_CASE("02_fashion_mnist refuses bad data") {
  const test::TempDir dir;
  const auto fails = [](const std::string& arguments, const std::string& words) {
    const test::Ran ran = test::run_command(program + arguments);
    INFO(ran.err);
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, contains_text(words));
  };
  fails("--data " + dir.path(), "train-images-idx3-ubyte");
  fails("--data /nonexistent", "/nonexistent");
  fails("--device tpu", "tpu");
  fails("--lr -1", "lr");
  dir.write("train-images-idx3-ubyte", "not an IDX file");
  dir.write("train-labels-idx1-ubyte", "nor this");
  fails("--data " + dir.path(), "train-images-idx3-ubyte");
}
