/* Start: tables at once, then the index and the first example, then the charts. */

const asked = () => {
  const found = /^#ex=(.+)$/.exec(location.hash);
  if (!found) return null;
  try { return decodeURIComponent(found[1]); } catch { return null; }
};

async function startBrowser() {
  const index = await loadIndex();
  const form = $('#filters');
  let full = null;
  let carriedNow = new Set();

  const open = (example, { link = false } = {}) => {
    if (link) history.replaceState(null, '', `#ex=${encodeURIComponent(index.id[example])}`);
    list.select(example);
    return detail.open(example);
  };
  const step = (by) => {
    const next = list.neighbour(by);
    if (next !== null) open(next, { link: true });
  };
  const list = new ExampleList(index, (example) => open(example, { link: true }));
  const detail = new Detail(index, step);

  const apply = ({ keep = false } = {}) => {
    const found = select(index, wanted(form), full, (i) => carriedNow.has(i));
    list.show(found);
    $('#count').textContent = `${thousands(found.length)} of ${thousands(index.id.length)} examples`;
    if (!keep && found.length) open(found[0]);
  };
  /** Open the example that the address names. */
  const route = async () => {
    const id = asked();
    if (id === null) return false;
    const example = index.byId.get(id);
    if (example === undefined) { say(`No example ${id.slice(0, 40)} in this file`); return false; }
    if (!list.shown.includes(example)) { form.reset(); full = null; apply({ keep: true }); }
    $('#examples').scrollIntoView();
    await open(example);
    return true;
  };
  /** Unpack every text once: for the search in answers, and to know which texts the page carries. */
  const unpackAll = async () => {
    say('Unpacking all texts…');
    const texts = await Promise.all(index.id.map((_, i) => textsOf(index, i)));
    carriedNow = new Set(texts.flatMap((found, i) => (found ? [i] : [])));
    say('');
    return texts.map((found, i) => (found
      ? `${joined(found.prompt)}\n${joined(found.candidate)}\n${joined(found.baseline)}`.toLowerCase()
      : index.lowered[i]));
  };

  let typing;
  form.addEventListener('submit', (event) => event.preventDefault());
  form.addEventListener('input', async (event) => {
    if (event.target.name === 'query') {
      clearTimeout(typing);
      typing = setTimeout(() => apply({ keep: true }), 120);
      return;
    }
    if (event.target.name === 'full') full = event.target.checked ? await unpackAll() : null;
    if (event.target.name === 'flag' && event.target.value === 'carried' && !carriedNow.size) await unpackAll();
    apply();
  });
  $('#csv').addEventListener('click', async () => save('examples.csv', 'text/csv', await asCsv(index, list.shown)));
  $('#jsonl').addEventListener('click', async () => save('examples.jsonl', 'application/x-ndjson', await asJsonl(index, list.shown)));
  for (const link of document.querySelectorAll('a[data-language]')) {
    link.addEventListener('click', () => {
      form.reset();
      form.language.value = String(META.languages.findIndex((language) => language.tag === link.dataset.language));
      apply();
    });
  }

  const keys = {
    j: () => step(1), k: () => step(-1), r: () => detail.toggle('rendered'), d: () => detail.toggle('compared'), '/': () => form.query.focus(),
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input, select, textarea')) return;
    const inList = event.target.closest?.('#list');
    const key = inList && event.key === 'ArrowDown' ? 'j' : inList && event.key === 'ArrowUp' ? 'k' : event.key;
    if (!keys[key]) return;
    event.preventDefault();
    keys[key]();
  });
  addEventListener('hashchange', route);

  form.hidden = false;
  $('#browser').hidden = false;
  apply({ keep: true });
  if (!(await route()) && list.shown.length) await open(list.shown[0]);
  document.documentElement.dataset.ready = 'yes';
}

document.querySelectorAll('table[data-sort]').forEach(makeSortable);
startBrowser().then(() => requestAnimationFrame(() => setTimeout(drawCharts)));
