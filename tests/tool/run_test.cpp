// `weft run`: programs on arrays from files.

#include <filesystem>
#include <fstream>

#include "weft/runtime/data/npy.h"
#include "weft/runtime/safetensors.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/tests/tool/weft_tool.h"

using namespace weft;
using namespace weft::test;

TEST_CASE("weft run: computes, on every device, and writes .npy files", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("small.weft", small_program), x = dir / "x.npy";
  write_npy(x, Array::of<float>({2, 3}, std::vector<float>{0, 0, 0, 1, 2, 3}));
  for (const std::string device : {"reference", "cpu"}) {
    INFO(device);
    const std::string out = dir / (device + "/results");
    const std::string text = output_of("run " + file + " --device=" + device + " --input x=" + x + " --output-dir " + out);
    CHECK(text.find("y       f32[2]         " + out + "/y.npy") != std::string::npos);
    const Array y = read_npy(out + "/y.npy");
    REQUIRE(y.shape() == Shape{2});
    CHECK(y.at(0) == 3);
    CHECK(y.at(1) == Approx(30.19287485));
  }
}

TEST_CASE("weft run: parameters and states carry over from step to step", "[tool]") {
  const TempDir dir;
  const std::string x = dir / "x.npy", out = dir / "out";
  write_npy(x, Array::of<float>({4}, std::vector<float>{1, 2, 3, 6}));
  const std::string step = dir.write("step.weft", output_of("opt - --pipeline=step --target=cpu", line_program));
  for (const std::string device : {"reference", "cpu"}) {
    INFO(device);
    std::string settings;
    // The compiled program no longer reads what plain SGD does not use.
    for (const char* name : {"momentum", "dampening", "weight_decay"})
      if (device == "reference") settings += std::string(" --set sgd.") + name + "=0";
    const std::string text = output_of("run " + step + " --device=" + device + " --zeros --input x=" + x +
                                       " --set sgd.lr=0.5 --steps=4 --output-dir=" + out + settings);
    // The gradient is mean(x) = 3, so w goes down by 1.5 a step.
    CHECK(read_npy(out + "/w.npy").at(0) == -6);
    CHECK(read_npy(out + "/loss.npy").at(0) == -13.5);
    CHECK(read_npy(out + "/sgd.step.npy").values<int64_t>()[0] == 4);
    CHECK(text.find("loss      f32[]  -13.5") != std::string::npos);
  }
}

TEST_CASE("weft run: without a directory the scalars are printed", "[tool]") {
  const std::string text =
      output_of("run - --device=reference", "weft 1 func @f {\n %0 = constant() {value = f32[] 0.1} : f32[]\n output y = %0\n}");
  CHECK(text == "output  type   value  file\ny       f32[]  0.1\n");
}

TEST_CASE("weft run: random numbers follow from the seed and the step", "[tool]") {
  const std::string dropout =
      "weft 1 func @f {\n input %key: i64[2] key\n %0 = random_uniform(%key) {shape = [], site = 1} : f32[]\n output u = %0\n}";
  const auto draw = [&](const std::string& arguments) { return output_of("run - --device=reference " + arguments, dropout); };
  CHECK(draw("--seed=1") == draw("--seed=1"));
  CHECK(draw("--seed=1") != draw("--seed=2"));
  CHECK(draw("--steps=1") != draw("--steps=2"));
  CHECK(draw("") == draw("--seed=0 --steps=1"));
}

TEST_CASE("weft run: all missing inputs are named at once, with their types", "[tool]") {
  const TempDir dir;
  const std::string step = dir.write("step.weft", output_of("opt - --pipeline=step --target=cpu", line_program));
  check_refused("run " + step + " --set sgd.lr=0.1",
                "these inputs are missing:\n  x f32[4] (batch): --input x=FILE.npy\n"
                "  w f32[] (parameter): --input w=FILE.npy, --weights FILE.safetensors or --zeros\n"
                "  sgd.step i64[] (state): --input sgd.step=FILE.npy, --weights FILE.safetensors or --zeros");
  check_refused("run " + step + " --zeros",
                "these inputs are missing:\n  x f32[4] (batch): --input x=FILE.npy\n  sgd.lr f64[] (hyper): --set sgd.lr=NUMBER");
}

TEST_CASE("weft run: parameters come from a file of weights by their names", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("f.weft",
                                     "weft 1 func @f {\n input %x: f32[2]\n input %fc.weight: f32[2] parameter\n"
                                     " %0 = mul(%x, %fc.weight) : f32[2]\n output y = %0\n}");
  const std::string x = dir / "x.npy", weights = dir / "net.safetensors", out = dir / "out";
  write_npy(x, Array::of({2}, std::vector<float>{2, 3}));
  const Array weight = Array::of({2}, std::vector<float>{5, 7}), other = Array::of({1}, std::vector<float>{1});
  write_safetensors(weights, {{"fc.weight", &weight}, {"weft.optimizer0/fc.weight/exp_avg", &other}});
  output_of("run " + file + " --device=reference --input x=" + x + " --weights " + weights + " --output-dir " + out);
  CHECK(read_npy(out + "/y.npy").values<float>()[1] == 21);
  write_npy(dir / "w.npy", other);
  check_refused("run " + file + " --input x=" + x + " --weights " + weights + " --input fc.weight=" + (dir / "w.npy"),
                "'" + (dir / "w.npy") + "' has shape [1], but the input 'fc.weight' is f32[2]");  // --input comes first
  write_safetensors(weights, {{"fc.weight", &other}});
  check_refused("run " + file + " --input x=" + x + " --weights " + weights,
                "'" + weights + "' has shape [1], but the input 'fc.weight' is f32[2]");
  write_safetensors(weights, {{"x", &weight}, {"y", &other}});
  check_refused("run " + file + " --weights " + weights,
                "--weights: '" + weights + "' holds no parameter or state of the program (it holds: x, y)");
}

