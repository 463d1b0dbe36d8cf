#!/bin/sh
# The size of the house: hand-written lines, files and types of each project, the longest files, lines over 140 columns.
cd "$(dirname "$0")/.." || exit 1
files() { git ls-files "$1/*.cs" "$1/**/*.cs" | grep -v '\.g\.cs$' | sort -u; }
row() { # row NAME FILES...
    name=$1; shift
    printf '%-24s %6d lines %5d files %5d types\n' "$name" "$(cat "$@" | wc -l)" "$#" \
        "$(cat "$@" | grep -cE '^ *(public |internal |private |protected |file |static |sealed |abstract |readonly |ref |unsafe |partial )*(class|struct|interface|record|enum) +[A-Z]')"
}
for project in engine/* models/* benchmarks/Rpat.Benchmarks tests/Rpat.PtxMachine tests/Rpat.Tests; do
    [ -d "$project" ] && row "${project##*/}" $(files "$project")
done
row "product" $(files engine) $(files models)
echo "recipes                  $(git ls-files 'engine/**/Recipes/**' | grep -cvE '\.cs$') files"
echo "over 140 columns         $(cat $(files engine) $(files models) $(files benchmarks) $(files tests) | LC_ALL=C.UTF-8 grep -cE '.{141,}') lines"
echo "longest files:"
wc -l $(files engine) $(files models) $(files tests) | grep -v total | sort -rn | head -5
