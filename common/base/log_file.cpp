// SPDX-License-Identifier: MIT
#include "common/base/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/base/log_lines.h"

namespace auralis {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFileMode = 0640;

struct CloseGzip {
  void operator()(gzFile file) const { gzclose(file); }
};
using GzipFile = std::unique_ptr<std::remove_pointer_t<gzFile>, CloseGzip>;

// Throws std::system_error.
void write_gzip(const fs::path& plain, const fs::path& target) {
  const auto require = [](bool done, const fs::path& file) {
    if (!done) throw std::system_error(errno, std::generic_category(), file.string());
  };
  std::ifstream from(plain, std::ios::binary);
  require(from.is_open(), plain);
  FileDescriptor file(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, kFileMode));
  require(file.is_open(), target);
  GzipFile to(gzdopen(file.get(), "wb"));
  require(to != nullptr, target);
  file.release();
  std::array<char, 65'536> block{};
  while (from.read(block.data(), block.size()) || from.gcount() > 0) {
    const auto bytes = static_cast<unsigned>(from.gcount());
    require(gzwrite(to.get(), block.data(), bytes) == static_cast<int>(bytes), target);
  }
  require(gzclose(to.release()) == Z_OK, target);
}

}  // namespace

LogFile::LogFile(std::string directory, std::string stem, int days, Report report)
    : directory_(std::move(directory)), stem_(std::move(stem)), days_(days), report_(std::move(report)) {}

std::string LogFile::path() const { return directory_ + "/" + stem_ + "-" + date_ + ".log"; }

// A clock that is set back does not begin a former day, whose file may be compressed.
void LogFile::begin_day(Time now) {
  std::string date = utc_date(now);
  if (date <= date_) return;
  date_ = std::move(date);
  file_.reset();
  retry_ = {};
  compress_and_remove(now);
}

void LogFile::write(Time now, std::string_view line) {
  if (failing_ && now < retry_) return;
  if (!open() || !append(line)) return fail(now, std::strerror(errno));
  if (std::exchange(failing_, false)) report_(LogLevel::kInfo, "log file is written again", path(), {});
}

// False, with errno, if the file cannot be opened.
bool LogFile::open() {
  struct stat status {};
  const bool removed = file_.is_open() && (fstat(file_.get(), &status) != 0 || status.st_nlink == 0);
  if (file_.is_open() && !removed) return true;
  file_.reset(::open(path().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, kFileMode));
  return file_.is_open();
}

// False, with errno, and the file as before, if the line cannot be written as a whole.
bool LogFile::append(std::string_view line) {
  struct stat before {};
  if (fstat(file_.get(), &before) != 0) return false;
  ssize_t written = 0;
  do {
    written = ::write(file_.get(), line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) return true;
  const int error = written < 0 ? errno : ENOSPC;
  if (written > 0) static_cast<void>(ftruncate(file_.get(), before.st_size));
  errno = error;
  return false;
}

void LogFile::fail(Time now, const std::string& error) {
  file_.reset();
  retry_ = now + kRetry;
  if (!std::exchange(failing_, true))
    report_(LogLevel::kError, "log file cannot be written, the log is on standard error only", path(), error);
}

// Of former days: compresses what is not, and removes what is older than `days_`. Touches files of this log
// only.
void LogFile::compress_and_remove(Time now) {
  const std::regex form(stem_ + R"(-(\d{4}-\d\d-\d\d)\.log(\.gz)?)");
  const std::string oldest = utc_date(now - std::chrono::hours(24) * (days_ - 1));
  std::error_code unreadable;  // a folder that is missing is reported when the log is written
  std::vector<fs::path> files;
  fs::directory_iterator entry(directory_, unreadable);
  for (; !unreadable && entry != fs::end(entry); entry.increment(unreadable)) files.push_back(entry->path());
  for (const fs::path& file : files) {
    const std::string name = file.filename();
    std::smatch match;
    if (!std::regex_match(name, match, form) || match[1] >= date_) continue;
    if (match[1] < oldest) {
      fs::remove(file, unreadable);
    } else if (!match[2].matched && !fs::exists(file.string() + ".gz", unreadable)) {
      compress(file);
    }
  }
}

// In a file of another name first: a crash leaves the log as it was.
void LogFile::compress(const std::string& file) {
  const std::string part = file + ".gz.part";
  try {
    write_gzip(file, part);
    fs::rename(part, file + ".gz");
    fs::remove(file);
  } catch (const std::system_error& error) {
    std::error_code ignored;
    fs::remove(part, ignored);
    report_(LogLevel::kError, "log file of a former day cannot be compressed", file, error.code().message());
  }
}

}  // namespace auralis
