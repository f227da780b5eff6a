/* A small Markdown to DOM: headings, lists, fences, emphasis. Links and images stay text on purpose. */

const INLINE = /`([^`\n]+)`|\*\*([^*\n]+)\*\*|\*([^*\s][^*\n]*)\*/g;
const FENCE = /^\s*(```+|~~~+)/;
const HEADING = /^#{1,6}\s+(.*)/;
const ITEM = /^\s*([-*•]|\d{1,4}[.)])\s+(.*)/;

function putInline(node, text) {
  let start = 0;
  for (const found of text.matchAll(INLINE)) {
    put(node, text.slice(start, found.index));
    const [all, code, strong, emphasis] = found;
    if (code !== undefined) node.append(put(el('code', { dir: 'ltr' }), code));
    else node.append(put(el(strong !== undefined ? 'strong' : 'em'), strong ?? emphasis));
    start = found.index + all.length;
  }
  return put(node, text.slice(start));
}

function renderMarkdown(source, own) {
  const made = document.createDocumentFragment();
  const lines = source.split('\n').slice(0, MOST_LINES);
  let paragraph = [];
  let list = null;

  const endParagraph = () => {
    if (!paragraph.length) return;
    const node = el('p', { dir: directionOf(paragraph.join(' '), own) });
    paragraph.forEach((line, number) => {
      if (number) node.append(el('br'));
      putInline(node, line);
    });
    made.append(node);
    paragraph = [];
  };
  const addItem = (marker, text) => {
    const kind = /\d/.test(marker) ? 'OL' : 'UL';
    if (list?.tagName !== kind) {
      list = el(kind, { dir: directionOf(text, own), start: kind === 'OL' ? parseInt(marker, 10) : null });
      made.append(list);
    }
    list.append(putInline(el('li', { dir: directionOf(text, own) }), text));
  };

  for (let number = 0; number < lines.length; number += 1) {
    const line = lines[number];
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    const item = ITEM.exec(line);
    if (fence) {
      endParagraph();
      list = null;
      const code = [];
      while (++number < lines.length && !lines[number].trim().startsWith(fence[1])) code.push(lines[number]);
      made.append(el('pre', { dir: 'ltr', tabindex: '0' }, put(el('code'), code.join('\n'))));
    } else if (heading) {
      endParagraph();
      list = null;
      made.append(putInline(el('h5', { dir: directionOf(heading[1], own) }), heading[1]));
    } else if (item) {
      endParagraph();
      addItem(item[1], item[2]);
    } else if (!line.trim()) {
      endParagraph();
      if (!ITEM.test(lines[number + 1] ?? '')) list = null;
    } else if (list && /^\s{2,}/.test(line)) {
      list.lastChild.append(el('br'));
      putInline(list.lastChild, line.trim());
    } else {
      list = null;
      paragraph.push(line);
    }
  }
  endParagraph();
  return made;
}
