#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Runs every test and ends with the line "N passed, N failed, N skipped".
#
#	tests/run.sh [WORD...]		only the programs whose names hold a word
#
# A job is a program that prints TAP.  Jobs run side by side, each with a deadline; a line
# tells of each that has ended, how many of them, and after how many seconds in all.  What
# a failing one printed is shown in full, and why a case was skipped.
# From the Makefile come B (build directory), SMCROUTE (the binary), COMPILE, SANITIZE.  EMULATOR runs programs of
# another machine, see tests/cross.sh.
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
SMCROUTE=${SMCROUTE:-$PWD/$B/smcroute}
PYTHONDONTWRITEBYTECODE=1
# A user of Debian has no sysctl, bridge or ip without these.
PATH=$PATH:/usr/sbin:/sbin
export B SMCROUTE PYTHONDONTWRITEBYTECODE PATH
DEADLINE=${DEADLINE:-300}

# One job: the line of $OUT/jobs with the number $2.  Its number on stdout says that it is done.
if [ "$1" = --job ]; then
	job=$(sed -n "$2p" "$OUT/jobs")
	start=$(date +%s)
	timeout -k 5 "$DEADLINE" sh -c "${job#*	}" >"$OUT/$2.out" 2>&1
	echo "$? $(($(date +%s) - start))" >"$OUT/$2.end"
	echo "$2"
	exit 0
fi

OUT=$(mktemp -d)
export OUT
trap 'rm -rf "$OUT"' EXIT
trap 'exit 130' INT TERM

# job NAME COMMAND: the name, a tab and the command.
job() {
	[ -z "$words" ] || for w in $words; do
		case $1 in *"$w"*) w=; break ;; esac
	done
	[ -n "$words" ] && [ -n "$w" ] || printf '%s\t%s\n' "$1" "$2" >>"$OUT/jobs"
}

words=$*
: >"$OUT/jobs"
# The slow ones first, so that none is left over when all others have ended.
for t in tests/net/test_doctor*.py tests/net/test_ways.py tests/net/test_refresh.py tests/net/test_turns.py \
	tests/net/test_reflect.py tests/net/test_*.py; do
	if ! command -v python3 >/dev/null; then
		job tests/net "echo 1..0 '# SKIP no python3 here'"
		break
	fi
	# As the first list had it, or as no file at all.
	if [ ! -e "$t" ] || cut -f 1 "$OUT/jobs" | grep -qE "^$t( |\$)"; then continue; fi
	case $t in
	# A doctor watches for seconds: these sleep most of the time.
	*/test_doctor*) for i in 1 2 3; do job "$t $i/3" "PART=$i/3 python3 $t"; done ;;
	*) job "$t" "python3 $t" ;;
	esac
done
for t in tests/net/*.sh tests/bench/*.sh tests/conf/run.sh; do
	[ -e "$t" ] && job "$t" "sh $t"
done
# With init systems to start only.
for t in tests/init/test_*.py; do
	[ -n "$ROOT" ] && job "$t" "python3 $t"
done
for t in tests/scenario/*.c; do
	[ -e "$t" ] || continue
	job "$t" "$EMULATOR $B/tests/$(basename "$t" .c) tests/scenario/*.scn"
	job "$t on FreeBSD" "SYSTEM=freebsd $EMULATOR $B/tests/$(basename "$t" .c) tests/scenario/*.scn"
done
for t in tests/unit/test_*.c; do
	# A program that posix_spawn() does not find is reported to a parent that shares the memory of the child.
	case $EMULATOR:$t in
	*qemu*:tests/unit/test_hook.c) job "$t" "echo 1..0 '# SKIP qemu-user makes a fork of a vfork'" ;;
	*) [ -e "$t" ] && job "$t" "$EMULATOR $B/tests/$(basename "$t" .c)" ;;
	esac
done
job tests/armour.sh "sh tests/armour.sh"
job tests/arrows.sh "sh tests/arrows.sh"
job tests/make.sh "sh tests/make.sh"
job tests/recipes.sh "sh tests/recipes.sh"
job tests/lint.sh "sh tests/lint.sh"

cores=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
jobs=$(wc -l <"$OUT/jobs")
start=$(date +%s)

# report I: what came of job I, which is the number $done to end.
report() {
	name=$(sed -n "$1s/	.*//p" "$OUT/jobs")
	read -r rc seconds <"$OUT/$1.end"
	# Results short of the plan, or an exit status that no result explains, are one failure.
	eval "$(awk -v rc="$rc" '
		/^ok .*# SKIP/ { s++; next }
		/^ok / { p++; next }
		/^not ok / { f++; next }
		/^1\.\.0 # SKIP/ { s++; plan = 1; next }
		/^1\.\.[0-9]+/ { plan = substr($1, 4) + 0 }
		END {
			if (p + f + s < plan || !plan || (rc && !f)) f++
			printf "p=%d f=%d s=%d", p, f, s
		}' "$OUT/$1.out")"
	# shellcheck disable=SC2154
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	at="[$done/$jobs, $(($(date +%s) - start)) s]"
	if [ "$f" -gt 0 ]; then
		broken="$broken $name"
		echo "FAIL $at $name: $f failed, exit $rc$([ "$rc" = 124 ] && echo " (over $DEADLINE s)")"
		sed 's/^/    /' "$OUT/$1.out"
	else
		more=$([ "$s" = 0 ] || echo ", $s skipped")$([ "$seconds" -lt 5 ] || echo ", $seconds s")
		echo "ok   $at $name: $p passed$more"
		sed -n 's/^ok [0-9]* - \(.*\) # SKIP \(.*\)/     skipped: \1: \2/p
			s/^1\.\.0 # SKIP \(.*\)/     skipped: \1/p
			s/^# measured: /     measured: /p' "$OUT/$1.out"
	fi
}

# Jobs that sleep most of the time, and come first, are side by side with JOBS others, twice as many of them.
JOBS=${JOBS:-$((cores * 4))}
sleepers=$(grep -c '^tests/net/test_doctor' "$OUT/jobs")
{
	[ "$sleepers" = 0 ] || seq "$sleepers" | xargs -P "$((JOBS * 2))" -I '{}' sh tests/run.sh --job '{}' &
	seq "$((sleepers + 1))" "$jobs" | xargs -P "$JOBS" -I '{}' sh tests/run.sh --job '{}'
	wait
} | {
	done=0 passed=0 failed=0 skipped=0 broken=
	while read -r i; do
		done=$((done + 1))
		report "$i"
	done
	[ "$done" = "$jobs" ] || failed=$((failed + jobs - done)) broken="$broken and jobs that did not end"
	[ -z "$broken" ] || echo "failed:$broken"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}
