// The files of a Trainer's checkpoints: which are kept, what is in their way, who writes them; and files that are damaged.

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>
#include <set>

#include "weft/runtime/replace_file.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
namespace fs = std::filesystem;
using test::TempDir;
using testing::points;

namespace {

/// Four steps an epoch, on 32 points.
FitOptions options(const std::string& checkpoint, int64_t epochs) {
  FitOptions o{.epochs = epochs, .batch = 8, .checkpoints = {.path = checkpoint}, .log = "none"};
  o.program.target = Target::reference();
  return o;
}

struct Model {
  nn::Linear net{2, 2};
  optim::SGD sgd{{.lr = 0.1}};
  History fit(const FitOptions& o) { return Trainer(net, cross_entropy, sgd).fit(points(32), points(8, 32), o); }
};

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.insert(entry.path().filename());
  return names;
}

std::string error_of(const FitOptions& o) {
  Model m;
  const auto before = m.net.weight.values<float>();
  try {
    m.fit(o);
  } catch (const Error& e) {
    CHECK(m.net.weight.values<float>() == before);  // before training
    return e.what();
  }
  return "";
}

}  // namespace

TEST_CASE("checkpoint files: a new run keeps its last ones, and an older run's go first") {
  const TempDir dir;
  FitOptions o = options(dir / "run.safetensors", 5);
  o.checkpoints.keep_last = 2;
  Model().fit(o);  // of steps 16 and 20
  CHECK(names_in(dir.path()) == std::set<std::string>{"run.safetensors", "run.step-16.safetensors", "run.step-20.safetensors"});
  o.epochs = 1;
  Model().fit(o);
  CHECK(names_in(dir.path()) == std::set<std::string>{"run.safetensors", "run.step-4.safetensors", "run.step-20.safetensors"});
  o.epochs = 3;
  o.checkpoints.every = 3;  // 3, 4, 6, 8, 9, 12
  Model().fit(o);
  CHECK(names_in(dir.path()) == std::set<std::string>{"run.safetensors", "run.step-9.safetensors", "run.step-12.safetensors"});
}

TEST_CASE("checkpoint files: a resumed run knows its own from others', whatever their steps") {
  const TempDir dir;
  FitOptions o = options(dir / "run.safetensors", 2);
  o.checkpoints.keep_last = 3;
  Model().fit(o);  // of steps 4 and 8
  fs::copy(dir / "run.step-4.safetensors", dir / "run.step-6.safetensors");
  fs::copy(dir / "run.step-4.safetensors", dir / "run.step-600.safetensors");
  fs::create_directory(dir / "run.step-7.safetensors");
  dir.write("run.step-x.safetensors", "");
  o.epochs = 3;
  o.checkpoints.resume = o.checkpoints.path;
  Model().fit(o);
  CHECK(names_in(dir.path()) == std::set<std::string>{"run.safetensors", "run.step-4.safetensors", "run.step-8.safetensors",
                                                      "run.step-12.safetensors", "run.step-7.safetensors", "run.step-x.safetensors"});
}

