#include "tools/commands/rename_stream.h"

#include <array>
#include <atomic>
#include <string>
#include <utility>

#include "base/side_by_side.h"
#include "tools/commands/plain_lines.h"

namespace keyshift::tools {

namespace {

constexpr std::size_t kPiece =
    1U << 17U;                     // bytes read at once: a piece and what is made of it fit into caches
constexpr std::size_t kSlots = 6;  // pieces under way
constexpr std::uint64_t kLeastShared = 8 * kPiece;  // below it a thread takes longer to begin than to end

/// Cuts an input into pieces of whole lines.
class PieceReader {
 public:
  PieceReader(Input& in, const Interrupt& interrupt) : in_(in), interrupt_(interrupt) {}

  /// The next piece, empty at the end. False if a line is longer than a piece.
  bool read(std::string& room, std::string_view& piece) {
    room.resize(kPiece);
    std::size_t size = rest_.copy(room.data(), rest_.size());
    rest_.clear();
    while (!at_end_ && size < kPiece) {
      const std::size_t got = in_.read({room.data() + size, kPiece - size});
      interrupt_.check();
      at_end_ = got == 0;
      size += got;
    }
    const std::string_view text = std::string_view(room).substr(0, size);
    const std::size_t newline = at_end_ ? text.size() - 1 : text.rfind('\n');
    if (newline == std::string_view::npos && !text.empty()) return false;
    piece = text.substr(0, newline + 1);
    rest_ = text.substr(piece.size());
    return true;
  }

 private:
  Input& in_;
  const Interrupt& interrupt_;
  std::string rest_;  // the beginning of a line
  bool at_end_ = false;
};

/// What goes round between the thread that reads and writes and the one that renames.
class Ring {
 public:
  struct Slot {
    std::string room;
    std::string_view piece;
    RenamedKeys lines;
    bool plain = false;
  };
  Slot& operator[](std::uint64_t number) noexcept { return slots_[number % kSlots]; }

  void tell_read(std::uint64_t count) noexcept { tell(read_, count); }
  void tell_renamed(std::uint64_t count) noexcept { tell(renamed_, count); }
  bool has_renamed(std::uint64_t number) const noexcept { return renamed_.load() > number; }
  void wait_renamed(std::uint64_t number) const noexcept { wait(renamed_, number); }
  /// False if there will be no such piece.
  bool wait_read(std::uint64_t number) const noexcept {
    wait(read_, number);
    return read_.load() != kNoMore;
  }
  void end() noexcept { tell_read(kNoMore); }

 private:
  static constexpr std::uint64_t kNoMore = ~std::uint64_t{0};

  static void tell(std::atomic<std::uint64_t>& count, std::uint64_t value) noexcept {
    count.store(value);
    count.notify_one();
  }
  static void wait(const std::atomic<std::uint64_t>& count, std::uint64_t number) noexcept {
    for (std::uint64_t now = count.load(); now <= number; now = count.load()) count.wait(now);
  }

  std::array<Slot, kSlots> slots_;
  std::atomic<std::uint64_t> read_{0}, renamed_{0};  // pieces
};

/// One stream of lines, from first to last.
class Stream {
 public:
  Stream(const TransformTrie& trie, Input& in, Output& out, const Interrupt& interrupt)
      : reader_(in, interrupt), out_(out), all_bytes_(in.expected()), lines_(trie, all_bytes_) {}

  bool run() {
    if (all_bytes_ < kLeastShared || !side_by_side([&] { read_and_write(); }, [&] { rename_all(); }))
      run_alone();
    return plain_ && lines_.all_differ();
  }

 private:
  void read_and_write() {
    const struct AtEnd {
      Ring& ring;
      ~AtEnd() { ring.end(); }
    } at_end{ring_};
    std::uint64_t read = 0, written = 0;
    for (bool complete = false; plain_ && (!complete || written != read);) {
      if (written != read && ring_.has_renamed(written)) {
        write(ring_[written++]);
      } else if (!complete && read - written < kSlots) {
        complete = !read_piece(ring_[read]);
        if (!complete) ring_.tell_read(++read);
      } else {
        ring_.wait_renamed(written);
      }
    }
  }

  void rename_all() {
    for (std::uint64_t number = 0; ring_.wait_read(number); ++number) {
      const struct AtEnd {  // also where memory runs out: the other thread waits for this piece
        Ring& ring;
        std::uint64_t number;
        ~AtEnd() { ring.tell_renamed(number + 1); }
      } at_end{ring_, number};
      rename(ring_[number]);
    }
  }

  void run_alone() {
    for (Ring::Slot& slot = ring_[0]; plain_ && read_piece(slot);) {
      rename(slot);
      write(slot);
    }
  }

  /// False at the end.
  bool read_piece(Ring::Slot& slot) {
    if (reader_.read(slot.room, slot.piece)) return !slot.piece.empty();
    plain_ = false;
    return false;
  }

  void rename(Ring::Slot& slot) {
    slot.plain = false;
    slot.plain = lines_.rename(slot.piece, slot.lines);
  }

  void write(const Ring::Slot& slot) {
    plain_ = slot.plain;
    if (plain_) out_.write(slot.lines.text());
  }

  PieceReader reader_;
  Output& out_;
  std::uint64_t all_bytes_;
  PlainLines lines_;
  Ring ring_;
  bool plain_ = true;  // known to the thread that reads and writes
};

bool is_key_by_key(const Renaming& renaming) { return !renaming.is_stateful() && !renaming.options().target; }

}  // namespace

bool rename_stream(const TransformTrie& trie, Input& in, Output& out, const Interrupt& interrupt) {
  if (!is_key_by_key(trie.renaming()) || !in.mark() || !out.mark()) return false;
  try {
    if (Stream(trie, in, out, interrupt).run()) return true;
  } catch (...) {
    out.take_back();
    throw;
  }
  out.take_back();
  in.go_back();
  return false;
}

}  // namespace keyshift::tools
