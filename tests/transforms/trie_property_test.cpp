// Random transforms over random keys: the trie must give what one by one gives, whichever loop runs.
#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "transforms/check_against_plain.h"
#include "transforms/kernels.h"
#include "transforms/rename_run.h"
#include "transforms/renaming.h"

using namespace keyshift;

namespace {

template <class T>
T one_of(std::vector<T> choices) {
  return *rc::gen::elementOf(std::move(choices));
}

bool one_in(int n) { return *rc::gen::inRange(0, n) == 0; }
int up_to(int most) { return *rc::gen::inRange(0, most + 1); }

// Numbers that look alike are what the trie could get wrong.
std::string number() {
  return one_of<std::string>({"0",  "1",   "2",   "3",   "7",   "00", "01", "10", "11", "12", "17",  "21",
                              "71", "117", "171", "711", "007", "²",  "１", "1a", "a1", "w1", "1_1", "-1"});
}

std::string word() {
  return one_of<std::string>({"a",      "b",     "w",        "w1",       "w2",        "norm",
                              "norm0",  "norm1", "norm2",    "layers",   "mlp",       "experts",
                              "weight", "model", "backbone", "scale",    "_orig_mod", "module",
                              "x",      "é",     "",         "layers.0", "1.x"});
}

// A key with numbers left out, and several ways to fill them in.
struct Skeleton {
  std::vector<std::string> parts;  // empty string: a number stands here
};

Skeleton skeleton() {
  Skeleton made;
  const int parts = 1 + up_to(6);
  for (int i = 0; i < parts; ++i) made.parts.push_back(one_in(2) ? std::string("#") : word());
  return made;
}

std::string filled(const Skeleton& skeleton) {
  std::string key;
  const std::string same = number();
  for (std::size_t i = 0; i < skeleton.parts.size(); ++i) {
    if (i != 0) key += '.';
    key += skeleton.parts[i] != "#" ? skeleton.parts[i] : one_in(2) ? same : number();
  }
  if (one_in(40)) key += std::string(static_cast<std::size_t>(up_to(300)), 'y') + ".5";
  if (one_in(60)) key += one_of<std::string>({"\n", "\x01", "1\x01", ".", "..", ".1"});
  return key;
}

std::vector<std::string> keys() {
  std::vector<std::string> made;
  const int skeletons = 1 + up_to(4);
  for (int i = 0; i < skeletons; ++i) {
    const Skeleton one = skeleton();
    const int count = 1 + up_to(12);
    for (int k = 0; k < count; ++k) made.push_back(filled(one));
  }
  if (made.size() > 1 && one_in(2)) {  // out of table order
    for (std::size_t i = made.size() - 1; i > 0; --i) {
      std::swap(made[i], made[static_cast<std::size_t>(up_to(static_cast<int>(i)))]);
    }
  }
  return made;
}

std::string atom() {
  return one_of<std::string>({".",
                              "\\.",
                              "\\.",
                              ".*",
                              ".+",
                              "\\d+",
                              "\\d",
                              "[0-4]",
                              "[^1]",
                              "[a-z]+",
                              "\\w+",
                              "w",
                              "norm",
                              "mlp",
                              "layers.",
                              "a",
                              "b",
                              "x",
                              "1",
                              "2",
                              "0",
                              "17",
                              "w1",
                              "norm1",
                              "*.",
                              "(?!1)",
                              "(?<!1)",
                              "(?=2)",
                              "(?=.*7)",
                              "(?!\\.)",
                              "(?:1|2)",
                              "(?:a|1)",
                              "\\b",
                              "1?",
                              "(?:0|1)+",
                              ".{2}",
                              "[17]+",
                              "\\D+",
                              "(?i:W)",
                              "experts.*.w1",
                              "weight",
                              "²",
                              "(?:\\.\\d+)?",
                              "(?<=1)",
                              "x??",
                              "\\S",
                              "[^\\d.]+",
                              "é",
                              "(?<!\\w)",
                              "model"});
}

std::string group() {
  return one_of<std::string>({"(\\d+)", "(.+)", "(a|b|1|2)", "(\\w+)", "(.)", "(1)", "([^.]+)", "(\\d)",
                              "(.*)", "(layers\\.\\d+)", "(?=(\\d))"});
}

std::string source(bool with_group) {
  std::string pattern = one_in(3) ? "^" : "";
  const int before = up_to(3), after = up_to(2) + (with_group || before > 0 ? 0 : 1);
  for (int i = 0; i < before; ++i) pattern += atom();
  if (with_group) pattern += group();
  for (int i = 0; i < after; ++i) pattern += atom();
  if (one_in(6)) pattern += '$';
  return pattern;
}

std::string target(bool with_group) {
  std::string text;
  const int before = up_to(2), after = up_to(2);
  const auto piece = [] {
    return one_of<std::string>(
        {"a", "w", "w1", "1", "0", ".", ".", "layers.", "norm1", "norm2", "mlp", "x.", "1.", "", "é"});
  };
  for (int i = 0; i < before; ++i) text += piece();
  if (with_group) text += one_of<std::string>({"\\1", "\\1", "\\1.\\1", "\\1\\1"});
  for (int i = 0; i < after; ++i) text += piece();
  return text;
}

Transform transform() {
  Transform made;
  const int kind = up_to(9);
  const bool grouped = one_in(3);
  made.source_patterns = {source(grouped)};
  made.target_patterns = {target(grouped)};
  if (kind == 0) {
    made.type = TransformType::PrefixChange;
    made.source_patterns.clear();
    made.target_patterns.clear();
    (one_in(2) ? made.prefix_to_add : made.prefix_to_remove) =
        one_of<std::string>({"model", "a", "1", "layers", "w1", "0"});
    if (one_in(2)) made.model_prefix = one_of<std::string>({"backbone", "a", "1"});
  } else if (kind == 1) {
    made.type = TransformType::GroupWeightRename;
    made.source_patterns = one_of<std::vector<std::string>>({{"norm0", "norm1"},
                                                             {"w1", "w2"},
                                                             {"1.x", "a"},
                                                             {"a\\.(\\d+)", "b"},
                                                             {"mlp.0", "mlp.(\\d)"},
                                                             {"0", "1"}});
    made.target_patterns = one_of<std::vector<std::string>>(
        {{"norm1", "norm2"}, {"w2", "w3"}, {"a", "b"}, {"b.\\1", "c"}, {"mlp.1", "x.\\1"}, {"1", "2"}});
  } else if (kind == 2) {
    made.type = TransformType::Inkling2IndexOffsetWeightRename;
    made.source_patterns = {
        one_of<std::string>({"(\\d+)", "a\\.(\\d+)", "layers.(\\d+)", "^(\\d+)\\.", "x(\\d)"})};
    made.target_patterns = {one_of<std::string>({"\\1", "layers.\\1", "w\\1"})};
    made.offset = up_to(20) - 10;
  } else if (kind <= 4) {
    made.type = TransformType::WeightConverter;
    made.operations = {{"MergeModulelist", {}}};
    if (one_in(2)) made.source_patterns.push_back(source(grouped));
  } else if (kind == 5 && one_in(2)) {
    made.type = TransformType::KeyMapping;
    made.cases = {
        {source(grouped), target(grouped)}, {source(false), std::nullopt}, {source(false), target(false)}};
    made.cases.resize(static_cast<std::size_t>(1 + up_to(2)));
  } else if (one_in(4)) {
    made.source_patterns.push_back(source(grouped));
  }
  if (one_in(4)) {
    made.scope_prefix = one_of<std::string>({"", "a", "layers", "layers.1", "1", "1.1", "model", "layers.0"});
    made.base_model_prefix = one_of<std::string>({"", "model", "1", "a"});
  }
  return made;
}

std::shared_ptr<const TargetKeys> target_keys(const std::vector<std::string>& keys) {
  auto target = std::make_shared<TargetKeys>();
  for (const std::string& key : keys) {
    if (one_in(2)) target->keys.insert(key);
    if (one_in(4)) target->keys.insert("model." + key);
    if (key.starts_with("model.") && one_in(3)) target->keys.insert(key.substr(6));
  }
  return target;
}

void describe(const TransformList& list, const std::vector<std::string>& keys) {
  for (const Transform& one : list.transforms) {
    RC_LOG() << name(one.type) << " {";
    for (const auto& text : one.source_patterns) RC_LOG() << " " << text;
    RC_LOG() << " => ";
    for (const auto& text : one.target_patterns) RC_LOG() << " " << text;
    RC_LOG() << " } +" << one.prefix_to_add.value_or("") << " -" << one.prefix_to_remove.value_or("")
             << " model " << one.model_prefix << " scope " << one.scope_prefix.value_or("<none>") << " base "
             << one.base_model_prefix << " offset " << one.offset << std::endl;
  }
  for (const std::string& key : keys) RC_LOG() << "  " << quote(key) << std::endl;
}

// Of a trie that was held against one by one.
void check_lines(const TransformTrie& trie, const ShapeKernel& kernel,
                 const std::vector<std::string_view>& keys) {
  if (trie.renaming().is_stateful() || trie.renaming().options().target) return;
  RenameRun run(trie, kernel), line_run(trie, kernel);
  RenamedKeys renamed, lines;
  run.rename(keys, renamed);
  line_run.write_lines(keys, lines);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    RC_ASSERT(lines[i] == std::string(keys[i]) + '\t' + std::string(renamed[i]) + '\n');
    RC_ASSERT(lines.outcome(i) == renamed.outcome(i));
  }
}

}  // namespace

