// SPDX-License-Identifier: MIT
// What a child process writes, piece by piece: it waits while nobody reads on. Knows no library of the
// network.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace auralis {

struct ChildCommand {
  std::vector<std::string> words;    // the program's path, and its arguments
  std::shared_ptr<const void> hold;  // released when the process is gone
  // Called on the worker's thread, not from within run() or read_on(), and never after the ChildOutput is
  // destroyed; each may destroy it.
  std::function<void(std::string_view)> on_output;  // the piece that read_on() asked for
  std::function<void(int status)> on_end;  // all output was read, and the process has ended; 0: successfully
};

// The worker's thread only. The destructor ends the process.
class ChildOutput {
 public:
  virtual ~ChildOutput() = default;

  // Reads the next piece.
  virtual void read_on() = 0;
};

}  // namespace auralis
