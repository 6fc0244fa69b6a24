// Keys made from patterns (TRANSFORMS.md, T61): each part of the pattern contributes a text that it takes,
// and what comes of it is believed only when the pattern matches it.
#include <algorithm>
#include <array>

#include "base/utf8.h"
#include "transforms/lint.h"

namespace keyshift {

namespace {

using regex::Node;
using regex::NodeKind;
using Texts = std::vector<std::string>;

constexpr std::size_t kMostTexts = 16;      // of one pattern
constexpr std::uint32_t kMostRepeats = 64;  // of a part that must come many times

// Which of the two texts a part that takes many gives: so that there are keys that differ in a number.
struct Choice {
  std::string_view letter, digit;
};
constexpr std::array<Choice, 2> kChoices = {{{"a", "0"}, {"b", "1"}}};

bool in_category(char32_t c, char category) {
  const bool digit = c >= U'0' && c <= U'9';
  const bool word = digit || c == U'_' || (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z');
  const bool space = c == U' ' || (c >= U'\t' && c <= U'\r');
  switch (category) {
    case 'd':
      return digit;
    case 'D':
      return !digit;
    case 'w':
      return word;
    case 'W':
      return !word;
    case 's':
      return space;
    case 'S':
      return !space;
    default:
      return false;
  }
}

bool takes(const Node& set, char32_t c) {
  const bool found = std::any_of(set.items.begin(), set.items.end(), [&](const regex::SetItem& item) {
    return item.category != 0 ? in_category(c, item.category) : c >= item.first && c <= item.last;
  });
  return found != set.negated;
}

std::string member_of(const Node& set, const Choice& choice) {
  for (const std::string_view text :
       {choice.letter, choice.digit, std::string_view("."), std::string_view("_")}) {
    if (takes(set, static_cast<unsigned char>(text.front()))) return std::string(text);
  }
  std::string out;
  for (char32_t c = U'!'; c < U'\x7F' && out.empty(); ++c) {
    if (takes(set, c)) utf8::append(out, c);
  }
  if (out.empty() && !set.negated && !set.items.empty()) utf8::append(out, set.items.front().first);
  return out;
}

class Maker {
 public:
  explicit Maker(const Choice& choice) : choice_(choice) {}

  Texts make(const Node& root) const { return extended(root, {""}); }

 private:
  // Each text with what `node` may take behind it.
  Texts extended(const Node& node, Texts heads) const {
    switch (node.kind) {
      case NodeKind::literal: {
        std::string text;
        for (const char32_t c : node.text) utf8::append(text, c);
        return with(std::move(heads), text);
      }
      case NodeKind::any:
        return with(std::move(heads), ".");
      case NodeKind::set:
        return with(std::move(heads), member_of(node, choice_));
      case NodeKind::sequence:
        for (const Node& child : node.children) heads = extended(child, std::move(heads));
        return heads;
      case NodeKind::alternation:
        return branches(node, heads);
      case NodeKind::repeat:
        return repeated(node, std::move(heads));
      case NodeKind::group:
      case NodeKind::conditional:
        return extended(node.children.front(), std::move(heads));
      case NodeKind::lookbehind:  // at the start there is nothing yet that it could see
        if (node.negated || heads != Texts{""}) return heads;
        return extended(node.children.front(), std::move(heads));
      default:
        return heads;
    }
  }

  static Texts with(Texts heads, std::string_view tail) {
    for (std::string& head : heads) head += tail;
    return heads;
  }

  Texts branches(const Node& node, const Texts& heads) const {
    Texts out;
    for (const Node& branch : node.children) {
      for (std::string& text : extended(branch, heads)) {
        if (out.size() < kMostTexts) out.push_back(std::move(text));
      }
    }
    return out;
  }

  Texts repeated(const Node& node, Texts heads) const {
    const Node& part = node.children.front();
    if (part.kind == NodeKind::any) {  // .* stands for parts of a key
      for (std::string& head : heads) {
        const bool inside = !head.empty() && head.back() != '.';
        head += inside ? "." + std::string(choice_.digit)
                       : std::string(head.empty() ? choice_.letter : choice_.digit);
      }
      return heads;
    }
    if (node.minimum == 0 && part.kind != NodeKind::set) {
      if (node.maximum == 0) return heads;
      Texts out = extended(part, heads);
      out.insert(out.end(), heads.begin(), heads.end());
      out.resize(std::min(out.size(), kMostTexts));
      return out;
    }
    const std::uint32_t times = std::clamp<std::uint32_t>(node.minimum, 1, kMostRepeats);
    for (std::uint32_t i = 0; i < times; ++i) heads = extended(part, std::move(heads));
    return heads;
  }

  const Choice& choice_;
};

// A text of a pattern as a whole key, in the surroundings that a key of a model has, if the pattern allows.
std::string framed(const CompiledTransform& transform, const std::string& text) {
  const std::string before = text.starts_with('.') ? "model.layers.0" : "model.layers.0.";
  const std::string after = text.ends_with('.') || text.empty() ? "weight" : ".weight";
  std::string scope;
  if (const auto& prefix = transform.transform().scope_prefix; prefix && !prefix->empty())
    scope = *prefix + '.';
  Match match;
  for (const std::string& key : {before + text + after, before + text, text + after, text}) {
    if (transform.matches(scope + key, match)) return scope + key;
  }
  return {};
}

void add_examples(const CompiledTransform& transform, Texts& keys) {
  if (transform.is_mapping()) return;
  const Node& root = transform.pattern().syntax().root;
  const std::vector<Node> alone = {root};
  for (const Node& branch : root.kind == NodeKind::alternation ? root.children : alone) {
    for (const Choice& choice : kChoices) {
      for (const std::string& text : Maker(choice).make(branch)) {
        std::string key = framed(transform, text);
        if (!key.empty()) keys.push_back(std::move(key));
      }
    }
  }
}

}  // namespace

std::vector<std::string> example_keys(const Renaming& renaming) {
  Texts keys;
  for (const auto* steps : {&renaming.renamings(), &renaming.converters()}) {
    for (const Renaming::Step& step : *steps) add_examples(step.transform, keys);
  }
  Texts out;
  std::unordered_set<std::string> seen;
  for (std::string& key : keys) {
    if (seen.insert(key).second) out.push_back(std::move(key));
  }
  return out;
}

}  // namespace keyshift
