#include <algorithm>
#include <unordered_map>

#include "base/json.h"

namespace keyshift::json {

std::string_view name(Kind kind) noexcept {
  switch (kind) {
    case Kind::object:
      return "an object";
    case Kind::array:
      return "an array";
    case Kind::string:
      return "a string";
    case Kind::number:
      return "a number";
    case Kind::boolean:
      return "a boolean";
    case Kind::null:
      return "null";
  }
  return "";
}

const Node* Node::find(std::string_view name) const noexcept {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const auto& member) { return member.first == name; });
  return found == members.end() ? nullptr : &found->second;
}

namespace {

void read_members(Node& node, Value& value) {
  // A text may hold many members: a name is looked up in an index, not in the vector.
  std::unordered_map<std::string, std::size_t> places;
  value.members([&](const Key& key, Value& member) {
    const auto [place, is_new] = places.try_emplace(std::string(key.text), node.members.size());
    if (is_new) node.members.emplace_back(place->first, Node());
    const std::size_t at = place->second;
    Node read = to_node(member);
    node.members[at].second = std::move(read);
  });
}

}  // namespace

Node to_node(Value& value) {
  Node node;
  node.kind = value.kind();
  switch (node.kind) {
    case Kind::object:
      read_members(node, value);
      break;
    case Kind::array:
      value.elements([&](Value& element) { node.elements.push_back(to_node(element)); });
      break;
    case Kind::string:
      node.text = value.string();
      break;
    case Kind::number:
      node.text = value.number();
      break;
    case Kind::boolean:
      node.boolean = value.boolean();
      break;
    case Kind::null:
      value.null();
      break;
  }
  return node;
}

Node parse(std::string_view text, Source source) {
  Document document(text, 0, std::move(source));
  Node node;
  document.read([&](Value& root) { node = to_node(root); });
  return node;
}

}  // namespace keyshift::json
