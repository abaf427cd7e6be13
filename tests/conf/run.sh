#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Golden tests of the configuration: each NAME.conf is checked, and its canonical form followed
# by its diagnostics compared with NAME.ok.  The canonical form must read as itself again, and
# the exit status must be 78 exactly when there is an error.  Then the examples of the manual.
# Prints TAP; SMCROUTE is the binary.  `run.sh -u` writes the .ok files anew.
cd "$(dirname "$0")" || exit 1
SMCROUTE=${SMCROUTE:-$PWD/../../build/smcroute}
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
n=0 bad=0

check() { "$SMCROUTE" smcroute-check "$@"; }

# ok NAME FILE: passed when FILE, which says what was wrong, is empty.
ok() {
	n=$((n + 1))
	if [ -s "$2" ]; then
		bad=1
		sed 's/^/# /' "$2"
		echo "not ok $n - $1"
	else
		echo "ok $n - $1"
	fi
}

# same_again FILE: FILE is canonical, so it is printed as it is.
same_again() {
	check -p "$1" 2>/dev/null >"$tmp/again"
	diff -u "$1" "$tmp/again" | head -n 20
}

# golden NAME
golden() {
	want=0
	check -p "$1.conf" >"$tmp/out" 2>"$tmp/err"
	got=$?
	grep -q ': error: ' "$tmp/err" && want=78
	cat "$tmp/out" "$tmp/err" >"$tmp/all"
	[ "$update" ] && cp "$tmp/all" "$1.ok"
	{
		diff -u "$1.ok" "$tmp/all"
		same_again "$tmp/out"
		[ "$got" = "$want" ] || echo "exit status $got, not $want"
	} >"$tmp/why"
	ok "$1" "$tmp/why"
}

