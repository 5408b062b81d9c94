#include "weft/runtime/plot.h"

#include <cmath>
#include <cstdlib>
#include <numeric>

#include "weft/tests/runtime/gnuplot_support.h"

using namespace weft;
using test::OnlyIn;

namespace {

Plot curves() {
  Plot plot{.title = "Sam's \"losses\"\n100 %", .x_label = "epoch", .y_label = "loss"};
  plot.line("train_1", {1, 2, 3, 4}, {1, 0.5, NAN, 0.25});
  plot.points("test", {1.5, 2.5}, {0.75, INFINITY});
  return plot;
}

/// Two images: red and blue on top of each other, and f32 grey.
Dataset coloured() {
  Array x(u8, {2, 3, 2, 2});
  for (int64_t i : {0, 1, 10, 11}) x.set(i, 255);
  Dataset data{.inputs = std::move(x), .targets = Array::of<int64_t>({2}, std::vector<int64_t>{1, 7}), .divisor = 255};
  data.class_names = {"it's", "flag_1"};
  data.name = "coloured";
  return data;
}

}  // namespace

TEST_CASE("plot: without gnuplot its script is left, with the data") {
  const test::TempDir dir, empty;
  Plot plot = curves();
  plot.x_limits = {0, 5};
  plot.log_y = true;
  {
    const OnlyIn path(empty.path());
    plot.save(dir / "loss.svg", 640, 480);
  }
  CHECK_FALSE(std::filesystem::exists(dir / "loss.svg"));
  CHECK(test::read_file(dir / "loss.svg.gp") ==
        "set terminal svg size 640,480 noenhanced background rgb 'white' font 'sans,12'\nset encoding utf8\nset output \"" +
            dir / "loss.svg" +
            "\"\nset title \"Sam's \\042losses\\042 100 %\"\nset xlabel \"epoch\"\nset ylabel \"loss\"\n"
            "set xrange [0:5]\nset logscale y\nset format y '%.0e'\nset grid lc rgb '#DDDDDD' lt 1\nset key outside right top vertical "
            "Left reverse samplen 2 width -1 font ',10'\n"
            "$data0 << end\n1 1\n2 0.5\n3 nan\n4 0.25\nend\n$data1 << end\n1.5 0.75\n2.5 nan\nend\n"
            "plot $data0 using 1:2 with linespoints lw 2 pt 7 ps 0.4 lc rgb '#0072B2' title \"train_1\","
            " $data1 using 1:2 with points pt 7 ps 0.8 lc rgb '#D55E00' title \"test\"\n");
  plot.grid = plot.legend = false;
  plot.y_limits = {0.5, 1};
  {
    const OnlyIn path(empty.path());
    plot.save(dir / "loss.png");
  }
  const std::string script = test::read_file(dir / "loss.png.gp");
  CHECK_THAT(script, contains_text("set terminal pngcairo size 800,500 noenhanced") && contains_text("set yrange [0.5:1]\n") &&
                         contains_text("unset key\n"));
  CHECK(script.find("set grid") == std::string::npos);
}

TEST_CASE("plot: more curves than colours are told apart by dashes") {
  const test::TempDir dir, empty;
  Plot plot;
  for (int i = 0; i < 9; ++i) plot.line(std::to_string(i), {1, 2}, {3, 4});
  plot.points("readings", {1, 2}, {3, 4});
  {
    const OnlyIn path(empty.path());
    plot.save(dir / "many.svg");
  }
  CHECK_THAT(test::read_file(dir / "many.svg.gp"), contains_text("lc rgb '#0072B2' title \"0\"") &&
                                                       contains_text("lc rgb '#0072B2' dt 2 title \"8\"") &&
                                                       contains_text("lc rgb '#D55E00' title \"readings\""));
}

TEST_CASE("plot: an image grid places pixels and labels") {
  const test::TempDir dir, empty;
  {
    const OnlyIn path(empty.path());
    save_image_grid(dir / "grid.png", coloured(), std::vector<int64_t>{0, 1, 0}, "some", 2);
  }
  const std::string script = test::read_file(dir / "grid.png.gp");
  // White labels; the first image: upper row red, lower row blue; a gap of 1; the second is black.
  CHECK_THAT(script, contains_text("$pixels << end\n0 0 255 255 255\n") &&
                         contains_text("\n0 1 255 0 0\n1 1 255 0 0\n2 1 255 255 255\n3 1 0 0 0\n4 1 0 0 0\n0 2 0 0 255\n1 2 0 0 255\n"));
  CHECK_THAT(script, contains_text("\n0 4 255 0 0\n1 4 255 0 0\n2 4 255 255 255\n3 4 255 255 255\n"));  // the third, below the first
  CHECK_THAT(script, contains_text("set label \"flag_1\" at 0.5,0.3125 ") && contains_text("set label \"7\" at 3.5,0.3125 "));
  CHECK_THAT(script, contains_text("set xrange [-0.5:4.5]\nset yrange [5.5:-0.5]\n") && contains_text("set title \"some\""));
}

