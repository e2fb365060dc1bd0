// SPDX-License-Identifier: MIT
// The stations to choose from: those of the server, and the listener's own while there is one.
import { capitalized, listeners_in_words, music_in_words, station_named } from "./station_choice.js";

const OWN = "";                        // no station is called so

export class StationList {
  #list;
  #title;
  #choose;
  #cards = new Map();                  // station name -> its button

  // `choose(choice)`: null for the listener's own station.
  constructor(list, title, choose) {
    this.#list = list;
    this.#title = title;
    this.#choose = choose;
  }

  // `stations`: as GET /api/status has them. `own`: what one's own plays, in words; null where there is none. `current`:
  // name of the one that is chosen, null for one's own; `coming`: of the one that shall be, undefined where none shall.
  show(stations, { own, current, coming }) {
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
      card.classList.toggle("pending", name === coming);
      card.setAttribute("aria-busy", String(name === coming));
    }
  }

  // Those that stay are kept as they are, with the focus that one of them may have.
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