TEST_CASE("weft run: a name out of a file does not reach the terminal as it is", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("f.weft", "weft 1 func @f {\n input %w: f32[1] parameter\n output y = %w\n}"),
                    weights = dir / "net.safetensors";
  const Array one = Array::of({1}, std::vector<float>{1});
  write_safetensors(weights, {{"\x1b[31mred\x7f", &one}});
  check_refused("run " + file + " --weights " + weights,
                "--weights: '" + weights + "' holds no parameter or state of the program (it holds: \\x1b[31mred\\x7f)");
}

TEST_CASE("weft run: files that do not fit the inputs are refused", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("small.weft", small_program), x = dir / "x.npy";
  const std::string run = "run " + file + " --device=reference";
  write_npy(x, Array::of<float>({3}, std::vector<float>{0, 1, 2}));
  check_refused(run + " --input x=" + x, "'" + x + "' has shape [3], but the input 'x' is f32[2,3]");
  write_npy(x, Array::of<double>({2, 3}, std::vector<double>{0, 1, 2, 3, 4, 5}));
  check_refused(run + " --input x=" + x,
                "'" + x + "' holds f64, but the input 'x' is f32[2,3]; convert it before saving (numpy.ndarray.astype)");
  const Outcome o = weft_tool(run + " --input x=" + dir.write("bad.npy", "not an array"));
  CHECK(o.code == 1);
  CHECK(o.err.find("weft: error: '" + (dir / "bad.npy") + "', byte 0: ") == 0);
}

TEST_CASE("weft run: unknown names and bad values are refused", "[tool]") {
  const TempDir dir;
  const std::string file = dir.write("small.weft", small_program);
  check_refused("run " + file + " --input xx=a.npy", "--input: the program has no input 'xx'; did you mean 'x'?");
  check_refused("run " + file + " --input x=a.npy --input x=b.npy", "--input: 'x' is given twice");
  check_refused("run " + file + " --input x", "--input: 'x' is not NAME=VALUE");
  check_refused("run " + file + " --set x=1", "--set: 'x' is no hyper-parameter; give it as --input x=FILE.npy");
  check_refused("run " + file + " --set lr=0.1", "--set: the program reads no hyper-parameter 'lr'");
  check_refused("run " + file + " --set lr=fast", "--set lr: 'fast' is not a number");
  check_refused("run " + file + " --device=gpu", "there is no target 'gpu' (there are cpu, cuda, reference); did you mean 'cpu'?");
  check_refused("run " + file + " --steps=0", "--steps must be at least 1, not 0");
  check_refused("run " + file + " --steps=many", "Could not convert: --steps = many; see weft run --help");
}

TEST_CASE("weft run: every device trains what a train block says", "[tool]") {
  const TempDir dir;
  const std::string x = dir / "x.npy", out = dir / "out";
  write_npy(x, Array::of<float>({4}, std::vector<float>{1, 2, 3, 6}));
  // As recorded, and with the gradients added already.
  for (const std::string& program : {line_program, output_of("opt - --passes=autodiff", line_program)})
    for (const std::string device : {"reference", "cpu"}) {
      INFO(device << "\n" << program);
      output_of("run - --device=" + device + " --zeros --set sgd.lr=0.5 --steps=3 --input x=" + x + " --output-dir=" + out, program);
      // The gradient is mean(x) = 3, so w goes down by 1.5 a step.
      CHECK(read_npy(out + "/w.npy").at(0) == -4.5);
      CHECK(read_npy(out + "/loss.npy").at(0) == -9);
      CHECK(read_npy(out + "/sgd.step.npy").values<int64_t>()[0] == 3);
    }
}

TEST_CASE("weft run: indices are checked against what reads them, whatever the passes make of it", "[tool]") {
  const TempDir dir;
  const std::string x = dir / "x.npy", y = dir / "y.npy", program = R"(weft 1
func @f {
  input %x: f32[2,3]
  input %y: i64[2] at "net.cpp":3
  %0 = cross_entropy(%x, %y) : f32[] at "net.cpp":4
  output loss = %0
}
)";
  write_npy(x, Array(f32, {2, 3}));
  for (const std::string device : {"reference", "cpu"}) {
    const std::string run = "run - --device=" + device + " --input x=" + x + " --input y=" + y;
    write_npy(y, Array::of<int64_t>({2}, std::vector<int64_t>{0, 2}));
    CHECK(output_of(run, program).find("loss    f32[]  1.098612") != std::string::npos);
    write_npy(y, Array::of<int64_t>({2}, std::vector<int64_t>{0, 3}));
    check_refused(run, "'" + y + "': the input 'y' (i64[2], net.cpp:3) holds indices below 3, but element 1 is 3", program);
    write_npy(y, Array::of<int64_t>({2}, std::vector<int64_t>{-1, 3}));
    check_refused(run, "'" + y + "': the input 'y' (i64[2], net.cpp:3) holds indices below 3, but element 0 is -1", program);
  }
}

TEST_CASE("weft run: no result lands outside the directory", "[tool]") {
  const TempDir dir;
  check_refused("run - --device=reference --output-dir " + dir.path(),
                "the output '../y' has no name that a file could have; run without --output-dir",
                "weft 1 func @f {\n %0 = constant() {value = f32[] 0.5} : f32[]\n output \"../y\" = %0\n}");
}
