/* The packed part of the page: an index of every example, and texts in one shard a language. */

const unpacked = new Map();

async function gunzip(node) {
  const packed = node.textContent.trim();
  const bytes = Uint8Array.fromBase64 ? Uint8Array.fromBase64(packed) : Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
}

/** Columns over all examples, with what filters need: lower-case previews, and places by id. */
async function loadIndex() {
  const index = JSON.parse(await gunzip($('#index')));
  index.lowered = index.preview.map((text) => text.toLowerCase());
  index.byId = new Map(index.id.map((id, place) => [id, place]));
  return index;
}

/** Texts of a language, [] where the page carries none. */
function shard(language) {
  if (!unpacked.has(language)) {
    const node = document.querySelector(`.shard[data-language="${language}"]`);
    unpacked.set(language, node ? gunzip(node).then(JSON.parse) : Promise.resolve([]));
  }
  return unpacked.get(language);
}

/** Texts of one example, null where the page does not carry them. */
async function textsOf(index, example) {
  return (await shard(index.language[example]))[index.place[example]] ?? null;
}
