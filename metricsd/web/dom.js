// SPDX-License-Identifier: MIT
// Makes and changes elements of the page.

export const by_id = (id) => document.getElementById(id);

// `attributes`: null leaves one out.
export function element(tag, attributes = {}, ...content) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

const SVG = "http://www.w3.org/2000/svg";
export function drawing(tag, attributes = {}, ...content) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...content);
  return made;
}

// Leaves an unchanged text alone, so that a screen reader does not repeat it, and a selection stays.
export function set_text(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

// Keeps the choice, where it still exists.
export function set_options(select, values) {
  const known = [...select.options].slice(1).map(({ value }) => value);
  if (known.join("\n") === values.join("\n")) return;
  const chosen = select.value;
  select.replaceChildren(select.options[0], ...values.map((value) => element("option", { value }, value)));
  select.value = values.includes(chosen) ? chosen : "";
}
