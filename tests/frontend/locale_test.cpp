// Programs of others call setlocale, and std::locale::global: under a decimal comma, every number is written and read as in C.

#include <clocale>
#include <cstdlib>
#include <locale>

#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/runtime/data/csv.h"
#include "weft/runtime/data/npy.h"
#include "weft/runtime/plot.h"
#include "weft/support/number_text.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using test::read_file;
using test::TempDir;

namespace {

struct Comma : std::numpunct<char> {
  char do_decimal_point() const override { return ','; }
  char do_thousands_sep() const override { return '.'; }
  std::string do_grouping() const override { return "\3"; }
};

/// For C++ and, where such a locale is installed or can be made in `dir`, for C.
class DecimalComma {
 public:
  explicit DecimalComma(const TempDir& dir) : before_(std::locale::global(std::locale(std::locale(), new Comma))) {
    for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "nl_NL.UTF-8", "pt_BR.UTF-8", "ru_RU.UTF-8"})
      if (std::setlocale(LC_ALL, name)) return;
    setenv("LOCPATH", dir.path().c_str(), 1);
    if (test::run_command("localedef -i de_DE -f UTF-8 " + dir / "de_DE.UTF-8").code != 0 || !std::setlocale(LC_ALL, "de_DE.UTF-8"))
      WARN("no locale with a decimal comma: only C++'s is tried");
  }
  ~DecimalComma() {
    std::setlocale(LC_ALL, "C");
    std::locale::global(before_);
    unsetenv("LOCPATH");
  }

 private:
  std::locale before_;
};

struct Files {
  History history;
  std::string curve, checkpoint;
};

/// Three epochs, stopped within the second one and resumed.
Files train(const TempDir& dir, const std::string& name) {
  const Dataset data = testing::points(1600), test = testing::points(400, 1600);
  const auto fit = [&](int64_t steps, const std::string& resume) {
    manual_seed(1);
    nn::Linear net(2, 2);
    optim::SGD sgd({.lr = 0.05});
    FitOptions o{.epochs = 3,
                 .batch = 400,
                 .stop = {.max_steps = steps},
                 .checkpoints = {.path = dir / name, .every = 1, .resume = resume},
                 .log = "none"};
    o.files.metrics = dir / name + ".jsonl", o.files.loss_curve = dir / name + ".csv";
    o.program.target = Target::reference();
    return Trainer(net, cross_entropy, sgd).fit(data, test, o);
  };
  fit(6, "");
  const History h = fit(0, dir / name);
  std::string metadata;
  for (const auto& [key, text] : read_safetensors(dir / name).metadata)
    metadata += text.substr(0, text.find("\"epochs\""));  // times are in these
  return {h, read_file(dir / name + ".csv"), metadata};
}

}  // namespace

TEST_CASE("locale: under a decimal comma, training is resumed and its files are written as in C") {
  const TempDir dir;
  const Files expected = train(dir, "c");
  const DecimalComma comma(dir);
  const Files got = train(dir, "comma");
  CHECK(got.curve == expected.curve);
  CHECK(got.checkpoint == expected.checkpoint);
  REQUIRE(got.history.epochs.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(got.history.epochs[i].train_loss == expected.history.epochs[i].train_loss);
    CHECK(got.history.epochs[i].test_loss == expected.history.epochs[i].test_loss);
    CHECK(got.history.epochs[i].test_accuracy() == expected.history.epochs[i].test_accuracy());
  }
  const std::string metrics = read_file(dir / "comma.jsonl");
  CHECK_THAT(metrics, contains_text(fmt::format("\"test_loss\":{}", expected.history.epochs[2].test_loss)));
  const Table curve = read_csv(dir / "comma.csv");
  CHECK(curve.column("loss").back() > 0);
  CHECK(curve.column("loss").back() < 1);
}

TEST_CASE("locale: under a decimal comma, tables, arrays, pictures and the text form are as in C") {
  const TempDir dir;
  const auto write_all = [&](const std::string& name) {
    Graph g("f");
    Parameter w("w", {1234.5, 0.25});
    g.output("y", w * 1.5 + 12345678.25);
    const std::string text = g.ir();
    write_npy(dir / name + ".npy", Array(f32, Shape{12345, 1}));
    return text;
  };
  const std::string text = write_all("c");
  const DecimalComma comma(dir);
  CHECK(write_all("comma") == text);
  CHECK(ir::print(ir::parse(text)) == text);
  CHECK(read_file(dir / "comma.npy") == read_file(dir / "c.npy"));
  CHECK(read_npy(dir / "comma.npy").shape() == Shape{12345, 1});
  CHECK(read_csv(dir.write("t.csv", "a,b\n1.5,-2.25e3\n")).column("b") == std::vector<double>{-2250});
  CHECK_THROWS_WITH(read_csv(dir.write("t.csv", "a;b\n1,5;2\n")), contains_text(":2: 2 fields, but the header has 1"));
  CHECK(number_in<double>("1.5") == 1.5);
  CHECK(number_in<double>("1,5") == std::nullopt);
  CHECK(number_in<int64_t>("12345") == 12345);
  CHECK(number_in<int64_t>("12.345") == std::nullopt);
}
