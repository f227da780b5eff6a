/* Word difference between two answers: Myers' O(ND) algorithm over Intl.Segmenter words. */

const MOST_WORDS = 6000;
const MOST_EDITS = 1500;

function words(text, language) {
  if (!Intl.Segmenter) return text.split(/(?<=\s)|(?=\s)/);
  let segmenter;
  try { segmenter = new Intl.Segmenter(language, { granularity: 'word' }); } catch { segmenter = new Intl.Segmenter(undefined, { granularity: 'word' }); }
  return Array.from(segmenter.segment(text), (found) => found.segment);
}

/** Return which words of each side the other lacks, as two arrays of booleans; null where the texts differ too much. */
function difference(before, after) {
  const [n, m] = [before.length, after.length];
  const most = Math.min(n + m, MOST_EDITS);
  const reach = new Int32Array(2 * most + 3);
  const trace = [];
  for (let edits = 0; edits <= most; edits += 1) {
    trace.push(reach.slice(most + 1 - edits - 1, most + 1 + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const down = k === -edits || (k !== edits && reach[most + k] < reach[most + 2 + k]);
      let x = down ? reach[most + 2 + k] : reach[most + k] + 1;
      let y = x - k;
      while (x < n && y < m && before[x] === after[y]) { x += 1; y += 1; }
      reach[most + 1 + k] = x;
      if (x >= n && y >= m) return walkBack(trace, n, m);
    }
  }
  return null;
}

function walkBack(trace, n, m) {
  const removed = new Array(n).fill(false);
  const added = new Array(m).fill(false);
  let [x, y] = [n, m];
  for (let edits = trace.length - 1; edits > 0; edits -= 1) {
    const at = (k) => trace[edits][k + edits + 1];
    const k = x - y;
    const down = k === -edits || (k !== edits && at(k - 1) < at(k + 1));
    const before = down ? k + 1 : k - 1;
    const startX = at(before);
    const startY = startX - before;
    if (down) added[startY] = true; else removed[startX] = true;
    [x, y] = [startX, startY];
  }
  return [removed, added];
}

/** A text box whose words are marked where the other answer lacks them. */
function markedBox(parts, flags, tag, language, clip) {
  const box = el('div', { class: 'text raw clip', tabindex: '0', role: 'region', 'aria-label': clip, lang: language.lang, dir: language.direction });
  let line = el('div');
  let text = '';
  const endLine = () => { line.setAttribute('dir', directionOf(text, language.direction)); box.append(line); line = el('div'); text = ''; };
  for (let start = 0; start < parts.length;) {
    let end = start;
    while (end < parts.length && flags[end] === flags[start]) end += 1;
    parts.slice(start, end).join('').split('\n').forEach((piece, number) => {
      if (number) endLine();
      text += piece;
      if (piece) line.append(flags[start] ? put(el(tag), piece) : put(el('span'), piece));
    });
    start = end;
  }
  endLine();
  return box;
}

/** Both answers with their differences marked, or null where they have too little in common to compare. */
function differenceBoxes(candidate, baseline, language, names) {
  const [left, right] = [words(candidate, language.lang), words(baseline, language.lang)];
  if (left.length > MOST_WORDS || right.length > MOST_WORDS) return null;
  const found = difference(left, right);
  if (!found) return null;
  return [markedBox(left, found[0], 'ins', language, names[0]), markedBox(right, found[1], 'del', language, names[1])];
}
