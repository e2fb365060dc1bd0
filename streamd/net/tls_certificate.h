// SPDX-License-Identifier: MIT
// The server's certificate and key, as the files have them now: who renews them need not restart anything.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "common/base/mutex.h"
#include "streamd/net/watched_file.h"

namespace asio::ssl {
class context;
}

namespace auralis {

// A certificate or key that cannot be used: which, why, what to do.
struct TlsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Any thread.
class TlsCertificate {
 public:
  // Paths of PEM files: the chain, the server's own certificate first, and its key. Throws TlsError.
  TlsCertificate(std::string certificate, std::string key);
  ~TlsCertificate();

  // For a new connection; those that are there keep theirs.
  std::shared_ptr<asio::ssl::context> context() const;

  // Looks whether the files are others, and takes them; those that cannot be used are an error in the log,
  // once, and the former ones stay. About each second.
  void refresh();

 private:
  std::string certificate_;
  std::string key_;
  WatchedFile watched_certificate_;
  WatchedFile watched_key_;
  mutable Mutex mutex_;
  std::shared_ptr<asio::ssl::context> context_ AURALIS_GUARDED_BY(mutex_);
};

}  // namespace auralis
