#include "compare/rename_candidates.h"

#include <algorithm>
#include <span>

#include "compare/name_alignment.h"

namespace keyshift {

namespace {

using Parts = std::span<const std::string_view>;

std::string joined(Parts parts) {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty()) text += '.';
    text += part;
  }
  return text;
}

// As a pattern, any number for a number.
std::string pattern_of(Parts parts) {
  std::string text;
  for (const std::string_view part : parts) {
    if (!text.empty()) text += "\\.";
    text += is_number(part) ? "\\d+" : escape_pattern(part);
  }
  return text;
}

bool has_number(Parts parts) { return std::any_of(parts.begin(), parts.end(), is_number); }

// Sides of a renaming under construction.
struct Sides {
  std::string source, target;
  void add(std::string_view to_source, std::string_view to_target) {
    if (!source.empty() && source != "^") source += "\\.";
    source += to_source;
    if (!target.empty()) target += '.';
    target += to_target;
  }
};

// What is to be exchanged in a name, and how much of it.
class Maker {
 public:
  Maker(const NameParts& from, std::vector<RenameCandidate>& out) : from_(from), out_(out) {}

  // Exchanges parts [begin, end) for `to`, with all amounts of context.
  void exchange(std::size_t begin, std::size_t end, Parts to) {
    begin_ = begin;
    end_ = end;
    to_ = to;
    const std::size_t left = begin, right = from_.size() - end;
    for (std::size_t l = 0; l <= left; ++l) {
      if (l > kNear && l != left) continue;
      for (std::size_t r = 0; r <= right; ++r) {
        if (r > kNear && r != right) continue;
        with_context(l, r);
      }
    }
    if (begin == 0 && begin == end) add_prefix();
    if (begin == 0 && to.empty() && right > 0) remove_prefix();
    if (end - begin == 1 && to.size() == 1) within_a_part();
    if (end - begin == 1 && to.size() == 1) shift_number();
  }

 private:
  static constexpr std::size_t kNear = 4;  // parts of context that are all tried

  void with_context(std::size_t l, std::size_t r) {
    const Parts left = Parts(from_).subspan(begin_ - l, l), right = Parts(from_).subspan(end_, r);
    const Parts old = Parts(from_).subspan(begin_, end_ - begin_);
    if (old.empty() && l == 0 && r == 0) return;
    const bool whole = l == begin_;
    // The text on the right is only looked at, or exchanged along with the rest, for what is exchanged is
    // the first place that holds the text which matched.
    for (const bool ahead : {false, true}) {
      if (r == 0 && ahead) continue;
      if (!ahead && has_number(left) && has_number(right)) continue;  // there is one group
      for (const bool anchored : {false, true}) {
        if (anchored && !whole) continue;
        make(left, old, right, ahead, anchored ? "^" : "", false);
      }
      if (l == 0 && begin_ > 0) make(left, old, right, ahead, "\\.", false);
      if (r == from_.size() - end_ && whole) make(left, old, right, ahead, "^", true);
    }
  }

  void make(Parts left, Parts old, Parts right, bool ahead, const std::string& before, bool to_the_end) {
    Sides sides;
    if (before == "^") sides.source = before;
    if (!left.empty()) {
      const bool group = has_number(left);
      sides.add(group ? "(" + pattern_of(left) + ")" : pattern_of(left), group ? "\\1" : joined(left));
    }
    // A part that goes away takes a dot with it: that before it, or else that after it.
    const bool takes_dot = to_.empty() && left.empty() && before != "\\.";
    if (!old.empty()) add_exchanged(old, sides);
    if (old.empty() && !to_.empty()) sides.target += (sides.target.empty() ? "" : ".") + joined(to_);
    if (ahead) {
      if (old.empty() && left.empty()) return;
      sides.source +=
          (takes_dot ? "\\.(?=" : "(?=\\.") + pattern_of(right) + (to_the_end ? "$)" : "(?!\\w))");
    } else if (!right.empty()) {
      const bool group = has_number(right);
      sides.add(group ? "(" + pattern_of(right) + ")" : pattern_of(right), group ? "\\1" : joined(right));
      if (to_the_end) sides.source += '$';
    } else if (takes_dot && end_ < from_.size()) {
      sides.source += "\\.";
    } else if (to_the_end) {
      sides.source += '$';
    }
    if (before == "\\.") {
      sides.source = before + sides.source;
      if (!sides.target.empty()) sides.target = "." + sides.target;
    }
    emit(std::move(sides), joined(old.empty() ? (left.empty() ? right : left) : old));
  }

  // The exchanged parts: numbers in them stay what they are, unless all of them are carried over as one.
  void add_exchanged(Parts old, Sides& sides) {
    std::string source = escape_pattern(joined(old)), target = joined(to_);
    const auto first = std::find_if(old.begin(), old.end(), is_number);
    if (first != old.end() && sides.target.find('\\') == std::string::npos) {
      const auto last = std::find_if(old.rbegin(), old.rend(), is_number).base();
      const Parts carried(first, last);
      const auto there = std::search(to_.begin(), to_.end(), carried.begin(), carried.end());
      if (there != to_.end()) {
        source.clear();
        const auto join = [&](std::string& text, const std::string& more, const char* dot) {
          if (more.empty()) return;
          if (!text.empty()) text += dot;
          text += more;
        };
        join(source, escape_pattern(joined(Parts(old.begin(), first))), "\\.");
        join(source, "(" + pattern_of(carried) + ")", "\\.");
        join(source, escape_pattern(joined(Parts(last, old.end()))), "\\.");
        target = joined(Parts(to_.begin(), there));
        join(target, "\\1", ".");
        join(target, joined(Parts(there + static_cast<std::ptrdiff_t>(carried.size()), to_.end())), ".");
      }
    }
    if (to_.empty()) {
      if (!sides.source.empty() && sides.source != "^") sides.source += "\\.";
      sides.source += source;
    } else {
      sides.add(source, target);
    }
  }