TEST_CASE("the trie gives what transforms one by one give, for random transforms and keys") {
  const std::vector<const ShapeKernel*> kernels = test::kernels();
  CHECK(rc::check("trie and one by one agree", [&] {
    TransformList list;
    const int count = 1 + up_to(5);
    for (int i = 0; i < count; ++i) list.transforms.push_back(transform());
    if (one_in(2)) list.base_model_prefix = "model";
    const std::vector<std::string> made = keys();
    const std::vector<std::string_view> views(made.begin(), made.end());
    RenamingOptions options;
    if (one_in(3)) {
      options.direction = Direction::save;
      options.used.which = UsedTransforms::Which::all;
    } else {
      options.strip_wrappers = one_in(3);
      if (one_in(4)) options.target = target_keys(made);
    }
    std::shared_ptr<const Renaming> renaming;
    try {
      renaming = std::make_shared<const Renaming>(list, options);
    } catch (const Error&) {
      RC_DISCARD("a pattern that is refused");
    }
    describe(list, made);
    const TransformTrie trie(renaming);
    for (const ShapeKernel* kernel : kernels) {
      try {
        if (const auto difference = check_against_plain(trie, views, *kernel)) RC_FAIL(*difference);
        check_lines(trie, *kernel, views);
      } catch (const Error& error) {
        RC_TAG(std::string(name(error.kind())));  // both fail alike
      }
    }
  }));
}
