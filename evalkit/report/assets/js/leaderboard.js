/* The leaderboard: any language and figure on the same axis, and downloads. */

const board = $('#board');
const choice = $('#choice');
const axis = { low: Number(board.dataset.low), high: Number(board.dataset.high), width: Number(board.dataset.width) };
const across = (rate) => axis.width * (Math.min(Math.max(rate, axis.low), axis.high) - axis.low) / (axis.high - axis.low);
const points = (rate) => (rate === null ? 'n/a' : (100 * rate).toFixed(1));
const NOTHING = { value: null, low: null, high: null };
const estimate = (row, language, metric) => META.rows[row].estimates[language]?.[metric] ?? NOTHING;

function showRow(row, { value, low, high }) {
  const number = row.querySelector('.value');
  number.firstElementChild.textContent = points(value);
  number.dataset.key = value ?? 'nan';
  const interval = row.querySelector('.interval');
  interval.textContent = low === null || high === null ? 'n/a' : `${points(low)} to ${points(high)}`;
  interval.dataset.key = low ?? 'nan';
  const mark = row.querySelector('svg g');
  mark.toggleAttribute('hidden', value === null);
  mark.setAttribute('class', low > 0.5 ? 'better' : high !== null && high < 0.5 ? 'worse' : 'unclear');
  mark.querySelector('circle').setAttribute('cx', across(value ?? 0));
  mark.querySelector('.span').setAttribute('x1', across(low ?? value ?? 0));
  mark.querySelector('.span').setAttribute('x2', across(high ?? value ?? 0));
}

function showHeat(cell, value) {
  cell.textContent = points(value);
  cell.className = value === null ? 'mut' : `heat ${value > 0.5 ? 'up' : 'down'}`;
  cell.style.setProperty('--heat', `${Math.round(Math.min(1, Math.abs((value ?? 0.5) - 0.5) * 2) * 100)}%`);
}

function showChoice() {
  const language = choice.language.value;
  const metric = choice.metric.value;
  const words = choice.metric.selectedOptions[0].textContent;
  const heading = [...board.tHead.rows[0].cells][2];
  heading.querySelector('button').textContent = words[0].toUpperCase() + words.slice(1);
  for (const row of board.tBodies[0].rows) showRow(row, estimate(row.dataset.row, language, metric));
  for (const cell of document.querySelectorAll('#heatmap td')) {
    showHeat(cell, estimate(cell.closest('tr').dataset.row, cell.dataset.language, metric).value);
  }
  heading.setAttribute('aria-sort', 'ascending');
  sortBy(board, heading);
  say(`${words}, ${META.names[language]}`);
}

/** Hide candidates whose name does not hold the words, in both tables. */
function filterRows() {
  const wanted = choice.filter.value.trim().toLocaleLowerCase();
  const fits = META.rows.map((row) => row.candidate.toLocaleLowerCase().includes(wanted));
  for (const row of document.querySelectorAll('tr[data-row]')) row.hidden = !fits[row.dataset.row];
  say(`${fits.filter(Boolean).length} of ${fits.length} candidates`);
}

const mdCell = (text) => String(text).replace(/[\\`*_{}[\]<>#|~]/g, '\\$&').replace(/[\r\n]/g, ' ').replace(/@/g, '@\u2060');

/** The ranking as it is shown: the chosen figure, the rows that fit, in their order. */
function boardMarkdown() {
  const language = choice.language.value;
  const metric = choice.metric.value;
  const words = `${choice.metric.selectedOptions[0].textContent}, ${META.names[language]}`;
  const lines = [...board.tBodies[0].rows].filter((row) => !row.hidden).map((row) => {
    const own = META.rows[row.dataset.row];
    const { value, low, high } = estimate(row.dataset.row, language, metric);
    const interval = low === null || high === null ? 'n/a' : `${points(low)} to ${points(high)}`;
    const rating = own.rating ? Math.round(own.rating.value) : 'n/a';
    return `| ${row.cells[0].textContent.trim()} | ${mdCell(own.candidate)} | ${points(value)} | ${interval} | ${rating} |`;
  });
  return ['| rank | candidate | ' + words + ' | interval | rating |', '|:--|:--|--:|--:|--:|', ...lines, ''].join('\n');
}

function boardCsv() {
  const head = ['candidate', 'rank_low', 'rank_high', 'language', 'metric', 'value', 'low', 'high', 'n'];
  const lines = META.rows.flatMap((row) => Object.entries(row.estimates).flatMap(([language, metrics]) =>
    Object.entries(metrics).map(([metric, figure]) => [
      csvCell(row.candidate), row.rank_low ?? '', row.rank_high ?? '', csvCell(language), csvCell(metric),
      figure.value ?? '', figure.low ?? '', figure.high ?? '', figure.n ?? '',
    ].join(','))));
  return `\ufeff${head.join(',')}\r\n${lines.join('\r\n')}\r\n`;
}

makeSortable(board);
choice.hidden = false;
choice.addEventListener('submit', (event) => event.preventDefault());
choice.addEventListener('input', (event) => (event.target === choice.filter ? filterRows() : showChoice()));
$('#csv').addEventListener('click', () => save('leaderboard.csv', 'text/csv', boardCsv()));
$('#json').addEventListener('click', () => {
  const { names, rules, ...own } = META;
  save('leaderboard.json', 'application/json', `${JSON.stringify(own, null, 1)}\n`);
});
$('#md').addEventListener('click', () => save('leaderboard.md', 'text/markdown', boardMarkdown()));
document.documentElement.dataset.ready = 'yes';
