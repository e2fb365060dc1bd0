// SPDX-License-Identifier: MIT
// Puts right what a process inherits from the one that started it, so that it behaves alike below a shell,
// cron, ssh -n, systemd or a container's runtime.
#pragma once

namespace auralis {

// Opens the descriptors 0, 1 and 2 on /dev/null if they are closed: the next file that is opened would take
// their number, and standard output or error would be written into it. First in every main, before anything
// is opened.
void open_standard_descriptors();

// For daemons, first in main, with one thread: open_standard_descriptors(), and
// - closes all other descriptors but those that systemd passes (LISTEN_FDS): a socket or lock of the parent
// would
//   stay open for as long as the daemon runs;
// - gives signals that are ignored their default action, and blocks none; stops an alarm;
// - ignores SIGPIPE and SIGXFSZ, so that a peer that closes, or a limit on file sizes, is an error of that
// write;
// - sets the umask to 0027.
void reset_inherited_state();

}  // namespace auralis
