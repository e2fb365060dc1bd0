// SPDX-License-Identifier: MIT
#include "common/segments/bus_error_guard.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace auralis::bus_error_guard_test {
namespace {

const auto page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

// A file of three pages full of 'x', mapped.
class MappedFile {
 public:
  MappedFile() : path_(dir_.path() / "mapped") {
    test::write_file(path_, std::string(kBytes, 'x'));
    const int file = ::open(path_.c_str(), O_RDWR | O_CLOEXEC);
    test::require(file >= 0, "open");
    begin_ = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    test::require(begin_ != MAP_FAILED, "mmap");
  }
  ~MappedFile() { ::munmap(begin_, kBytes); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  void cut_to(std::size_t bytes) const {
    test::require(::truncate(path_.c_str(), static_cast<off_t>(bytes)) == 0, "truncate");
  }
  void* begin() const { return begin_; }
  // The first byte of a page; each look is one at the memory.
  volatile char& page(std::size_t number) const { return static_cast<char*>(begin_)[number * page_bytes]; }

  const std::size_t kBytes = 3 * page_bytes;

 private:
  test::TempDir dir_;
  std::filesystem::path path_;
  void* begin_ = nullptr;
};

TEST_CASE("BusErrorGuard: of a file that was cut short the missing pages read as zeros") {
  const MappedFile file;
  const BusErrorGuard guard(file.begin(), file.kBytes);
  CHECK(file.page(2) == 'x');
  file.cut_to(page_bytes);
  CHECK_FALSE(guard.hit());
  CHECK(file.page(0) == 'x');
  CHECK_FALSE(guard.hit());
  CHECK(file.page(1) == 0);
  CHECK(guard.hit());
  CHECK(file.page(2) == 0);
  CHECK(file.page(0) == 'x');
}

TEST_CASE("BusErrorGuard: what is written to a missing page does not end the process") {
  const MappedFile file;
  const BusErrorGuard guard(file.begin(), file.kBytes);
  file.cut_to(page_bytes);
  file.page(2) = 'y';
  CHECK(guard.hit());
  CHECK(file.page(2) == 'y');
}

TEST_CASE("BusErrorGuard: only the guard of the mapping that lost a page is hit, and until rearm()") {
  const MappedFile whole;
  const MappedFile cut;
  const BusErrorGuard guard_of_whole(whole.begin(), whole.kBytes);
  BusErrorGuard guard(cut.begin(), cut.kBytes);
  cut.cut_to(0);
  CHECK(cut.page(0) == 0);
  CHECK(guard.hit());
  CHECK_FALSE(guard_of_whole.hit());
  guard.rearm();
  CHECK_FALSE(guard.hit());
}

TEST_CASE("BusErrorGuard: a bus error outside of all guarded mappings ends the process as ever") {
  test::Child child([] {
    ::signal(SIGBUS, SIG_DFL);
    const MappedFile guarded;
    const MappedFile other;
    const BusErrorGuard guard(guarded.begin(), guarded.kBytes);
    other.cut_to(0);
    return static_cast<int>(other.page(0));
  });
  CHECK(child.wait() == -SIGBUS);
}

TEST_CASE("BusErrorGuard: puts its handler back where another one has replaced it") {
  test::Child child([] {
    const MappedFile file;
    { const BusErrorGuard first(file.begin(), file.kBytes); }
    ::signal(SIGBUS, SIG_DFL);
    const BusErrorGuard guard(file.begin(), file.kBytes);
    file.cut_to(0);
    return static_cast<int>(file.page(0));
  });
  CHECK(child.wait() == 0);
}

TEST_CASE("BusErrorGuard: one mapping more than can be guarded is refused until another one goes") {
  const MappedFile file;
  std::vector<std::unique_ptr<BusErrorGuard>> guards;
  const auto add = [&] { guards.push_back(std::make_unique<BusErrorGuard>(file.begin(), file.kBytes)); };
  const auto add_too_many = [&] {
    for (std::size_t i = 0; i <= BusErrorGuard::kMostGuards; ++i) add();
  };
  CHECK_THROWS_AS(add_too_many(), std::runtime_error);
  guards.pop_back();
  CHECK_NOTHROW(add());
}

}  // namespace
}  // namespace auralis::bus_error_guard_test
