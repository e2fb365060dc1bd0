// SPDX-License-Identifier: MIT
// The list of places to listen at: the server's stations, the listener's own one, and the presets, each with a colour and what it is
// like, in words.
import { character_of, hue_of, music_in_words, preset_title } from "./music_words.js";
import { station_named } from "./station_choice.js";
import { show_text, text } from "./strings.js";

const OWN = "own";
const MAIN = "default";
const key_of = { station: (name) => `station ${name}`, preset: (name) => `preset ${name}` };

export class Places {
  #list;
  #choose;
  #choose_own;
  #choose_preset;
  #cards = new Map();                  // key -> its button
  #presets = [];

  preset_cards = new Map();            // name of the preset -> its button

  // `choose(choice)`; `choose_own()`: the listener's own station; `choose_preset(name)`.
  constructor(list, { choose, choose_own, choose_preset }) {
    this.#list = list;
    this.#choose = choose;
    this.#choose_own = choose_own;
    this.#choose_preset = choose_preset;
  }

  // As in GET /api/presets.
  set presets(presets) {
    this.#presets = presets;
  }

  get has_presets() {
    return this.#presets.length > 0;
  }

  // `stations`: as in GET /api/status. `own`: { detail, hue } of the listener's own station; null if there is none. `current`: name of
  // the chosen station, null for the own one; `pending`: of the one about to replace it, undefined if none is.
  show(stations, { own, current, pending }) {
    const entries = stations.map((station) => ({
      key: key_of.station(station.station),
      title: title_of(station.station),
      detail: detail_of(station),
      hue: hue_of(station.target),
      press: () => this.#choose(station_named(station.station)),
      data: { station: station.station },
    }));
    // The only station, which everybody may change, is there without being chosen.
    if (entries.length === 1 && own === null && stations[0].open) entries.pop();
    if (own !== null) {
      entries.push({ key: OWN, title: text("your_own"), ...own, press: () => this.#choose_own(), data: { own: "" } });
    }
    for (const { name, parameters } of this.#presets) {
      entries.push({
        key: key_of.preset(name), title: preset_title(name), detail: character_of(parameters), hue: hue_of(parameters),
        press: () => this.#choose_preset(name), data: { preset: name },
      });
    }
    this.#keep_cards_of(entries);
    for (const entry of entries) show_entry(this.#cards.get(entry.key), entry);
    const chosen = current === null ? OWN : key_of.station(current);
    const next = pending === undefined ? null : pending === null ? OWN : key_of.station(pending);
    for (const [key, card] of this.#cards) {
      if ("preset" in card.dataset) continue;  // controls.js marks them
      if (key === chosen) card.setAttribute("aria-current", "true");
      else card.removeAttribute("aria-current");
      card.classList.toggle("pending", key === next);
      card.setAttribute("aria-busy", String(key === next));
    }
  }

  // Keeps the cards of remaining places, so that a focused one stays focused.
  #keep_cards_of(entries) {
    const keys = entries.map(({ key }) => key);
    for (const [key, card] of this.#cards) {
      if (keys.includes(key)) continue;
      card.parentElement.remove();
      this.#cards.delete(key);
      this.preset_cards.delete(card.dataset.preset);
    }
    entries.forEach((entry, i) => {
      if (!this.#cards.has(entry.key)) this.#add_card(entry);
      const item = this.#cards.get(entry.key).parentElement;
      if (this.#list.children[i] !== item) this.#list.insertBefore(item, this.#list.children[i] ?? null);
    });
  }

  #add_card({ key, press, data }) {
    const card = document.createElement("button");
    card.type = "button";
    card.className = "card";
    Object.assign(card.dataset, data);
    card.append(document.createElement("strong"), document.createElement("span"));
    card.addEventListener("click", press);
    document.createElement("li").append(card);
    this.#cards.set(key, card);
    if (data.preset !== undefined) {
      card.classList.add("preset");
      card.setAttribute("aria-pressed", "false");
      this.preset_cards.set(data.preset, card);
    }
  }
}

function title_of(station) {
  return station === MAIN ? text("main_station") : station.charAt(0).toUpperCase() + station.slice(1);
}

function detail_of(station) {
  const { listeners } = station;
  return music_in_words(station) + (listeners > 0 ? ` · ${text("listener_count", listeners)}` : "");
}

function show_entry(card, { title, detail, hue }) {
  const [strong, span] = card.children;
  show_text(strong, title);
  show_text(span, detail);
  card.style.setProperty("--hue", hue);
}
