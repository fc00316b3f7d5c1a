#!/usr/bin/env bash
# Usage: scripts/pictures.sh       (make pictures calls it, after the demo study)
#
# Make the pictures in docs/ from the demo's report and from the workflow. Needs Debian's
# chromium, poppler-utils, graphviz and imagemagick.
set -euo pipefail
cd "$(dirname "$0")/.."
report=results/demo/report/pt
temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

for program in chromium pdftoppm dot montage; do
    command -v "$program" >/dev/null || {
        echo "pictures: $program was not found. Install it: sudo apt install chromium poppler-utils graphviz imagemagick" >&2
        exit 1
    }
done

chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run \
    --disable-background-networking --disable-component-update --disable-sync \
    --user-data-dir="$temporary/profile" --window-size=1180,1000 \
    --screenshot="$temporary/html.png" "file://$PWD/$report/report.html" 2>/dev/null
convert "$temporary/html.png" -colors 128 docs/report-html.png

pdftoppm -r 60 -png "$report/report.pdf" "$temporary/page"
montage "$temporary"/page-*1.png "$temporary"/page-*3.png "$temporary"/page-*4.png -tile 3x1 \
    -geometry +6+6 -background '#bbbbbb' "$temporary/pdf.png"
convert "$temporary/pdf.png" -colors 128 docs/report-pdf.png

snakemake --rulegraph dot 2>/dev/null |
    sed -n '/^digraph/,/^}/p' | dot -Tsvg >docs/rulegraph.svg
ls -l docs
