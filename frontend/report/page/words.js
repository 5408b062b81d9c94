// What the words mean (docs/words.md, which the page holds): a list, and a note where one of them is underlined.
/** In the order of the list: {word, forms, text, section}. In a reason of a remark, "…" stands for what differs. */
const dictionary = (() => {
  const entries = [];
  let section = "";
  for (const line of byId("words-text").textContent.split("\n")) {
    const title = line.match(/^## (.*)$/), entry = line.match(/^\* \*\*(.+?)\*\*(?: \((.+?)\))?: (.*)$/);
    if (title) section = title[1];
    else if (entry) entries.push({word: entry[1], forms: (entry[2] || "").split(", ").filter((form) => form), text: entry[3], section});
  }
  return entries;
})();
const reasonSection = "Reasons of remarks";
const entryByWord = new Map(dictionary.filter((e) => e.section !== reasonSection).flatMap((e) => [e.word, ...e.forms].map((form) => [form.toLowerCase(), e])));
const anyWord = new RegExp(`(?<![\\w-])(${[...entryByWord.keys()].sort((a, b) => b.length - a.length).map((word) => word.replace(/[^\w ]/g, "\\$&")).join("|")})(?![\\w-])`, "gi");
const meaning = (entry) => `${entry.word}: ${entry.text.replaceAll("`", "")}`;
const withCode = (text) => text.split("`").map((part, i) => (i % 2 ? make("code", {}, part) : part));

/** Marks the words in a text, each where it comes first. */
function spoken(text) {
  const parts = [], seen = new Set();
  let from = 0;
  for (const found of text.matchAll(anyWord)) {
    const entry = entryByWord.get(found[0].toLowerCase());
    if (seen.has(entry)) continue;
    seen.add(entry);
    parts.push(text.slice(from, found.index), make("span", {class: "word", ...withTip(meaning(entry))}, found[0]));
    from = found.index + found[0].length;
  }
  return [...parts, text.slice(from)];
}

/** For the title of a column, if it is such a word. */
const tipOfWord = (word) => (entryByWord.has(word.toLowerCase()) ? withTip(meaning(entryByWord.get(word.toLowerCase()))) : {});

/** What is said of a remark's reason: the longest that fits. */
function meaningOfRemark(remark) {
  const fits = (entry) => entry.word.split("…").every((part) => remark.why.includes(part.trim()));
  const reason = dictionary.filter((entry) => entry.section === reasonSection && fits(entry)).sort((a, b) => b.word.length - a.word.length)[0];
  return (reason || entryByWord.get(remark.what) || {text: ""}).text.replaceAll("`", "");
}

/** A reason of a remark, or the kind of it, underlined: pointing at it says what it means. */
const explained = (text, remark) => make("span", {class: "word", ...withTip(meaningOfRemark(remark))}, text);

function showWords() {
  const filter = make("input", {type: "search", placeholder: "Only words with this …"}), list = make("div");
  const fill = () => {
    const wanted = filter.value.toLowerCase(), kept = dictionary.filter((entry) => [entry.word, ...entry.forms, entry.text].join(" ").toLowerCase().includes(wanted));
    list.replaceChildren(...[...new Set(kept.map((entry) => entry.section))].flatMap((section) => [make("h2", {}, section),
      make("dl", {class: "words"}, kept.filter((entry) => entry.section === section).flatMap((entry) => [make("dt", {}, entry.word), make("dd", {}, withCode(entry.text))]))]));
  };
  filter.addEventListener("input", fill);
  byId("words").replaceChildren(make("p", {class: "note"}, "What the words of this page mean. Where one is underlined, pointing at it says so, too."), make("div", {class: "filter"}, filter), list);
  fill();
}
