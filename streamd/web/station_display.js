// SPDX-License-Identifier: MIT
// Shows what the chosen station plays: in words for listeners, in musicians' terms under "Shape the sound", and who may change it.
import { music_in_words } from "./music_words.js";
import { is_own, name_of, unheard_in_words } from "./station_choice.js";
import { show_text, text } from "./strings.js";

const technical = ({ key, mode, bpm }) => `${text("key_name", key)} ${text(`mode_${mode}`)} · ${text("bpm", Math.round(bpm))}`;

export class StationDisplay {
  #page;

  // `page`: the page's elements by id.
  constructor(page) {
    this.#page = page;
  }

  // Of the station's newest status.
  show_status(status) {
    const { parameters, target, station, personal } = status;
    show_text(this.#page.now, music_in_words(status));
    show_text(this.#page.hint, "");
    show_text(this.#page.technical, technical(parameters));
    const changes = ["key", "mode", "bpm"].some((name) => parameters[name] !== target[name]);
    show_text(this.#page.next, changes ? text("from_next_bar", technical(target)) : "");
    this.#page.other_player.href = `listen/${encodeURIComponent(station)}.m3u`;
    // The address is what lets others listen to a personal station: it is in no link that may be copied by mistake.
    this.#page.other_player.hidden = personal;
  }

  // `listeners`: null if unknown.
  show_listeners(listeners) {
    show_text(this.#page.listeners, listeners === null ? "–" : String(listeners));
  }

  // A station before its first status.
  show_unheard({ choice, known, moment }) {
    show_text(this.#page.technical, "\u00a0");
    show_text(this.#page.next, "");
    this.#page.other_player.hidden = is_own(choice);
    if (name_of(choice) !== null) this.#page.other_player.href = `listen/${encodeURIComponent(name_of(choice))}.m3u`;
    if (!is_own(choice)) return;
    const [title, hint] = unheard_in_words(known ? moment : choice, known);
    show_text(this.#page.now, title);
    show_text(this.#page.hint, hint);
  }

  // Whether the listener may change the music, and who hears the changes. `silent`: a personal station that does not play. Returns
  // whether it may be changed.
  show_changeable({ personal, silent, closed, own_offered }) {
    this.#page.closed.hidden = !silent && !closed;
    this.#page.to_own.hidden = silent || !own_offered;
    show_text(this.#page.closed_why, text(silent ? "own_silent" : "closed"));
    this.#page.shared.hidden = silent || closed;
    show_text(this.#page.shared, text(personal ? "own_shared" : "all_hear"));
    return !silent && !closed;
  }
}
