// Programs and checkpoints in files that were edited: what is wrong is said with the file's name and in weft's words.

#include <nlohmann/json.hpp>

#include <functional>

#include "weft/backends/saved/load_step.h"
#include "weft/runtime/safetensors.h"
#include "weft/runtime/step_file.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/weft.h"

using namespace weft;
using nlohmann::ordered_json;
using test::TempDir;

namespace {

/// Adam on a line, its program and a checkpoint behind three steps.
struct Trained {
  Trained() : adam({.lr = 0.1}) {
    Graph g("line");
    const Tensor x = g.input("x", f32, {3}), y = g.input("y", f32, {3});
    const Tensor loss = g.output("loss", mean(pow(w * x + b - y, 2)));
    Step step = compile(training_step(g, loss, {w, b}, adam), Target::cpu());
    for (int n = 0; n < 3; ++n) step({{"x", three}, {"y", three}});
    step.save(program);
    checkpoint().save(path);
  }
  Checkpoint checkpoint() { return std::move(Checkpoint({{"w", w}, {"b", b}}).add(adam)); }

  TempDir dir;
  std::string program = dir / "line.weftprog", path = dir / "run.safetensors", edited = dir / "edited";
  Parameter w{"w", {1.0f}}, b{"b", {0.0f}};
  optim::Adam adam;
  std::vector<float> three{1, 2, 3};
};

using Metadata = std::map<std::string, std::string, std::less<>>;

void write_edited(const std::string& from, const std::string& to, bool checksum, const std::function<void(Metadata&)>& edit) {
  SafeTensors file = read_safetensors(from);
  edit(file.metadata);
  std::vector<std::pair<std::string, const Array*>> tensors;
  for (const auto& [name, array] : file.tensors) tensors.emplace_back(name, &array);
  write_safetensors(to, std::move(tensors), file.metadata, checksum);
}

/// Of the message what stands behind the file's name, which must be in it.
void check_refused(const std::function<void()>& what, const std::string& file, const std::string& why) {
  INFO(why);
  try {
    what();
    FAIL("it was taken");
  } catch (const Error& e) {
    CHECK_THAT(e.what(), contains_text("'" + file + "'") && contains_text(why) && !contains_text("json.exception"));
    CHECK(e.kind() == ErrorKind::file);
  }
}

}  // namespace

TEST_CASE("damaged: a checkpoint whose metadata are lost is refused, not begun anew") {
  Trained line;
  write_edited(line.path, line.edited, false, [](Metadata& m) { m.clear(); });  // safetensors.torch.save_file(load_file(path))
  SavedStep step = load_step(line.program);
  check_refused([&] { step.load(line.edited); }, line.edited,
                "it keeps 'weft.optimizer0/w/exp_avg', but its metadata 'weft' do not say how often 'w' was updated");
  check_refused([&] { line.checkpoint().load(line.edited); }, line.edited, "keeps");
  write_edited(line.path, line.edited, false, [](Metadata& m) { m["weft"] = R"({"optimizers":[],"schedules":[]})"; });
  check_refused([&] { step.load(line.edited); }, line.edited, "do not say how often 'w' was updated");
  write_edited(line.path, line.edited, false, [](Metadata& m) {
    ordered_json note = ordered_json::parse(m["weft"]);
    note["optimizers"][0]["counts"].erase("b");
    m["weft"] = note.dump();
  });
  check_refused([&] { step.load(line.edited); }, line.edited, "");

  // One number for all parameters, as files without counts keep it.
  write_edited(line.path, line.edited, false, [](Metadata& m) {
    ordered_json note = ordered_json::parse(m["weft"]);
    note["optimizers"][0].erase("counts");
    m["weft"] = note.dump();
  });
  step.load(line.edited);
  step.save(line.dir / "again");
  CHECK(read_safetensors(line.dir / "again").metadata == read_safetensors(line.path).metadata);
}