TEST_CASE("checkpoint files: what is in the way of a file is noticed before training") {
  const TempDir dir;
  const auto folder = [&](const std::string& name) {
    fs::create_directories(dir / name);
    return dir / name;
  };
  CHECK(error_of(options(folder("run"), 1)) == "cannot write '" + dir / "run" + "': it is a folder, not a file");
  folder("best.best.safetensors");
  FitOptions o = options(dir / "best.safetensors", 1);
  o.checkpoints.keep_best = true;
  CHECK(error_of(o) == "cannot write '" + dir / "best.best.safetensors" + "': it is a folder, not a file");
  CHECK(error_of(options(dir / "none/run", 1)) ==
        "cannot write the checkpoint '" + dir / "none/run" + "': there is no folder '" + dir / "none" + "'");
  REQUIRE(mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK(error_of(options(dir / "pipe", 1)) == "cannot write '" + dir / "pipe" + "': it is no ordinary file");
  o = options("", 1);
  o.files.metrics = dir / "run";
  CHECK_THAT(error_of(o), contains_text("'" + dir / "run" + "': Is a directory"));
  o.files.metrics = "";
  o.files.loss_curve = dir / "run";
  CHECK_THAT(error_of(o), contains_text(dir / "run") && contains_text("Is a directory"));
  o.files.loss_curve = "";
  o.files.tensorboard = dir.write("file", "");
  CHECK_THAT(error_of(o), contains_text("'" + dir / "file" + "'"));
  o.files.tensorboard = "";
  o.program.dump_ir = dir / "file";
  CHECK_THAT(error_of(o), contains_text("'" + dir / "file"));
  CHECK(names_in(dir.path()) == std::set<std::string>{"run", "best.best.safetensors", "pipe", "file"});  // nothing is left of looking
}

TEST_CASE("checkpoint files: one run at a time writes them, and a killed one leaves nothing in the way") {
  const TempDir dir;
  const std::string path = dir / "run.safetensors";
  const pid_t other = fork();
  if (other == 0) {
    FitOptions o = options(path, 1'000'000);
    o.checkpoints.every = 1;
    Model().fit(o);
    _exit(0);
  }
  while (!fs::exists(path)) usleep(1000);
  CHECK(error_of(options(path, 1)) ==
        fmt::format("cannot write '{}': process {} writes it already, and holds '{}.lock'; give another name", path, other, path));
  kill(other, SIGKILL);
  waitpid(other, nullptr, 0);
  dir.write("run.safetensors.1-1.partial", "of one that was killed while it wrote");
  FitOptions o = options(path, 1);
  Model().fit(o);
  CHECK(names_in(dir.path()) == std::set<std::string>{"run.safetensors"});
}

TEST_CASE("checkpoint files: through a symbolic link, with its other names beside the link") {
  const TempDir dir;
  fs::create_directory(dir / "disk");
  fs::create_symlink("disk/run.safetensors", dir / "run.safetensors");
  FitOptions o = options(dir / "run.safetensors", 2);
  o.checkpoints.keep_last = 2;
  o.checkpoints.keep_best = true;
  Model().fit(o);
  CHECK(fs::is_symlink(dir / "run.safetensors"));
  CHECK(names_in(dir / "disk") == std::set<std::string>{"run.safetensors"});
  CHECK(names_in(dir.path()) ==
        std::set<std::string>{"disk", "run.safetensors", "run.best.safetensors", "run.step-4.safetensors", "run.step-8.safetensors"});
  CHECK(test::read_file(dir / "run.step-8.safetensors") == test::read_file(dir / "disk/run.safetensors"));
  CHECK(test::read_file(dir / "run.step-4.safetensors") != test::read_file(dir / "disk/run.safetensors"));
}

TEST_CASE("checkpoint files: no flipped bit is loaded, nor any crash made of what is in them") {
  const TempDir dir;
  Model m;
  m.fit(options(dir / "run", 2));
  const std::string good = test::read_file(dir / "run");
  const auto weight = m.net.weight.values<float>();
  const auto load = [&](const std::string& content) {
    Model loaded;
    FitOptions o = options("", 2);
    o.checkpoints.resume = dir.write("bad", content);
    loaded.fit(o);
    return loaded.net.weight.values<float>() == weight && loaded.sgd.lr == 0.1;
  };
  CHECK(load(good));
  std::mt19937 random(1);
  const size_t sum = good.find("weft.checksum");
  for (int i = 0; i < 60; ++i) {
    const size_t at = random() % good.size();
    if (at >= sum && at < sum + 13) continue;
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 1 << random() % 8);
    try {
      const bool same = load(bad);  // a blank of the header's end that became another
      CHECK(same);
    } catch (const Error& e) {
      CHECK_THAT(e.what(), contains_text("'" + dir / "bad" + "'"));
    }
  }
}

