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

/** What to suggest for a tree, known by the description that a sample was uploaded with. */
export function suggestionsFor(concept) {
  const sample = SAMPLES.find((one) => one.logo === concept?.logo_description);
  return sample?.suggestions ?? SUGGESTIONS;
}
