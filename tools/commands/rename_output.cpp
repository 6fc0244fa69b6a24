#include <fmt/format.h>

#include <set>
#include <unordered_map>

#include "base/huge_pages.h"
#include "base/json_writer.h"
#include "base/text_builder.h"
#include "plan/key_table.h"
#include "tools/commands/rename.h"

namespace keyshift::tools {

namespace {

constexpr std::size_t kBlock = 1U << 20U;  // bytes written at once

void write_if_full(std::string& block, Output& out) {
  if (block.size() < kBlock) return;
  out.write(block);
  block.clear();
}

// `,"converter":…,"transforms":[…]}` of an outcome; there are few, and all their keys share them.
class OutcomeTexts {
 public:
  const std::string& of(const RenameOutcome& outcome) {
    if (&outcome != last_) {
      last_ = &outcome;
      text_ = &texts_.try_emplace(last_, std::string()).first->second;
      if (text_->empty()) *text_ = make(outcome);
    }
    return *text_;
  }

 private:
  static std::string make(const RenameOutcome& outcome) {
    std::string text = ",\"converter\":";
    if (outcome.converter) {
      json::append_string(text, *outcome.converter);
    } else {
      text += "null";
    }
    return text + fmt::format(",\"transforms\":[{}]}}", fmt::join(outcome.transforms, ","));
  }

  std::unordered_map<const RenameOutcome*, std::string> texts_;
  const RenameOutcome* last_ = nullptr;
  std::string* text_ = nullptr;
};

template <class Strings>
void append_strings(std::string& out, const Strings& strings) {
  out += '[';
  const char* separator = "";
  for (const auto& text : strings) {
    out += separator;
    json::append_string(out, text);
    separator = ",";
  }
  out += ']';
}

}  // namespace

std::vector<CollidingKeys> find_colliding_keys(const std::vector<std::string_view>& keys,
                                               const RenamedKeys& renamed) {
  std::vector<std::string_view> new_keys;
  new_keys.reserve(keys.size());
  prefer_huge_pages(new_keys.data(), keys.size() * sizeof(new_keys[0]));
  for (std::size_t i = 0; i < keys.size(); ++i) new_keys.push_back(renamed[i]);
  std::vector<CollidingKeys> colliding;
  std::unordered_map<std::string_view, std::size_t> place;
  std::set<std::pair<std::size_t, std::string_view>> told;
  for (const Collision& collision : find_collisions(new_keys)) {
    const std::string_view first = keys[collision.first], second = keys[collision.second];
    if (first == second || renamed.outcome(collision.second).dropped)
      continue;  // one key given twice is no collision
    const auto [found, is_new] = place.try_emplace(new_keys[collision.second], colliding.size());
    if (is_new) colliding.push_back({new_keys[collision.second], {first}});
    if (told.emplace(found->second, second).second) colliding[found->second].from.push_back(second);
  }
  return colliding;
}

// A line holds two keys, with one tab between them and a newline behind.
void check_lines(const RenameAnswer& answer) {
  const std::string_view all = answer.renamed.text();
  if (all.find('\t') == std::string_view::npos && all.find('\n') == std::string_view::npos) return;
  std::size_t i = 0;
  while (answer.renamed[i].find_first_of("\t\n") == std::string_view::npos) ++i;
  throw Error(ErrorKind::entry_invalid,
              fmt::format("would be renamed to {}, which holds a tab or a newline; use --json",
                          quote(answer.renamed[i])))
      .for_key(answer.keys[i]);
}

void write_lines(const RenameAnswer& answer, Output& out) {
  constexpr std::size_t kFull = kBlock + (kBlock >> 2U);
  TextBuilder block(kFull);
  for (std::size_t i = 0; i < answer.keys.size(); ++i) {
    const std::string_view from = answer.keys[i], to = answer.renamed[i];
    block.reserve(from.size() + to.size() + 2);
    block.add(from);
    block.add("\t");
    block.add(to);
    block.add("\n");
    if (block.size() < kBlock) continue;
    out.write(block.text());
    block.clear();
  }
  out.write(block.text());
}

void write_json(const RenameAnswer& answer, Output& out) {
  std::string block = "{\"schema\":\"keyshift-rename/1\",\"keys\":[";
  OutcomeTexts outcomes;
  for (std::size_t i = 0; i < answer.keys.size(); ++i) {
    block += i == 0 ? "{\"from\":" : ",{\"from\":";
    json::append_string(block, answer.keys[i]);
    block += ",\"to\":";
    if (answer.renamed.outcome(i).dropped) {
      block += "null";
    } else {
      json::append_string(block, answer.renamed[i]);
    }
    block += outcomes.of(answer.renamed.outcome(i));
    write_if_full(block, out);
  }
  block += "],\"used\":[";
  for (std::size_t i = 0; i < answer.used.size(); ++i) {
    block += fmt::format("{}{}", i == 0 ? "" : ",", answer.used[i] ? "true" : "false");
  }
  block += "],\"collisions\":[";
  for (std::size_t i = 0; i < answer.collisions.size(); ++i) {
    block += i == 0 ? "{\"to\":" : ",{\"to\":";
    json::append_string(block, answer.collisions[i].to);
    block += ",\"from\":";
    append_strings(block, answer.collisions[i].from);
    block += '}';
  }
  block += ']';
  if (answer.target != nullptr) {
    block += ",\"missing\":";
    append_strings(block, answer.target->missing);
    block += ",\"unexpected\":";
    append_strings(block, answer.target->unexpected);
  }
  block += "}\n";
  out.write(block);
}

}  // namespace keyshift::tools
