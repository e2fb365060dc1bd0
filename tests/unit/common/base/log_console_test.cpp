// SPDX-License-Identifier: MIT
#include "common/base/log_console.h"

#include "tests/unit/common/support.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <optional>
#include <string>
#include <thread>

namespace auralis::log_console_test {
namespace {

using test::Pipe;
using test::StderrTo;

// The socket of a journald.
class Journal {
 public:
  explicit Journal(std::string path) : path_(std::move(path)), socket_(socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    unlink(path_.c_str());
    test::require(bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  }

  const std::string& path() const { return path_; }

  std::string receive() const {
    std::array<char, 4'096> buffer{};
    const ssize_t bytes = recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return {buffer.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0};
  }

 private:
  std::string path_;
  FileDescriptor socket_;
};

// The name of a file as systemd puts it into JOURNAL_STREAM.
std::string stream_name(int descriptor) {
  struct stat status {};
  test::require(fstat(descriptor, &status) == 0, "fstat");
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

void write_line(LogConsole& console, const std::string& message) {
  const std::string members = json_members(message, {{"station", std::string("night")}});
  console.write({std::chrono::system_clock::now(), LogLevel::kWarning, "echod", members});
}

struct JournalStream {
  explicit JournalStream(const std::string& name) { setenv("JOURNAL_STREAM", name.c_str(), 1); }
  ~JournalStream() { unsetenv("JOURNAL_STREAM"); }
  JournalStream(const JournalStream&) = delete;
  JournalStream& operator=(const JournalStream&) = delete;
};

// Returns what arrives on standard error of a console of that format, which writes one line.
std::string on_stderr(LogFormat format, const std::string& journal_socket, bool connected) {
  Pipe pipe;
  {
    const StderrTo redirected(pipe.write_end());
    const JournalStream stream(connected ? stream_name(STDERR_FILENO) : "1:1");
    LogConsole console(format, journal_socket);
    write_line(console, "late");
  }
  return pipe.drain();
}

TEST_CASE("standard error that the journal reads is replaced by entries with fields and a priority") {
  const test::TempDir dir;
  const Journal journal(dir.path() / "socket");
  CHECK(on_stderr(LogFormat::kAuto, journal.path(), true).empty());
  CHECK(journal.receive() ==
        "MESSAGE=late station=night\nPRIORITY=4\nSYSLOG_IDENTIFIER=echod\nSTATION=night\n");
}

TEST_CASE("an inherited JOURNAL_STREAM of another standard error is ignored") {
  const test::TempDir dir;
  const Journal journal(dir.path() / "socket");
  const std::string text = on_stderr(LogFormat::kAuto, journal.path(), false);
  CHECK(text.rfind(R"({"time":)", 0) == 0);
  CHECK(journal.receive().empty());
}

TEST_CASE("a chosen format goes to standard error, with the level's prefix for the journal") {
  const test::TempDir dir;
  const Journal journal(dir.path() / "socket");
  CHECK(on_stderr(LogFormat::kJson, journal.path(), true).rfind(R"(<4>{"time":)", 0) == 0);
  CHECK(on_stderr(LogFormat::kText, journal.path(), true).rfind("<4>", 0) == 0);
  CHECK(on_stderr(LogFormat::kText, journal.path(), false).rfind("<4>", 0) == std::string::npos);
  CHECK(journal.receive().empty());
}

TEST_CASE("without the journal's socket, lines with a prefix go to standard error") {
  const test::TempDir dir;
  const std::string text = on_stderr(LogFormat::kAuto, dir.path() / "none", true);
  CHECK(text.rfind(R"(<4>{"time":)", 0) == 0);
  CHECK(text.find(R"("message":"late","station":"night"})") != std::string::npos);
}

TEST_CASE("an entry that the journal cannot take goes to standard error") {
  const test::TempDir dir;
  const Journal journal(dir.path() / "socket");
  Pipe pipe;
  {
    const StderrTo redirected(pipe.write_end());
    const JournalStream stream(stream_name(STDERR_FILENO));
    LogConsole console(LogFormat::kAuto, journal.path());
    std::thread reader([&] {  // the line is longer than a pipe
      std::string text;
      std::array<char, 65'536> buffer{};
      while (text.find('\n') == std::string::npos) {
        const ssize_t bytes = read(pipe.read_end(), buffer.data(), buffer.size());
        REQUIRE(bytes > 0);
        text.append(buffer.data(), static_cast<std::size_t>(bytes));
      }
      CHECK(text.rfind("<4>{", 0) == 0);
    });
    write_line(console, std::string(4 << 20, 'x'));
    reader.join();
  }
  CHECK(journal.receive().empty());
}

TEST_CASE("after a restart of the journal, entries go to the new one") {
  const test::TempDir dir;
  const std::string path = dir.path() / "socket";
  std::optional<Journal> journal(std::in_place, path);
  Pipe pipe;
  const StderrTo redirected(pipe.write_end());
  const JournalStream stream(stream_name(STDERR_FILENO));
  LogConsole console(LogFormat::kAuto, path);
  write_line(console, "first");
  CHECK(journal->receive().rfind("MESSAGE=first", 0) == 0);
  journal.reset();
  journal.emplace(path);
  write_line(console, "second");
  CHECK(journal->receive().rfind("MESSAGE=second", 0) == 0);
}

TEST_CASE("a journal that takes nothing is given up at the deadline") {
  const test::TempDir dir;
  const Journal journal(dir.path() / "socket");
  Pipe pipe;
  const StderrTo redirected(pipe.write_end());
  const JournalStream stream(stream_name(STDERR_FILENO));
  LogConsole console(LogFormat::kAuto, journal.path());
  console.give_up_after(std::chrono::steady_clock::now() + std::chrono::milliseconds(50));
  // More than its queue takes: stuck, this would not come back at all.
  while (!console.given_up()) write_line(console, "line");
  CHECK(journal.receive().rfind("MESSAGE=line", 0) == 0);
}

}  // namespace
}  // namespace auralis::log_console_test
