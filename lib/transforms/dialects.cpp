#include "transforms/dialects.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <initializer_list>

#include "base/utf8.h"
#include "transforms/processed_patterns.h"
#include "transforms/python_template.h"

namespace keyshift {

namespace {

using json::Kind;
using Names = std::initializer_list<std::string_view>;
using Member = LocatedValue::Member;

// A mapping that holds for texts at one place of a key, as a case of a KeyMapping; none drops the tensor.
using CaseOf = std::function<MappingCase(std::string_view text, const std::optional<std::string>& target)>;

MappingCase at_start(std::string_view text, const std::optional<std::string>& target) {
  MappingCase made{R"(\A)" + exact_pattern(text), std::nullopt};
  if (target) made.target = exact_template(*target);
  return made;
}

MappingCase anywhere(std::string_view text, const std::optional<std::string>& target) {
  if (text.empty()) return at_start(text, target);  // which stands in front of everything
  MappingCase made{R"(\A((?s:.*?)))" + exact_pattern(text), std::nullopt};
  if (target) made.target = R"(\g<1>)" + exact_template(*target);
  return made;
}

MappingCase at_end(std::string_view text, const std::optional<std::string>& target) {
  MappingCase made{R"(\A((?s:.*)))" + exact_pattern(text) + R"(\Z)", std::nullopt};
  if (target) made.target = R"(\g<1>)" + exact_template(*target);
  return made;
}

class DialectReader {
 public:
  DialectReader(const LocatedValue& file, std::string_view text, const std::string& file_name)
      : file_(file), text_(text), file_name_(file_name), place_of_(text, file_name) {}

  TransformList read() {
    const LocatedValue& dialect = file_.find("dialect")->value;
    if (dialect.kind == Kind::string && dialect.text == "transformers-key-mapping") {
      read_key_mapping_of_transformers();
    } else if (dialect.kind == Kind::string && dialect.text == "peft-key-mapping") {
      read_key_mapping_of_peft();
    } else if (dialect.kind == Kind::string && dialect.text == "vllm-weights-mapper") {
      read_vllm();
    } else if (dialect.kind == Kind::string && dialect.text == "sglang-weights-mapper") {
      read_sglang();
    } else {
      fail(ErrorKind::transform_unknown, dialect.offset,
           fmt::format(
               "unknown dialect, {}; known are transformers-key-mapping, peft-key-mapping, "
               "vllm-weights-mapper, sglang-weights-mapper",
               dialect.kind == Kind::string ? quote(dialect.text) : std::string(json::name(dialect.kind))));
    }
    return std::move(list_);
  }

 private:
  [[noreturn]] void fail(ErrorKind kind, std::uint64_t offset, std::string message) const {
    throw Error(kind, std::move(message)).in(file_name_).showing(text_, offset);
  }

  // --- each dialect

  // from_pretrained(key_mapping=…): a WeightRenaming for each entry.
  void read_key_mapping_of_transformers() {
    check_members(file_, "this dialect", {"dialect", "key_mapping"});
    for (const Member& entry : entries("key_mapping", true)) {
      add_renaming(entry.offset, {entry.name}, {target(entry, false).value()});
    }
  }

  // load_peft_weights(key_mapping=…): re.subn with the first entry that is found.
  void read_key_mapping_of_peft() {
    check_members(file_, "this dialect", {"dialect", "key_mapping"});
    const std::vector<Member>& all = entries("key_mapping", true);
    if (all.empty()) return;  // PEFT then leaves the keys alone
    std::vector<MappingCase> cases;
    for (const Member& entry : all) cases.push_back({entry.name, target(entry, false)});
    add_mapping(file_.find("key_mapping")->offset, std::move(cases), all).of_an_adapter = true;
  }

  // Class after class, and in each every entry in its order.
  void read_vllm() {
    check_members(file_, "this dialect",
                  {"dialect", "orig_to_new_renaming", "orig_to_new_regex", "orig_to_new_substr",
                   "orig_to_new_stacked", "orig_to_new_prefix", "orig_to_new_suffix"});
    if (const Member* stacked = file_.find("orig_to_new_stacked");
        stacked != nullptr && !entries("orig_to_new_stacked", false).empty()) {
      fail(ErrorKind::transform_invalid, stacked->offset,
           "\"orig_to_new_stacked\" puts several tensors into one, which is more than a name; leave it out");
    }
    read_renamings();
    each_entry("orig_to_new_regex", [](std::string_view pattern, const std::optional<std::string>& target) {
      return MappingCase{std::string(pattern), target};
    });
    each_entry("orig_to_new_substr", anywhere);
    each_entry("orig_to_new_prefix", at_start);
    each_entry("orig_to_new_suffix", at_end);
  }

  // Class after class, and in each only the longest entry that is found.
  void read_sglang() {
    check_members(file_, "this dialect",
                  {"dialect", "orig_to_new_substr", "orig_to_new_prefix", "orig_to_new_suffix"});
    longest_entry("orig_to_new_substr", anywhere);
    longest_entry("orig_to_new_prefix", at_start);
    longest_entry("orig_to_new_suffix", at_end);
  }

  // --- their parts

  void read_renamings() {
    const Member* renamings = file_.find("orig_to_new_renaming");
    if (renamings == nullptr) return;
    if (renamings->value.kind != Kind::array) {
      fail(ErrorKind::transform_invalid, renamings->value.offset,
           "\"orig_to_new_renaming\" must be an array");
    }
    for (const LocatedValue& each : renamings->value.elements) {
      if (each.kind != Kind::object) {
        fail(ErrorKind::transform_invalid, each.offset,
             "a renaming must be an object with \"source_patterns\" and \"target_patterns\"");
      }
      check_members(each, "a renaming", {"source_patterns", "target_patterns"});
      add_renaming(each.offset, patterns(each, "source_patterns"), patterns(each, "target_patterns"));
    }
  }

