// SPDX-License-Identifier: MIT
// Resets the state that a process inherits from its parent, so that it behaves the same under a shell, cron,
// ssh -n, systemd or a container runtime.
#pragma once

namespace auralis {

// Opens the descriptors 0, 1 and 2 on /dev/null if they are closed: the next file opened would get their
// number, and standard output or error would be written into it. Call first in every main, before any file is
// opened.
void open_standard_descriptors();

// Call first in a daemon's main, while it has one thread. Calls open_standard_descriptors(), and
// - closes all other descriptors except those that systemd passes (LISTEN_FDS): a socket or lock of the
//   parent would stay open for as long as the daemon runs;
// - restores the default action of ignored signals, unblocks all signals, cancels a pending alarm;
// - ignores SIGPIPE and SIGXFSZ, so that a closed peer, or a limit on file sizes, is an error of the write;
// - sets the umask to 0027.
void reset_inherited_state();

}  // namespace auralis
