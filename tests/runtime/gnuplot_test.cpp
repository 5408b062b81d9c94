// What is drawn are the texts that were given, whatever they hold, in files of any name.

#include "weft/runtime/gnuplot.h"

#include <filesystem>

#include "weft/runtime/columns.h"
#include "weft/tests/runtime/gnuplot_support.h"

using namespace weft;

namespace {

const std::vector<std::string> nasty = {"it's",
                                        "'",
                                        "''",
                                        "'a'",
                                        "\"a\"",
                                        "\"",
                                        "\"\"",
                                        "\\",
                                        "a\\",
                                        "\\n",
                                        "\\\"",
                                        "a\\'b",
                                        "{/Bold x}",
                                        "x_1^2",
                                        "@x",
                                        "~a{.8b}",
                                        "&{x}",
                                        "<b>&amp;",
                                        "]]>",
                                        "%s %d",
                                        "`ls`",
                                        "$x",
                                        "#a",
                                        "ü€日本",
                                        "\xf0\x9f\x98\x80",
                                        "a\nb",
                                        "a\tb",
                                        "a\rb",
                                        "a\x1b[0m",
                                        "\xff\xfe",
                                        "\xc3",
                                        std::string("a\0b", 3),
                                        "end",
                                        "-",
                                        "notitle",
                                        "columnhead"};

/// What gnuplot's lexer makes of a string in double quotes that has no escapes but octal ones.
std::string read_back(const std::string& quoted) {
  REQUIRE(quoted.size() >= 2);
  REQUIRE((quoted.front() == '"' && quoted.back() == '"'));
  std::string text;
  for (size_t i = 1; i + 1 < quoted.size(); ++i) {
    const char c = quoted[i];
    REQUIRE(static_cast<unsigned char>(c) >= 0x20);
    REQUIRE((c != '"' && c != '`'));
    if (c != '\\') {
      text += c;
      continue;
    }
    text += static_cast<char>(std::stoi(quoted.substr(i + 1, 3), nullptr, 8));
    i += 3;
  }
  return text;
}

Dataset one_image(const std::string& class_name) {
  Dataset data{.inputs = Array(u8, {1, 1, 4, 4}), .targets = Array(i64, {1}), .divisor = 255};
  data.class_names = {class_name};
  return data;
}

int times(const std::string& in, const std::string& what) {
  int count = 0;
  for (size_t at = 0; (at = in.find(what, at)) != std::string::npos; at += what.size()) ++count;
  return count;
}

/// As SVG holds it between tags.
std::string in_xml(std::string text) {
  std::string result;
  for (const char c : text) result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return result;
}

}  // namespace

TEST_CASE("gnuplot: any bytes are a string of its, with nothing in it that its lexer takes for more") {
  for (const std::string& text : nasty) {
    CHECK(read_back(detail::gnuplot_quoted(text)) == text);
    if (text != "]]>") CHECK(read_back(detail::gnuplot_text(text)) == one_line(text));
  }
  CHECK(read_back(detail::gnuplot_text("]]>")) == "]] >");  // which XML forbids
  CHECK(read_back(detail::gnuplot_quoted("\1"
                                         "23")) ==
        "\1"
        "23");  // digits after an escape are none of its
}

TEST_CASE("gnuplot: titles, labels, legends and captions are drawn as they are") {
  if (!test::has_gnuplot()) return;
  for (const std::string& text : nasty) {
    INFO(text);
    Plot plot{.title = text, .x_label = text, .y_label = text};
    plot.line(text, {1, 2}, {1, 2});
    const std::string element = "<text>" + in_xml(text == "]]>" ? "]] >" : one_line(text)) + "</text>";
    CHECK(times(test::drawn([&](const std::string& path) { plot.save(path); }), element) == 4);
    const std::vector<int64_t> first{0};
    CHECK(times(test::drawn([&](const std::string& path) { save_image_grid(path, one_image(text), first, text); }), element) == 2);
    const std::string captioned =
        test::drawn([&](const std::string& path) { save_image_grid(path, one_image("x"), first, text, 1, {text}); });
    if (text.find('\n') == std::string::npos) CHECK(times(captioned, element) == 2);
  }
}

TEST_CASE("gnuplot: a picture stands in the file that was named, whatever the name") {
  if (!test::has_gnuplot()) return;
  const test::TempDir dir;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(dir.path());
  Plot plot;
  plot.line("y", {1, 2}, {3, 4});
  for (const std::string name : {"it's.svg", "'.svg", "~x.svg", "~/x.svg", "|cat>y.svg", "a b.svg", "`ls`.svg", "\".svg", "-x.svg",
                                 "a\nb.svg", "$HOME.svg", "a\\b.svg", "#x.svg", "@x.svg", "\xff.svg", "x.png"}) {
    INFO(name);
    if (name == "~/x.svg") std::filesystem::create_directory("~");
    plot.save(name);
    CHECK(std::filesystem::file_size(name) > 500);
    CHECK_FALSE(std::filesystem::exists(name + ".gp"));
  }
  CHECK(std::distance(std::filesystem::directory_iterator("."), {}) == 16);
  std::filesystem::current_path(before);
}
