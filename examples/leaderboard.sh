#!/bin/sh
# One leaderboard job for any CI: run a suite, hold the candidate against the released one, build what is published.
#
#     leaderboard.sh SUITE NAME [options of `evalkit run`]
#     leaderboard.sh xalpaca step-2000 --candidate step-2000=openai/aya@http://127.0.0.1:8000/v1 --max-cost 20
#
# Kept between jobs:  $RESULTS        in git; a results.json a run is enough, outcomes.parquet lets the gate tell sooner
#                     $EVALKIT_LEDGER in a cache; nothing that was answered is paid for twice
# Left to publish:    $PUBLIC         index.html with a report a candidate, check.xml
# Exit code:          0 passed, 1 regressed, 2 wrong input, 3 incomplete (run it again), 4 cannot tell
set -eu

suite=${1:?usage: leaderboard.sh SUITE NAME [options of evalkit run]}
name=${2:?usage: leaderboard.sh SUITE NAME [options of evalkit run]}
shift 2
RESULTS=${RESULTS:-results}
PUBLIC=${PUBLIC:-public}
MAX_REGRESSION=${MAX_REGRESSION:-3}

runs=$RESULTS/$(basename "$suite" .yaml)
run=$runs/$name
evalkit run "$suite" --out "$run" "$@"

mkdir -p "$PUBLIC"
answer=0
if [ -f "$runs/released" ]; then
  released=$(cat "$runs/released")
  evalkit check "$run" --against "$runs/$released" --max-regression "$MAX_REGRESSION" --junit "$PUBLIC/check.xml" ||
    answer=$?
  [ "$answer" -ne 2 ] || exit 2
fi
if [ "$answer" -eq 0 ]; then
  echo "$name" >"$runs/released"
fi

for folder in "$runs"/*/; do
  published=$PUBLIC/$(basename "$folder")
  mkdir -p "$published"
  for file in results.json outcomes.parquet; do
    [ ! -f "$folder$file" ] || cp "$folder$file" "$published/"
  done
  # The shared report leaves out paths, addresses and names of machines. Runs kept as results.json only have none.
  [ ! -f "${folder}generations.parquet" ] || evalkit report "$folder" --share --output "$published/report.html"
done
evalkit leaderboard "$PUBLIC" --output "$PUBLIC/index.html"
exit "$answer"
