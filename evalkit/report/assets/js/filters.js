/* Which examples are listed, and in which order. */

const FLAGS = { flipped: 1, wrong: 2, baselineWrong: 4, failed: 8 };
const TWICE = Math.log(2);

/** What the form asks for. */
function wanted(form) {
  const number = (name) => (form[name]?.value ? Number(form[name].value) : null);
  return {
    language: number('language'),
    slice: number('slice'),
    outcome: form.outcome.value,
    flag: form.flag.value,
    sort: form.sort.value,
    query: form.query.value.trim().toLowerCase(),
  };
}

/** Places of the examples that match, sorted. `full` holds lower-case texts where the search reads them too. */
function select(index, want, full, carried) {
  const { language, slice, outcome, flag, query } = want;
  const bit = FLAGS[flag] ?? 0;
  const found = [];
  for (let i = 0; i < index.id.length; i += 1) {
    if (language !== null && index.language[i] !== language) continue;
    if (outcome && index.outcome[i] !== outcome) continue;
    if (bit && !(index.flags[i] & bit)) continue;
    if (flag === 'length' && Math.abs(index.ratio[i]) < TWICE) continue;
    if (flag === 'carried' && !carried(i)) continue;
    if (slice !== null && !index.slices[i].includes(slice)) continue;
    if (query && !(full ? full[i] : index.lowered[i]).includes(query) && !index.id[i].toLowerCase().includes(query)) continue;
    found.push(i);
  }
  const order = ORDERS[want.sort];
  return order ? found.sort((a, b) => order(index, a, b) || a - b) : found;
}

// Examples without a score stand last whichever way the list runs.
const scoreOf = (index, i, missing) => index.score[i] ?? missing;
const ORDERS = {
  worst: (index, a, b) => scoreOf(index, a, 2) - scoreOf(index, b, 2),
  best: (index, a, b) => scoreOf(index, b, -1) - scoreOf(index, a, -1),
  longest: (index, a, b) => index.ratio[b] - index.ratio[a],
  shortest: (index, a, b) => index.ratio[a] - index.ratio[b],
};
