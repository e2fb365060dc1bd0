// SPDX-License-Identifier: MIT
// The list of stations: the server's, and the listener's personal one if there is one.
import { capitalized, listeners_in_words, music_in_words, station_named } from "./station_choice.js";

const OWN = "";                        // no station has this name

export class StationList {
  #list;
  #title;
  #choose;
  #cards = new Map();                  // station name -> its button

  // `choose(choice)`: null for the listener's personal station.
  constructor(list, title, choose) {
    this.#list = list;
    this.#title = title;
    this.#choose = choose;
  }

  // `stations`: as in GET /api/status. `own`: what the personal station plays, in words; null if there is none. `current`:
  // name of the chosen station, null for the personal one; `pending`: of the one about to replace it, undefined if none is.
  show(stations, { own, current, pending }) {
    const entries = stations.map((station) => ({
      name: station.station,
      title: capitalized(station.station),
      detail: `${music_in_words(station)} · ${listeners_in_words(station.listeners)}`,
      choice: station_named(station.station),
    }));
    if (own !== null) entries.push({ name: OWN, title: "Your own", detail: own, choice: null });
    this.#list.hidden = this.#title.hidden = entries.length < 2;
    this.#keep_cards_of(entries);
    for (const { name, title, detail } of entries) {
      const card = this.#cards.get(name);
      const [strong, span] = card.children;
      if (strong.textContent !== title) strong.textContent = title;
      if (span.textContent !== detail) span.textContent = detail;
      if (name === (current ?? OWN)) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
      card.classList.toggle("pending", name === pending);
      card.setAttribute("aria-busy", String(name === pending));
    }
  }

  // Keeps the cards of remaining stations, so that a focused one stays focused.
  #keep_cards_of(entries) {
    const names = entries.map(({ name }) => name);
    for (const [name, card] of this.#cards) {
      if (names.includes(name)) continue;
      card.parentElement.remove();
      this.#cards.delete(name);
    }
    entries.forEach(({ name, choice }, i) => {
      if (!this.#cards.has(name)) this.#cards.set(name, this.#make_card(name, choice));
      const item = this.#cards.get(name).parentElement;
      if (this.#list.children[i] !== item) this.#list.insertBefore(item, this.#list.children[i] ?? null);
    });
  }

  #make_card(name, choice) {
    const card = document.createElement("button");
    card.type = "button";
    card.className = "card";
    card.dataset.station = name;
    card.append(document.createElement("strong"), document.createElement("span"));
    card.addEventListener("click", () => this.#choose(choice));
    document.createElement("li").append(card);
    return card;
  }
}
