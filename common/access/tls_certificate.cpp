// SPDX-License-Identifier: MIT
#include "common/access/tls_certificate.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <system_error>
#include <utility>

#include "common/base/log.h"

namespace auralis {
namespace {

// The suites of TLS 1.2 with forward secrecy and authenticated encryption; those of TLS 1.3 all have both.
constexpr char kCiphers[] =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// Why OpenSSL's last call failed.
std::string openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* const reason = ERR_reason_error_string(code);
  return reason == nullptr ? "error " + std::to_string(code) : reason;
}

// Refuses a key with a passphrase: OpenSSL would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

std::shared_ptr<SSL_CTX> load(const std::string& certificate, const std::string& key) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) throw TlsError("OpenSSL cannot be used: " + openssl_error());
  SSL_CTX* const native = context.get();
  SSL_CTX_set_default_passwd_cb(native, no_passphrase);
  if (SSL_CTX_use_certificate_chain_file(native, certificate.c_str()) != 1)
    throw TlsError("tls_certificate: " + certificate + " cannot be used: " + openssl_error());
  if (SSL_CTX_use_PrivateKey_file(native, key.c_str(), SSL_FILETYPE_PEM) != 1)
    throw TlsError("tls_key: " + key + " cannot be used: " + openssl_error());
  if (SSL_CTX_check_private_key(native) != 1)
    throw TlsError("tls_key: " + key + " is not the key of " + certificate);
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(native, kCiphers);
  SSL_CTX_set_options(native,
                      SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Saves 34 kB per idle connection, of which there are thousands.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

TlsCertificate::TlsCertificate(std::string certificate, std::string key)
    : certificate_(std::move(certificate)),
      key_(std::move(key)),
      watched_certificate_(certificate_),
      watched_key_(key_),
      context_(load(certificate_, key_)) {}

std::shared_ptr<SSL_CTX> TlsCertificate::context() const {
  const MutexLock lock(mutex_);
  return context_;
}

void TlsCertificate::refresh() {
  const bool other_certificate = watched_certificate_.changed();
  const bool other_key = watched_key_.changed();
  if (!other_certificate && !other_key) return;
  try {
    auto context = load(certificate_, key_);
    const MutexLock lock(mutex_);
    context_ = std::move(context);
    log_info("new TLS certificate in use", {{"certificate", certificate_}});
  } catch (const TlsError& error) {
    // Usually one of the two files has not been replaced yet.
    log_error(std::string("the former TLS certificate stays in use: ") + error.what());
  }
}

}  // namespace auralis
