#define PCRE2_CODE_UNIT_WIDTH 8
#include "transforms/pattern.h"

#include <fmt/format.h>
#include <pcre2.h>

#include <array>
#include <atomic>
#include <mutex>

#include "base/error.h"
#include "base/utf8.h"
#include "transforms/literal_search.h"
#include "transforms/pcre2_trust.h"

namespace keyshift {

namespace {

// A search is stopped after about as many steps as take a quarter of a second. Patterns that do not explode
// need a few per byte and never see the second of these limits; a search that does is begun anew under the
// next one, which tells what it costs, for PCRE2 does not.
constexpr std::array<std::uint32_t, 3> kMatchLimits = {100'000, 2'000'000, 20'000'000};
// What the expensive searches of one pattern may cost together: a few seconds, however many keys there are.
constexpr std::uint64_t kStepsOfAll = 200'000'000;
constexpr std::uint32_t kHeapLimitKiB = 64 * 1024;
constexpr std::size_t kJitStackStart = 32 * 1024, kJitStackMost = 8 * 1024 * 1024;
constexpr std::uint32_t kNestLimit = 4 * regex::kMaximumNesting;  // the written form nests a little deeper

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* pointer) const noexcept {
    Free(pointer);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, FreeWith<Free>>;
using Code = Owned<pcre2_code, pcre2_code_free>;
using CompileContext = Owned<pcre2_compile_context, pcre2_compile_context_free>;
using MatchContext = Owned<pcre2_match_context, pcre2_match_context_free>;
using MatchData = Owned<pcre2_match_data, pcre2_match_data_free>;
using JitStack = Owned<pcre2_jit_stack, pcre2_jit_stack_free>;

std::string pcre2_message(int code) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(code, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

// What one thread needs to match: made at its first search, and again only when a pattern has more groups
// than any before.
struct Workspace {
  MatchContext context{pcre2_match_context_create(nullptr)};
  JitStack stack{pcre2_jit_stack_create(kJitStackStart, kJitStackMost, nullptr)};
  MatchData data;
  std::uint32_t pairs = 0;

  Workspace() {
    if (!context) throw std::bad_alloc();
    pcre2_set_match_limit(context.get(), kMatchLimits.front());
    pcre2_set_heap_limit(context.get(), kHeapLimitKiB);
    if (stack) pcre2_jit_stack_assign(context.get(), nullptr, stack.get());
  }

  void reserve(std::uint32_t wanted) {
    if (pairs >= wanted) return;
    data.reset(pcre2_match_data_create(wanted, nullptr));
    if (!data) throw std::bad_alloc();
    pairs = wanted;
  }
};

Workspace& workspace() {
  thread_local Workspace mine;
  return mine;
}

// Control characters shown as \xNN.
std::string printable(std::string_view text) {
  const std::string shown = quote(text, text.size());
  return shown.substr(1, shown.size() - 2);
}

// The pattern on a line of its own and a caret under the place.
std::string pointing_at(std::string_view pattern, std::size_t offset) {
  constexpr std::size_t kContext = 60;  // bytes on either side
  const std::size_t begin = offset > kContext ? utf8::floor_boundary(pattern, offset - kContext) : 0;
  const std::size_t end =
      pattern.size() - offset > kContext ? utf8::floor_boundary(pattern, offset + kContext) : pattern.size();
  const auto shown = [&](std::size_t from, std::size_t to) {
    return printable(pattern.substr(from, to - from));
  };
  const std::string before = (begin > 0 ? "…" : "") + shown(begin, offset);
  return fmt::format("\n  {}{}{}\n  {:{}}^", before, shown(offset, end), end < pattern.size() ? "…" : "", "",
                     utf8::count_codepoints(before));
}

regex::Syntax parse_or_explain(std::string_view pattern) {
  try {
    return regex::parse(pattern);
  } catch (const regex::SyntaxError& error) {
    throw Error(ErrorKind::pattern_invalid,
                fmt::format("Python's re refuses this pattern: {}{}", printable(error.message),
                            pointing_at(pattern, error.offset)));
  }
}

std::string translate_or_explain(std::string_view pattern, const regex::Syntax& syntax) {
  try {
    return regex::to_pcre2(syntax);
  } catch (const regex::SyntaxError& error) {
    throw Error(ErrorKind::pattern_invalid, fmt::format("this pattern is not supported: {}{}", error.message,
                                                        pointing_at(pattern, error.offset)));
  }
}

Code compile(std::string_view python, const regex::Syntax& syntax) {
  const std::string pcre2 = translate_or_explain(python, syntax);
  const CompileContext context(pcre2_compile_context_create(nullptr));
  if (!context) throw std::bad_alloc();
  pcre2_set_parens_nest_limit(context.get(), kNestLimit);
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  std::uint32_t options = PCRE2_UTF | PCRE2_NO_UTF_CHECK | PCRE2_NO_AUTO_POSSESS;
  if (!regex::is_plain(syntax)) options |= PCRE2_NO_START_OPTIMIZE | PCRE2_NO_DOTSTAR_ANCHOR;
  int error = 0;
  std::size_t offset = 0;
  Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pcre2.data()), pcre2.size(), options, &error, &offset,
                          context.get()));
  if (!code) {
    throw Error(ErrorKind::pattern_invalid, fmt::format("this pattern is not supported: {}{}",
                                                        pcre2_message(error), pointing_at(python, 0)));
  }
  return code;
}

}  // namespace

