// SPDX-License-Identifier: MIT
// Parts common to all HTTP answers: headers besides the response's own, and whole answers that are written
// without websocketpp. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamd/api/http_api.h"

namespace auralis {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// The current time in the format of the Date header (RFC 9110, 5.6.7).
std::string http_date();

// The response's own headers and those of every answer, except Content-Length.
HttpHeaders headers_of(const HttpResponse& response);

// The header of a stream: with chunked coding, or, for HTTP/1.0, with a body that ends with the connection.
std::string stream_head(const HttpResponse& response, bool chunked);

// A complete refusal of a request that has not been read to its end. `phrase`: the reason phrase of `status`.
std::string early_refusal(int status, std::string_view phrase, const std::string& sentence);

}  // namespace auralis
