// SPDX-License-Identifier: MIT
#include "metricsd/http_healthcheck.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/ssl.h>

#include <memory>
#include <system_error>

namespace auralis {
namespace {

constexpr int kPatienceS = 3;  // for the whole exchange
constexpr std::size_t kLongestAnswer = 1 << 16;

// Puts TLS on the connection, when it is made, and takes it off at its end. Accepts any certificate: it is
// issued for the server's public name, not for this machine's address.
BIO* with_tls(BIO* connection, void* context, int connected, int use_tls) {
  if (connected != 0) {
    if (use_tls == 0) return connection;
    BIO* const tls = BIO_new_ssl(static_cast<SSL_CTX*>(context), 1);
    return tls != nullptr ? BIO_push(tls, connection) : nullptr;
  }
  if (BIO_method_type(connection) != BIO_TYPE_SSL) return connection;
  BIO* const plain = BIO_pop(connection);
  BIO_free(connection);
  return plain;
}

using Connection = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

// Null if it fails. Connects here, since OpenSSL's client tries again for as long as it has patience.
Connection connection_to(const HttpEndpoint& endpoint) {
  Connection connection(
      BIO_new_connect((url_host(endpoint.host) + ":" + std::to_string(endpoint.port)).c_str()),
      &BIO_free_all);
  if (connection == nullptr || BIO_do_connect(connection.get()) <= 0) return {nullptr, &BIO_free_all};
  BIO_socket_nbio(static_cast<int>(BIO_get_fd(connection.get(), nullptr)), 1);  // so that patience ends
  return connection;
}

// OpenSSL's first error of this thread: the cause of those that follow.
std::string cause() {
  const char* detail = "";
  int flags = 0;
  const unsigned long error = ERR_get_error_all(nullptr, nullptr, nullptr, &detail, &flags);
  const char* const reason = ERR_reason_error_string(error);
  std::string text = ERR_SYSTEM_ERROR(error) ? std::generic_category().message(ERR_GET_REASON(error))
                     : reason != nullptr     ? reason
                                             : "no answer";
  if ((flags & ERR_TXT_STRING) != 0 && *detail != '\0') text.append(": ").append(detail);
  return text;
}

}  // namespace

std::string http_healthcheck(const HttpEndpoint& endpoint) {
  ERR_clear_error();
  const std::string url = http_url(endpoint) + "/healthz";
  const Connection connection = connection_to(endpoint);
  if (connection == nullptr) return url + ": " + cause();
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  const Connection answer(OSSL_HTTP_get(url.c_str(), nullptr, nullptr, connection.get(), nullptr, with_tls,
                                        context.get(), 0, nullptr, nullptr, 0, kLongestAnswer, kPatienceS),
                          &BIO_free_all);
  return answer != nullptr ? "" : url + ": " + cause();
}

}  // namespace auralis
