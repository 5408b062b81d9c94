// Where the parts of a picture stand: ticks, the legend beside the frame, images in a grid.

#include <cmath>
#include <regex>

#include "weft/support/number_text.h"
#include "weft/tests/runtime/gnuplot_support.h"

using namespace weft;
using test::drawn;
using test::script_of;

namespace {

std::string script(const Plot& plot, int width = 800, int height = 500) {
  return script_of([&](const std::string& path) { plot.save(path, width, height); });
}

Plot line_over(std::vector<double> x) {
  Plot plot;
  std::vector<double> y(x.size(), 0.5);
  plot.line("y", std::move(x), std::move(y));
  return plot;
}

/// The distance of ticks that the plot asks for, 0 where it leaves them to gnuplot.
double tick_step(const Plot& plot, int width = 800) {
  const std::string text = script(plot, width);
  std::smatch found;
  return std::regex_search(text, found, std::regex("set xtics ([0-9]+)\n")) ? number_in<double>(found[1].str()).value() : 0;
}

/// Groups of `pattern` where it first stands in `text`, as numbers.
std::vector<double> numbers(const std::string& text, const std::string& pattern) {
  std::smatch found;
  REQUIRE(std::regex_search(text, found, std::regex(pattern)));
  std::vector<double> all;
  for (size_t i = 1; i < found.size(); ++i) all.push_back(number_in<double>(found[i].str()).value());
  return all;
}

/// The share of the picture's width that the frame's right side leaves.
double beside_frame(const Plot& plot, int width, int height) {
  const std::string svg = drawn([&](const std::string& path) { plot.save(path, width, height); });
  // The frame: down the left side, along the bottom, up the right side.
  const std::vector<double> frame =
      numbers(svg, "d='M([0-9.]+),[0-9.]+ L[0-9.]+,[0-9.]+ L([0-9.]+),[0-9.]+ L[0-9.]+,[0-9.]+ L[0-9.]+,[0-9.]+ Z");
  return 1 - frame[1] / width;
}

Plot layers(int count) {
  Plot plot{.title = "norms", .x_label = "step", .y_label = "norm"};
  for (int i = 0; i < count; ++i) plot.line("encoder.layers." + std::to_string(i) + ".self_attention.out_proj", {1, 2, 3}, {1, 2, 3});
  return plot;
}

Dataset images(int64_t height, int64_t width, int64_t count = 3) {
  Dataset data{.inputs = Array(u8, {count, 1, height, width}), .targets = Array(i64, {count}), .divisor = 255};
  data.name = "shapes";
  return data;
}

const std::vector<int64_t> three{0, 1, 2};

}  // namespace

