// SPDX-License-Identifier: MIT
// Moments to return to: some seconds ago, and those that the listener keeps, in the browser's storage: each { choice, title, kept_ms },
// a link in the terms of station_choice.js, what played, and when it was kept by wall time. As text, one line a moment, they go to
// another browser.
import { address_of, choice_of, is_own, moved_on } from "./station_choice.js";
import { keep, kept_list } from "./storage.js";
import { language, text } from "./strings.js";

const MOST = 200;
const LATEST_MS = 8.64e15;             // of a Date

const is_moment = (moment) => ["choice", "title"].every((field) => typeof moment?.[field] === "string") && is_own(moment.choice) &&
    Math.abs(moment.kept_ms) <= LATEST_MS;

export class Moments {
  #list;
  #none;
  #text;
  #handlers;

  // `page`: the page's elements by id. `handlers`: find(), which resolves to the moment that is heard, { choice, title, chunk_ms }, or
  // null; start(choice); say(sentence).
  constructor(page, handlers) {
    this.#list = page.moments;
    this.#none = page.no_moments;
    this.#text = page.moments_text;
    this.#handlers = handlers;
    page.exchange.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#import();
    });
    page.keep.addEventListener("click", () => this.#keep());
    page.back_15.addEventListener("click", () => this.#go_back(15));
    page.back_60.addEventListener("click", () => this.#go_back(60));
    this.#show();
  }

  async #keep() {
    const moment = await this.#handlers.find();
    if (!moment) return this.#handlers.say(text("nothing_to_share"));
    const { choice, title } = moment;
    const is_kept = this.#set([{ choice, title, kept_ms: Date.now() }, ...this.#all.filter((before) => before.choice !== choice)]);
    this.#handlers.say(text(is_kept ? "moment_kept" : "not_kept"));
  }

  // Continues with the music as it was so long ago, on a personal station.
  async #go_back(seconds) {
    const moment = await this.#handlers.find();
    if (!moment) return this.#handlers.say(text("nothing_to_share"));
    await this.#handlers.start(moved_on(moment.choice, -Math.ceil(seconds * 1000 / moment.chunk_ms)));
  }

  get #all() {
    return kept_list("moments", is_moment);
  }

  // Returns whether the browser keeps them.
  #set(moments) {
    const is_kept = keep("moments", moments.slice(0, MOST));
    this.#show();
    return is_kept;
  }

  #import() {
    const taken = moments_of(this.#text.value).filter(({ choice }, i, all) => all.findIndex((one) => one.choice === choice) === i);
    if (taken.length === 0) return this.#handlers.say(text("not_imported"));
    const here = this.#all.filter(({ choice }) => !taken.some((moment) => moment.choice === choice));
    const is_kept = this.#set([...taken, ...here].sort((a, b) => b.kept_ms - a.kept_ms));
    this.#handlers.say(is_kept ? text("imported", taken.length) : text("not_kept"));
  }

  #show() {
    const moments = this.#all;
    this.#none.hidden = moments.length > 0;
    this.#list.replaceChildren(...moments.map((moment) => this.#item_of(moment)));
    this.#text.value = text_of(moments, location.href);
  }

  #item_of({ choice, title, kept_ms }) {
    const link = document.createElement("a");
    link.href = address_of(choice, location.href);
    link.textContent = title;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;  // in another tab or window
      event.preventDefault();
      this.#handlers.start(choice);
    });
    const when = document.createElement("time");
    when.dateTime = new Date(kept_ms).toISOString();
    when.textContent = new Date(kept_ms).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "quiet";
    remove.textContent = "×";
    remove.setAttribute("aria-label", text("remove", title));
    remove.addEventListener("click", () => {
      const at = [...this.#list.children].indexOf(item);
      this.#set(this.#all.filter((moment) => moment.choice !== choice));
      (this.#list.children[Math.min(at, this.#list.children.length - 1)]?.querySelector("button") ?? this.#text).focus();
    });
    const item = document.createElement("li");
    item.append(link, when, remove);
    return item;
  }
}

// One line a moment: when it was kept, its address, and its title. `page`: the page's address.
export function text_of(moments, page) {
  return moments.map(({ choice, title, kept_ms }) => `${new Date(kept_ms).toISOString()} ${address_of(choice, page)} ${title}`).join("\n");
}

// The moments in such a text; lines that are none are left out.
export function moments_of(lines) {
  return lines.split("\n").flatMap((line) => {
    const [, when, address, title] = line.trim().match(/^(\S+) (https?:\/\/\S+) (.+)$/) ?? [];
    if (!address || Number.isNaN(Date.parse(when))) return [];
    const choice = choice_of(address.split("#")[0].split("?")[1] ?? "");
    return is_own(choice) ? [{ choice, title, kept_ms: Date.parse(when) }] : [];
  });
}