  // A number that is another by a fixed amount, below what stands before it.
  void shift_number() {
    constexpr std::size_t kDigits = 18;
    const std::string_view was = from_[begin_], is = to_[0];
    if (!is_number(was) || !is_number(is) || was.size() > kDigits || is.size() > kDigits) return;
    for (std::size_t l = 1; l <= begin_; ++l) {
      const Parts left = Parts(from_).subspan(begin_ - l, l);
      if (has_number(left)) return;  // there is one group
      Transform transform;
      transform.type = TransformType::Inkling2IndexOffsetWeightRename;
      for (const bool anchored : {false, true}) {
        if (anchored && l != begin_) continue;
        transform.source_patterns = {(anchored ? "^" : "") + pattern_of(left) + "\\.(\\d+)"};
        transform.target_patterns = {joined(left) + ".\\1"};
        transform.offset = number_of(is) - number_of(was);
        out_.push_back({transform, joined(left) + ".", transform.source_patterns[0].size()});
      }
    }
  }

  void add_prefix() {
    Transform transform;
    transform.type = TransformType::PrefixChange;
    transform.prefix_to_add = escape_pattern(joined(to_)) == joined(to_) ? joined(to_) : "";
    if (!transform.prefix_to_add->empty()) out_.push_back({transform, "", 1});
    out_.push_back(prefix_candidate(joined(to_), {}));
  }

  void remove_prefix() {
    const std::string prefix = joined(Parts(from_).subspan(begin_, end_ - begin_));
    if (escape_pattern(prefix) != prefix) return;
    Transform transform;
    transform.type = TransformType::PrefixChange;
    transform.prefix_to_remove = prefix;
    out_.push_back({transform, prefix, 1});
  }

  // What two parts have in common at their ends may be left out.
  void within_a_part() {
    const std::string_view a = from_[begin_], b = to_[0];
    std::size_t head = 0, tail = 0;
    while (head < std::min(a.size(), b.size()) && a[head] == b[head]) ++head;
    while (tail < std::min(a.size(), b.size()) - head && a[a.size() - 1 - tail] == b[b.size() - 1 - tail])
      ++tail;
    const auto word = [](char c) { return c == '_'; };
    for (const bool whole_words : {true, false}) {
      std::size_t h = head, t = tail;
      while (whole_words && h > 0 && !word(a[h - 1])) --h;
      while (whole_words && t > 0 && !word(a[a.size() - t])) --t;
      if (h + t == 0 || h + t >= a.size() || h + t >= b.size()) continue;
      const std::string_view old = a.substr(h, a.size() - h - t), fresh = b.substr(h, b.size() - h - t);
      emit({escape_pattern(old), std::string(fresh)}, std::string(old));
      emit({escape_pattern(a.substr(0, a.size() - t)), std::string(b.substr(0, b.size() - t))},
           std::string(a.substr(0, a.size() - t)));
      emit({escape_pattern(a.substr(h)), std::string(b.substr(h))}, std::string(a.substr(h)));
    }
  }

  void emit(Sides sides, std::string needle) {
    if (sides.source.empty()) return;
    Transform transform;
    transform.source_patterns = {sides.source};
    transform.target_patterns = {sides.target};
    // Numbers in the needle may be others in other names.
    const std::size_t digit = needle.find_first_of("0123456789");
    if (digit != std::string::npos) needle.resize(digit);
    out_.push_back({std::move(transform), std::move(needle), sides.source.size() + sides.target.size() + 1});
  }

  const NameParts& from_;
  std::vector<RenameCandidate>& out_;
  std::size_t begin_ = 0, end_ = 0;
  Parts to_;
};

}  // namespace

std::string escape_pattern(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.^$*+?{}[]|()").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

RenameCandidate prefix_candidate(const std::string& prefix, const std::vector<std::string>& heads) {
  RenameCandidate candidate;
  std::string source = "^";
  if (!heads.empty()) {
    source += "(?!";
    for (const std::string& head : heads) source += (source.size() > 4 ? "|" : "") + escape_pattern(head);
    source += ")";
  }
  candidate.transform.source_patterns = {source};
  candidate.transform.target_patterns = {prefix + "."};
  candidate.cost = source.size() + prefix.size() + 1;
  return candidate;
}

void add_candidates(std::string_view from, std::string_view to, std::vector<RenameCandidate>& candidates) {
  const NameParts parts = split_name(from), others = split_name(to);
  const Alignment alignment = align_names(parts, others);
  Maker maker(parts, candidates);
  const std::vector<Hunk>& hunks = alignment.hunks;
  for (std::size_t first = 0; first < hunks.size(); ++first) {
    for (std::size_t last = first; last < std::min(hunks.size(), first + 4); ++last) {
      maker.exchange(
          hunks[first].from_begin, hunks[last].from_end,
          Parts(others).subspan(hunks[first].to_begin, hunks[last].to_end - hunks[first].to_begin));
    }
  }
  maker.exchange(0, parts.size(), others);  // the last resort: this name alone
}

}  // namespace keyshift
