#include "tools/commands/batch_run.h"

#include <algorithm>
#include <mutex>

#include "base/parallel.h"

namespace keyshift::tools {

void run_within_budget(std::size_t count, unsigned jobs, const std::function<unsigned(std::size_t)>& wanted,
                       const std::function<void(std::size_t, unsigned)>& work) {
  std::mutex lock;
  unsigned free = std::max(1U, jobs);
  std::size_t waiting = count;
  for_each_parallel(count, free, [&](std::size_t i) {
    const unsigned want = std::max(1U, wanted(i));
    unsigned mine = 1;
    {
      const std::lock_guard guard(lock);
      waiting -= 1;
      // Whoever waits can be begun by a thread that holds nothing now; one is left for each.
      const auto others = static_cast<unsigned>(std::min<std::size_t>(waiting, free - 1));
      mine = std::clamp(free - others, 1U, want);
      free -= mine;
    }
    work(i, mine);
    const std::lock_guard guard(lock);
    free += mine;
  });
}

}  // namespace keyshift::tools
