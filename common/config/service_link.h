// SPDX-License-Identifier: MIT
// Environment variables that Kubernetes and Docker set for every service that a container can reach, named
// after the service: one that is called auralis-streamd gives AURALIS_STREAMD_PORT=tcp://10.96.0.11:8000,
// which is the name of a key of ours. Pure.
#pragma once

#include <string_view>

namespace auralis {

// Whether a variable has the shape of such a link, by name and text:
//     X_SERVICE_HOST, X_SERVICE_PORT=<number>, X_SERVICE_PORT_<NAME>=<number>, X_PORT=<protocol>://...,
//     X_PORT_<number>_<PROTOCOL>=<protocol>://..., and this with _PROTO, _PORT or _ADDR behind it; of
//     Docker's
//     --link also X_NAME=/... and X_ENV_<NAME>.
// (Kubernetes, "Accessing the Service", environment variables; Docker, "Legacy container links".)
bool is_service_link(std::string_view variable, std::string_view text);

}  // namespace auralis
