// What a Trainer says while it compiles and trains: on a terminal, and elsewhere.

#include "weft/frontend/training/training_log.h"

#include <chrono>
#include <regex>
#include <sstream>
#include <thread>

#include "weft/runtime/columns.h"
#include "weft/support/number_text.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"
#include "weft/tests/runtime/terminal.h"

using namespace weft;
using weft::testing::points;

namespace {

/// While it lives, standard error goes to this descriptor.
class StandardError {
 public:
  explicit StandardError(int to) : before_(dup(2)) {
    std::fflush(stderr);
    dup2(to, 2);
  }
  ~StandardError() {
    std::fflush(stderr);
    dup2(before_, 2);
    close(before_);
  }

 private:
  int before_;
};

/// What `say` writes to standard error when that is a file.
template <class Say>
std::string said(Say say) {
  const test::TempDir dir;
  std::FILE* const file = std::fopen((dir / "said").c_str(), "w");
  {
    const StandardError redirected(fileno(file));
    say();
  }
  std::fclose(file);
  return test::read_file(dir / "said");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

int times(const std::string& in, const std::string& what) {
  int count = 0;
  for (size_t at = 0; (at = in.find(what, at)) != std::string::npos; at += what.size()) ++count;
  return count;
}

FitOptions logged(const std::string& how) { return {.epochs = 2, .batch = 16, .log = how, .program = {.target = Target::reference()}}; }

/// Of points[40] in batches of 16, so that there are programs for 16 and for 8; the test set has 20.
Trainer trainer(const optim::Optimizer& optimizer = optim::SGD({.lr = 0.1})) {
  manual_seed(1);
  return {nn::Sequential(nn::Linear(2, 4), nn::ReLU(), nn::Linear(4, 2)), cross_entropy, optimizer};
}

void fit(const std::string& how) { trainer().fit(points(40), points(20, 500), logged(how)); }
void evaluate(const std::string& how) { trainer().evaluate(points(40), {.batch = 16, .log = how, .program = logged(how).program}); }
void look_for_rate(const std::string& how) {
  trainer().find_lr(points(40), {.batch = 16, .steps = 3, .log = how, .program = logged(how).program});
}

/// Delivers an example after a while: a batch of four takes longer than a bar stands.
Transform slow() {
  return {"slow", [](const Shape& shape) { return shape; },
          [](std::span<const float> from, const Shape&, std::span<float> to, Draw&) {
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            std::copy(from.begin(), from.end(), to.begin());
          }};
}

}  // namespace

TEST_CASE("log: elsewhere than on a terminal one line says that programs are compiled, and each epoch has one") {
  for (const char* how : {"bar", "plain"}) {
    const std::vector<std::string> lines = lines_of(said([&] { fit(how); }));
    REQUIRE(lines.size() == 3);
    CHECK(lines[0] == "compiling the programs of training and evaluation");
    CHECK_THAT(lines[1], contains_text("epoch 1/2  loss ") && contains_text("  test ") && contains_text("/step"));
  }
  CHECK(said([] { fit("none"); }).empty());
  const std::string several =
      said([] { fit_side_by_side({{"a", trainer()}, {"b", trainer()}}, points(40), points(20, 500), logged("bar")); });
  CHECK(times(several, "compiling") == 1);
  CHECK(lines_of(several).size() == 1 + 2 * 2);
  // Nothing else than fit() says anything there.
  CHECK(said([] { evaluate("bar"); }).empty());
  CHECK(said([] { look_for_rate("bar"); }).empty());
}

TEST_CASE("log: on a terminal every program is shown while it compiles, and then the bar") {
  test::Terminal terminal(80);
  if (!terminal) return;
  {
    const StandardError redirected(fileno(terminal.file()));
    fit("bar");
  }
  const std::string text = terminal.text();
  size_t at = 0;
  for (const char* what : {"\rcompiling training, batches of 16\x1b[K", "\rcompiling training, batches of 8\x1b[K",
                           "\rcompiling evaluation, batches of 16\x1b[K", "\rcompiling evaluation, batches of 4\x1b[K", "\repoch 1/2 [",
                           "\x1b[Kepoch 1/2  loss "}) {
    INFO(what);
    at = text.find(what, at);
    REQUIRE(at != std::string::npos);
  }
  CHECK(times(text, "\n") == 2);  // the epochs' lines alone stay
}

TEST_CASE("log: on a terminal other calls that compile show it too, and leave the line clean") {
  test::Terminal terminal(80);
  if (!terminal) return;
  {
    const StandardError redirected(fileno(terminal.file()));
    evaluate("bar");
    look_for_rate("bar");
    evaluate("none");
    look_for_rate("none");
  }
  CHECK(terminal.text() ==
        "\rcompiling evaluation, batches of 16\x1b[K\rcompiling evaluation, batches of 8\x1b[K\r\x1b[K"
        "\rcompiling training, batches of 16\x1b[K\rcompiling training, batches of 8\x1b[K\r\x1b[K");
}

TEST_CASE("log: a program that does not compile leaves the line clean") {
  test::Terminal terminal(80);
  if (!terminal) return;
  {
    const StandardError redirected(fileno(terminal.file()));
    Trainer broken(nn::Linear(3, 2), cross_entropy, optim::SGD());
    CHECK_THROWS(broken.fit(points(40), logged("bar")));
  }
  CHECK(terminal.text() == "\rcompiling training, batches of 16\x1b[K\r\x1b[K");
}

TEST_CASE("log: how long compiling took is said where it took long") {
  CHECK(detail::compile_report(4, 0.9).empty());
  CHECK(detail::compile_report(4, 2.149) == "compiled 4 programs in 2.1 s");
  CHECK(detail::compile_report(1, 99.96) == "compiled 1 program in 100.0 s");
}

TEST_CASE("log: a bar shows the mean of the epoch so far, weighted as the epoch's, and the learning rate of the step") {
  test::Terminal terminal(100);
  if (!terminal) return;
  const test::TempDir dir;
  Dataset train = points(26);
  train.transforms = {slow()};
  optim::SGD sgd({.lr = 0.5});
  optim::ExponentialLR decay(sgd, {.gamma = 0.5});
  FitOptions options = logged("bar");
  options.epochs = 1, options.batch = 4, options.files.loss_curve = dir / "curve";
  {
    const StandardError redirected(fileno(terminal.file()));
    trainer(sgd).schedule(decay, Every::step).fit(train, options);
  }
  std::vector<double> losses;
  std::string line;
  std::istringstream curve(test::read_file(options.files.loss_curve));
  for (std::getline(curve, line); std::getline(curve, line);)
    losses.push_back(number_in<double>(line.substr(2, line.find(',', 2) - 2)).value());
  REQUIRE(losses.size() == 7);  // six of four, one of two
  const std::string text = terminal.text();
  int bars = 0;
  const std::regex bar(R"(\] +([0-9]+)% .*?loss ([^ ]+) +acc +[0-9.]+% +lr ([^ ]+) )");
  for (std::sregex_iterator found(text.begin(), text.end(), bar); found != std::sregex_iterator(); ++found, ++bars) {
    int64_t batches = 0;
    while (batches * 100 / 7 != number_in<int64_t>((*found)[1].str()).value()) REQUIRE(++batches <= 7);
    double sum = 0, count = 0;
    for (int64_t i = 0; i < batches; ++i) sum += losses[static_cast<size_t>(i)] * (i < 6 ? 4 : 2), count += i < 6 ? 4 : 2;
    CHECK(number_in<double>((*found)[2].str()).value() == Approx(sum / count).margin(2e-4));
    CHECK((*found)[3] == fmt::format("{:.3g}", 0.5 * std::pow(0.5, static_cast<double>(batches - 1))));
  }
  CHECK(bars >= 3);
}

TEST_CASE("log: of several models the bar shows the mean, and a learning rate that all have") {
  const Dataset train = [] {
    Dataset data = points(12);
    data.transforms = {slow()};
    return data;
  }();
  for (const double other : {0.5, 0.25}) {
    test::Terminal terminal(100);
    if (!terminal) return;
    FitOptions options = logged("bar");
    options.epochs = 1, options.batch = 4;
    {
      const StandardError redirected(fileno(terminal.file()));
      fit_side_by_side({{"a", trainer(optim::SGD({.lr = 0.5}))}, {"b", trainer(optim::SGD({.lr = other}))}}, train, points(8), options);
    }
    CHECK_THAT(terminal.text(), contains_text("%  loss ") || contains_text("/s  loss "));
    CHECK((times(terminal.text(), "  lr 0.5 ") > 0) == (other == 0.5));
  }
}

TEST_CASE("log: lines keep to 80 columns, whatever is in them") {
  const std::vector<std::vector<std::string>> names = {{""},
                                                       {"plain", "batch norm", "dropout"},
                                                       {"resnet50_with_a_name_of_some_length_a", "resnet50_with_a_name_of_some_length_b"},
                                                       {"日本日本日本日本日本日本日本日本", "ü"}};
  for (const char* how : {"bar", "plain"})
    for (const auto& models : names)
      for (const int64_t epochs : {1, 10, 100, 1'000'000})
        for (const double loss : {0.5, 12.3456, 123456.789, 1e-9, 1e300, -0.5}) {
          const std::string text = said([&] {
            detail::TrainingLog log(how, models, epochs, 100, 6400, true);
            log.begin_epoch(1);
            for (const std::string& name : models) {
              log.evaluation(name, {.step = 123'456'789, .loss = loss, .metrics = {{{"accuracy", 1}}}});
              log.end_epoch(name, {.epoch = 1,
                                   .train_loss = loss,
                                   .test_loss = loss,
                                   .train_metrics = {{{"accuracy", 1}}},
                                   .test_metrics = {{{"accuracy", 0.01}}},
                                   .step_us = 123'456'789});
            }
          });
          for (const std::string& line : lines_of(text)) CHECK(columns_of(line) <= 80);
          CHECK(times(text, "loss ") == 2 * std::ssize(models));
          if (models[0].starts_with("resnet")) CHECK((times(text, "_a") > 0 && times(text, "_b") > 0));
        }
}

TEST_CASE("log: an epoch's line has everything where one model trains for up to 100 epochs, and its numbers keep their places") {
  const auto line = [](double loss, double accuracy, int64_t epoch, double us) {
    return said([&] {
      detail::TrainingLog log("plain", {""}, 100, 100, 6400, true);
      log.end_epoch("", {.epoch = epoch,
                         .train_loss = loss,
                         .test_loss = loss,
                         .train_metrics = {{{"accuracy", accuracy}}},
                         .test_metrics = {{{"accuracy", accuracy}}},
                         .step_us = us});
    });
  };
  const std::string usual = line(0.5087, 0.8497, 7, 3035);
  CHECK(usual == "epoch   7/100  loss 0.5087   acc 84.97%  test 0.5087   acc 84.97%  3035 us/step\n");
  for (const double loss : {0.1, 12.5, 12345.0, 1e-9})
    for (const double accuracy : {0.01, 1.0})
      for (const int64_t epoch : {1, 10, 100}) {
        const std::string other = line(loss, accuracy, epoch, 12345678);
        for (const char* mark : {"loss", "acc", "test", "%  test"}) CHECK(other.find(mark) == usual.find(mark));
        CHECK(other.size() <= 81);
      }
}

TEST_CASE("log: what does not fit on an epoch's line goes on below it, and only the time of a step is left out") {
  const auto said_of = [](std::vector<std::pair<std::string, double>> metrics, bool scheduled) {
    return lines_of(said([&] {
      detail::TrainingLog log("plain", {""}, 10, 100, 6400, true);
      log.end_epoch("",
                    {.epoch = 3,
                     .train_loss = 0.5,
                     .test_loss = 0.5,
                     .train_metrics = metrics,
                     .test_metrics = metrics,
                     .step_us = 3035,
                     .learning_rate = 0.00125},
                    scheduled);
    }));
  };
  const std::vector<std::string> few = said_of({{"accuracy", 0.9}}, true);
  CHECK(few == std::vector<std::string>{"epoch  3/10  loss 0.5000   acc 90.00%  test 0.5000   acc 90.00%  lr 0.00125"});
  CHECK_THAT(said_of({{"accuracy", 0.9}}, false)[0], contains_text("us/step") && !contains_text("lr"));
  std::vector<std::pair<std::string, double>> many{{"accuracy", 0.9}};
  for (int c = 0; c < 4; ++c) many.emplace_back(fmt::format("recall{}", c), 0.25);
  const std::vector<std::string> lines = said_of(many, true);
  REQUIRE(lines.size() > 1);
  std::string all;
  for (size_t i = 0; i < lines.size(); ++i) {
    CHECK(columns_of(lines[i]) <= 80);
    CHECK((i == 0 || lines[i].starts_with("             ")));
    all += lines[i];
  }
  for (const char* what : {"recall0", "recall1", "recall2", "recall3", "acc 90.00%"}) CHECK(times(all, what) == 2);
  CHECK_THAT(all, contains_text("lr 0.00125") && contains_text("3035 us/step"));
}
