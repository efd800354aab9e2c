// Logos to begin with, and instructions that the embedded engine carries out on them.

const folder = new URL("../samples/", import.meta.url);

/** The suggestions stand alone and in a list: each is a phrase after "Please …". */
export const SAMPLES = [
  {
    name: "coffee",
    title: "Brew & Bean",
    logo: "A modern coffee shop logo: a cup with a coffee bean, steam and lettering",
    theme: "Warm brown tones, natural feeling",
    suggestions: [
      "make it more minimalist",
      "use lighter shades of brown",
      "change brown to forest green",
      "make the background white",
    ],
  },
  {
    name: "leaf",
    title: "Verdant",
    logo: "Two leaves on a stem over the word verdant",
    theme: "Fresh greens on a transparent background",
    suggestions: [
      "use darker shades of green",
      "put it on a cream background",
      "change green to teal",
      "make it black and white",
    ],
  },
  {
    name: "lunar",
    title: "Lunar Tide",
    logo: "A crescent moon over waves, with lettering below",
    theme: "Night sky, gold and cyan",
    suggestions: [
      "make the background deep purple",
      "use lighter shades of yellow",
      "make it more minimalist",
      "make it greyscale",
    ],
  },
  {
    name: "mountain",
    title: "Northwood",
    logo: "Mountains with trees and an orange sun in a round badge, with lettering below",
    theme: "Forest greens with one orange accent",
    suggestions: [
      "change orange to red",
      "use lighter shades of green",
      "make the background cream",
      "make it monochrome",
    ],
  },
  {
    name: "tech",
    title: "Nimbus",
    logo: "Two interlocking rings over the word nimbus",
    theme: "Blue to violet gradients on white",
    suggestions: [
      "remove the gradients",
      "change blue to teal",
      "make the background transparent",
      "make it black and white",
    ],
  },
];

/** Suggestions for any picture, whatever its colours. */
export const SUGGESTIONS = [
  "make it more minimalist",
  "use lighter colours",
  "make the background transparent",
  "make it black and white",
];

export const fileOf = (sample) => new URL(`${sample.name}.png`, folder);
export const thumbnailOf = (sample) => new URL(`thumbnails/${sample.name}.png`, folder);

const MOST_SUGGESTIONS = 4;
const LEAST_SATURATION = 0.3;
// the hues of the colours that the suggestions are about, in degrees
const HUES = {
  brown: [5, 45],
  orange: [15, 45],
  yellow: [35, 65],
  green: [70, 165],
  blue: [200, 265],
};

/** What to suggest for a version of a tree that is known by the description that a sample was
 * uploaded with: nothing that it was just made by, and no colour that it has no more. */
export function suggestionsFor(concept) {
  const sample = SAMPLES.find((one) => one.logo === concept?.logo_description);
  const said = concept?.refinement_prompt?.toLowerCase() ?? "";
  const colours = concept?.report?.palette.after;
  return [...new Set([...(sample?.suggestions ?? []), ...SUGGESTIONS])]
    .filter((phrase) => !said.includes(phrase) && (!colours || isAboutOneOf(colours, phrase)))
    .slice(0, MOST_SUGGESTIONS);
}

/** Whether a phrase is about one of these colours, or about none at all. */
function isAboutOneOf(colours, phrase) {
  const [, name] = /(?:change|shades of) (\w+)/.exec(phrase) ?? [];
  if (!(name in HUES)) return true;
  const [from, to] = HUES[name];
  return colours.map(hueOf).some((hue) => hue !== null && hue >= from && hue <= to);
}

/** The hue of a "#rrggbb" in degrees, null for greys and pale ones. */
function hueOf(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const most = Math.max(red, green, blue);
  const chroma = most - Math.min(red, green, blue);
  if (!(chroma > LEAST_SATURATION * most)) return null;
  if (most === red) return (((green - blue) / chroma + 6) % 6) * 60;
  if (most === green) return ((blue - red) / chroma + 2) * 60;
  return ((red - green) / chroma + 4) * 60;
}
