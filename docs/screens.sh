#!/usr/bin/env bash
# Screens of a report's first page into docs/screens/: docs/screens.sh REPORT.html NAME
# Wide (the README shows sample-wide.webp) and narrow, light and dark, and the printed first sheet; needs chromium and pdftoppm.
set -euo pipefail
report=$(realpath "$1"); name=$2; out=$(dirname "$(realpath "$0")")/screens
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT
browser=(chromium --headless --no-sandbox --disable-gpu --hide-scrollbars "--user-data-dir=$folder/profile")
small() { # FILE
  "${PYTHON:-.venv/bin/python}" -c "import sys; from PIL import Image; i = Image.open(sys.argv[1]);
i.convert('RGB').quantize(48).convert('RGB').save(sys.argv[2], lossless=True, method=6)" "$folder/$1.png" "$out/$1.webp"
}
screen() { # WIDTH HEIGHT FILE [SETTING]
  "${browser[@]}" ${4:+"$4"} "--window-size=$1,$2" "--screenshot=$folder/$3.png" "file://$report" 2>/dev/null
  small "$3"
}
dark=--blink-settings=preferredColorScheme=0
screen 1280 1024 "$name-wide"
screen 1280 1024 "$name-wide-dark" "$dark"
screen 390 3200 "$name-narrow"
screen 390 3200 "$name-narrow-dark" "$dark"
"${browser[@]}" --no-pdf-header-footer "--print-to-pdf=$folder/page.pdf" "file://$report" 2>/dev/null
pdftoppm -r 70 -png -f 1 -l 1 -singlefile "$folder/page.pdf" "$folder/print"
mv "$folder/print.png" "$folder/$name-print.png"
small "$name-print"
