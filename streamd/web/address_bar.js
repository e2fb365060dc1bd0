// SPDX-License-Identifier: MIT
// The page's address and its history: each station that the listener chooses has an entry of its own, with the key of an own station
// (own_memory.js) in its state, so that back, forward and a reload lead to it.
import { own_of } from "./own_memory.js";
import { Route } from "./route.js";
import { address_of, choice_of, is_own, shown_choice } from "./station_choice.js";

export class AddressBar {
  #replacing = new WeakSet();          // routes that take the newest entry's place, or have one already

  // `on_visit(route)`: the listener goes to another entry.
  constructor(on_visit) {
    addEventListener("popstate", ({ state }) => {
      if (state === null && location.hash) return;  // a jump within the page
      on_visit(this.route());
    });
  }

  // The route to what the present entry names.
  route() {
    const choice = choice_of(location.search);
    return this.replacing(new Route(choice, is_own(choice) ? own_of(history.state?.own) : null));
  }

  // Returns the same route, which will get no entry of its own.
  replacing(route) {
    this.#replacing.add(route);
    return route;
  }

  // That route is chosen from now on.
  add(route) {
    if (!this.#replacing.has(route)) history.pushState(null, "", location.href);
  }

  // `pending`: the route that is to follow, or null; `status`, `permalink`: as of shown_choice(); `format`: as of address_of().
  show(route, pending, { status, permalink, format }) {
    // On the way to another entry, which is still to be kept as it is.
    if (pending && this.#replacing.has(pending)) return;
    const address = address_of(shown_choice(route.choice, status, permalink), location.href, format);
    if (address === location.href && (history.state?.own ?? null) === route.key) return;
    history.replaceState({ own: route.key }, "", address);
  }
}
