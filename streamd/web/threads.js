// SPDX-License-Identifier: MIT
// What runs beside the page, in one file, so that one request fetches both: on the browser's audio thread the jitter buffer, on a worker the
// connections.
import { serve_page } from "./connection_worker.js";
import { register_processor } from "./worklet.js";

if (typeof registerProcessor === "function") register_processor();
else serve_page();