TEST_CASE("plot: epochs and steps are ticked at whole numbers") {
  CHECK(tick_step(line_over({1, 2})) == 1);
  CHECK(tick_step(line_over({1, 2, 3})) == 1);
  CHECK(tick_step(line_over({0, 10})) == 1);
  CHECK(tick_step(line_over({1, 12})) == 2);
  CHECK(tick_step(line_over({1, 40})) == 5);
  CHECK(tick_step(line_over({1, 200})) == 20);
  CHECK(tick_step(line_over({1, NAN, 3})) == 1);
  CHECK(tick_step(line_over({1, 1'000'000})) == 200'000);  // longer numbers, fewer of them
  CHECK(tick_step(line_over({1, 8}), 200) > 1);
  // Wherever ticks stand, at most ten steps lie between the ends.
  for (double most = 2; most < 1e12; most = std::ceil(most * 1.7)) {
    const double step = tick_step(line_over({1, most}));
    CHECK(step >= 1);
    CHECK((most - 1) / step <= 10);
  }
  Plot limited = line_over({1, 2, 3});
  limited.x_limits = {0.5, 40.5};
  CHECK(tick_step(limited) == 5);
  limited.x_limits = {3, 1};  // from right to left
  CHECK(tick_step(limited) == 1);
}

TEST_CASE("plot: other axes have gnuplot's ticks") {
  CHECK(tick_step(line_over({1, 1.5, 2})) == 0);
  CHECK(tick_step(line_over({1e-8, 1})) == 0);
  CHECK(tick_step(line_over({1, 1e18})) == 0);
  Plot plot = line_over({1, 10, 100});
  plot.log_x = true;
  CHECK(tick_step(plot) == 0);
  plot = line_over({1, 2});
  plot.points("readings", {1.5}, {2});
  CHECK(tick_step(plot) == 0);
  plot = line_over({1, 2, 3});
  plot.x_limits = {1.2, 1.8};
  CHECK(tick_step(plot) == 0);
}

TEST_CASE("plot: one epoch is in the middle, at its number") {
  CHECK_THAT(script(line_over({1})), contains_text("set xtics 1\nset format x '%.0f'\nset xrange [0.5:1.5]\n"));
  if (!test::has_gnuplot()) return;
  const std::string svg = drawn([](const std::string& path) { line_over({1}).save(path); });
  CHECK_THAT(svg, contains_text("> 1<") || contains_text(">1<"));
  CHECK(svg.find(">0.9") == std::string::npos);
  CHECK(svg.find(">1.5<") == std::string::npos);
}

TEST_CASE("plot: a legend names what differs in its series, and no more of them than it has lines") {
  const std::string few = script(layers(4));
  for (int i = 0; i < 4; ++i)
    CHECK_THAT(few, contains_text("title \"encoder.layers." + std::to_string(i)) || contains_text("layers." + std::to_string(i)));
  CHECK(few.find("more\"") == std::string::npos);
  const std::string many = script(layers(40));
  CHECK_THAT(many, contains_text("title \"and 18 more\"\n") && contains_text("title \"\""));
  CHECK_THAT(script(layers(40), 800, 1000), !contains_text("more\""));
  Plot titled = layers(1);
  titled.title = std::string(200, 'x');
  CHECK_THAT(script(titled), contains_text("xxx...xxx") && !contains_text(std::string(101, 'x')));
}

TEST_CASE("plot: a legend leaves the frame most of the picture") {
  if (!test::has_gnuplot()) return;
  for (const int count : {1, 3, 22, 40, 200}) {
    INFO(count);
    CHECK(beside_frame(layers(count), 800, 500) < 0.29);
    CHECK(beside_frame(layers(count), 1200, 400) < 0.29);
    CHECK(beside_frame(layers(count), 480, 320) < 0.32);
  }
  Plot plain;
  plain.line("training", {1, 2}, {1, 2});
  plain.line("test", {1, 2}, {2, 1});
  CHECK(beside_frame(plain, 800, 500) < 0.2);
  Plot wide;
  for (int i = 0; i < 3; ++i) wide.line("日本日本日本日本日本日本日本日本日本日本" + std::to_string(i), {1, 2}, {1, 2});
  CHECK(beside_frame(wide, 800, 500) < 0.29);
}

TEST_CASE("plot: an image's pixels are squares, whatever its shape, its captions and the grid's title") {
  const std::string long_title(70, 't');
  struct Shown {
    int64_t height, width, columns;
    std::string title;
    std::vector<std::string> captions;
  };
  for (const Shown& s : {Shown{28, 28, 8, "", {}}, Shown{64, 8, 8, "x", {}}, Shown{8, 64, 2, "x", {}}, Shown{1, 1, 1, "", {}},
                         Shown{300, 200, 3, long_title, {}}, Shown{28, 28, 2, long_title, {"a", "b\nc", std::string(100, 'l')}},
                         Shown{1, 50, 8, "x", {"", "", ""}}}) {
    INFO(s.height << " x " << s.width);
    const auto save = [&](const std::string& path) {
      save_image_grid(path, images(s.height, s.width), three, s.title, s.columns, s.captions);
    };
    const std::string text = script_of(save);
    const double width = numbers(text, "set xrange \\[-0.5:([0-9.]+)\\]")[0] + 0.5,
                 height = numbers(text, "set yrange \\[([0-9.]+):")[0] + 0.5;
    const std::vector<double> size = numbers(text, " size ([0-9]+),([0-9]+) ");
    const std::vector<double> at =
        numbers(text,
                "set lmargin at screen ([0-9.]+)\nset rmargin at screen ([0-9.]+)\nset bmargin at screen ([0-9.]+)\n"
                "set tmargin at screen ([0-9.]+)\n");
    CHECK((at[1] - at[0]) * size[0] / width == Approx((at[3] - at[2]) * size[1] / height));
    if (!test::has_gnuplot()) continue;
    const std::vector<double> image = numbers(drawn(save), "<image x='[0-9.]+' y='[0-9.]+' width='([0-9.]+)' height='([0-9.]+)'");
    CHECK(image[0] / width == Approx(image[1] / height).epsilon(0.01));
  }
}

TEST_CASE("plot: captions stand above their images, line by line") {
  const auto with = [](const std::vector<std::string>& captions) {
    return script_of([&](const std::string& path) { save_image_grid(path, images(20, 20), three, "", 8, captions); });
  };
  const std::string text = with({"cat\n(is a dog)", "it's 5", ""});
  CHECK_THAT(text, contains_text("set label \"cat\" at 9.5,") && contains_text("set label \"(is a dog)\" at 9.5,") &&
                       contains_text("set label \"it's 5\" at ") && contains_text("set label \"\" at "));
  const double first = numbers(text, "set label \"cat\" at [0-9.]+,([0-9.]+)")[0],
               second = numbers(text, "set label \"\\(is a dog\\)\" at [0-9.]+,([0-9.]+)")[0];
  const double alone = numbers(text, "set label \"it's 5\" at [0-9.]+,([0-9.]+)")[0];
  CHECK(first < second);
  CHECK(second == alone);
  // Longer captions move images apart, up to a bound.
  const auto apart = [&](const std::string& caption) { return numbers(with({caption, "x", "x"}), "set xrange \\[-0.5:([0-9.]+)\\]")[0]; };
  CHECK(apart("x") < apart(std::string(18, 'x')));
  CHECK(apart(std::string(60, 'x')) == apart(std::string(90, 'x')));
  CHECK_THAT(with({std::string(90, 'x'), "", ""}), contains_text("xx...xx"));
  CHECK_THROWS_WITH(save_image_grid("x.svg", images(2, 2), three, "", 8, {"a", "b"}),
                    "an image grid needs a caption for each of its 3 images, or none, not 2");
}