TEST_CASE("checkpoint files: metadata that another wrote are refused with the file's name") {
  const TempDir dir;
  Model m;
  m.fit(options(dir / "run", 1));
  SafeTensors file = read_safetensors(dir / "run");
  const auto message = [&](const std::string& key, const std::string& text) {
    auto metadata = file.metadata;
    metadata[key] = text;
    std::vector<std::pair<std::string, const Array*>> tensors;
    for (const auto& [name, array] : file.tensors) tensors.emplace_back(name, &array);
    write_safetensors(dir / "bad", tensors, metadata);
    FitOptions o = options("", 1);
    o.checkpoints.resume = dir / "bad";
    Model other;
    try {
      other.fit(o);
    } catch (const Error& e) {
      return std::string(e.what());
    }
    return std::string();
  };
  const std::string deep(1'000'000, '['), training = file.metadata.at("weft.training"), weft = file.metadata.at("weft");
  const auto with = [](std::string text, const std::string& from, const std::string& to) {
    REQUIRE(text.find(from) != std::string::npos);
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {deep, std::string("{"), std::string("1e999"), std::string("null"), std::string("[1]"),
        with(training, "\"steps\":4", "\"steps\":-4"), with(training, "\"steps\":4", "\"steps\":4e300"),
        with(training, "\"steps\":4", "\"steps\":[[4]]"), with(training, "\"batches\":0", "\"batches\":\"0\""),
        with(training, "\"terms\":[]", "\"terms\":[[\"0,5\",\"1\"]]"), with(training, "\"terms\":[]", "\"terms\":[[\"1\",\"1e999\"]]")})
    CHECK_THAT(message("weft.training", bad),
               contains_text("'" + dir / "bad" + "': its metadata 'weft.training' are not as weft writes them") &&
                   !contains_text("json.exception"));
  for (const std::string& bad : {deep, std::string("{"), std::string("1e999"), std::string("null"), std::string("[1]"),
                                 with(weft, "\"op\":\"sgd\"", "\"op\":[[1]]")})
    CHECK_THAT(message("weft", bad), contains_text("'" + dir / "bad" + "'") && !contains_text("json.exception"));
}

TEST_CASE("checkpoint files: metadata edited at random are read or refused, never a crash") {
  const TempDir dir;
  nn::Linear net(2, 2);
  optim::Adam adam, extra({.lr = 0.5});
  adam.add_group("head", {net.bias}, extra);
  optim::StepLR schedule(adam, {.step_size = 2});
  const auto checkpoint = [&] {
    Checkpoint all(net);
    all.add(adam).add(schedule);
    return all;
  };
  checkpoint().save(dir / "good");
  const SafeTensors file = read_safetensors(dir / "good");
  std::vector<std::pair<std::string, const Array*>> tensors;
  for (const auto& [name, array] : file.tensors) tensors.emplace_back(name, &array);
  const char* const pieces[] = {"[",
                                "]",
                                "{",
                                "}",
                                "\"",
                                ",",
                                ":",
                                "-",
                                "1e999",
                                "null",
                                "true",
                                "0.5",
                                "9223372036854775808",
                                "\"nan\"",
                                "[[[[",
                                "\"groups\":{},",
                                "\\u0000"};
  std::mt19937 random(3);
  int read = 0;
  for (int i = 0; i < 500; ++i) {
    std::string text = file.metadata.at("weft");
    for (unsigned edits = 1 + random() % 3; edits > 0; --edits) {
      const size_t at = random() % text.size();
      if (random() % 2 == 0) text.erase(at, random() % 4);
      text.insert(std::min(at, text.size()), pieces[random() % std::size(pieces)]);
      if (text.empty()) text = "x";
    }
    write_safetensors(dir / "bad", tensors, {{"weft", text}});
    try {
      checkpoint().load(dir / "bad");
      ++read;
    } catch (const Error& e) {
      CHECK_THAT(e.what(), contains_text("'" + dir / "bad" + "'"));
    }
  }
  CHECK(read < 500);
  checkpoint().load(dir / "good");
}

