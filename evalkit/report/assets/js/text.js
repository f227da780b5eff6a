/* Text as its language wants it: direction by the majority of letters, hidden characters as named boxes. */

// Which characters are hidden is evalkit's own rule (text/safe.py).
const point = (code) => `\\u{${code.toString(16)}}`;
const HIDDEN = new RegExp(`[${META.rules.hidden.map(([low, high]) => `${point(low)}-${point(high)}`).join('')}]`, 'gu');
const HIDDEN_NAMES = META.rules.hiddenNames;
const FLAG_TAGS = /\u{1f3f4}[\u{e0061}-\u{e007a}\u{e0030}-\u{e0039}]+\u{e007f}/gu;
const RIGHT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1eeff}]/gu;
const LETTER = /\p{L}/gu;
const MOST_SHOWN = 40000;
const MOST_LINES = 2000;

/** Append text to a node, hidden characters boxed; flags of regions (emoji with tag characters) stay whole. */
function put(node, text) {
  const flags = [...text.matchAll(FLAG_TAGS)].map((found) => [found.index, found.index + found[0].length]);
  let start = 0;
  for (const found of text.matchAll(HIDDEN)) {
    if (flags.some(([from, to]) => from < found.index && found.index < to)) continue;
    if (found.index > start) node.append(text.slice(start, found.index));
    const code = found[0].codePointAt(0);
    const name = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
    node.append(el('span', { class: 'ctl', title: name, text: HIDDEN_NAMES[code] ?? name }));
    start = found.index + found[0].length;
  }
  node.append(text.slice(start));
  return node;
}

/** Direction of a paragraph by its letters, code left out; the language's own where they do not tell. */
function directionOf(text, own) {
  const sample = text.slice(0, 2000).replace(/`[^`]*`/g, '');
  const right = (sample.match(RIGHT) ?? []).length;
  const left = (sample.match(LETTER) ?? []).length - right;
  if (right + left === 0) return own;
  // Names and terms in Latin letters are common in right-to-left prose, the reverse is rare.
  if (own === 'rtl') return right * 4 >= left ? 'rtl' : 'ltr';
  return right > left * 2 ? 'rtl' : 'ltr';
}

function putLines(box, text, own) {
  for (const line of text.split('\n').slice(0, MOST_LINES)) {
    box.append(put(el('div', { dir: directionOf(line, own) }), line || '\u00a0'));
  }
}

/** A text in its language, rendered or raw; a very long one is cut, with a button for the rest. */
function textBox(text, language, { rendered = false, clip = null } = {}) {
  const box = el('div', {
    class: `text${rendered ? '' : ' raw'}${clip ? ' clip' : ''}`,
    tabindex: clip ? '0' : null,
    role: clip ? 'region' : null,
    'aria-label': clip,
    lang: language.lang,
    dir: language.direction,
  });
  const fill = (shown) => {
    if (rendered) box.append(renderMarkdown(shown, language.direction));
    else putLines(box, shown, language.direction);
  };
  const shown = text.length > MOST_SHOWN ? text.slice(0, MOST_SHOWN) : text;
  fill(shown);
  if (shown.length < text.length) {
    box.append(button(`Show all ${thousands(text.length)} characters`, () => { box.textContent = ''; fill(text); }));
  }
  return box;
}
