#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Scripts and manual pages through their linters.  Prints TAP.
cd "$(dirname "$0")/.." || exit 1
n=0 bad=0

# lint NAME PROGRAM ARGS...: silence is good; a program that is not there is a skip.
lint() {
	name=$1 prog=$2
	shift
	n=$((n + 1))
	if ! command -v "$prog" >/dev/null; then
		echo "ok $n - $name # SKIP no $prog here"
	elif ! out=$("$@" 2>&1) || [ -n "$out" ]; then
		bad=1
		printf '%s\n' "$out" | sed 's/^/# /'
		echo "not ok $n - $name"
	else
		echo "ok $n - $name"
	fi
}

# shellcheck disable=SC2046
lint "shell scripts" shellcheck -S warning -x $(find tests -name '*.sh') .ci/run
# shellcheck disable=SC2046
lint "scripts of init systems and examples" shellcheck -S warning -x \
	$(find init examples -type f -exec grep -lE '^#!/bin/(ba)?sh|shellcheck shell=' {} +)
for page in man/*.[1-9]; do
	[ -e "$page" ] && lint "$page" mandoc -T lint -W warning "$page"
done
echo "1..$n"
exit $bad
