// SPDX-License-Identifier: MIT
// The server's certificate and key, reloaded when their files change: renewal needs no restart.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "common/base/mutex.h"
#include "common/base/watched_file.h"

// OpenSSL's SSL_CTX, of which every user keeps its own header to itself.
struct ssl_ctx_st;

namespace auralis {

// An unusable certificate or key: which, and why.
struct TlsError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Any thread.
class TlsCertificate {
 public:
  // Paths of PEM files: the chain, beginning with the server's certificate, and its key. Throws TlsError.
  TlsCertificate(std::string certificate, std::string key);

  // The context for a new connection; existing ones keep theirs. Never null.
  std::shared_ptr<ssl_ctx_st> context() const;

  // Reloads changed files; an unusable pair is logged as an error, once, and the former one stays in use. To
  // be called about once a second, by one thread.
  void refresh();

 private:
  std::string certificate_;
  std::string key_;
  WatchedFile watched_certificate_;
  WatchedFile watched_key_;
  mutable Mutex mutex_;
  std::shared_ptr<ssl_ctx_st> context_ AURALIS_GUARDED_BY(mutex_);
};

}  // namespace auralis
