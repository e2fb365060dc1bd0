// SPDX-License-Identifier: MIT
#include "metricsd/http_client.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string_view>
#include <system_error>

namespace auralis {
namespace {

constexpr int kPatienceS = 3;  // to connect, and for the whole exchange
constexpr unsigned int kPauseMs = 10;
constexpr std::size_t kLongestAnswer = 1 << 16;
constexpr int kOk = 200;
constexpr int kRedirection = 302;

using Connection = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

struct Url {
  std::string host;  // of IPv6, in brackets
  std::string port;
  std::string target;  // path and query
  bool tls = false;
};

struct Tls {
  SSL_CTX* context;
  std::string host;  // without brackets
  HttpPeer peer;
};

// What OpenSSL allocated; empties it.
std::string taken(char* text) {
  std::string copy = text != nullptr ? text : "";
  OPENSSL_free(text);
  return copy;
}

// False if it is none.
bool parse(const std::string& text, Url& url) {
  int tls = 0;
  char* host = nullptr;
  char* port = nullptr;
  char* path = nullptr;
  char* query = nullptr;
  if (OSSL_HTTP_parse_url(text.c_str(), &tls, nullptr, &host, &port, nullptr, &path, &query, nullptr) == 0)
    return false;
  url = {taken(host), taken(port), taken(path), tls != 0};
  if (url.host.empty()) return false;
  const std::string after = taken(query);
  if (!after.empty()) url.target += "?" + after;
  return true;
}

// The certificate must be for that name or address. Only a name is told to the server (RFC 6066).
void expect(SSL* session, const std::string& host) {
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str()) == 1) return;
  SSL_set1_host(session, host.c_str());
  SSL_set_tlsext_host_name(session, host.c_str());
}

// Puts TLS on the connection, when it is made, and takes it off at its end.
BIO* with_tls(BIO* connection, void* argument, int connected, int use_tls) {
  const Tls& wanted = *static_cast<Tls*>(argument);
  if (connected != 0) {
    if (use_tls == 0) return connection;
    BIO* const tls = BIO_new_ssl(wanted.context, 1);
    if (tls == nullptr) return nullptr;
    SSL* session = nullptr;
    BIO_get_ssl(tls, &session);
    if (wanted.peer == HttpPeer::kTrusted) expect(session, wanted.host);
    return BIO_push(tls, connection);
  }
  if (BIO_method_type(connection) != BIO_TYPE_SSL) return connection;
  BIO* const plain = BIO_pop(connection);
  BIO_free(connection);
  return plain;
}

// Null if it fails. Connects here, since OpenSSL's client tries again for as long as it has patience.
Connection connection_to(const Url& url) {
  Connection connection(BIO_new_connect((url.host + ":" + url.port).c_str()), &BIO_free_all);
  if (connection == nullptr) return connection;
  BIO_set_nbio(connection.get(), 1);  // so that patience ends
  const std::time_t deadline = std::time(nullptr) + kPatienceS;
  while (BIO_do_connect(connection.get()) <= 0) {
    if (BIO_should_retry(connection.get()) == 0 || BIO_wait(connection.get(), deadline, kPauseMs) <= 0)
      return {nullptr, &BIO_free_all};
  }
  return connection;
}

std::string without_brackets(const std::string& host) {
  return host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

// The URL without user and query.
std::string public_part(const std::string& url) {
  std::string part = url.substr(0, url.find_first_of("?#"));
  const std::size_t host = part.find("://") == std::string::npos ? 0 : part.find("://") + 3;
  const std::size_t user = part.substr(0, part.find('/', host)).rfind('@');
  if (user != std::string::npos && user >= host) part.erase(host, user + 1 - host);
  return part;
}

// In OpenSSL's error about a status that is not 200; it tells none of a redirection, which is not followed.
int status_in(const std::string& cause) {
  constexpr std::string_view kCode = "code=";
  if (cause.find("redirection") != std::string::npos) return kRedirection;
  const std::size_t at = cause.find(kCode);
  return at == std::string::npos ? 0 : std::atoi(cause.c_str() + at + kCode.size());
}

HttpAnswer failed(const std::string& url, const std::string& cause) {
  return {status_in(cause), public_part(url) + ": " + cause};
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

// A POST if there is a body.
HttpAnswer request(const std::string& address, BIO* body, HttpPeer peer) {
  ERR_clear_error();
  Url url;
  if (!parse(address, url)) return {0, public_part(address) + ": no URL"};  // OpenSSL's error would repeat it
  const Connection connection = connection_to(url);
  if (connection == nullptr) return failed(address, cause());
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
  if (peer == HttpPeer::kTrusted) {
    SSL_CTX_set_default_verify_paths(context.get());
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  }
  Tls tls{context.get(), without_brackets(url.host), peer};
  const Connection answer(
      OSSL_HTTP_transfer(nullptr, url.host.c_str(), url.port.c_str(), url.target.c_str(), url.tls ? 1 : 0,
                         nullptr, nullptr, connection.get(), nullptr, with_tls, &tls, 0, nullptr,
                         body != nullptr ? "application/json" : nullptr, body, nullptr, 0, kLongestAnswer,
                         kPatienceS, 0),
      &BIO_free_all);
  if (answer == nullptr) return failed(address, cause());
  return {kOk, ""};
}

}  // namespace

HttpAnswer http_get(const std::string& url, HttpPeer peer) { return request(url, nullptr, peer); }

HttpAnswer http_post(const std::string& url, const std::string& json, HttpPeer peer) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> body(
      BIO_new_mem_buf(json.data(), static_cast<int>(json.size())), &BIO_free);
  return request(url, body.get(), peer);
}

}  // namespace auralis