# The examples of a manual page: what stands between .Bd -literal and .Ed and reads as config.
examples() {
	awk -v out="$tmp/man" '
		/^\.Bd -literal/ { on = 1; file = sprintf("%s/%02d.conf", out, ++k); next }
		/^\.Ed/ { on = 0; close(file) }
		on { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-"); print > file }' "$1"
}

# missing_words DIR: what no file there has an example of.
missing_words() {
	for w in phyint mgroup ssmgroup mroute include source ttl-threshold mrdisc refresh disable; do
		cat "$1"/*.conf | grep -q "$w" || echo "no example of $w"
	done
}

update=
[ "$1" = -u ] && update=1
for f in *.conf; do
	golden "${f%.conf}"
done

# More levels of include than there may be: 16 are fine, 17 are not.
mkdir "$tmp/deep"
for i in $(seq 0 16); do
	echo "include $((i + 1)).conf" >"$tmp/deep/$i.conf"
done
echo "mroute from a group 225.1.2.3 to b" >"$tmp/deep/17.conf"
check -q "$tmp/deep/1.conf" || echo "16 levels were refused" >"$tmp/why"
check "$tmp/deep/0.conf" 2>&1 | grep -q '/16.conf:1:9: error: .*more than 16 levels' ||
	echo "17 levels were not refused in 16.conf" >>"$tmp/why"
ok "levels of include" "$tmp/why"

# Unreadable, missing, a directory, a pipe, standard input, nothing at all.
: >"$tmp/why"
for f in "$tmp/missing.conf" "$tmp"; do
	check "$f" >"$tmp/out" 2>&1
	[ $? = 78 ] || echo "$f: exit status" >>"$tmp/why"
	grep -q "^$f: error: cannot read it" "$tmp/out" || cat "$tmp/out" >>"$tmp/why"
done
echo "mroute from a group 225.1.2.3 to b" >"$tmp/line"
stdin=/dev/stdin
[ -e /proc/self/fd ] || stdin=		# which is a link into /proc
for f in - $stdin; do
	echo "mroute from a group 225.1.2.3 to b" | check -p "$f" 2>&1 | diff "$tmp/line" - >>"$tmp/why"
done
check -p /dev/null >>"$tmp/why" 2>&1
mkfifo "$tmp/fifo"
echo "include $tmp/fifo" | check - 2>&1 | grep -q 'no regular file' || echo "a FIFO was included" >>"$tmp/why"
ok "files of all kinds" "$tmp/why"

# A program of 32 bits refuses these (EOVERFLOW) when its libc has 32 for the time of a file.
: >"$tmp/why"
if touch -d 2040-01-01 "$tmp/line" 2>/dev/null; then
	check -q "$tmp/line" >"$tmp/why" 2>&1 || echo "exit status" >>"$tmp/why"
fi
ok "a file of a time after 2038" "$tmp/why"

# They refuse an inode of more than 32 bits likewise, as an overlay of two file systems has them (fs/overlayfs/inode.c,
# ovl_map_dev_ino()): in a container, or where an image lies below what is written.
mkdir "$tmp/low" "$tmp/high" "$tmp/both"
# shellcheck disable=SC2016 # for that shell
in_overlay='cd "$1" && mount -t tmpfs none high && cp line high &&
	mount -t overlay -o xino=on,lowerdir=low:high none both &&
	inode=$(stat -c %i both/line) && [ ${#inode} -gt 10 ] || exit 99
	exec "$2" smcroute-check -q both/line'
skip=''
: >"$tmp/why"
if ! unshare -rm true 2>"$tmp/unshare"; then
	skip=$(cat "$tmp/unshare")
else
	unshare -rm sh -c "$in_overlay" sh "$tmp" "$SMCROUTE" >"$tmp/out" 2>&1
	case $? in
	99) skip="no overlay with such inodes here" ;;
	0) ;;
	*) cat "$tmp/out" && echo "exit status" ;;
	esac >"$tmp/why"
fi
ok "a file of an inode above 32 bits${skip:+ # SKIP $skip}" "$tmp/why"

check twenty.conf 2>&1 | grep -c ': error: ' | grep -vx 20 >"$tmp/why"
ok "20 mistakes give 20 diagnostics" "$tmp/why"

: >"$tmp/why"
check -j twenty.conf mroute.conf >"$tmp/json" 2>>"$tmp/why"
[ $? = 78 ] || echo "exit status" >>"$tmp/why"
if command -v python3 >/dev/null; then
	python3 - "$tmp/json" >>"$tmp/why" 2>&1 <<-'END'
	import json, sys
	r = json.load(open(sys.argv[1]))
	assert r["files"] == ["twenty.conf", "mroute.conf"], r["files"]
	assert r["errors"] == 20 == sum(d["severity"] == "error" for d in r["diagnostics"])
	assert set(r["diagnostics"][0]) == {"file", "line", "column", "severity", "message"}
	END
fi
check -q twenty.conf >>"$tmp/why" 2>&1
[ $? = 78 ] || echo "-q: exit status" >>"$tmp/why"
check -x >/dev/null 2>&1
[ $? = 64 ] || echo "-x: exit status" >>"$tmp/why"
ok "options" "$tmp/why"

# An init script may close standard error, or lead it to a full disk: the status of -F is the same.
: >"$tmp/why"
for f in "twenty 78" "warn-group 0" "mroute 0"; do
	"$SMCROUTE" smcrouted -F "${f% *}.conf" 2>&-
	[ $? = "${f#* }" ] || echo "${f% *}.conf: exit status with standard error closed" >>"$tmp/why"
	"$SMCROUTE" smcrouted -F "${f% *}.conf" 2>/dev/full
	[ $? = "${f#* }" ] || echo "${f% *}.conf: exit status with a full disk" >>"$tmp/why"
done
ok "-F without standard error" "$tmp/why"

# explained [-j]: each line of explain/questions, its answer and the exit status.
explained() (
	cd explain || exit
	while read -r words; do
		echo "> $words"
		# shellcheck disable=SC2086 # these are words
		check "$@" explain $words rules.conf 2>&1
		echo "status $?"
	done <questions
)
explained >"$tmp/all"
[ "$update" ] && cp "$tmp/all" explain/answers
diff -u explain/answers "$tmp/all" >"$tmp/why"
ok "explain" "$tmp/why"
explained -j >"$tmp/json"
[ "$update" ] && cp "$tmp/json" explain/answers.json
diff -u explain/answers.json "$tmp/json" >"$tmp/why"
for f in all json; do
	grep '^status' "$tmp/$f" >"$tmp/$f.status"
done
diff "$tmp/all.status" "$tmp/json.status" >>"$tmp/why"
grep '^{' "$tmp/json" | while read -r line; do
	command -v python3 >/dev/null || break
	printf '%s\n' "$line" | python3 -c 'import json, sys; json.load(sys.stdin)' >>"$tmp/why" 2>&1
done
ok "explain as JSON" "$tmp/why"

# words STATUS TEXT WORD...: these words give that status and a text.
words() {
	want=$1 text=$2
	shift 2
	check "$@" >"$tmp/out" 2>&1
	got=$?
	[ "$got" = "$want" ] && grep -q -- "$text" "$tmp/out" || { echo "$*: $got"; cat "$tmp/out"; }
}
{
	words 64 'did you mean "doctor"' dcotor 225.1.2.3
	words 64 'did you mean "explain"' explian eth0 10.0.0.1 225.1.2.3
	words 64 'eth0 is neither a group nor a number' doctor eth0 225.1.2.3
	words 78 'cannot read it' doc.conf
	words 78 'cannot read it' explain eth0 10.0.0.1 225.1.2.3 nothing.conf
	grep 'no rule' "$tmp/out"
	for w in -h --help "doctor --help" "explain --help" "doctor -h" help; do
		# shellcheck disable=SC2086 # these are words
		words 0 '^usage: ' $w
	done
	words 0 '^smcroute-check [0-9]' --version
	words 64 'usage: ' --no-such-option
} >"$tmp/why"
ok "words" "$tmp/why"

mkdir "$tmp/man"
: >"$tmp/why"
examples ../../man/smcroute.conf.5
missing_words "$tmp/man" >>"$tmp/why"
mkdir "$tmp/man/smcroute.d"
for f in "$tmp"/man/*.conf; do
	check "$f" >"$tmp/out" 2>&1 || cat "$tmp/out" >>"$tmp/why"
done
ok "examples of the manual" "$tmp/why"

# The blocks of README.md and of the recipes that are configurations: indented, with a directive in them.
mkdir "$tmp/readme"
: >"$tmp/why"
awk -v out="$tmp/readme" '
	/^    / { if (!on) { on = 1; file = sprintf("%s/%02d", out, ++k) } print substr($0, 5) > file; next }
	{ on = 0 }' ../../README.md ../../examples/recipes.md
for f in $(grep -lE '^(phyint|mgroup|mroute|include) ' "$tmp"/readme/*); do
	echo "$f" >>"$tmp/readme.list"
	check "$f" >"$tmp/out" 2>&1 || cat "$tmp/out" >>"$tmp/why"
done
[ "$(wc -l <"$tmp/readme.list")" -ge 5 ] || echo "fewer examples than there were" >>"$tmp/why"
ok "examples of the README" "$tmp/why"

# The command lines of the daemon's manual: all are taken, and every option is in one.
commands() {
	awk '/^\.Bd -literal/ { on = 1 } /^\.Ed/ { on = 0 } on && /^# smcrouted/' "$1"
}
: >"$tmp/why"
commands ../../man/smcrouted.8 >"$tmp/commands"
while read -r line; do
	# shellcheck disable=SC2086
	"$SMCROUTE" ${line#\# } -F empty.conf >"$tmp/out" 2>&1 || cat "$tmp/out" >>"$tmp/why"
done <"$tmp/commands"
for o in $("$SMCROUTE" smcrouted -h | sed -n 's/^  \(-[a-zA-Z]\).*/\1/p'); do
	grep -q -- " $o\b" "$tmp/commands" || echo "no example of $o" >>"$tmp/why"
	grep -q "^\.It Fl ${o#-}" ../../man/smcrouted.8 || echo "$o is not in the manual" >>"$tmp/why"
done
ok "options in the manual" "$tmp/why"

echo "1..$n"
exit $bad
