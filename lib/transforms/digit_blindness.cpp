#include "transforms/digit_blindness.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <vector>

namespace keyshift::regex {

namespace {

// A test of one character, as far as digits and dots are concerned.
struct Test {
  bool digits_alike = true;
  bool takes_digit = false;  // some digit
  bool takes_dot = false;
  bool beside_solid = false;
  bool is_solid() const noexcept { return !takes_digit && !takes_dot; }
};

bool category_takes(char category, char32_t c) {
  const bool digit = c >= U'0' && c <= U'9';  // otherwise a dot
  switch (category) {
    case 'd':
    case 'w':
      return digit;
    case 's':
      return false;
    case 'D':
    case 'W':
      return !digit;
    default:
      return true;  // S
  }
}

bool set_takes(const Node& set, char32_t c) {
  const bool found = std::any_of(set.items.begin(), set.items.end(), [c](const SetItem& item) {
    return item.category != 0 ? category_takes(item.category, c) : item.first <= c && c <= item.last;
  });
  return found != set.negated;
}

Test test_of_set(const Node& set) {
  const bool first = set_takes(set, U'0');
  Test test{true, first, set_takes(set, U'.'), false};
  for (char32_t digit = U'1'; digit <= U'9'; ++digit) {
    const bool taken = set_takes(set, digit);
    test.digits_alike = test.digits_alike && taken == first;
    test.takes_digit = test.takes_digit || taken;
  }
  return test;
}

Test test_of_character(char32_t c) {
  const bool digit = c >= U'0' && c <= U'9';
  return {!digit, digit, c == U'.', false};
}

// Appends the tests of a node that is nothing else.
bool append_tests(const Node& node, std::vector<Test>& tests) {
  switch (node.kind) {
    case NodeKind::literal:
      std::transform(node.text.begin(), node.text.end(), std::back_inserter(tests), test_of_character);
      return true;
    case NodeKind::set:
      tests.push_back(test_of_set(node));
      return true;
    case NodeKind::any:
      tests.push_back({true, true, true, false});
      return true;
    default:
      return false;
  }
}

// Marks the tests that have a solid one before them with no test that takes a dot between.
template <class Iterator>
void mark_after_solid(Iterator test, Iterator end) {
  bool after_solid = false;
  for (; test != end; ++test) {
    test->beside_solid = test->beside_solid || after_solid;
    after_solid = test->is_solid() || (after_solid && !test->takes_dot);
  }
}

bool run_tells_apart(std::vector<Test>& run) {
  mark_after_solid(run.begin(), run.end());
  mark_after_solid(run.rbegin(), run.rend());
  return std::any_of(run.begin(), run.end(),
                     [](const Test& test) { return !test.digits_alike && !test.beside_solid; });
}

bool parts_tell_apart(std::span<const Node> parts) {
  std::vector<Test> run;
  for (const Node& part : parts) {
    if (append_tests(part, run)) continue;
    if (run_tells_apart(run) || tells_digits_apart(part)) return true;
    run.clear();
  }
  return run_tells_apart(run);
}

}  // namespace

bool tells_digits_apart(const Node& node) {
  if (node.kind == NodeKind::backreference) return true;
  if (node.kind == NodeKind::sequence) return parts_tell_apart(node.children);
  std::vector<Test> run;
  if (append_tests(node, run)) return run_tells_apart(run);
  return std::any_of(node.children.begin(), node.children.end(), tells_digits_apart);
}

}  // namespace keyshift::regex
