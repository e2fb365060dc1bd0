// SPDX-License-Identifier: MIT
#include "common/base/inherited_state.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <string_view>

namespace auralis {
namespace {

constexpr int kFirstPassed = STDERR_FILENO + 1;  // SD_LISTEN_FDS_START of sd-daemon(3)

int number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return 0;
  const std::string_view digits(text);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc() && end == digits.data() + digits.size() && number > 0 ? number : 0;
}

void close_inherited_descriptors() {
  const int passed = number_in("LISTEN_PID") == ::getpid() ? number_in("LISTEN_FDS") : 0;
  // Fails on kernels before Linux 5.9, which lack this call: the descriptors stay open.
  ::close_range(static_cast<unsigned>(kFirstPassed + passed), ~0U, 0);
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal) {
    struct sigaction action {};
    // Handlers are not inherited across exec: an existing one belongs to a sanitizer or a debugger.
    if (::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN)
      std::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void open_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // open() returns the lowest free number, which is the missing one. Without /dev (a bare chroot), open any
    // directory: writes to it fail, and reach no other file.
    const int access = descriptor == STDIN_FILENO ? O_RDONLY : O_WRONLY;
    if (::open("/dev/null", access) < 0) static_cast<void>(::open("/", O_RDONLY | O_DIRECTORY));
  }
}

void reset_inherited_state() {
  constexpr mode_t kUmask = 0027;
  open_standard_descriptors();
  close_inherited_descriptors();
  reset_signals();
  // Cancel the parent's timer, which exec keeps: it would end this process.
  const itimerval none{};
  ::setitimer(ITIMER_REAL, &none, nullptr);
  ::umask(kUmask);
}

}  // namespace auralis
