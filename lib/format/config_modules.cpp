#include "format/config_modules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "format/module_names.h"

namespace keyshift {

namespace {

// Objects that speak of quantization, wherever they stand.
constexpr std::array<std::string_view, 3> kQuantization = {"quantization_config", "compression_config",
                                                           "quantization"};
// In them: fields that hold names of modules (a string, or arrays of them) …
constexpr std::array<std::string_view, 16> kLists = {"ignore",
                                                     "ignored_layers",
                                                     "modules_to_not_convert",
                                                     "modules_to_convert",
                                                     "exclude_modules",
                                                     "exclude",
                                                     "llm_int8_skip_modules",
                                                     "skip_modules",
                                                     "modules",
                                                     "targets",
                                                     "modules_in_block_to_quantize",
                                                     "block_name_to_quantize",
                                                     "to_quant_block_names",
                                                     "exclude_layers",
                                                     "module_name_preceding_first_block",
                                                     "ignored_modules"};
// … and objects whose members' names are.
constexpr std::array<std::string_view, 6> kMaps = {"extra_config",         "module_quant_configs",
                                                   "quantized_layers",     "module_config_overrides",
                                                   "module_fqn_to_config", "layer_quant_config"};

template <class Names>
bool is_one_of(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// What a value may hold, by the field that it stands in.
enum class Meaning { nothing, quantization, names, named };

class Rewriting {
 public:
  Rewriting(const std::string& text, const std::vector<RenamedTensor>& tensors)
      : text_(text), modules_(tensors) {}

  ConfigRewrite run(const std::string& file_name) {
    json::Source source;
    source.file = file_name;
    source.not_json = source.not_utf8 = ErrorKind::config_invalid;
    source.excerpt = source.huge_numbers = true;
    json::Document document(text_, 0, source);
    document.read([&](json::Value& value) { walk(value, "", Meaning::nothing); });
    result_.text += text_.substr(copied_);
    return std::move(result_);
  }

 private:
  void walk(json::Value& value, const std::string& where, Meaning meaning) {
    switch (value.kind()) {
      case json::Kind::object:
        return value.members(
            [&](const json::Key& key, json::Value& member) { member_of(meaning, key, member, where); });
      case json::Kind::array: {
        std::size_t i = 0;
        return value.elements(
            [&](json::Value& element) { walk(element, fmt::format("{}/{}", where, i++), meaning); });
      }
      case json::Kind::string:
        if (meaning == Meaning::names) return replace(value, where);
        [[fallthrough]];
      default:
        value.skip();
    }
  }

  void member_of(Meaning around, const json::Key& key, json::Value& member, const std::string& where) {
    const std::string name(key.text), inside = where + '/' + escaped(name);
    if (around == Meaning::named) {
      replace_token(key.offset, name, inside, true);
      return walk(member, inside, Meaning::quantization);
    }
    const bool in_quantization = around != Meaning::nothing;
    // MLX puts the modules that differ beside the settings for all.
    const bool of_module = member.kind() == json::Kind::object || member.kind() == json::Kind::boolean;
    if (around == Meaning::quantization && of_module && name.find('.') != std::string::npos)
      replace_token(key.offset, name, inside, false);
    Meaning meaning = in_quantization ? Meaning::quantization : Meaning::nothing;
    if (is_one_of(kQuantization, name)) meaning = Meaning::quantization;
    if (in_quantization && is_one_of(kLists, name)) meaning = Meaning::names;
    if (in_quantization && is_one_of(kMaps, name)) meaning = Meaning::named;
    quiet_ = name == "targets";  // mostly classes, such as Linear
    walk(member, inside, meaning);
  }

  void replace(json::Value& value, const std::string& where) {
    const std::uint64_t offset = value.offset();
    replace_token(offset, std::string(value.string()), where, !quiet_);
  }

  // The string token at `offset`; several names may stand in one, between commas. `loud`: tell of a name
  // that nothing is known of.
  void replace_token(std::uint64_t offset, const std::string& token, const std::string& where, bool loud) {
    std::string changed;
    for (std::size_t begin = 0; begin <= token.size();) {
      const std::size_t comma = std::min(token.find(',', begin), token.size());
      if (begin != 0) changed += ',';
      changed += renamed(token.substr(begin, comma - begin), where, loud);
      begin = comma + 1;
    }
    if (changed == token) return;
    result_.changes.push_back({where, token, changed});
    result_.text += text_.substr(copied_, offset - copied_);
    json::append_string(result_.text, changed);
    copied_ = end_of_string(offset);
  }

  std::string renamed(const std::string& name, const std::string& where, bool loud) {
    if (name.starts_with("re:") || name.find_first_of("*+?[](){}|\\^$") != std::string::npos) {
      result_.left.push_back({where, name, "is a pattern, which may mean other modules now"});
      return name;
    }
    const ModuleFate fate = modules_.fate(name);
    if (fate.kind == ModuleFate::Kind::renamed) return fate.to;
    if (fate.kind == ModuleFate::Kind::unclear) result_.left.push_back({where, name, fate.why});
    if (fate.kind == ModuleFate::Kind::unknown && loud && !name.empty())
      result_.left.push_back({where, name, "no tensor lies below it"});
    return name;
  }

  std::uint64_t end_of_string(std::uint64_t quote) const {
    std::uint64_t at = quote + 1;
    while (text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
    return at + 1;
  }

  // As a JSON pointer has it.
  static std::string escaped(const std::string& name) {
    std::string out;
    for (const char c : name) {
      if (c == '~')
        out += "~0";
      else if (c == '/')
        out += "~1";
      else
        out += c;
    }
    return out;
  }

  const std::string& text_;
  ModuleNames modules_;
  ConfigRewrite result_;
  std::uint64_t copied_ = 0;  // bytes of the text that are in the result
  bool quiet_ = false;
};

}  // namespace

ConfigRewrite rewrite_config(const std::string& text, const std::vector<RenamedTensor>& tensors,
                             const std::string& file_name) {
  return Rewriting(text, tensors).run(file_name);
}

}  // namespace keyshift