struct Pattern::State {
  std::string text;
  regex::Syntax syntax;
  std::optional<regex::LiteralSearch> literal;
  Code code;  // null if `literal` does the work
  std::once_flag jit_once;
  std::atomic<std::uint64_t> spent = 0;  // steps of searches that went beyond the first limit

  bool is_exhausted() const noexcept { return spent.load(std::memory_order_relaxed) > kStepsOfAll; }
  int search_within(std::uint32_t limit, std::string_view subject, std::size_t from, bool some,
                    Workspace& mine);
  int run(std::string_view subject, std::size_t from, bool some, Workspace& mine);
};

int Pattern::State::search_within(std::uint32_t limit, std::string_view subject, std::size_t from, bool some,
                                  Workspace& mine) {
  pcre2_set_match_limit(mine.context.get(), limit);
  const auto match = [&](std::uint32_t options) {
    return pcre2_match(code.get(), reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), from,
                       options | PCRE2_NO_UTF_CHECK | (some ? PCRE2_NOTEMPTY_ATSTART : 0U), mine.data.get(),
                       mine.context.get());
  };
  const int result = match(0);
  return result == PCRE2_ERROR_JIT_STACKLIMIT ? match(PCRE2_NO_JIT) : result;
}

// pcre2_match's result for a search in `subject` from `from` on; the spans are in the workspace's match data.
int Pattern::State::run(std::string_view subject, std::size_t from, bool some, Workspace& mine) {
  // Without machine code (no memory, no such processor) the interpreter does the same.
  std::call_once(jit_once, [this] { pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE); });
  mine.reserve(syntax.groups + 1);
  for (const std::uint32_t limit : kMatchLimits) {
    const int result = search_within(limit, subject, from, some, mine);
    if (result != PCRE2_ERROR_MATCHLIMIT) return result;
    spent.fetch_add(limit, std::memory_order_relaxed);
    if (is_exhausted()) break;
  }
  return PCRE2_ERROR_MATCHLIMIT;
}

Pattern::Pattern(std::string_view python) : state_(std::make_unique<State>()) {
  state_->text = python;
  state_->syntax = parse_or_explain(python);
  state_->literal = regex::LiteralSearch::from(state_->syntax);
  if (!state_->literal) state_->code = compile(python, state_->syntax);
}

Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

const std::string& Pattern::text() const noexcept { return state_->text; }
const regex::Syntax& Pattern::syntax() const noexcept { return state_->syntax; }

std::optional<std::size_t> Pattern::group(std::string_view name) const noexcept {
  for (const auto& [known, index] : state_->syntax.names) {
    if (known == name) return index;
  }
  return std::nullopt;
}

bool Pattern::search(std::string_view subject, Match& match) const {
  return search_from(subject, 0, false, match);
}

bool Pattern::search_from(std::string_view subject, std::size_t from, bool some, Match& match) const {
  match.spans_.clear();
  if (state_->literal) {
    const std::size_t begin = state_->literal->find(subject, from);
    if (begin == std::string_view::npos) return false;
    match.spans_.assign(state_->syntax.groups + 1, {begin, begin + state_->literal->size()});
    return true;
  }
  Workspace& mine = workspace();
  const int result = state_->run(subject, from, some, mine);
  if (result == PCRE2_ERROR_NOMATCH) return false;
  if (result < 0) {
    throw Error(
        ErrorKind::pattern_limit,
        fmt::format("gave up searching {} for the pattern {}: {}", quote(subject), quote(state_->text),
                    state_->is_exhausted() ? "its searches have taken too many steps together, write it so "
                                             "that parts cannot match the same text in many ways"
                                           : pcre2_message(result)));
  }
  const std::size_t* const ends = pcre2_get_ovector_pointer(mine.data.get());
  match.spans_.resize(state_->syntax.groups + 1);
  for (std::size_t i = 0; i < static_cast<std::size_t>(result); ++i)
    match.spans_[i] = {ends[2 * i], ends[2 * i + 1]};
  return true;
}

}  // namespace keyshift