TEST_CASE("plot: an image of one channel is grey, from 0 to the divisor") {
  const test::TempDir dir, empty;
  Dataset grey{.inputs = Array(f32, {2, 1, 1, 3}), .targets = Array(f32, {2}), .divisor = 2};
  const double levels[] = {9, 9, 9, -1, 1, 3};
  for (int64_t i = 0; i < 6; ++i) grey.inputs.set(i, levels[i]);
  grey.targets.set(1, 2.5);
  {
    const OnlyIn path(empty.path());
    save_image_grid(dir / "grey.svg", grey, std::vector<int64_t>{1});
  }
  const std::string script = test::read_file(dir / "grey.svg.gp");
  CHECK_THAT(script, contains_text("\n0 1 0 0 0\n1 1 128 128 128\n2 1 255 255 255\nend\n") && contains_text("set label \"2.5\" at 1,"));
}

TEST_CASE("plot: a folder in the place of a picture is refused, and stays; so does a link to an old one") {
  const test::TempDir dir, empty;
  Plot plot;
  plot.line("y", {1, 2}, {3, 4});
  std::filesystem::create_directory(dir / "loss.svg");
  std::filesystem::create_directory(dir / "other.svg.gp");
  CHECK_THROWS_WITH(plot.save(dir / "loss.svg"), "cannot draw '" + dir / "loss.svg" + "': '" + dir / "loss.svg" + "' is a folder");
  CHECK_THROWS_WITH(plot.save(dir / "other.svg"), "cannot draw '" + dir / "other.svg" + "': '" + dir / "other.svg.gp" + "' is a folder");
  CHECK(std::filesystem::is_directory(dir / "loss.svg"));
  dir.write("real.svg", "old");
  std::filesystem::create_symlink("real.svg", dir / "link.svg");
  const OnlyIn path(empty.path());
  plot.save(dir / "link.svg");
  CHECK(std::filesystem::is_symlink(dir / "link.svg"));
  CHECK_FALSE(std::filesystem::exists(dir / "real.svg"));
}

TEST_CASE("plot: gnuplot draws") {
  if (!test::has_gnuplot()) return;
  const test::TempDir dir;
  curves().save(dir / "it's.svg");
  CHECK_THAT(test::read_file(dir / "it's.svg"), contains_text("<svg") && contains_text("train_1") && contains_text("Sam's"));
  curves().save(dir / "loss.png");
  CHECK(test::read_file(dir / "loss.png").starts_with("\x89PNG"));
  save_image_grid(dir / "grid.png", coloured(), std::vector<int64_t>{0, 1});
  CHECK(test::read_file(dir / "grid.png").starts_with("\x89PNG"));
  CHECK_FALSE(std::filesystem::exists(dir / "loss.png.gp"));
}

TEST_CASE("plot: what gnuplot cannot do is told in its words") {
  const test::TempDir dir, tools;
  std::filesystem::permissions(tools.write("gnuplot", "#!/bin/sh\necho 'no such font'; exit 1\n"), std::filesystem::perms::owner_all);
  const OnlyIn path(tools.path());
  CHECK_THROWS_WITH(curves().save(dir / "x.png"), contains_text("gnuplot cannot draw") && contains_text("no such font"));
}

TEST_CASE("plot: misuse") {
  Plot plot;
  CHECK_THROWS_WITH(plot.line("loss", {1, 2}, {1}), "the plot's series 'loss' has 2 x but 1 y");
  CHECK_THROWS_WITH(plot.save("x.svg"), "cannot draw 'x.svg': the plot has no finite point");
  plot.line("loss", {1}, {1});
  CHECK_THROWS_WITH(plot.save("x.jpg"), "cannot draw 'x.jpg': the name of a picture ends in .svg or .png");
  CHECK_THROWS_WITH(plot.save("/nowhere/x.svg"), contains_text("cannot write '/nowhere/x.svg.gp'"));
  const Dataset data = coloured();
  CHECK_THROWS_WITH(save_image_grid("x.svg", data, std::vector<int64_t>{2}),
                    "data set 'coloured' has no example 2: it has 2, counted from 0");
  CHECK_THROWS_WITH(save_image_grid("x.svg", data, {}), "an image grid needs an image and a column, not 0 and 8");
  Dataset flat{.inputs = Array(f32, {2, 4}), .targets = Array(i64, {2})};
  CHECK_THROWS_WITH(save_image_grid("x.svg", flat, std::vector<int64_t>{0}), contains_text("has f32 [2,4]"));
}