TEST_CASE("damaged: all that a checkpoint says of the optimizer is checked when it is loaded") {
  Trained line;
  SavedStep step = load_step(line.program);
  const auto refused = [&](const std::string& entry, const ordered_json& value, const std::string& why) {
    write_edited(line.path, line.edited, false, [&](Metadata& m) {
      ordered_json note = ordered_json::parse(m["weft"]);
      if (value.is_discarded()) note["optimizers"][0].erase(entry);
      else note["optimizers"][0][entry] = value;
      m["weft"] = note.dump();
    });
    check_refused([&] { step.load(line.edited); }, line.edited, why);
    check_refused([&] { line.checkpoint().load(line.edited); }, line.edited, "");
  };
  const ordered_json nothing(ordered_json::value_t::discarded);
  for (const ordered_json& other : {ordered_json::array(), ordered_json(5)}) {
    refused("counts", other, "'counts' is " + other.dump() + ", and no object");
    refused("groups", other, "'groups' is " + other.dump() + ", and no object");
    refused("numbers", other, "'numbers' is " + other.dump() + ", and no object");
  }
  for (const ordered_json& other : {ordered_json(1.5), ordered_json(-1), ordered_json(1e30), ordered_json("1")})
    refused("stream", other, "'stream' is " + other.dump() + ", and no number of 64 bits");
  refused("steps", -1, "'steps': -1 is no count");
  refused("steps", nothing, "it has no 'steps' where there must be one");
  refused("op", 5, "'op': 5 is no text");
  refused("op", nothing, "it has no 'op' where there must be one");
  for (const std::string text : {"{", "[]", "5", R"({"optimizers":5,"schedules":[]})", R"({"optimizers":[1],"schedules":[]})"}) {
    write_edited(line.path, line.edited, false, [&](Metadata& m) { m["weft"] = text; });
    check_refused([&] { step.load(line.edited); }, line.edited, "");
    check_refused([&] { line.checkpoint().load(line.edited); }, line.edited, "");
  }
}

TEST_CASE("damaged: a program has its checksum, and each of its entries") {
  const Trained line;
  CHECK_NOTHROW(load_step(line.program));
  write_edited(line.program, line.edited, false, [](Metadata&) {});
  check_refused([&] { load_step(line.edited); }, line.edited, "it has no checksum ('weft.checksum' in its metadata)");
  const auto refused = [&](const std::function<void(ordered_json&)>& edit, const std::string& why) {
    write_edited(line.program, line.edited, true, [&](Metadata& m) {
      ordered_json program = ordered_json::parse(m[program_note]);
      edit(program);
      m[program_note] = program.dump();
    });
    check_refused([&] { load_step(line.edited); }, line.edited, why);
  };
  for (const std::string name :
       {"name", "backend", "arena", "constants", "key", "stream", "inputs", "outputs", "launches", "optimizer", "counters", "code"}) {
    refused([&](ordered_json& p) { p.erase(name); }, "it has no '" + name + "'");
    refused([&](ordered_json& p) { p[name] = nullptr; }, "'" + name + "': null is no ");
    refused([&](ordered_json& p) { p[name] = ordered_json::array({ordered_json::array()}); }, name);
  }
  refused([](ordered_json& p) { p["constants"] = -1; }, "'constants': it has -1 of them");
  refused([](ordered_json& p) { p["constants"] = int64_t{1} << 60; }, "'constants': it has 1152921504606846976 of them");
  refused([](ordered_json& p) { p["inputs"][1].erase("dtype"); }, "inputs 1: it has no 'dtype'");
  refused([](ordered_json& p) { p["inputs"][1]["shape"] = "wide"; }, "inputs 1: 'shape': \"wide\" is no list");
  refused([](ordered_json& p) { p["launches"][0]["flops"] = 5; }, "launches 0: 'flops': 5 is no text");
  refused([](ordered_json& p) { p["launches"][0]["buffers"][0] = "here"; }, "launches 0: buffers 0: \"here\" is no list");
  refused([](ordered_json& p) { p["code"][0]["addresses"] = {{1}}; }, "code 0: addresses 0: [1] has no place 1");
}

TEST_CASE("damaged: programs that contradict themselves do not open") {
  const Trained line;
  const StepData good = read_step(line.program);
  const auto refused = [&](const std::function<void(StepData&)>& edit, const std::string& why) {
    StepData step = good;
    edit(step);
    INFO(why);
    CHECK_THROWS_WITH(write_step(line.edited, step), contains_text(why));
    CHECK_THROWS_WITH(parse_step_text(step_text(step)), contains_text(why));
  };
  refused([](StepData& s) { s.program.list.inputs[1].name = s.program.list.inputs[0].name; }, "the input 'x' is there twice");
  refused(
      [](StepData& s) {
        s.program.list.outputs.push_back(s.program.list.outputs[0]);
        s.program.list.output_places.push_back(s.program.list.output_places[0]);
      },
      "the output 'loss' is there twice");
  refused([](StepData& s) { s.numbers.push_back(s.numbers[0]); }, "the optimizer's group '' is there twice");
  refused([](StepData& s) { s.counters.push_back(s.counters[0]); }, "a counter of 'w' is there twice");
  refused([](StepData& s) { s.program.code.push_back(s.program.code[0]); }, "is there twice");
  refused([](StepData& s) { s.program.list.launches.clear(), s.program.calls.clear(); }, "no launch computes the output 'loss'");
  const auto loops = [](const std::vector<LaunchLoop>& all) { return [all](StepData& s) { s.program.list.loops = all; }; };
  const size_t last = good.program.list.launches.size();
  refused(loops({{0, last, int64_t{1} << 62}}), "would run them more than");
  refused(loops({{0, last, int64_t{1} << 32}, {0, last, int64_t{1} << 32}}), "would run them more than");
}
