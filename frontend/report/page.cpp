#include "weft/frontend/report/page.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "weft/frontend/report/packed.h"
#include "weft/frontend/report/page_files.h"
#include "weft/frontend/report/replay.h"
#include "weft/frontend/report/stages.h"
#include "weft/ir/equal.h"
#include "weft/passes/lowered.h"

namespace weft::detail {
namespace {

namespace fs = std::filesystem;

/// A page is to stay small enough to be sent: what is larger is left out, and the page says so.
constexpr size_t most_of_a_source = 400'000, most_of_kernels = 5'000'000, most_remarks = 3000;

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// Where a file may lie: where the page's maker says, in the current folder, and beside or above the program that runs, for a compiler
/// names files from the folder that it built in.
std::vector<fs::path> places_of(const Page& page, const std::string& file) {
  std::vector<fs::path> all{page.source_path ? page.source_path(file) : file, file};
  std::error_code error;
  fs::path folder = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (; fs::path(file).is_relative() && folder.has_relative_path(); folder = folder.parent_path()) all.push_back(folder / file);
  return all;
}

/// The text of each file that can be read here, under "sources", and of the others, under "no_sources", why there is none.
void add_sources(Json& facts, const Page& page, const std::vector<std::string>& files) {
  Json& texts = facts["sources"] = Json::object();
  Json& none = facts["no_sources"] = Json::object();
  for (const std::string& file : files) {
    const std::vector<fs::path> places = places_of(page, file);
    std::error_code error;
    const auto found = std::find_if(places.begin(), places.end(), [&](const fs::path& path) { return fs::is_regular_file(path, error); });
    std::string text;
    if (found == places.end())
      none[file] = "no such file was found from the folder in which the page was made, nor from that of the program";
    else if (fs::file_size(*found, error) > most_of_a_source) none[file] = "it is larger than 400 KB";
    else if (text = content_of(*found); text.empty()) none[file] = "it is empty, or cannot be read";
    else texts[file] = std::move(text);
  }
}

/// What each launch is of, by the op's id in the last stage.
Json launches_of(const ir::Graph& graph, const Stages& stages) {
  Json ids = Json::array();
  for (const passes::LaunchedOp& launched : passes::launched_ops(graph)) ids.push_back(stages.id_of(*launched.outermost));
  return ids;
}

Json kernels_of(const std::vector<KernelText>& kernels) {
  Json all = Json::object();
  size_t bytes = 0;
  for (const KernelText& kernel : kernels) {
    const KernelText::Form& form = kernel.forms.front();
    bytes += form.text.size();
    const bool fits = bytes <= most_of_kernels;
    all[kernel.name] = {{"kind", name_of(form.kind)}, {"text", fits ? Json(form.text) : Json()}};
  }
  return all;
}

/// Of a call only its times and what they are compared with, [us, waiting_us, least_us, computes_in]: the rest stands with the fused calls.
Json times_of(const Profile& profile) {
  Json json = to_json(profile);
  Json calls = Json::array();
  for (const ProfileRow& call : profile.calls) calls.push_back({call.microseconds, call.waiting, call.least, name_of(call.computes_in)});
  json["calls"] = std::move(calls);
  return json;
}

/// Of each op of the replayed module.
std::vector<std::vector<int>> made_of(const Replay& replay) {
  std::vector<std::vector<int>> all;
  for (const ir::Op* op : replay.module().graph().ops()) all.push_back(replay.made_of(*op));
  return all;
}

/// What was dumped. Of what the ops are made is known where the passes make the same of it here.
Stages dumped_stages(const Page& page, Replay& replay) {
  Stages stages;
  auto next = page.passes.begin();
  for (size_t i = 0; i < page.stages.size(); ++i) {
    const ir::Module& module = i + 1 == page.stages.size() ? page.planned : page.stages[i];
    if (const auto at = std::find(next, page.passes.end(), module.stage); at != page.passes.end())
      for (; next <= at; ++next) replay.run(*next);
    const bool changed = i == 0 || !ir::equal(module.graph(), page.stages[i - 1].graph());
    const bool same = ir::equal(module.graph(), replay.module().graph(), ir::Compare::ignore_locations);
    stages.add(module.stage.empty() ? "recorded" : module.stage, module, changed, 0,
               same ? made_of(replay) : std::vector<std::vector<int>>());
  }
  for (; next != page.passes.end(); ++next) replay.run(*next);
  return stages;
}

/// Every pass, then the program that was run.
Stages stages_of(const Page& page, Replay& replay) {
  if (!page.stages.empty()) return dumped_stages(page, replay);
  Stages stages;
  if (page.passes.empty()) {
    stages.add(page.planned.stage, page.planned, true, 0);
    return stages;
  }
  stages.add(page.recorded.stage.empty() ? "recorded" : page.recorded.stage, replay.module(), true, 0, made_of(replay));
  for (const std::string& name : page.passes) {
    const passes::PassRun here = replay.run(name);
    const auto first = std::find_if(page.runs.begin(), page.runs.end(), [&](const passes::PassRun& r) { return r.name == name; });
    const double milliseconds = first == page.runs.end() ? here.milliseconds : first->milliseconds;
    const bool last = &name == &page.passes.back(), as_run = replay.module().graph().ops().size() == page.planned.graph().ops().size();
    if (last) stages.add(name, page.planned, true, milliseconds, as_run ? made_of(replay) : std::vector<std::vector<int>>());
    else stages.add(name, replay.module(), here.changed, milliseconds, made_of(replay));
  }
  return stages;
}

Json facts_of(const Page& page) {
  Replay replay(page.recorded, page.target);
  Stages stages = stages_of(page, replay);
  const ir::Graph& shown = page.planned.graph();
  Json facts{{"program", shown.name()}, {"target", page.target.name()}};
  add_sources(facts, page, stages.files());
  const bool is_planned = page.planned.arena_bytes.has_value();
  if (is_planned) {
    facts["launches"] = launches_of(shown, stages);
    facts["memory"] = to_json(memory_plan(page.planned));
    Fusion fusion = fusion_of(page.planned.graph(), page.calls, replay);
    const size_t kept = std::min(fusion.remarks.size(), most_remarks);
    facts["remarks_left_out"] = fusion.remarks.size() - kept;
    fusion.remarks.erase(fusion.remarks.begin() + static_cast<std::ptrdiff_t>(kept), fusion.remarks.end());
    for (FusedCall& call : fusion.calls) call.body.clear();  // the stages have it
    facts["fusion"] = to_json(fusion);
  }
  if (!page.profile.empty()) facts["profile"] = times_of(page.profile);
  facts["kernels"] = kernels_of(page.kernels);
  facts["losses"] = page.losses;
  facts["recorded"] = replay.recorded();
  facts["graph"] = std::move(stages).json();
  return facts;
}

/// Nothing in it ends the element that holds it.
std::string in_html(const Json& facts) {
  const std::string json = facts.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string text;
  text.reserve(json.size() + json.size() / 16);
  for (char c : json) {
    if (c == '<') text += "\\u003c";
    else text += c;
  }
  return text;
}

/// What is larger is packed: a page of a thousand ops would have megabytes otherwise, most of them the same names again and again.
constexpr size_t most_plain = 1'000'000;

/// The name of a program may hold anything.
std::string escaped(const std::string& text) {
  std::string all;
  for (char c : text) {
    if (c == '<') all += "&lt;";
    else if (c == '&') all += "&amp;";
    else all += c;
  }
  return all;
}

/// The page with its parts in the places that it has for them: {{facts}}.
std::string filled(std::string_view page, const std::map<std::string_view, std::string_view>& parts) {
  std::string text;
  for (size_t open; (open = page.find("{{")) != std::string_view::npos;) {
    const size_t close = page.find("}}", open);
    text += page.substr(0, open);
    text += parts.at(page.substr(open + 2, close - open - 2));
    page.remove_prefix(close + 2);
  }
  return text += page;
}

}  // namespace

std::string page_text(const Page& page) {
  const std::string title = escaped(page.planned.graph().name());
  std::string facts = in_html(facts_of(page));
  const bool plain = facts.size() <= most_plain;
  if (!plain) facts = packed(facts);
  return filled(page_html, {{"title", title},
                            {"style", page_style},
                            {"words", page_words},
                            {"facts type", plain ? "application/json" : "text/plain"},
                            {"facts", facts},
                            {"script", page_script}});
}

}  // namespace weft::detail
