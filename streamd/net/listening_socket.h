// SPDX-License-Identifier: MIT
// The TCP socket that connections arrive at: bound by this process, or by systemd, which keeps it across
// restarts.
#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

#include "common/base/file_descriptor.h"

namespace auralis {

// Why the server cannot listen: what, where, what to do.
struct ListenError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct ListeningSocket {
  FileDescriptor socket;  // listening, non-blocking
  std::string address;    // such as 0.0.0.0:8000 or [::]:8000
  // systemd keeps it when this process ends: connections that were not accepted wait for the next start.
  bool of_systemd = false;
};

// The socket of the socket unit that has started this process (sd_listen_fds(3)), if any; else bound to that
// host, an IP address or localhost, and port. An IPv6 wildcard accepts IPv4, too, unless the system is
// configured otherwise. Logs a warning if systemd's is at another address, and refuses one that is open on
// all addresses where the configuration names one. Takes systemd's socket: to be called once, before other
// threads run, as it changes the environment. Throws ListenError.
ListeningSocket open_listening_socket(const std::string& host, std::uint16_t port);

}  // namespace auralis
