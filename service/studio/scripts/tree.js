// Lay a family of versions out: a column a generation, a row a branch, and a number a version.

/**
 * A place for every concept, in reading order: {concept, number, column, row, rise}.
 *
 * The first child goes on in its parent's row, later ones get a row of their own below;
 * `rise` is how many rows above the parent's row is, null for one without a parent.
 */
export function arrange(tree) {
  const numbers = numbered(tree);
  const known = new Set(tree.map((one) => one.concept_id));
  const children = Map.groupBy(tree, (one) => (known.has(one.parent_id) ? one.parent_id : null));
  const places = [];
  let rows = 0;
  const waiting = [];
  const push = (parent, id) => {
    const list = children.get(id) ?? [];
    const next = list.map((concept, index) => ({ concept, parent, isFirst: index === 0 }));
    waiting.push(...next.reverse()); // a stack: the first child is taken first
  };
  push(null, null);
  while (waiting.length) {
    const { concept, parent, isFirst } = waiting.pop();
    const row = parent && isFirst ? parent.row : rows++;
    const place = {
      concept,
      number: numbers.get(concept.concept_id),
      column: parent ? parent.column + 1 : 0,
      row,
      rise: parent ? row - parent.row : null,
    };
    places.push(place);
    push(place, concept.concept_id);
  }
  return places;
}

/** "Original" for what was uploaded, "Version 3" for the third of the tree. */
export function nameOf(tree, concept) {
  if (concept.parent_id === null && !concept.parent_deleted) return "Original";
  return `Version ${numbered(tree).get(concept.concept_id)}`;
}

function numbered(tree) {
  const byAge = tree.toSorted((a, b) => a.created_at.localeCompare(b.created_at));
  return new Map(byAge.map((one, index) => [one.concept_id, index + 1]));
}
