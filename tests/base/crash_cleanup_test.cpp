#include "base/crash_cleanup.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"

using namespace keyshift;
using keyshift::test::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

// In a process of its own, which ends afterwards as it would after a signal; its code.
template <class Crash>
int in_another_process(Crash crash) {
  const pid_t child = ::fork();
  if (child == 0) {
    crash();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("folders on the list are removed with all that is in them, and links are not followed") {
  const TemporaryFolder folder;
  folder.write("precious/file", "mine");
  for (const char* name : {"a", "-rf", "with\nnewline", "sub/deeper/b", "sub/c"})
    folder.write(std::string("-tmp/") + name, "x");
  for (int i = 0; i < 500; ++i) folder.write("-tmp/many/" + std::to_string(i) + std::string(100, 'x'), "x");
  folder.write("other/d", "x");
  fs::create_directory_symlink(folder / "precious", folder / "-tmp/link");
  fs::create_directory_symlink(folder / "precious", folder / "linked");

  const CrashCleanup one(folder / "-tmp"), two(folder / "linked");
  CrashCleanup gone(folder / "other");
  gone = CrashCleanup();
  CHECK(in_another_process([] { CrashCleanup::remove_all(); }) == 0);
  CHECK_FALSE(fs::exists(folder / "-tmp"));
  CHECK(fs::exists(folder / "other/d"));
  CHECK(fs::is_symlink(folder / "linked"));
  CHECK(test::read_file(folder / "precious/file") == "mine");
}

TEST_CASE("a folder is on the list while its owner lives, wherever that is moved") {
  const TemporaryFolder folder;
  for (const char* name : {"a/x", "b/x", "c/x"}) folder.write(name, "x");
  CrashCleanup a(folder / "a");
  {
    CrashCleanup b(folder / "b");
    CrashCleanup moved(std::move(b));
    a = CrashCleanup(folder / "c");
  }
  CHECK(in_another_process([] { CrashCleanup::remove_all(); }) == 0);
  CHECK(fs::exists(folder / "a"));
  CHECK(fs::exists(folder / "b"));
  CHECK_FALSE(fs::exists(folder / "c"));
}

TEST_CASE("other threads that still write into a folder do not keep it") {
  const TemporaryFolder folder;
  folder.write("tmp/a", "x");
  const CrashCleanup one(folder / "tmp");
  CHECK(in_another_process([&] {
          std::atomic<bool> begun{false};
          std::jthread writer([&](const std::stop_token& stop) {
            for (int i = 0; i < 20 && !stop.stop_requested(); ++i) {
              std::ofstream(folder / ("tmp/new" + std::to_string(i))) << "x";
              begun = true;
            }
          });
          while (!begun) std::this_thread::yield();
          CrashCleanup::remove_all();
        }) == 0);
  CHECK_FALSE(fs::exists(folder / "tmp"));
}

TEST_CASE("an owner whose folder is being removed waits for the end and publishes nothing") {
  const TemporaryFolder folder;
  folder.write("tmp/a", "x");
  CrashCleanup one(folder / "tmp");
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGUSR1, [](int) {});
    CrashCleanup::remove_all();
    one = CrashCleanup();  // does not come back
    ::_exit(0);
  }
  while (fs::exists(folder / "tmp")) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int i = 0; i < 5; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    ::kill(child, SIGUSR1);
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(10));
  CHECK(::waitpid(child, nullptr, WNOHANG) == 0);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST_CASE("what finds no place is left out: a long list, a path that no call would take") {
  const TemporaryFolder folder;
  CrashCleanup(folder / std::string(5000, 'x'));
  std::vector<CrashCleanup> many;
  for (int i = 0; i < 100; ++i) {
    fs::create_directory(folder / std::to_string(i));
    many.emplace_back(folder / std::to_string(i));
  }
  CHECK(in_another_process([] { CrashCleanup::remove_all(); }) == 0);
  CHECK(std::distance(fs::directory_iterator(folder.path()), {}) == 36);
}
