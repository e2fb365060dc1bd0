// SPDX-License-Identifier: MIT
// What all answers over HTTP have in common: the headers beside a response's own, and whole answers that are
// written past websocketpp. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "streamd/api/http_api.h"

namespace auralis {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

// Now, as the header Date has it (RFC 9110, 5.6.7).
std::string http_date();

// The response's own headers and those that every answer has, but for its length.
HttpHeaders headers_of(const HttpResponse& response);

// The head of a stream: with chunked coding, or, for HTTP/1.0, with a body that the end of the connection
// ends.
std::string stream_head(const HttpResponse& response, bool chunked);

// A whole refusal, for a request that is answered before it has been read. `phrase` belongs to `status`.
std::string early_refusal(int status, std::string_view phrase, const std::string& sentence);

}  // namespace auralis