  std::vector<std::string> patterns(const LocatedValue& renaming, std::string_view name) const {
    const Member* member = renaming.find(name);
    if (member == nullptr)
      fail(ErrorKind::transform_invalid, renaming.offset, fmt::format("a renaming needs {}", quote(name)));
    const LocatedValue& value = member->value;
    if (value.kind == Kind::string) return {value.text};
    std::vector<std::string> out;
    for (const LocatedValue& element : value.elements) {
      if (element.kind == Kind::string) out.push_back(element.text);
    }
    if (value.kind != Kind::array || out.empty() || out.size() != value.elements.size()) {
      fail(ErrorKind::transform_invalid, value.offset,
           fmt::format("{} must be a string or an array of strings", quote(name)));
    }
    return out;
  }

  void each_entry(std::string_view name, const CaseOf& case_of) {
    for (const Member& entry : entries(name, false)) {
      check_text(name, entry);
      add_mapping(entry.offset, {case_of(entry.name, target(entry, true))}, {entry});
    }
  }

  void longest_entry(std::string_view name, const CaseOf& case_of) {
    std::vector<Member> sorted = entries(name, false);
    if (sorted.empty()) return;
    std::stable_sort(sorted.begin(), sorted.end(), [](const Member& a, const Member& b) {
      return utf8::count_codepoints(a.name) > utf8::count_codepoints(b.name);
    });
    std::vector<MappingCase> cases;
    for (const Member& entry : sorted) {
      check_text(name, entry);
      cases.push_back(case_of(entry.name, target(entry, true)));
    }
    add_mapping(file_.find(name)->offset, std::move(cases), sorted);
  }

  void check_text(std::string_view name, const Member& entry) const {
    if (!entry.name.empty() || name != "orig_to_new_suffix") return;
    fail(ErrorKind::transform_invalid, entry.offset,
         "an empty suffix: Python fails at it with \"empty separator\"");
  }

  // --- the file

  void check_members(const LocatedValue& object, std::string_view what, Names known) const {
    for (const Member& member : object.members) {
      if (std::find(known.begin(), known.end(), member.name) == known.end()) {
        fail(ErrorKind::transform_invalid, member.offset,
             fmt::format("unknown field {}; {} has {}", quote(member.name), what, fmt::join(known, ", ")));
      }
      check_once(object, member);
    }
  }

  void check_once(const LocatedValue& object, const Member& member) const {
    if (object.find(member.name) == &member) return;
    fail(ErrorKind::transform_invalid, member.offset, fmt::format("{} is given twice", quote(member.name)));
  }

  // The entries of a dictionary in their order; none if it may be left out and is.
  const std::vector<Member>& entries(std::string_view name, bool required) const {
    static const std::vector<Member> none;
    const Member* member = file_.find(name);
    if (member == nullptr) {
      if (required)
        fail(ErrorKind::transform_invalid, file_.offset, fmt::format("this dialect needs {}", quote(name)));
      return none;
    }
    if (member->value.kind != Kind::object) {
      fail(ErrorKind::transform_invalid, member->value.offset,
           fmt::format("{} must be an object from old to new, not {}", quote(name),
                       json::name(member->value.kind)));
    }
    if (!is_checked(*member)) {
      for (const Member& entry : member->value.members) check_once(member->value, entry);
    }
    return member->value.members;
  }

  // A dictionary of many entries is looked through once.
  bool is_checked(const Member& member) const {
    const bool known = std::find(checked_.begin(), checked_.end(), &member) != checked_.end();
    if (!known) checked_.push_back(&member);
    return known;
  }

  std::optional<std::string> target(const Member& entry, bool may_drop) const {
    if (entry.value.kind == Kind::string) return entry.value.text;
    if (entry.value.kind == Kind::null && may_drop) return std::nullopt;
    fail(ErrorKind::transform_invalid, entry.value.offset,
         fmt::format("the new text must be a string{}, not {}",
                     may_drop ? " or null, which drops the tensor" : "", json::name(entry.value.kind)));
  }

  Transform& add(std::uint64_t offset, Transform transform) {
    transform.place = place_of_(offset);
    list_.transforms.push_back(std::move(transform));
    return list_.transforms.back();
  }

  void add_renaming(std::uint64_t offset, std::vector<std::string> sources,
                    std::vector<std::string> targets) {
    Transform renaming;
    renaming.source_patterns = std::move(sources);
    renaming.target_patterns = std::move(targets);
    try {
      check_transform(renaming);
    } catch (TransformFault& fault) {
      fail(fault.kind, offset, std::move(fault.message));
    }
    add(offset, std::move(renaming));
  }

  // `entries`: where each case comes from.
  Transform& add_mapping(std::uint64_t offset, std::vector<MappingCase> cases,
                         const std::vector<Member>& entries) {
    Transform mapping;
    mapping.type = TransformType::KeyMapping;
    mapping.cases = std::move(cases);
    try {
      check_transform(mapping);
    } catch (TransformFault& fault) {
      const Member& entry = entries[fault.source.value_or(0)];
      fail(fault.kind, fault.in_target ? entry.value.offset : entry.offset, std::move(fault.message));
    }
    return add(offset, std::move(mapping));
  }

  const LocatedValue& file_;
  std::string_view text_;
  const std::string& file_name_;
  PlaceNames place_of_;
  mutable std::vector<const Member*> checked_;
  TransformList list_;
};

}  // namespace

TransformList read_dialect(const LocatedValue& file, std::string_view text, const std::string& file_name) {
  return DialectReader(file, text, file_name).read();
}

}  // namespace keyshift
