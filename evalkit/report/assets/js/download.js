/* The listed examples as CSV and JSONL, made in the browser. */

const OUTCOMES = { w: 'win', t: 'tie', l: 'loss', m: 'missing' };

async function records(index, shown) {
  const made = [];
  for (const i of shown) {
    const texts = await textsOf(index, i);
    made.push({
      id: index.id[i],
      language: META.languages[index.language[i]].tag,
      outcome: OUTCOMES[index.outcome[i]],
      score: index.score[i],
      reversed: Boolean(index.flags[i] & FLAGS.flipped),
      wrong_language: Boolean(index.flags[i] & FLAGS.wrong),
      baseline_wrong_language: Boolean(index.flags[i] & FLAGS.baselineWrong),
      log_length_ratio: index.ratio[i],
      slices: index.slices[i].map((slot) => index.sliceNames[slot]),
      texts,
    });
  }
  return made;
}

async function asCsv(index, shown) {
  const head = ['id', 'language', 'outcome', 'score', 'reversed', 'wrong_language', 'baseline_wrong_language',
    'log_length_ratio', 'slices', 'prompt', 'candidate_answer', 'baseline_answer'];
  const lines = (await records(index, shown)).map((record) => [
    csvCell(record.id), csvCell(record.language), record.outcome, record.score ?? '', record.reversed,
    record.wrong_language, record.baseline_wrong_language, record.log_length_ratio, csvCell(record.slices.join('; ')),
    csvCell(joined(record.texts?.prompt)), csvCell(joined(record.texts?.candidate)), csvCell(joined(record.texts?.baseline)),
  ].join(','));
  return `\ufeff${head.join(',')}\r\n${lines.join('\r\n')}\r\n`;
}

async function asJsonl(index, shown) {
  return (await records(index, shown)).map(({ texts, ...record }) => `${JSON.stringify({ ...record, ...texts })}\n`).join('');
}
