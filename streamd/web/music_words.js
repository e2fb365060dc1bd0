// SPDX-License-Identifier: MIT
// Music in words and colours for listeners who know no keys and modes. `parameters` are those of docs/protocol.md. Pure.
import { text } from "./strings.js";

const SLOW_BPM = 56;
const LIVELY_BPM = 68;
const BEAT_INTENSITY = 0.3;            // as composer.cpp has it: below it no kick is composed
// How bright a mode sounds, 0 to 1: the number of its raised degrees (from phrygian to lydian).
const BRIGHTNESS = { phrygian: 0, aeolian: 0.2, dorian: 0.4, mixolydian: 0.6, ionian: 0.8, lydian: 1 };
const DARKEST_HUE = 250;               // degrees: violet blue,
const BRIGHTEST_HUE = 45;              // to amber, by way of green

const brightness_of = ({ mode }) => BRIGHTNESS[mode] ?? 0.5;

// "slow, dark, no beat".
export function character_of(parameters) {
  const { bpm, intensity, kicks } = parameters;
  const brightness = brightness_of(parameters);
  return [
    text(bpm < SLOW_BPM ? "slow" : bpm < LIVELY_BPM ? "calm" : "lively"),
    text(brightness < 0.3 ? "dark" : brightness < 0.7 ? "mellow" : "light"),
    text(kicks && intensity >= BEAT_INTENSITY ? "soft_beat" : "no_beat"),
  ].join(", ");
}

export function preset_title(name) {
  return text(`preset_${name}`) ?? name.charAt(0).toUpperCase() + name.slice(1);
}

// "Sleep: slow, dark, no beat". `status`: a status message, or an entry of GET /api/status.
export function music_in_words({ preset, target }) {
  const character = character_of(target);
  return preset ? `${preset_title(preset)}: ${character}` : character.charAt(0).toUpperCase() + character.slice(1);
}

// Of the colour that stands for such music, in degrees.
export function hue_of(parameters) {
  return Math.round(DARKEST_HUE + (BRIGHTEST_HUE - DARKEST_HUE) * brightness_of(parameters));
}