TEST_CASE("checkpoint: a part of a file is loaded where that is asked for, and what is missing or besides is told") {
  const TempDir dir;
  struct Old : nn::Module {
    nn::Linear stem = add("stem", nn::Linear(2, 3)), head = add("head", nn::Linear(3, 2));
  } old;
  struct New : nn::Module {
    nn::Linear stem = add("stem", nn::Linear(2, 3)), top = add("top", nn::Linear(3, 5));
  } fresh;
  Checkpoint(old).save(dir / "old");
  const auto top = fresh.top.weight.values<float>();
  try {
    Checkpoint(fresh).load(dir / "old");
    FAIL("loaded");
  } catch (const Error& e) {
    CHECK(std::string(e.what()) == "'" + dir / "old" +
                                       "' does not fit:\n  missing: 'top.weight' f32[5,3]\n  missing: 'top.bias' f32[5]\n"
                                       "  unexpected: 'head.bias' f32[2]\n  unexpected: 'head.weight' f32[2,3]\nload(path, {.strict = "
                                       "false}) loads the part that fits");
  }
  CHECK(fresh.stem.weight.values<float>() != old.stem.weight.values<float>());
  const Loaded loaded = Checkpoint(fresh).load(dir / "old", {.strict = false});
  CHECK(loaded.missing_keys == std::vector<std::string>{"top.weight", "top.bias"});
  CHECK(loaded.unexpected_keys == std::vector<std::string>{"head.bias", "head.weight"});
  CHECK(fresh.stem.weight.values<float>() == old.stem.weight.values<float>());
  CHECK(fresh.stem.bias.values<float>() == old.stem.bias.values<float>());
  CHECK(fresh.top.weight.values<float>() == top);

  // A part of the tensors by name, of a file with more.
  nn::Linear stem(2, 3);
  const Loaded part = Checkpoint(Checkpoint::Named{{"stem.weight", stem.weight}}).load(dir / "old", {.strict = false});
  CHECK(part.missing_keys.empty());
  CHECK(part.unexpected_keys == std::vector<std::string>{"head.bias", "head.weight", "stem.bias"});
  CHECK(stem.weight.values<float>() == old.stem.weight.values<float>());
  const Loaded all = Checkpoint(old).load(dir / "old");
  CHECK((all.missing_keys.empty() && all.unexpected_keys.empty()));

  // A wrong shape is one in any case, as in PyTorch.
  nn::Linear wide(2, 4);
  CHECK_THROWS_WITH(Checkpoint(Checkpoint::Named{{"stem.weight", wide.weight}}).load(dir / "old", {.strict = false}),
                    "'" + dir / "old" + "' does not fit:\n  wrong: 'stem.weight' is f32[3,2] in the file, but f32[4,2] here");
  // Integers that have no place.
  Array small(i32, Shape{2}), large(i64, Shape{2});
  large.values<int64_t>()[1] = int64_t{1} << 40;
  write_safetensors(dir / "large", {{"count", &large}});
  Checkpoint counts{Checkpoint::Named{}};
  counts.add("count", small);
  CHECK_THROWS_WITH(
      counts.load(dir / "large"),
      "'" + dir / "large" + "' does not fit:\n  wrong: 'count' is i64 in the file and holds 1099511627776, which the i32 here cannot");
}

TEST_CASE("checkpoint: what was trained is resumed with a new head, its state included") {
  const TempDir dir;
  struct Net : nn::Module {
    explicit Net(int64_t classes) : head(add("head", nn::Linear(3, classes))) {}
    nn::Linear stem = add("stem", nn::Linear(2, 3)), head;
    Tensor forward(Tensor x) { return head(stem(x)); }
  };
  Net old(2), fresh(2);
  optim::Adam adam, other;
  Trainer(old, cross_entropy, adam).fit(points(32), options("", 1));
  Checkpoint(
      Checkpoint::Named{
          {"stem.weight", old.stem.weight}, {"stem.bias", old.stem.bias}, {"top.weight", old.head.weight}, {"top.bias", old.head.bias}})
      .add(adam)
      .save(dir / "run");
  const Loaded loaded = Checkpoint(fresh).add(other).load(dir / "run", {.strict = false});
  CHECK(std::set<std::string>(loaded.missing_keys.begin(), loaded.missing_keys.end()) == std::set<std::string>{"head.weight", "head.bias"});
  CHECK(other.state("stem.weight", "exp_avg").values<float>()[0] == adam.state("stem.weight", "exp_avg").values<float>()[0]);
}
